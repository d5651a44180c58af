/**
 * Calls of kubectl in one spelling: verb, namespace, objects by their full resource, flags by their long names.
 *
 * Files are left out of the words but for the keys that they become: the broker compares them by content. What is
 * equal here is done as if it were the other, so where meaning is in doubt two calls stay apart.
 */

import type { Call, Decision } from '../../effects/decision.ts'
import { readKubectl } from '../../effects/kubectl.ts'
import type { ParsedKubectl } from '../../effects/kubectl.ts'
import { parseOptionSpecs } from '../../effects/options.ts'
import type { GivenOption } from '../../effects/options.ts'
import { KUBECTL_FILE_FLAGS, KUBECTL_IDENTITY } from '../../effects/tables/kubectl.ts'
import { KUBECTL_FLAGS } from '../../effects/tables/kubectl-flags.ts'
import { canonicalResource } from '../../effects/tables/kubernetes-resources.ts'
import { canonicalPatch } from './body.ts'
import { changesOf, operandsOf, optionsOf, runsProgram } from './words.ts'

export const canonicalKubectl = (call: Call, decision: Decision): readonly string[] => {
  const parsed = readKubectl(call.argv)
  if (parsed === null) return call.argv
  const { target } = decision
  const namespace = target.kind === 'kubernetes' && !target.allNamespaces ? target.namespace : null
  return [
    parsed.path,
    ...(namespace === null ? [] : [`--namespace=${namespace}`]),
    ...canonicalFlags(parsed),
    '--',
    ...canonicalOperands(parsed, decision),
    ...(runsProgram(parsed) && parsed.read.rest !== null ? ['--', ...parsed.read.rest] : []),
  ]
}

const canonicalOperands = (parsed: ParsedKubectl, { target }: Decision): readonly string[] => {
  const form = parsed.verb?.operands ?? 'free'
  const words = operandsOf(parsed)
  const objects =
    target.kind !== 'kubernetes'
      ? []
      : target.objects.map(({ resource, name }) => (name === null ? resource : `${resource}/${name}`))
  if (form === 'free' || target.kind !== 'kubernetes') return words
  if (form === 'pod') return [...objects, ...words.slice(1)]
  if (typeof form === 'object' && form.of !== 'nodes' && form.of !== 'certificatesigningrequests') {
    return words.map((word, index) => (index === 0 ? `${canonicalResource(form.of)}/${word}` : word))
  }
  const changes = changesOf(parsed)
  // A key that is given twice takes its last value, so equals keep their order.
  const sorted = changes.toSorted((a, b) => byText(keyOf(a), keyOf(b)))
  return [...new Set(objects.toSorted(byText)), ...sorted]
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const keyOf = (change: string): string =>
  change.includes('=') ? change.slice(0, change.indexOf('=')) : change

/** How much is printed, how long is waited for an answer, how it travels: none of it changes what is done. */
const HARMLESS = new Set([
  'v',
  'log-flush-frequency',
  'request-timeout',
  'disable-compression',
  'match-server-version',
  'allow-missing-template-keys',
])

/** They may be given more than once, and add up. */
const REPEATED = new Set(
  `aggregation-rule annotation as-group audience env external-ip filename from-env-file from-file from-literal group
  image non-resource-url prune-allowlist resource resource-name rule serviceaccount tcp user verb`.split(
    /\s+/,
  ),
)

/** Of those, the ones whose order is of no meaning; with `,` where a comma separates. */
const UNORDERED: Readonly<Record<string, ',' | ''>> = {
  'from-literal': '',
  group: ',',
  'non-resource-url': ',',
  'prune-allowlist': '',
  resource: ',',
  'resource-name': ',',
  rule: '',
  serviceaccount: ',',
  tcp: ',',
  user: ',',
  verb: ',',
}

const COMMA_LISTS = new Set([
  'selector',
  'field-selector',
  'pod-selector',
  'labels',
  'limits',
  'requests',
  'hard',
])

const ON = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const OFF = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

/** Switches that are on unless turned off. */
const ON_BY_DEFAULT = new Set(['delete wait', 'apply overwrite', 'set env overwrite', 'drain wait'])

const canonicalFlags = (parsed: ParsedKubectl): readonly string[] => {
  const { path } = parsed
  const specs = [...parseOptionSpecs(KUBECTL_FLAGS[path] ?? ''), ...parseOptionSpecs(KUBECTL_FLAGS[''] ?? '')]
  const own = new Set(parseOptionSpecs(KUBECTL_FLAGS[path] ?? '').map(({ long }) => long))
  const isSwitch = (name: string): boolean => specs.find(({ long }) => long === name)?.takes === 'nothing'
  const isTold = ({ name }: GivenOption): boolean =>
    // Identity is the operator's own or refused, and the plan is bound to it.
    name !== 'namespace' && !HARMLESS.has(name) && (own.has(name) || !KUBECTL_IDENTITY.has(name))

  const byName = new Map<string, string[]>()
  for (const option of optionsOf(parsed)) {
    if (!isTold(option)) continue
    const { name } = option
    const values = canonicalValues(parsed, option, isSwitch(name))
    byName.set(name, REPEATED.has(name) ? [...(byName.get(name) ?? []), ...values] : [...values])
  }
  return [...byName]
    .toSorted(([a], [b]) => byText(a, b))
    .flatMap(([name, values]) => {
      if (name === 'dry-run' && values.every(value => value === '=none')) return []
      if (isSwitch(name)) {
        const isDefault = ON_BY_DEFAULT.has(`${path} ${name}`) ? values[0] === '' : values[0] === '=false'
        if (isDefault) return []
      }
      const ordered = Object.hasOwn(UNORDERED, name) ? values.toSorted(byText) : values
      return ordered.map(value => `--${name}${value}`)
    })
}

/** Each with its `=`; empty for a flag that stands alone. */
const canonicalValues = (
  { path }: ParsedKubectl,
  { name, value }: GivenOption,
  isSwitch: boolean,
): readonly string[] => {
  if (value === null) return ['']
  if (isSwitch) return [ON.has(value) ? '' : OFF.has(value) ? '=false' : `=${value}`]
  const files = KUBECTL_FILE_FLAGS.find(one => one.flag === name && one.access === 'read')
  if (files !== undefined) {
    return (files.list ? value.split(',') : [value]).map(one => `=${fileKey(name, one)}`)
  }
  if (name === 'patch' || name === 'overrides') return [`=${canonicalPatch(value)}`]
  if (COMMA_LISTS.has(name)) return [`=${splitList(value).toSorted(byText).join(',')}`]
  if (name === 'resource' && path.startsWith('create ')) {
    return value.split(',').map(one => `=${canonicalResource(one)}`)
  }
  return UNORDERED[name] === ',' ? value.split(',').map(one => `=${one}`) : [`=${value}`]
}

/** The name of a file is of meaning only where it becomes a key. */
const fileKey = (flag: string, value: string): string => {
  if (flag !== 'from-file') return '<file>'
  const [first = '', path] = value.includes('=') ? value.split('=', 2) : [value, undefined]
  return `${path === undefined ? (first.split('/').at(-1) ?? '') : first}=<file>`
}

/** Not inside `in (a,b)`. */
const splitList = (value: string): string[] => value.split(/,(?![^(]*\))/)
