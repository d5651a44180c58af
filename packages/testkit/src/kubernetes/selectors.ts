/** Label and field selectors: from text, or from the `selector` of a workload, to a test of an object. */

import { badRequest } from './failure.ts'
import { isFields, type KubeObject, type Selector } from './object.ts'

type Labels = Readonly<Record<string, string>>
type LabelTest = (labels: Labels) => boolean

/** @throws {ApiFailure} BadRequest */
export function parseLabelSelector(text: string): LabelTest {
  const tests = splitOutside(text).map(parseRequirement)
  return labels => tests.every(test => test(labels))
}

function splitOutside(text: string): string[] {
  return text.trim() === '' ? [] : text.split(/,(?![^(]*\))/).map(part => part.trim())
}

function parseRequirement(part: string): LabelTest {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(part)
  if (set !== null) {
    const [, key, operator, list] = set as unknown as [string, string, string, string]
    const values = new Set(list.split(',').map(value => value.trim()))
    return operator === 'in'
      ? labels => labels[key] !== undefined && values.has(labels[key])
      : labels => labels[key] === undefined || !values.has(labels[key])
  }
  const compared = /^([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)$/.exec(part)
  if (compared !== null) {
    const [, key, operator, value] = compared as unknown as [string, string, string, string]
    return operator === '!=' ? labels => labels[key] !== value : labels => labels[key] === value
  }
  const exists = /^(!?)\s*([\w./-]+)$/.exec(part)
  if (exists !== null) {
    const [, not, key] = exists as unknown as [string, string, string]
    return not === '!' ? labels => labels[key] === undefined : labels => labels[key] !== undefined
  }
  const more = /^[\w./-]+\s*(?:==|=|!=)\s*[\w.-]*\s*(==|=|!=|!)/.exec(part)
  if (more !== null) throw badRequest(`found '${more[1]}', expected: ',' or 'end of string'`)
  throw badRequest(`unable to parse requirement: ${part}`)
}

/** @throws {ApiFailure} BadRequest: a field that the real API cannot select by either. */
export function parseFieldSelector(text: string, kind: string): (object: KubeObject) => boolean {
  const tests = splitOutside(text).map(part => {
    const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(part)
    if (match === null) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`)
    const [, field, operator, value] = match as unknown as [string, string, string, string]
    const known = ['metadata.name', 'metadata.namespace', ...(FIELDS[kind] ?? [])]
    if (!known.includes(field)) {
      throw badRequest(`field label not supported: ${field}`)
    }
    return (object: KubeObject): boolean => (fieldOf(object, field) === value) === (operator !== '!=')
  })
  return object => tests.every(test => test(object))
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Pod: ['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'status.phase', 'status.podIP'],
  Event: [
    ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
      name => `involvedObject.${name}`,
    ),
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  Node: ['spec.unschedulable'],
  Namespace: ['status.phase'],
  Secret: ['type'],
  ReplicaSet: ['status.replicas'],
}

function fieldOf(object: KubeObject, field: string): string {
  let value: unknown = object
  for (const part of field.split('.')) value = isFields(value) ? value[part] : undefined
  if (value === undefined && field === 'spec.unschedulable') return 'false'
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : ''
}

export function matches(selector: Selector, labels: Labels = {}): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value)
  const expressions = (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels[key]
    if (operator === 'Exists') return value !== undefined
    if (operator === 'DoesNotExist') return value === undefined
    if (operator === 'In') return value !== undefined && values.includes(value)
    return value === undefined || !values.includes(value)
  })
  return equal && expressions
}

/** As tables and `scale` print it: `app=web,tier in (a,b)`; `<none>` where it is empty. */
export function renderSelector(selector: Selector | undefined): string {
  const equal = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`)
  const expressions = (selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key
    if (operator === 'DoesNotExist') return `!${key}`
    return `${key} ${operator.toLowerCase()} (${values.join(',')})`
  })
  return [...equal, ...expressions].sort().join(',')
}
