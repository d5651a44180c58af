/** The objects that a call of kubectl is about: by name, by file, or found by what it selects. */

import type { AskTool } from '../../calls.ts'
import type { Call, Decision } from '../../effects/decision.ts'
import type { ParsedKubectl } from '../../effects/kubectl.ts'
import { lastValue } from '../../effects/options.ts'
import { kindOfResource } from '../../effects/tables/kubernetes-resources.ts'
import type { Rehearsal } from '../knowledge.ts'
import { firstWords } from '../words.ts'
import { CLUSTER_KINDS, findObjects, targetName } from './objects.ts'
import type { LiveObject } from './objects.ts'
import { hasValue, isOn, namespaceWords, namesFiles, namingObjects, typedNames } from './words.ts'

/** One call of kubectl that is about to be rehearsed. */
export interface Rehearsed {
  readonly call: Call
  readonly parsed: ParsedKubectl
  readonly decision: Decision
  readonly ask: AskTool
  readonly stdin: string | null
}

/** What the script's own words come to. */
export interface Resolved {
  readonly runs: readonly (readonly string[])[]
  readonly objects: readonly LiveObject[]
  /** Found by a selector or a type, not named. */
  readonly bySelector: boolean
  /** Why the names could not be found. */
  readonly failed: { readonly exitCode: number; readonly stderr: string } | null
}

const RESOLVABLE =
  /^(delete|label|annotate|scale|taint|cordon|uncordon|drain|set .*|rollout .*|certificate .*)$/

/** Names for selectors, `--all` and bare types; what the names are of, for everything else. */
export const resolve = async (one: Rehearsed): Promise<Resolved> => {
  const { call, parsed, decision, ask, stdin } = one
  const { target } = decision
  const named = target.kind === 'kubernetes' ? target.objects : []
  const flags = ['selector', 'field-selector'].filter(flag => hasValue(parsed, flag))
  const isOpen =
    flags.length > 0 ||
    isOn(parsed, 'all') ||
    isOn(parsed, 'all-namespaces') ||
    named.some(({ name }) => name === null)
  if (namesFiles(parsed)) {
    const words = [...fileWords(parsed), ...namespaceOf(parsed), '--ignore-not-found']
    const { objects } = await findObjects(ask, words, stdin)
    return { runs: [call.argv], objects, bySelector: false, failed: null }
  }
  if (!isOpen || !RESOLVABLE.test(parsed.path)) {
    const words = typedNames(named)
    const found =
      words.length === 0
        ? null
        : await findObjects(ask, [...words, ...namespaceOf(parsed), '--ignore-not-found'])
    return { runs: [call.argv], objects: found?.objects ?? [], bySelector: false, failed: null }
  }
  const types = [...new Set(named.map(({ resource }) => resource))]
  const found = await findObjects(ask, [
    types.length === 0 ? 'nodes' : types.join(','),
    ...flags.map(flag => `--${flag}=${lastValue(parsed.read, flag) ?? ''}`),
    ...(isOn(parsed, 'all-namespaces') ? ['--all-namespaces'] : namespaceOf(parsed)),
  ])
  if (found.exitCode !== 0) return { runs: [], objects: [], bySelector: true, failed: found }
  return { runs: byNamespace(parsed, found.objects), objects: found.objects, bySelector: true, failed: null }
}

/** One argv names objects of one namespace. */
const byNamespace = (
  parsed: ParsedKubectl,
  objects: readonly LiveObject[],
): readonly (readonly string[])[] => {
  const namespaces = [...new Set(objects.map(({ namespace }) => namespace))]
  return namespaces.map(namespace =>
    namingObjects(
      parsed,
      namespace,
      objects.filter(object => object.namespace === namespace),
    ),
  )
}

const FILE_FLAGS = new Set(['filename', 'kustomize', 'recursive'])

export const fileWords = (parsed: ParsedKubectl): readonly string[] =>
  parsed.read.options
    .filter(({ name }) => FILE_FLAGS.has(name))
    .map(({ name, value }) => (value === null ? `--${name}` : `--${name}=${value}`))

/**
 * The script's own `-n`. Not the one of the context: with it, kubectl refuses manifests that name another.
 */
export const namespaceOf = ({ read, before }: ParsedKubectl): readonly string[] =>
  namespaceWords(lastValue(read, 'namespace') ?? lastValue(before, 'namespace'))

/** Of what was found; where nothing could be looked up, by the words of the call. */
export const targetsOf = (
  objects: readonly LiveObject[],
  { call, decision }: Rehearsed,
): readonly string[] => {
  if (objects.length > 0) return [...new Set(objects.map(({ target }) => target))]
  const { target } = decision
  const named = target.kind !== 'kubernetes' ? [] : namedTargets(decision)
  return named.length > 0 ? named : [firstWords([call.tool, ...call.argv])]
}

/** As far as the words of a call tell. */
export const namedTargets = ({ target }: Decision): readonly string[] =>
  target.kind !== 'kubernetes'
    ? []
    : target.objects.flatMap(({ resource, name }) => {
        if (name === null) return []
        const kind = kindOfResource(resource)
        return [targetName(CLUSTER_KINDS.has(kind) ? null : target.namespace, kind, name)]
      })

/** Neither its targets nor its output can be known. */
export const unread = (call: Call, incomplete: string): Rehearsal => ({
  exitCode: 0,
  stdout: '',
  stderr: '',
  runs: [call.argv],
  targets: [firstWords([call.tool, ...call.argv])],
  incomplete,
  before: {},
})
