/**
 * Whether a mutation by kubectl happened whose result nobody saw.
 *
 * By its mark in the managed fields where the verb leaves one; else by what only it could have changed. A call of
 * several objects is done or not only where all of them agree. Where somebody else wrote since, it is unknown.
 */

import type { AskTool } from '../../calls.ts'
import { readKubectl } from '../../effects/kubectl.ts'
import type { ParsedKubectl } from '../../effects/kubectl.ts'
import { lastValue } from '../../effects/options.ts'
import type { StartedMutation } from '../knowledge.ts'
import { findObjects, parseBefore, targetName } from './objects.ts'
import type { LiveObject, ObjectBefore } from './objects.ts'
import { namespaceOf } from './resolve.ts'
import { isMarkable, managerOf, namespaceWords, operandsOf, typedNames } from './words.ts'

export type Verdict = 'done' | 'not-done' | 'unknown'

export const settleKubectl = async (mutation: StartedMutation, ask: AskTool): Promise<Verdict> => {
  const parsed = readKubectl(mutation.argv)
  if (parsed === null) return 'unknown'
  const before = Object.values(mutation.before).map(parseBefore)
  if (before.includes(null)) return 'unknown'
  const known = before.filter(one => one !== null)
  const judgeOne = (was: ObjectBefore | null, is: LiveObject | null): Verdict =>
    judge(parsed, mutation.call, was, is)
  return known.length > 0 ? settleKnown(known, judgeOne, ask) : settleNamed(parsed, mutation, judgeOne, ask)
}

type Judge = (was: ObjectBefore | null, is: LiveObject | null) => Verdict

const settleKnown = async (
  known: readonly ObjectBefore[],
  judgeOne: Judge,
  ask: AskTool,
): Promise<Verdict> => {
  const namespaces = [...new Set(known.map(({ namespace }) => namespace))]
  const answers = await Promise.all(
    namespaces.map(namespace => {
      const names = known
        .filter(one => one.namespace === namespace)
        .map(({ resource, name }) => `${resource}/${name}`)
      return findObjects(ask, [...names, ...namespaceWords(namespace), '--ignore-not-found'])
    }),
  )
  if (answers.some(({ exitCode }) => exitCode !== 0)) return 'unknown'
  const live = new Map(answers.flatMap(({ objects }) => objects).map(object => [object.target, object]))
  return agreed(
    known.map(was => {
      const kind = was.resource.split('.', 1)[0] ?? ''
      return judgeOne(was, live.get(targetName(was.namespace, kind, was.name)) ?? null)
    }),
  )
}

/** Nothing was kept of what was there before: only a mark, or a name that is gone, can tell. */
const settleNamed = async (
  parsed: ParsedKubectl,
  { decision: { target } }: StartedMutation,
  judgeOne: Judge,
  ask: AskTool,
): Promise<Verdict> => {
  if (target.kind !== 'kubernetes' || target.unresolved.length > 0) return 'unknown'
  const names = typedNames(target.objects)
  if (names.length === 0) return 'unknown'
  const { objects, exitCode } = await findObjects(ask, [
    ...names,
    ...namespaceOf(parsed),
    '--ignore-not-found',
  ])
  if (exitCode !== 0) return 'unknown'
  const missing = names.length > objects.length ? [judgeOne(null, null)] : []
  return agreed([...objects.map(is => judgeOne(null, is)), ...missing])
}

const agreed = (verdicts: readonly Verdict[]): Verdict => {
  const [first = 'unknown'] = verdicts
  return verdicts.every(verdict => verdict === first) ? first : 'unknown'
}

const judge = (
  parsed: ParsedKubectl,
  call: string,
  was: ObjectBefore | null,
  is: LiveObject | null,
): Verdict => {
  switch (parsed.path) {
    case 'delete':
      return judgeDelete(was, is)
    case 'scale':
      return judgeScale(lastValue(parsed.read, 'replicas'), was, is)
    case 'cordon':
    case 'uncordon':
      if (is === null) return 'unknown'
      return is.unschedulable === (parsed.path === 'cordon') ? 'done' : 'not-done'
    case 'drain':
      // What it evicts are pods, and the node shows nothing of it.
      return 'unknown'
    case 'rollout undo':
      return judgeUndo(was, is)
    default:
      return judgeMark(parsed, call, was, is)
  }
}

const judgeDelete = (was: ObjectBefore | null, is: LiveObject | null): Verdict => {
  if (is === null || is.deleting) return 'done'
  if (was === null || was.uid === '') return 'unknown'
  // Another one of the same name: the first is gone.
  return is.uid === was.uid ? 'not-done' : 'done'
}

const judgeScale = (wanted: string | null, was: ObjectBefore | null, is: LiveObject | null): Verdict => {
  if (is === null || wanted === null || (was !== null && is.uid !== was.uid)) return 'unknown'
  if (is.replicas === wanted) return 'done'
  return was !== null && isSameGeneration(was, is) ? 'not-done' : 'unknown'
}

/** The spec is as it was. */
const isSameGeneration = (was: ObjectBefore, is: LiveObject): boolean =>
  was.resourceVersion === is.resourceVersion || (was.generation !== '' && was.generation === is.generation)

/**
 * Twice leads back to where it began, so it is called not done only where the spec was not written at all, and done
 * where it was written once, by a kubectl.
 */
const judgeUndo = (was: ObjectBefore | null, is: LiveObject | null): Verdict => {
  if (was === null || is === null || is.uid !== was.uid) return 'unknown'
  if (isSameGeneration(was, is)) return 'not-done'
  const once = Number(is.generation) === Number(was.generation) + 1
  const strangers = strangersSince(was, is)
  return once && strangers.length === 1 && strangers[0]?.startsWith('kubectl') === true ? 'done' : 'unknown'
}

const judgeMark = (
  parsed: ParsedKubectl,
  call: string,
  was: ObjectBefore | null,
  is: LiveObject | null,
): Verdict => {
  const mark = `${managerOf(call)}@`
  if (is?.writers.some(writer => writer.startsWith(mark)) === true) return 'done'
  if (was === null) return 'unknown'
  // It did not exist: it does not, or somebody made it.
  if (was.uid === '') return is === null ? 'not-done' : 'unknown'
  if (is === null || is.uid !== was.uid) return 'unknown'
  if (was.resourceVersion === is.resourceVersion) return 'not-done'
  if (parsed.path === 'rollout resume') return is.paused ? 'unknown' : 'done'
  if (isMarkable(parsed) && leavesMark(parsed) && strangersSince(was, is).length === 0) return 'not-done'
  return CHANGES_SPEC.test(parsed.path) && isSameGeneration(was, is) ? 'not-done' : 'unknown'
}

const CHANGES_SPEC = /^(rollout (restart|pause|resume)|set (image|env|resources|selector|serviceaccount))$/

const ADDS = /^(rollout (restart|pause)|set (image|serviceaccount|env)|apply|label|annotate|taint)$/

/** What only takes fields away owns none afterwards, and so leaves no mark. */
const leavesMark = (parsed: ParsedKubectl): boolean =>
  ADDS.test(parsed.path) && !operandsOf(parsed).some(word => word.endsWith('-'))

/** They write states beside what a call writes, and never over its mark. */
const CONTROLLERS = new Set([
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'cloud-controller-manager',
])

/** Who wrote since, controllers left out. */
const strangersSince = (was: ObjectBefore, is: LiveObject): string[] =>
  is.writers
    .filter(writer => !was.writers.includes(writer))
    .map(writer => writer.slice(0, writer.lastIndexOf('@')))
    .filter(manager => !CONTROLLERS.has(manager))
