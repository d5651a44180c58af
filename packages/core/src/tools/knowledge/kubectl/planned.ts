/** Calls of kubectl that look at, or take back, what the run itself plans or did. Pure. */

import type { Call, Decision } from '../../effects/decision.ts'
import { readKubectl } from '../../effects/kubectl.ts'
import { isSurelyOn, lastValue, valuesOf } from '../../effects/options.ts'
import { kindOfResource } from '../../effects/tables/kubernetes-resources.ts'
import { CLUSTER_KINDS, targetName } from './objects.ts'
import { hasValue } from './words.ts'

interface Wanted {
  /** null: any of its kind. */
  readonly name: string | null
  readonly kind: string
}

/**
 * A wait for what is only planned would look at the old state, or never end, so it is told at once what it waits
 * for. One such target is enough: waiting for the others in planning serves nobody.
 */
export const awaitedKubectl = (
  call: Call,
  { target, verb }: Decision,
  planned: ReadonlySet<string>,
): { readonly stdout: string } | null => {
  if (target.kind !== 'kubernetes' || (verb !== 'rollout status' && verb !== 'wait')) return null
  const parsed = readKubectl(call.argv)
  if (parsed === null || isSurelyOn(parsed.read, 'help')) return null
  const namespace = target.allNamespaces ? null : target.namespace
  const wanted = target.objects.map(({ resource, name }): Wanted => ({
    kind: kindOfResource(resource),
    name,
  }))
  const hits = wanted.flatMap(one => [...planned].filter(known => isMeant(one, known, namespace)))
  if (hits.length === 0) return null
  const found = wanted.flatMap(({ kind, name }) =>
    name === null
      ? hits
          .filter(known => kindOf(known) === kind)
          .map(known => ({ kind, name: known.split('/').at(-1) ?? '' }))
      : [{ kind, name }],
  )
  const lines = found.map(({ kind, name }) =>
    verb === 'wait' ? metLine(kind, name) : rolledOutLine(kind, name),
  )
  const silent = verb === 'wait' && hasValue(parsed, 'output') && lastValue(parsed.read, 'output') !== 'name'
  return { stdout: silent ? '' : lines.map(line => `${line}\n`).join('') }
}

const kindOf = (target: string): string => target.split('/').at(-2) ?? ''

/** Without a namespace, of either side, any will do: this only ends a wait. */
const isMeant = ({ kind, name }: Wanted, known: string, namespace: string | null): boolean => {
  const parts = known.split('/')
  if (kindOf(known) !== kind || (name !== null && parts.at(-1) !== name)) return false
  return parts.length < 3 || namespace === null || parts[0] === namespace
}

const GROUPS: Readonly<Record<string, string>> = {
  cronjob: 'batch',
  daemonset: 'apps',
  deployment: 'apps',
  job: 'batch',
  replicaset: 'apps',
  statefulset: 'apps',
}

const metLine = (kind: string, name: string): string => {
  const group = Object.hasOwn(GROUPS, kind) ? `.${GROUPS[kind] ?? ''}` : ''
  return `${kind}${group}/${name} condition met`
}

const rolledOutLine = (kind: string, name: string): string => {
  if (kind === 'statefulset') return `statefulset rolling update complete: ${name}`
  return `${kind === 'daemonset' ? 'daemon set' : kind} "${name}" successfully rolled out`
}

/** `rollout undo` of workloads that this run changed, each by its name, to the revision before. */
export const undoesKubectl = (
  call: Call,
  { target, verb }: Decision,
  changed: ReadonlySet<string>,
): boolean => {
  if (target.kind !== 'kubernetes' || verb !== 'rollout undo') return false
  const parsed = readKubectl(call.argv)
  // Without a namespace nobody can say that it is the same workload.
  if (parsed === null || target.namespace === null || target.allNamespaces || target.unresolved.length > 0)
    return false
  if (valuesOf(parsed.read, 'to-revision').some(value => value !== '0')) return false
  return (
    target.objects.length > 0 &&
    target.objects.every(({ resource, name }) => {
      const kind = kindOfResource(resource)
      return (
        name !== null &&
        changed.has(targetName(CLUSTER_KINDS.has(kind) ? null : target.namespace, kind, name))
      )
    })
  )
}
