/**
 * What the server says of itself: versions, groups, resources, and as much OpenAPI as kubectl asks before it sends a
 * dry run or leaves validation to the server. No schemas: `kubectl explain` has nothing to tell.
 */

import { groupVersionOf, RESOURCES, type Resource } from './resources.ts'

export const SERVER_VERSION = 'v1.34.0'

const AGGREGATED = /application\/json;g=apidiscovery\.k8s\.io;v=(v2(?:beta1)?);as=APIGroupDiscoveryList/

export interface Answer {
  readonly body: unknown
  readonly contentType: string
}

/** @returns null: it is none of these. */
export function discover(path: string, accept: string): Answer | null {
  const plain = (body: unknown): Answer => ({ body, contentType: 'application/json' })
  const version = AGGREGATED.exec(accept)?.[1]
  const [first, second, third, ...rest] = path.split('/').filter(Boolean)
  if (first === 'version') return plain(versionInfo())
  if (first === 'openapi' && second === 'v3') return openApi([third, ...rest].filter(Boolean).join('/'))
  if (first === 'healthz' || first === 'livez' || first === 'readyz')
    return { body: 'ok', contentType: 'text/plain' }
  if (first === 'api' && second === undefined) {
    if (version !== undefined) return aggregated(version, [''])
    return plain({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] })
  }
  if (first === 'apis' && second === undefined) {
    if (version !== undefined) return aggregated(version, groups())
    return plain({ kind: 'APIGroupList', apiVersion: 'v1', groups: groups().map(groupInfo) })
  }
  if (first === 'apis' && second !== undefined && third === undefined && groups().includes(second)) {
    return plain({ kind: 'APIGroup', apiVersion: 'v1', ...groupInfo(second) })
  }
  const groupVersion = first === 'api' ? second : `${second}/${third}`
  if ((first === 'api' && third === undefined) || (first === 'apis' && rest.length === 0)) {
    const found = RESOURCES.filter(resource => groupVersionOf(resource) === groupVersion)
    if (found.length > 0) return plain(resourceList(groupVersion ?? '', found))
  }
  return null
}

function versionInfo(): Record<string, string> {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(SERVER_VERSION) ?? []
  const build = { gitCommit: '', gitTreeState: 'clean', buildDate: '1970-01-01T00:00:00Z', goVersion: 'none' }
  return { major, minor, gitVersion: SERVER_VERSION, ...build, compiler: 'none', platform: 'linux/amd64' }
}

function groups(): string[] {
  return [...new Set(RESOURCES.map(({ group }) => group))].filter(group => group !== '')
}

function groupInfo(name: string): Record<string, unknown> {
  const version = RESOURCES.find(({ group }) => group === name)?.version ?? ''
  const preferredVersion = { groupVersion: `${name}/${version}`, version }
  return { name, versions: [preferredVersion], preferredVersion }
}

/** Kind, group and verbs of a subresource. */
function subresource(name: string): { kind: string | null; group: string; version: string; verbs: string[] } {
  if (name === 'scale')
    return { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] }
  if (name === 'eviction') return { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] }
  if (name === 'log') return { kind: null, group: '', version: '', verbs: ['get'] }
  return { kind: null, group: '', version: '', verbs: ['get', 'patch', 'update'] }
}

function resourceList(groupVersion: string, resources: readonly Resource[]): Record<string, unknown> {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: resources.flatMap(each => {
      const { plural, kind, namespaced, verbs, shortNames, categories } = each
      const own = {
        name: plural,
        singularName: kind.toLowerCase(),
        namespaced,
        kind,
        verbs,
        ...(shortNames.length === 0 ? {} : { shortNames }),
        ...(categories.length === 0 ? {} : { categories }),
      }
      const below = each.subresources.map(name => {
        const { kind: other, group, version, verbs: allowed } = subresource(name)
        const foreign = other === null ? { kind } : { group, version, kind: other }
        return { name: `${plural}/${name}`, singularName: '', namespaced, verbs: allowed, ...foreign }
      })
      return [own, ...below]
    }),
  }
}

function aggregated(version: string, names: readonly string[]): Answer {
  const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
  const items = names.map(name => {
    const found = RESOURCES.filter(({ group }) => group === name)
    const [first] = found
    const resources = found.map(each => ({
      resource: each.plural,
      responseKind: { group: each.group, version: each.version, kind: each.kind },
      scope: each.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: each.kind.toLowerCase(),
      verbs: each.verbs,
      ...(each.shortNames.length === 0 ? {} : { shortNames: each.shortNames }),
      ...(each.categories.length === 0 ? {} : { categories: each.categories }),
      subresources: each.subresources.map(sub => {
        const { kind, group, version: subVersion, verbs } = subresource(sub)
        const own = { group: each.group, version: each.version, kind: each.kind }
        return {
          subresource: sub,
          responseKind: kind === null ? own : { group, version: subVersion, kind },
          verbs,
        }
      }),
    }))
    return {
      metadata: { name, creationTimestamp: null },
      versions: [{ version: first?.version, resources, freshness: 'Current' }],
    }
  })
  const apiVersion = `apidiscovery.k8s.io/${version}`
  return { body: { kind: 'APIGroupDiscoveryList', apiVersion, metadata: {}, items }, contentType }
}

/** kubectl looks at one thing: which query parameters a PATCH of the kind takes. */
function openApi(which: string): Answer | null {
  const contentType = 'application/json'
  const prefixOf = (each: Resource): string =>
    each.group === '' ? `api/${each.version}` : `apis/${groupVersionOf(each)}`
  if (which === '') {
    const prefixes = [...new Set(RESOURCES.map(prefixOf))]
    const paths = prefixes.map(prefix => [prefix, { serverRelativeURL: `/openapi/v3/${prefix}?hash=1` }])
    return { body: { paths: Object.fromEntries(paths) }, contentType }
  }
  const found = RESOURCES.filter(each => prefixOf(each) === which)
  if (found.length === 0) return null
  const parameters = ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map(name => ({
    name,
    in: 'query',
    schema: { type: name === 'force' ? 'boolean' : 'string' },
  }))
  const paths = found.map(each => {
    const { group, version, kind } = each
    const patch = {
      parameters,
      responses: { '200': { description: 'OK' } },
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group, version, kind },
    }
    const where = each.namespaced ? 'namespaces/{namespace}/' : ''
    return [`/${which}/${where}${each.plural}/{name}`, { patch }]
  })
  const info = { title: 'Kubernetes', version: SERVER_VERSION }
  return { body: { openapi: '3.0.0', info, paths: Object.fromEntries(paths) }, contentType }
}
