/** Argvs of kubectl, taken apart and put together again. Pure. */

import type { KubernetesObject } from '../../effects/decision.ts'
import { isChange, readKubectl } from '../../effects/kubectl.ts'
import type { ParsedKubectl } from '../../effects/kubectl.ts'
import { mayBeOn, valuesOf } from '../../effects/options.ts'
import type { GivenOption } from '../../effects/options.ts'
import { KUBECTL_FLAGS } from '../../effects/tables/kubectl-flags.ts'

/** Those before the verb first: the last of equals counts. */
export const optionsOf = ({ before, read }: ParsedKubectl): readonly GivenOption[] => [
  ...before.options,
  ...read.options,
]

export const hasValue = (parsed: ParsedKubectl, name: string): boolean =>
  valuesOf(parsed.read, name).some(value => value !== '')

export const isOn = (parsed: ParsedKubectl, name: string): boolean => mayBeOn(parsed.read, name)

export const namesFiles = (parsed: ParsedKubectl): boolean =>
  valuesOf(parsed.read, 'filename').length > 0 || hasValue(parsed, 'kustomize')

/** What follows `--` is the program of a container, or operands like any other. */
export const runsProgram = ({ path, verb }: ParsedKubectl): boolean =>
  verb?.operands === 'pod' || path === 'run' || path.startsWith('create ')

/** Every word that is no flag and no program of a container. */
export const operandsOf = (parsed: ParsedKubectl): readonly string[] =>
  runsProgram(parsed) ? parsed.read.operands : [...parsed.read.operands, ...(parsed.read.rest ?? [])]

/** Operands behind the objects: `KEY=VALUE`, `KEY-`, or one last word. */
export const changesOf = (parsed: ParsedKubectl): readonly string[] => {
  const words = operandsOf(parsed)
  if (parsed.verb?.operands === 'typed-changes') return words.filter(isChange)
  return parsed.verb?.operands === 'typed-then-one' && words.length > 1 ? words.slice(-1) : []
}

const flagWord = ({ name, value }: GivenOption): string =>
  value === null ? `--${name}` : `--${name}=${value}`

const assembled = (
  { path }: ParsedKubectl,
  operands: readonly string[],
  options: readonly GivenOption[],
  rest: readonly string[] | null,
): readonly string[] => [
  ...path.split(' '),
  ...operands,
  ...options.map(flagWord),
  ...(rest === null ? [] : ['--', ...rest]),
]

/** The same call with other flags. */
export const withOptions = (
  parsed: ParsedKubectl,
  dropped: ReadonlySet<string>,
  added: readonly GivenOption[],
): readonly string[] =>
  assembled(
    parsed,
    parsed.read.operands,
    [...optionsOf(parsed).filter(({ name }) => !dropped.has(name)), ...added],
    parsed.read.rest,
  )

const SELECTING = new Set(['selector', 'field-selector', 'all', 'all-namespaces', 'namespace'])
const BY_NODE_NAME = new Set(['cordon', 'uncordon', 'drain'])

/** The same call by names. `resource`: as kubectl prints it, `deployment.apps`. */
export const namingObjects = (
  parsed: ParsedKubectl,
  namespace: string | null,
  objects: readonly { readonly resource: string; readonly name: string }[],
): readonly string[] => {
  const { path } = parsed
  const names = objects.map(({ name }) => name)
  const typed = objects.map(({ resource, name }) => `${resource}/${name}`)
  // `taint` and its kin do not understand TYPE/NAME.
  const named = BY_NODE_NAME.has(path) ? names : path === 'taint' ? ['node', ...names] : typed
  const options = optionsOf(parsed).filter(({ name }) => !SELECTING.has(name))
  const added: GivenOption[] = namespace === null ? [] : [{ name: 'namespace', value: namespace }]
  // Who names by a selector wants them gone; that one went by itself in the meantime is no failure.
  if (path === 'delete' && options.every(({ name }) => name !== 'ignore-not-found')) {
    added.push({ name: 'ignore-not-found', value: null })
  }
  return assembled(parsed, [...named, ...changesOf(parsed)], [...options, ...added], null)
}

export const namespaceWords = (namespace: string | null): readonly string[] =>
  namespace === null ? [] : [`--namespace=${namespace}`]

/** `deployments/web`, for `get`. */
export const typedNames = (objects: readonly KubernetesObject[]): readonly string[] =>
  objects.flatMap(({ resource, name }) => (name === null ? [] : [`${resource}/${name}`]))

/** By its own help: whether the verb takes this flag. */
export const takesFlag = (path: string, flag: string): boolean =>
  (KUBECTL_FLAGS[path] ?? '').split(' ').some(word => word.replace(/^.\//, '').replace(/[=?]$/, '') === flag)

export const managerOf = (call: string): string => `srecodex-${call}`

/** Server-side apply owns fields by this name: another one each time would conflict with the last. */
export const isMarkable = (parsed: ParsedKubectl): boolean =>
  takesFlag(parsed.path, 'field-manager') &&
  !isOn(parsed, 'server-side') &&
  parsed.read.options.every(({ name }) => name !== 'field-manager' && name !== 'raw')

export const markedArgv = (argv: readonly string[], call: string): readonly string[] => {
  const parsed = readKubectl(argv)
  if (parsed === null || parsed.verb?.effect !== 'mutate' || !isMarkable(parsed)) return argv
  const behind = parsed.read.rest === null ? argv.length : argv.length - parsed.read.rest.length - 1
  return [...argv.slice(0, behind), `--field-manager=${managerOf(call)}`, ...argv.slice(behind)]
}
