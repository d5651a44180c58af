/**
 * Manifests and patches in a form that is equal where their meaning is.
 *
 * Only for what is read as an object: the same text that becomes a key of a ConfigMap is compared byte by byte. What
 * YAML 1.1, which kubectl reads, and YAML 1.2 could read in two ways keeps its spelling; what holds anchors, tags or
 * errors, or no object at all, is its bytes.
 */

import { createRequire } from 'node:module'
import type { Document, Node } from 'yaml'
import type { Call } from '../../effects/decision.ts'
import { readKubectl } from '../../effects/kubectl.ts'
import { valuesOf } from '../../effects/options.ts'

/** Takes 17 ms to load, and most calls name no file. */
const yaml = (): typeof import('yaml') => createRequire(import.meta.url)('yaml') as typeof import('yaml')

type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value }
type Fields = { readonly [key: string]: Value }

export const canonicalKubectlBody = (text: string, call?: Call): string => {
  const parsed = call === undefined ? null : readKubectl(call.argv)
  if (parsed === null) return text
  if (parsed.path === 'patch') return canonicalPatch(text)
  if (parsed.path.startsWith('create ') || parsed.path === 'set env') return text
  // Sent as it stands, to a path that may be one of a status; or part of what kustomize makes something else of.
  const isRaw = valuesOf(parsed.read, 'raw').length > 0
  if (isRaw || parsed.path === 'kustomize' || valuesOf(parsed.read, 'kustomize').length > 0) return text
  const documents = parseDocuments(text)
  if (documents === null || documents.length === 0 || !documents.every(isObject)) return text
  const keepsStatus = valuesOf(parsed.read, 'subresource').length > 0
  return JSON.stringify(documents.map(one => sorted(withoutServerFields(one, keepsStatus))))
}

/** Sorted keys, and the time of a restart as a time. */
export const canonicalPatch = (text: string): string => {
  const documents = parseDocuments(text)
  const [patch] = documents ?? []
  return documents?.length === 1 && typeof patch === 'object' && patch !== null
    ? JSON.stringify(sorted(patch))
    : text
}

const isFields = (value: Value | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isObject = (value: Value): value is Fields =>
  isFields(value) && typeof value['apiVersion'] === 'string' && typeof value['kind'] === 'string'

const SERVER_FIELDS = new Set([
  'resourceVersion',
  'uid',
  'generation',
  'managedFields',
  'creationTimestamp',
  'selfLink',
])

/**
 * The server takes no status of these but by their subresource; what becomes of a custom resource's, nobody here
 * knows.
 */
const BUILT_IN_GROUPS = new Set([
  ...['', 'apps', 'autoscaling', 'batch', 'policy', 'admissionregistration.k8s.io', 'apiextensions.k8s.io'],
  ...['apiregistration.k8s.io', 'certificates.k8s.io', 'coordination.k8s.io', 'discovery.k8s.io'],
  ...['events.k8s.io', 'flowcontrol.apiserver.k8s.io', 'networking.k8s.io', 'node.k8s.io'],
  ...['rbac.authorization.k8s.io', 'resource.k8s.io', 'scheduling.k8s.io', 'storage.k8s.io'],
])

/** @param inherits what the list says that it stands in, for items that leave their version out. */
const isBuiltIn = ({ apiVersion }: Fields, inherits: boolean): boolean => {
  if (typeof apiVersion !== 'string') return inherits
  return BUILT_IN_GROUPS.has(apiVersion.includes('/') ? (apiVersion.split('/', 1)[0] ?? '') : '')
}

const withoutServerFields = (object: Fields, keepsStatus: boolean, inherits = false): Fields => {
  const builtIn = isBuiltIn(object, inherits)
  const fields: Record<string, Value> = {}
  for (const [key, value] of Object.entries(object)) {
    if (key === 'status' && !keepsStatus && builtIn) continue
    if (key === 'metadata' && isFields(value)) {
      fields[key] = Object.fromEntries(Object.entries(value).filter(([name]) => !SERVER_FIELDS.has(name)))
    } else if (key === 'items' && Array.isArray(value) && builtIn) {
      fields[key] = (value as readonly Value[]).map(one =>
        isFields(one) ? withoutServerFields(one, keepsStatus, builtIn) : one,
      )
    } else fields[key] = value
  }
  return fields
}

const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt'
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

const sorted = (value: Value): Value => {
  if (Array.isArray(value)) return (value as readonly Value[]).map(sorted)
  if (!isFields(value)) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(
    entries
      // Programs write this one into templates for want of a time.
      .filter(([key, one]) => !(key === 'creationTimestamp' && one === null))
      .map(([key, one]) => [key, key === RESTARTED_AT && TIME.test(text(one)) ? '<a time>' : sorted(one)]),
  )
}

const text = (value: Value): string =>
  typeof value === 'string' ? value : isFields(value) && typeof value[PLAIN] === 'string' ? value[PLAIN] : ''

/** Key of a scalar without quotes that is not clear: no field of Kubernetes is called so. */
const PLAIN = '\u0000plain'

const parseDocuments = (source: string): Value[] | null => {
  // Longer integers than a double holds would fall together.
  if (/[:[,\s]-?\d{16}/.test(source)) return null
  try {
    return [JSON.parse(source) as Value]
  } catch {
    return parseYaml(source)
  }
}

/** In YAML 1.1 they end a line, and a comment with it; in 1.2 what follows is comment still. */
// oxlint-disable-next-line no-control-regex -- one of them is a control character
const DOUBTFUL_BREAK = /\r(?!\n)|[\u0085\u2028\u2029\uFEFF]/

const parseYaml = (source: string): Value[] | null => {
  if (DOUBTFUL_BREAK.test(source)) return null
  try {
    const { parseAllDocuments } = yaml()
    const documents = parseAllDocuments(source) as readonly Document.Parsed[]
    if (!Array.isArray(documents)) return []
    if (documents.some(one => one.errors.length > 0 || one.warnings.length > 0)) return null
    return documents
      .filter(one => one.contents !== null)
      .map(one => plainValue(one.contents))
      .filter(one => one !== null)
  } catch (error) {
    if (error instanceof Ambiguous || error instanceof RangeError) return null
    throw error
  }
}

class Ambiguous extends Error {
  override readonly name = 'Ambiguous'
}

const plainValue = (node: Node | null): Value => {
  const { isMap, isScalar, isSeq } = yaml()
  if (node === null) return null
  if (isMap(node) || isSeq(node) || isScalar(node)) {
    if (node.anchor !== undefined || node.tag !== undefined) throw new Ambiguous()
  }
  if (isSeq(node)) return node.items.map(item => plainValue(item as Node | null))
  if (isMap(node)) {
    return Object.fromEntries(
      node.items.map(({ key, value }) => {
        if (!isScalar(key) || typeof key.value !== 'string' || key.value === '<<') throw new Ambiguous()
        if (key.type === 'PLAIN' && typeof plainScalar(key.value) !== 'string') throw new Ambiguous()
        return [key.value, plainValue(value as Node | null)]
      }),
    )
  }
  if (!isScalar(node)) throw new Ambiguous()
  if (node.type !== 'PLAIN') return String(node.value)
  return plainScalar(node.source ?? '')
}

/** Read alike by every version of YAML, or left as it stands. */
const plainScalar = (source: string): Value => {
  if (/^(|~|null|Null|NULL)$/.test(source)) return null
  if (/^(true|false)$/.test(source)) return source === 'true'
  if (/^(0|-?[1-9]\d{0,14})$/.test(source)) return Number(source)
  const isWord = /^[A-Za-z/*$][^]*$/.test(source) && !/^(y|n|yes|no|on|off|true|false)$/i.test(source)
  return isWord ? source : { [PLAIN]: source }
}
