/**
 * `rollout restart`, `pause` and `resume`, which have no dry run: the patch that kubectl would send is rehearsed
 * instead, and its answer said in the words of the verb.
 */

import type { ParsedKubectl } from '../../effects/kubectl.ts'
import { qualifiedPlural } from '../../effects/tables/kubernetes-resources.ts'
import type { Rehearsal } from '../knowledge.ts'
import { beforeOf, findObjects } from './objects.ts'
import type { LiveObject } from './objects.ts'
import { namespaceOf, targetsOf } from './resolve.ts'
import type { Rehearsed, Resolved } from './resolve.ts'
import { hasValue, namesFiles, namespaceWords, typedNames } from './words.ts'

export interface RolloutPatch {
  readonly patch: () => string
  readonly kinds: ReadonlySet<string>
  /** `restarted` */
  readonly done: string
  /** `restarting` */
  readonly doing: string
  /** Why it cannot be done to this one; null: it can. */
  readonly obstacle: (object: LiveObject, name: string) => string | null
}

export const ROLLOUT_PATCHES: Readonly<Record<string, RolloutPatch>> = {
  'rollout restart': {
    patch: () =>
      JSON.stringify({
        spec: {
          template: {
            metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() } },
          },
        },
      }),
    kinds: new Set(['deployment', 'daemonset', 'statefulset']),
    done: 'restarted',
    doing: 'restarting',
    obstacle: ({ paused }, name) =>
      paused ? `${name} can't restart paused deployment (run rollout resume first)` : null,
  },
  'rollout pause': {
    patch: () => '{"spec":{"paused":true}}',
    kinds: new Set(['deployment']),
    done: 'paused',
    doing: 'pausing',
    obstacle: ({ paused }, name) => (paused ? `${name} is already paused` : null),
  },
  'rollout resume': {
    patch: () => '{"spec":{"paused":false}}',
    kinds: new Set(['deployment']),
    done: 'resumed',
    doing: 'resuming',
    obstacle: ({ paused }, name) => (paused ? null : `${name} is not paused`),
  },
}

export const rehearseRollout = async (
  one: Rehearsed,
  patch: RolloutPatch,
  resolved: Resolved,
): Promise<Rehearsal> => {
  const empty = { stdout: '', runs: [], targets: [], incomplete: null, before: {} }
  if (resolved.failed !== null) return { ...resolved.failed, ...empty }
  const missing = resolved.bySelector ? null : await missingOf(one, resolved.objects)
  const { objects } = resolved
  if (resolved.bySelector && objects.length === 0) {
    const { target } = one.decision
    const namespace = target.kind === 'kubernetes' && !target.allNamespaces ? target.namespace : null
    const where = namespace === null ? '' : ` in ${namespace} namespace.`
    return { ...empty, exitCode: 0, stderr: `No resources found${where}\n` }
  }
  const obstacles = objects.flatMap(object => obstacleOf(patch, object) ?? [])
  const able = objects.filter(object => obstacleOf(patch, object) === null)
  const patched = await patchAll(one, patch, able)
  const stderr = [
    ...(missing === null ? [] : [missing]),
    ...obstacles.map(line => `error: ${line}\n`),
    patched.stderr,
  ].join('')
  const exitCode = missing !== null || obstacles.length > 0 ? 1 : patched.exitCode
  if (exitCode !== 0 && patched.stdout === '') return { ...empty, exitCode, stderr }
  return {
    exitCode,
    stdout: patched.stdout,
    stderr,
    runs: resolved.runs,
    targets: targetsOf(objects, one),
    incomplete: null,
    before: beforeOf(objects),
  }
}

const obstacleOf = (patch: RolloutPatch, object: LiveObject): string | null => {
  const name = `${qualifiedPlural(object.kind, object.group)} "${object.name}"`
  return patch.kinds.has(object.kind)
    ? patch.obstacle(object, name)
    : `${name} ${patch.doing} is not supported`
}

/** What the server says of names that it does not have. */
const missingOf = async (one: Rehearsed, found: readonly LiveObject[]): Promise<string | null> => {
  const { parsed, decision, ask, stdin } = one
  if (namesFiles(parsed) || decision.target.kind !== 'kubernetes') return null
  const words = typedNames(decision.target.objects)
  if (words.length === found.length) return null
  const { stderr, exitCode } = await findObjects(ask, [...words, ...namespaceOf(parsed)], stdin)
  return exitCode === 0 ? null : stderr
}

interface Patched {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

const patchAll = async (
  { parsed, ask }: Rehearsed,
  { patch, done }: RolloutPatch,
  objects: readonly LiveObject[],
): Promise<Patched> => {
  const form = formOf(parsed)
  const namespaces = [...new Set(objects.map(({ namespace }) => namespace))]
  const answers = await Promise.all(
    namespaces.map(namespace =>
      ask([
        'patch',
        ...objects
          .filter(one => one.namespace === namespace)
          .map(({ resource, name }) => `${resource}/${name}`),
        ...namespaceWords(namespace),
        `--patch=${patch()}`,
        ...(form.length === 0 ? ['--output=name'] : form),
        '--dry-run=server',
      ]),
    ),
  )
  const printed = answers.map(({ stdout }) => stdout).join('')
  return {
    exitCode: answers.find(answer => answer.exitCode !== 0)?.exitCode ?? 0,
    stdout: form.length === 0 ? printed.replaceAll(/^(\S+)$/gm, `$1 ${done}`) : printed,
    stderr: answers
      .map(({ stderr }) =>
        stderr.replaceAll(/^Error from server(?: \(\w+\))?: /gm, 'error: failed to patch: '),
      )
      .join(''),
  }
}

/** The script's own `-o`. */
const formOf = (parsed: ParsedKubectl): readonly string[] =>
  hasValue(parsed, 'output') || hasValue(parsed, 'template')
    ? parsed.read.options.flatMap(({ name, value }) =>
        name === 'output' || name === 'template' || name === 'show-managed-fields'
          ? [value === null ? `--${name}` : `--${name}=${value}`]
          : [],
      )
    : []
