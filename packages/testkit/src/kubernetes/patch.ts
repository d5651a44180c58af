/**
 * The three patches of the API: JSON patch, merge patch, strategic merge patch. Pure: the original stays as it is.
 *
 * Strategic merge knows the lists of the resources that are served (`MERGE_KEYS`); every other list is replaced.
 */

import { badRequest, unprocessable } from './failure.ts'
import { clone, isFields, same } from './object.ts'

type Fields = Record<string, unknown>

export function mergePatch(original: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return clone(patch)
  const result: Fields = isFields(original) ? { ...original } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  }
  return result
}

/** Field name → the member that tells its items apart. `ports` depends on where it is. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  addresses: 'type',
  conditions: 'type',
  containers: 'name',
  env: 'name',
  ephemeralContainers: 'name',
  hostAliases: 'ip',
  imagePullSecrets: 'name',
  initContainers: 'name',
  ownerReferences: 'uid',
  secrets: 'name',
  topologySpreadConstraints: 'topologyKey',
  volumeDevices: 'devicePath',
  volumeMounts: 'mountPath',
  volumes: 'name',
}

export function mergeKey(field: string, items: readonly unknown[]): string | null {
  if (field !== 'ports') return MERGE_KEYS[field] ?? null
  const item = items.find(isFields)
  if (item === undefined) return null
  return 'containerPort' in item ? 'containerPort' : 'port' in item ? 'port' : null
}

export function strategicMergePatch(original: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return clone(patch)
  const result: Fields = isFields(original) ? { ...original } : {}
  const directive = patch.$patch
  if (directive === 'replace') return withoutDirectives(patch)
  if (directive === 'delete') return {}
  const retained = patch.$retainKeys
  if (Array.isArray(retained)) {
    for (const key of Object.keys(result)) if (!retained.includes(key)) delete result[key]
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$deleteFromPrimitiveList/')) {
      const field = key.slice(key.indexOf('/') + 1)
      const gone = value as unknown[]
      if (Array.isArray(result[field])) result[field] = result[field].filter(item => !gone.includes(item))
    } else if (key.startsWith('$')) continue
    else if (value === null) delete result[key]
    else if (Array.isArray(value)) {
      const order = patch[`$setElementOrder/${key}`] as unknown[] | undefined
      result[key] = mergeLists(key, result[key], value, order)
    } else result[key] = strategicMergePatch(result[key], value)
  }
  return result
}

function withoutDirectives(patch: Fields): Fields {
  return Object.fromEntries(Object.entries(clone(patch)).filter(([key]) => !key.startsWith('$')))
}

function mergeLists(
  field: string,
  original: unknown,
  patch: readonly unknown[],
  order: readonly unknown[] | undefined,
): unknown[] {
  const before: unknown[] = Array.isArray(original) ? original : []
  if (field === 'finalizers') return [...new Set([...before, ...patch])]
  const key = mergeKey(field, [...before, ...patch])
  const kept = patch.filter(item => !(isFields(item) && item.$patch !== undefined && item.$patch !== 'merge'))
  if (key === null) return clone(kept)
  if (patch.some(item => isFields(item) && item.$patch === 'replace' && !(key in item))) return clone(kept)
  let result = [...before]
  for (const item of patch) {
    if (!isFields(item) || !(key in item)) continue
    const index = result.findIndex(each => isFields(each) && same(each[key], item[key]))
    if (item.$patch === 'delete') result = result.filter((_, at) => at !== index)
    else if (index === -1) result.push(withoutDirectives(item))
    else result[index] = strategicMergePatch(result[index], item)
  }
  if (order !== undefined) {
    const place = (item: unknown): number => {
      const at = order.findIndex(each => isFields(each) && isFields(item) && same(each[key], item[key]))
      return at === -1 ? order.length : at
    }
    result.sort((a, b) => place(a) - place(b))
  }
  return result
}

interface Operation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

/** @throws {ApiFailure} Invalid: a path that is not there, or a `test` that does not hold. */
export function jsonPatch(original: unknown, operations: readonly Operation[]): unknown {
  let result = clone(original)
  for (const { op, path, from, value } of operations) {
    if (op === 'test') {
      if (!same(read(result, path), value)) throw unprocessable()
    } else if (op === 'remove') result = write(result, path, 'remove')
    else if (op === 'add' || op === 'replace') result = write(result, path, op, clone(value))
    else if (op === 'copy') result = write(result, path, 'add', clone(read(result, from ?? '')))
    else if (op === 'move') {
      const moved = read(result, from ?? '')
      result = write(write(result, from ?? '', 'remove'), path, 'add', moved)
    } else throw badRequest(`Unexpected kind: ${op}`)
  }
  return result
}

const parts = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))

function read(root: unknown, path: string): unknown {
  let value = root
  for (const part of parts(path)) {
    if (Array.isArray(value)) value = value[Number(part)] as unknown
    else if (isFields(value)) value = value[part]
    else return undefined
  }
  return value
}

function write(root: unknown, path: string, op: 'add' | 'replace' | 'remove', value?: unknown): unknown {
  const way = parts(path)
  const last = way.pop()
  if (last === undefined) return value
  const parent = read(root, way.map(part => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''))
  const missing = unprocessable()
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : Number(last)
    if (!Number.isInteger(index) || index < 0 || index > parent.length) throw missing
    if (op !== 'add' && index === parent.length) throw missing
    if (op === 'add') parent.splice(index, 0, value)
    else if (op === 'remove') parent.splice(index, 1)
    else parent[index] = value
  } else if (isFields(parent)) {
    if (op !== 'add' && !(last in parent)) throw missing
    if (op === 'remove') delete parent[last]
    else parent[last] = value
  } else throw missing
  return root
}
