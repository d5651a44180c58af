/** Plays rollouts: a ReplicaSet for each template, scaled up and down within the strategy's bounds. */

import { createHash } from 'node:crypto'
import {
  clone,
  ownerOf,
  safeWord,
  same,
  timestamp,
  type Condition,
  type PodTemplate,
  type Workload,
} from '../object.ts'
import { resourceOf } from '../resources.ts'
import { owned, tell, write, writeStatus, type Plane } from './plane.ts'

const HASH = 'pod-template-hash'
const REVISION = 'deployment.kubernetes.io/revision'
const DESIRED = 'deployment.kubernetes.io/desired-replicas'
const MAX = 'deployment.kubernetes.io/max-replicas'
const NOT_COPIED = new Set(['kubectl.kubernetes.io/last-applied-configuration', REVISION, DESIRED, MAX])

const number = (value: unknown): number => (typeof value === 'number' ? value : 0)
const available = (set: Workload): number => number(set.status.availableReplicas)
const size = (set: Workload): number => number(set.spec.replicas)
const revisionOf = (set: Workload): number => Number(set.metadata.annotations?.[REVISION] ?? 0)
const sum = (sets: readonly Workload[], of: (set: Workload) => number): number =>
  sets.reduce((total, set) => total + of(set), 0)

export function reconcileDeployment(plane: Plane, given: Workload): void {
  if (given.metadata.deletionTimestamp !== undefined) return
  let deployment = given
  const sets = owned(plane, deployment, 'replicasets') as Workload[]
  let current = sets.find(set => same(plain(set.spec.template), plain(deployment.spec.template)))
  if (deployment.spec.paused === true) {
    const running = current ?? sets.toSorted((a, b) => revisionOf(b) - revisionOf(a))[0]
    if (running !== undefined) scale(plane, deployment, running, deployment.spec.replicas ?? 1)
    tellStatus(plane, deployment, current, owned(plane, deployment, 'replicasets') as Workload[], false)
    return
  }
  const newest = Math.max(0, ...sets.filter(set => set !== current).map(revisionOf))
  const isNew = current === undefined
  if (current === undefined) current = createSet(plane, deployment, newest + 1, sum(sets, size))
  else if (revisionOf(current) <= newest) current = annotate(plane, current, deployment, newest + 1)
  const revision = String(revisionOf(current))
  if (deployment.metadata.annotations?.[REVISION] !== revision) {
    const marked = clone(deployment)
    marked.metadata.annotations = { ...marked.metadata.annotations, [REVISION]: revision }
    deployment = write(plane, marked)
  }
  roll(plane, deployment, current)
  const after = owned(plane, deployment, 'replicasets') as Workload[]
  const now = after.find(set => set.metadata.uid === current.metadata.uid)
  tellStatus(plane, deployment, now, after, isNew)
  forget(plane, deployment, after, current)
}

function plain(template: PodTemplate): unknown {
  const { [HASH]: _, ...labels } = template.metadata.labels ?? {}
  return { spec: template.spec, metadata: { labels, annotations: template.metadata.annotations ?? {} } }
}

function annotationsFor(deployment: Workload, revision: number): Record<string, string> {
  const own = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key))
  const replicas = deployment.spec.replicas ?? 1
  return {
    ...Object.fromEntries(own),
    [DESIRED]: String(replicas),
    [MAX]: String(replicas + bounds(deployment).surge),
    [REVISION]: String(revision),
  }
}

function createSet(plane: Plane, deployment: Workload, revision: number, others: number): Workload {
  const wanted = deployment.spec.replicas ?? 1
  const room =
    deployment.spec.strategy?.type === 'Recreate'
      ? wanted * Number(others === 0)
      : wanted + bounds(deployment).surge - others
  const replicas = Math.max(0, Math.min(wanted, room))
  const template = clone(deployment.spec.template)
  const digest = createHash('sha256')
    .update(JSON.stringify(plain(template)))
    .digest()
  const hash = safeWord(digest)
  const labels = { ...template.metadata.labels, [HASH]: hash }
  template.metadata.labels = labels
  const { name, namespace } = deployment.metadata
  if (replicas > 0) {
    const message = `Scaled up replica set ${name}-${hash} to ${replicas}`
    tell(plane, deployment, 'Normal', 'ScalingReplicaSet', message)
  }
  return plane.store.create(
    resourceOf('replicasets'),
    {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${name}-${hash}`,
        ...(namespace === undefined ? {} : { namespace }),
        labels,
        annotations: annotationsFor(deployment, revision),
        ownerReferences: [ownerOf(deployment)],
      },
      spec: {
        replicas,
        selector: {
          ...clone(deployment.spec.selector),
          matchLabels: { ...deployment.spec.selector.matchLabels, [HASH]: hash },
        },
        template,
      },
    },
    { writer: { manager: 'kube-controller-manager', subresource: null } },
  ) as Workload
}

function annotate(plane: Plane, set: Workload, deployment: Workload, revision: number): Workload {
  const marked = clone(set)
  const history = 'deployment.kubernetes.io/revision-history'
  const past = marked.metadata.annotations?.[history]
  const old = String(revisionOf(set))
  marked.metadata.annotations = {
    ...annotationsFor(deployment, revision),
    [history]: past === undefined ? old : `${past},${old}`,
  }
  return write(plane, marked)
}

/** `maxSurge` is rounded up, `maxUnavailable` down; both at 0 would never move. */
function bounds({ spec }: Workload): { surge: number; unavailable: number } {
  if (spec.strategy?.type === 'Recreate') return { surge: 0, unavailable: spec.replicas ?? 1 }
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec.strategy?.rollingUpdate ?? {}
  const part = (value: number | string, round: (x: number) => number): number =>
    typeof value === 'number' ? value : round(((spec.replicas ?? 1) * Number.parseInt(value, 10)) / 100)
  const surge = part(maxSurge, Math.ceil)
  const unavailable = part(maxUnavailable, Math.floor)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

function roll(plane: Plane, deployment: Workload, current: Workload): void {
  const replicas = deployment.spec.replicas ?? 1
  const all = owned(plane, deployment, 'replicasets') as Workload[]
  const old = all.filter(set => set.metadata.uid !== current.metadata.uid && size(set) > 0)
  const { surge, unavailable } = bounds(deployment)
  if (deployment.spec.strategy?.type === 'Recreate') {
    for (const set of old) scale(plane, deployment, set, 0)
    const waiting = all.some(
      set => set.metadata.uid !== current.metadata.uid && number(set.status.replicas) > 0,
    )
    if (!waiting && old.length === 0) scale(plane, deployment, current, replicas)
    return
  }
  let total = sum(all, size)
  const wanted = Math.min(replicas, size(current) + Math.max(0, replicas + surge - total))
  total += wanted - size(current)
  const grown = scale(plane, deployment, current, wanted)
  let spare = total - (replicas - unavailable) - (wanted - available(grown))
  const shrink = (set: Workload, by: number): void => {
    const now = plane.store.get(
      resourceOf('replicasets'),
      set.metadata.namespace ?? null,
      set.metadata.name,
    ) as Workload
    if (by > 0) scale(plane, deployment, now, size(now) - by)
    spare -= Math.max(0, by)
  }
  // Pods that do not serve anyway go first.
  for (const set of old) shrink(set, Math.min(spare, size(set) - available(set)))
  const serving = sum(old, available) + available(grown)
  let dispensable = Math.min(spare, serving - (replicas - unavailable))
  for (const set of old) {
    const by = Math.min(dispensable, Math.min(size(set), available(set)))
    shrink(set, by)
    dispensable -= Math.max(0, by)
  }
}

function scale(plane: Plane, deployment: Workload, set: Workload, to: number): Workload {
  const from = size(set)
  if (from === to) return set
  const scaled = clone(set)
  scaled.spec.replicas = to
  const { [REVISION]: revision = '1' } = scaled.metadata.annotations ?? {}
  scaled.metadata.annotations = {
    ...scaled.metadata.annotations,
    ...annotationsFor(deployment, Number(revision)),
  }
  const words = to > from ? 'up' : 'down'
  tell(
    plane,
    deployment,
    'Normal',
    'ScalingReplicaSet',
    `Scaled ${words} replica set ${set.metadata.name} to ${to}`,
  )
  return write(plane, scaled)
}

function tellStatus(
  plane: Plane,
  deployment: Workload,
  current: Workload | undefined,
  sets: readonly Workload[],
  isNew: boolean,
): void {
  const wanted = deployment.spec.replicas ?? 1
  const counts = {
    replicas: sum(sets, set => number(set.status.replicas)),
    updatedReplicas: current === undefined ? 0 : number(current.status.replicas),
    readyReplicas: sum(sets, set => number(set.status.readyReplicas)),
    availableReplicas: sum(sets, available),
  }
  const missing = Math.max(0, sum(sets, size) - counts.availableReplicas)
  const positive = Object.entries({ ...counts, unavailableReplicas: missing }).filter(
    ([, value]) => value > 0,
  )
  const { status } = deployment
  const before = status.conditions ?? []
  const done =
    counts.updatedReplicas === wanted && counts.replicas === wanted && counts.availableReplicas === wanted
  const moved =
    isNew ||
    counts.updatedReplicas > number(status.updatedReplicas) ||
    counts.availableReplicas > number(status.availableReplicas) ||
    counts.replicas - counts.updatedReplicas < number(status.replicas) - number(status.updatedReplicas)
  const conditions = [
    availableCondition(before, counts.availableReplicas >= wanted - bounds(deployment).unavailable),
    progressing(plane, deployment, before, current?.metadata.name ?? '', done, moved),
  ]
  const observedGeneration = deployment.metadata.generation ?? 1
  writeStatus(plane, deployment, { ...Object.fromEntries(positive), observedGeneration, conditions })
}

function condition(
  before: readonly Condition[],
  next: Omit<Condition, 'lastTransitionTime' | 'lastUpdateTime'>,
  moved = false,
): Condition {
  const old = before.find(({ type }) => type === next.type)
  if (old !== undefined && !moved && old.status === next.status && old.reason === next.reason) return old
  const now = timestamp()
  const lastTransitionTime = old?.status === next.status ? old.lastTransitionTime : now
  return { ...next, lastTransitionTime, lastUpdateTime: now }
}

function availableCondition(before: readonly Condition[], enough: boolean): Condition {
  const [status, reason, has] = enough
    ? (['True', 'MinimumReplicasAvailable', 'has'] as const)
    : (['False', 'MinimumReplicasUnavailable', 'does not have'] as const)
  return condition(before, {
    type: 'Available',
    status,
    reason,
    message: `Deployment ${has} minimum availability.`,
  })
}

function progressing(
  plane: Plane,
  deployment: Workload,
  before: readonly Condition[],
  set: string,
  done: boolean,
  moved: boolean,
): Condition {
  const type = 'Progressing'
  const old = before.find(each => each.type === type)
  if (deployment.spec.paused === true) {
    return condition(before, {
      type,
      status: 'Unknown',
      reason: 'DeploymentPaused',
      message: 'Deployment is paused',
    })
  }
  if (done) {
    const message = `ReplicaSet "${set}" has successfully progressed.`
    return condition(before, { type, status: 'True', reason: 'NewReplicaSetAvailable', message })
  }
  const deadlineMs = (deployment.spec.progressDeadlineSeconds ?? 600) * 1000
  const since = Date.parse(old?.lastUpdateTime ?? timestamp())
  const waiting = old !== undefined && old.reason !== 'NewReplicaSetAvailable' && !moved
  if (waiting && old.reason === 'ProgressDeadlineExceeded') return old
  if (waiting && Date.now() - since >= deadlineMs) {
    const message = `ReplicaSet "${set}" has timed out progressing.`
    return condition(before, { type, status: 'False', reason: 'ProgressDeadlineExceeded', message })
  }
  plane.again(deployment, waiting ? since + deadlineMs - Date.now() + 20 : deadlineMs + 20)
  const message = `ReplicaSet "${set}" is progressing.`
  return condition(before, { type, status: 'True', reason: 'ReplicaSetUpdated', message }, moved)
}

function forget(plane: Plane, deployment: Workload, sets: readonly Workload[], current: Workload): void {
  const idle = sets.filter(
    set => set.metadata.uid !== current.metadata.uid && size(set) === 0 && number(set.status.replicas) === 0,
  )
  const kept = deployment.spec.revisionHistoryLimit ?? 10
  for (const set of idle.toSorted((a, b) => revisionOf(b) - revisionOf(a)).slice(kept)) {
    plane.store.remove(resourceOf('replicasets'), set)
  }
}
