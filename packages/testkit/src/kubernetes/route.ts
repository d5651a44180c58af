/** What a path and a method ask for, in the API's own words. Pure. */

import { findResource, type Resource } from './resources.ts'

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

export interface Route {
  readonly verb: Verb
  readonly resource: Resource
  readonly namespace: string | null
  readonly name: string | null
  readonly subresource: string | null
}

/** @returns null: no resource is meant, or there is no such thing. */
export function parseRoute(method: string, path: string, query: URLSearchParams): Route | null {
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent)
  let group = ''
  if (parts[0] === 'apis') group = parts.splice(1, 1)[0] ?? ''
  else if (parts[0] !== 'api') return null
  const [, version = '', ...rest] = parts
  // `namespaces/shop` is a namespace itself; with more behind it, what lies inside.
  const inside = rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status' && rest[2] !== 'finalize'
  const namespace = inside ? (rest[1] ?? null) : null
  const [plural = '', name = null, subresource = null, ...beyond] = inside ? rest.slice(2) : rest
  const resource = findResource(group, version, plural)
  if (resource === undefined || beyond.length > 0) return null
  if (subresource !== null && !resource.subresources.includes(subresource)) return null
  if (!resource.namespaced && namespace !== null) return null
  if (resource.namespaced && namespace === null && name !== null) return null
  const verb = verbOf(method, name !== null, query)
  return verb === null ? null : { verb, resource, namespace, name, subresource }
}

function verbOf(method: string, named: boolean, query: URLSearchParams): Verb | null {
  if (method === 'GET') {
    const watches = ['1', 'true'].includes(query.get('watch') ?? '')
    return watches ? 'watch' : named ? 'get' : 'list'
  }
  if (method === 'POST') return 'create'
  if (method === 'PUT') return named ? 'update' : null
  if (method === 'PATCH') return named ? 'patch' : null
  if (method === 'DELETE') return named ? 'delete' : 'deletecollection'
  return null
}
