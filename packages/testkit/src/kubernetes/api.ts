/** One request to a resource, done against the store: what it answers. Knows nothing of sockets, users or faults. */

import { logOf } from './controllers/pod-status.ts'
import { deleteObject, type DeleteOptions } from './deletion.ts'
import { badRequest, noSuchPath, unsupportedMediaType } from './failure.ts'
import { clone, isFields, type KubeObject, type Pod, type Workload } from './object.ts'
import { jsonPatch, mergePatch, strategicMergePatch } from './patch.ts'
import { groupVersionOf } from './resources.ts'
import type { Route } from './route.ts'
import { parseFieldSelector, parseLabelSelector, renderSelector } from './selectors.ts'
import type { NewObject, Store, WriteOptions } from './store.ts'
import { renderTable, type IncludeObject } from './table.ts'

export interface ApiRequest {
  readonly route: Route
  readonly query: URLSearchParams
  readonly accept: string
  readonly contentType: string
  /** Of `fieldManager`, else the first word of the user agent. */
  readonly manager: string
  readonly dryRun: boolean
  /** Parsed; undefined where there is none. */
  readonly body: unknown
}

export interface ApiAnswer {
  readonly code: number
  /** A text is sent as it is. */
  readonly body: unknown
}

/** @throws {ApiFailure} */
export function answer(store: Store, request: ApiRequest): ApiAnswer {
  const { route, accept } = request
  if (route.subresource === 'log') return { code: 200, body: readLog(store, request) }
  if (route.subresource === 'eviction') return evict(store, request)
  if (route.subresource === 'scale') return { code: 200, body: scale(store, request) }
  switch (route.verb) {
    case 'watch':
    case 'list':
      return { code: 200, body: list(store, request) }
    case 'get':
      return { code: 200, body: shown(current(store, request), request, accept) }
    case 'create': {
      const created = store.create(route.resource, newObject(request), writeOptions(request))
      return { code: 201, body: shown(created, request, accept) }
    }
    case 'update':
      return { code: 200, body: shown(replace(store, request), request, accept) }
    case 'patch':
      return { code: 200, body: shown(patch(store, request), request, accept) }
    case 'delete': {
      const object = current(store, request)
      const { resource } = route
      const gone = deleteObject(store, resource, object, deleteOptions(request), request.dryRun)
      if (resource.kind === 'Pod' || gone.metadata.deletionTimestamp !== undefined)
        return { code: 200, body: gone }
      const details = {
        name: object.metadata.name,
        group: resource.group,
        kind: resource.plural,
        uid: object.metadata.uid,
      }
      return {
        code: 200,
        body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details },
      }
    }
    case 'deletecollection': {
      for (const object of selected(store, request)) {
        deleteObject(store, route.resource, object, deleteOptions(request), request.dryRun)
      }
      return { code: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } }
    }
  }
}

function current(store: Store, { route }: ApiRequest): KubeObject {
  return store.get(route.resource, route.namespace, route.name ?? '')
}

function writeOptions({ manager, dryRun, route }: ApiRequest): WriteOptions {
  return { writer: { manager, subresource: route.subresource }, dryRun }
}

/** @returns Whether a watch or a list with these selectors shows an object. */
export function selection({
  route,
  query,
}: Pick<ApiRequest, 'route' | 'query'>): (object: KubeObject) => boolean {
  const byLabel = parseLabelSelector(query.get('labelSelector') ?? '')
  const byField = parseFieldSelector(query.get('fieldSelector') ?? '', route.resource.kind)
  return object =>
    (route.namespace === null || object.metadata.namespace === route.namespace) &&
    (route.name === null || object.metadata.name === route.name) &&
    byLabel(object.metadata.labels ?? {}) &&
    byField(object)
}

function selected(store: Store, request: ApiRequest): KubeObject[] {
  return store.list(request.route.resource, request.route.namespace).filter(selection(request))
}

function includeOf(query: URLSearchParams): IncludeObject {
  const include = query.get('includeObject')
  return include === 'Object' || include === 'None' ? include : 'Metadata'
}

function asTable(accept: string): boolean {
  return /application\/json;as=Table/.test(accept.split(',')[0] ?? '')
}

export function shown(object: KubeObject, { route, query }: ApiRequest, accept: string): unknown {
  if (!asTable(accept)) return object
  const { resourceVersion } = object.metadata
  return renderTable([object], route.resource.kind, { resourceVersion }, includeOf(query))
}

/** Pages are cut from the list as it is now; the version of the first page is what all of them tell. */
function list(store: Store, request: ApiRequest): unknown {
  const { route, query, accept } = request
  const all = selected(store, request)
  const limit = Number(query.get('limit') ?? 0)
  const token = query.get('continue')
  const from = token ? parseContinue(token) : { version: store.version, after: '' }
  const rest = all.filter(object => pageKey(object) > from.after)
  const page = limit > 0 ? rest.slice(0, limit) : rest
  const last = page.at(-1)
  const remaining = rest.length - page.length
  const filtered = query.has('labelSelector') || query.has('fieldSelector')
  const metadata = {
    resourceVersion: String(from.version),
    ...(remaining > 0 && last !== undefined
      ? { continue: Buffer.from(JSON.stringify({ ...from, after: pageKey(last) })).toString('base64url') }
      : {}),
    ...(remaining > 0 && !filtered ? { remainingItemCount: remaining } : {}),
  }
  if (asTable(accept)) return renderTable(page, route.resource.kind, metadata, includeOf(query))
  // Items of a list carry no kind, as in the real one.
  const items = page.map(({ apiVersion: _version, kind: _kind, ...object }) => object)
  return { kind: `${route.resource.kind}List`, apiVersion: groupVersionOf(route.resource), metadata, items }
}

/** NUL sorts before whatever a name may have: pages go on where lists are sorted. */
function pageKey({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function parseContinue(token: string): { version: number; after: string } {
  try {
    const { version, after } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as Record<
      string,
      unknown
    >
    if (typeof version === 'number' && typeof after === 'string') return { version, after }
  } catch {}
  throw badRequest('continue key is not valid')
}

function newObject({ route, body }: ApiRequest): NewObject {
  if (!isFields(body)) throw badRequest('the object provided is unrecognized: it is not a JSON object')
  const { kind = route.resource.kind } = body
  if (kind !== route.resource.kind) {
    const words = `${String(body.apiVersion)}, Kind=${String(kind)}`
    throw badRequest(`the object provided is unrecognized (must be of type ${route.resource.kind}): ${words}`)
  }
  const metadata = (isFields(body.metadata) ? { ...body.metadata } : {}) as Partial<KubeObject['metadata']>
  if (route.namespace !== null) {
    if (metadata.namespace && metadata.namespace !== route.namespace) {
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      )
    }
    metadata.namespace = route.namespace
  }
  for (const field of [
    'uid',
    'resourceVersion',
    'creationTimestamp',
    'generation',
    'managedFields',
  ] as const) {
    delete metadata[field]
  }
  return { ...(body as unknown as KubeObject), metadata }
}

function replace(store: Store, request: ApiRequest): KubeObject {
  const { route, body } = request
  if (!isFields(body) || !isFields(body.metadata)) throw badRequest('the object provided is unrecognized')
  const object = clone(body) as unknown as KubeObject
  if (object.metadata.name !== route.name) {
    const words = `the name of the object (${object.metadata.name}) does not match the name on the URL (${route.name})`
    throw badRequest(words)
  }
  if (route.namespace !== null) object.metadata.namespace = route.namespace
  return store.update(route.resource, object, writeOptions(request))
}

function patched(original: unknown, { contentType, body }: ApiRequest): unknown {
  const type = contentType.split(';')[0]
  if (type === 'application/strategic-merge-patch+json') return strategicMergePatch(original, body)
  if (type === 'application/merge-patch+json') return mergePatch(original, body)
  if (type === 'application/json-patch+json') {
    return jsonPatch(original, Array.isArray(body) ? (body as Parameters<typeof jsonPatch>[1]) : [])
  }
  throw unsupportedMediaType(
    'application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json',
  )
}

function patch(store: Store, request: ApiRequest): KubeObject {
  const before = current(store, request)
  const after = patched(before, request) as KubeObject
  const { name, namespace } = before.metadata
  const identity = { name, ...(namespace === undefined ? {} : { namespace }) }
  const object = { ...after, metadata: { ...after.metadata, ...identity } }
  return store.update(request.route.resource, object, writeOptions(request))
}

function deleteOptions({ body, query }: ApiRequest): DeleteOptions {
  const grace = query.get('gracePeriodSeconds')
  const policy = query.get('propagationPolicy') as Required<DeleteOptions>['propagationPolicy'] | null
  return {
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(isFields(body) ? body : {}),
  }
}

function evict(store: Store, request: ApiRequest): ApiAnswer {
  const pod = current(store, request)
  const body = isFields(request.body) ? request.body : {}
  const options = (isFields(body.deleteOptions) ? body.deleteOptions : {}) as DeleteOptions
  const dryRun = request.dryRun || options.dryRun?.includes('All') === true
  deleteObject(store, request.route.resource, pod, options, dryRun)
  return { code: 201, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } }
}

function scaleOf(workload: Workload): Record<string, unknown> {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = workload.metadata
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: workload.spec.replicas ?? 0 },
    status: { replicas: workload.status.replicas ?? 0, selector: renderSelector(workload.spec.selector) },
  }
}

function scale(store: Store, request: ApiRequest): unknown {
  const workload = current(store, request) as Workload
  if (request.route.verb === 'get') return scaleOf(workload)
  const whole = request.route.verb === 'patch' ? patched(scaleOf(workload), request) : request.body
  if (!isFields(whole) || !isFields(whole.spec)) throw badRequest('the object provided is no Scale')
  const after = clone(workload)
  after.spec.replicas = Number(whole.spec.replicas ?? 0)
  const expected = isFields(whole.metadata) ? whole.metadata.resourceVersion : undefined
  if (typeof expected === 'string' && expected !== '') after.metadata.resourceVersion = expected
  return scaleOf(store.update(request.route.resource, after, writeOptions(request)) as Workload)
}

function readLog(store: Store, request: ApiRequest): string {
  if (request.route.verb !== 'get') throw noSuchPath()
  const pod = current(store, request) as Pod
  const container = request.query.get('container')
  if (container && !pod.spec.containers.some(({ name }) => name === container)) {
    throw badRequest(`container ${container} is not valid for pod ${pod.metadata.name}`)
  }
  const read = logOf(pod, request.query.get('previous') === 'true')
  if ('error' in read) throw badRequest(read.error)
  const tail = request.query.get('tailLines')
  if (tail === null) return read.log
  const lines = read.log.split(/(?<=\n)/)
  return Number(tail) === 0 ? '' : lines.slice(-Number(tail)).join('')
}
