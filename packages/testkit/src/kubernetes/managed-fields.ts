/** Who set which field last: `metadata.managedFields`, by comparing an object before and after a write. */

import { isFields, same, timestamp, type FieldSet, type KubeObject, type ManagedFields } from './object.ts'
import { mergeKey } from './patch.ts'

export interface Writer {
  readonly manager: string
  readonly subresource: string | null
}

/** Paths as lists of `f:name` and `k:{"name":"main"}`. */
type Path = readonly string[]

/** @returns What `after.metadata.managedFields` is to be. */
export function manage(before: KubeObject | null, after: KubeObject, writer: Writer): ManagedFields[] {
  const written: Path[] = []
  const gone: Path[] = []
  compare(before === null ? undefined : relevant(before), relevant(after), [], written, gone)
  const entries = structuredClone(before?.metadata.managedFields ?? [])
  if (written.length === 0 && gone.length === 0) return entries
  for (const entry of entries) for (const path of [...written, ...gone]) remove(entry.fieldsV1, path)
  const apiVersion = after.apiVersion
  const isWriter = (entry: ManagedFields): boolean =>
    entry.manager === writer.manager &&
    entry.operation === 'Update' &&
    (entry.subresource ?? null) === writer.subresource
  const own: ManagedFields = entries.find(isWriter) ?? {
    manager: writer.manager,
    operation: 'Update',
    apiVersion,
    time: '',
    fieldsType: 'FieldsV1',
    fieldsV1: {},
    ...(writer.subresource === null ? {} : { subresource: writer.subresource }),
  }
  own.time = timestamp()
  for (const path of written) add(own.fieldsV1, path)
  const others = entries.filter(entry => entry !== own && Object.keys(entry.fieldsV1).length > 0)
  return Object.keys(own.fieldsV1).length === 0 ? others : [...others, own]
}

function relevant({ apiVersion: _version, kind: _kind, metadata, ...rest }: KubeObject): unknown {
  const { labels, annotations, finalizers, ownerReferences } = metadata
  return { metadata: { labels, annotations, finalizers, ownerReferences }, ...rest }
}

/** Maps that are replaced as a whole. */
const ATOMIC = new Set(['f:selector', 'f:nodeSelector'])

function compare(before: unknown, after: unknown, path: Path, written: Path[], gone: Path[]): void {
  if (same(before, after)) return
  const isWhole = ATOMIC.has(path.at(-1) ?? '')
  if (isFields(after) && Object.keys(after).length > 0 && !isWhole) {
    const old = isFields(before) ? before : {}
    for (const key of new Set([...Object.keys(old), ...Object.keys(after)])) {
      compare(old[key], after[key], [...path, `f:${key}`], written, gone)
    }
    return
  }
  const items: readonly unknown[] = [after, before].flatMap(value => (Array.isArray(value) ? value : []))
  const key = mergeKey((path.at(-1) ?? '').slice(2), items)
  if (Array.isArray(after) && key !== null) {
    const byKey = (list: unknown): Map<string, unknown> =>
      new Map(
        (Array.isArray(list) ? list : [])
          .filter(isFields)
          .map(item => [`k:${JSON.stringify({ [key]: item[key] })}`, item]),
      )
    const [old, now] = [byKey(before), byKey(after)]
    for (const name of new Set([...old.keys(), ...now.keys()])) {
      compare(old.get(name), now.get(name), [...path, name], written, gone)
    }
    return
  }
  ;(after === undefined ? gone : written).push(path)
}

function add(set: FieldSet, path: Path): void {
  let at = set
  for (const part of path) at = at[part] ??= {}
}

function remove(set: FieldSet, [first, ...rest]: Path): void {
  const inner = first === undefined ? undefined : set[first]
  if (first === undefined || inner === undefined) return
  if (rest.length > 0) remove(inner, rest)
  if (rest.length === 0 || Object.keys(inner).length === 0) delete set[first]
}
