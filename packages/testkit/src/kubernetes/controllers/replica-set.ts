/** Keeps as many pods as a ReplicaSet asks for. */

import { matches } from '../selectors.ts'
import type { Workload } from '../object.ts'
import { activePods, createPod, deletePod, isReady, writeStatus, type Plane } from './plane.ts'

export function reconcileReplicaSet(plane: Plane, set: Workload): void {
  if (set.metadata.deletionTimestamp !== undefined) return
  const pods = activePods(plane, set)
  const missing = (set.spec.replicas ?? 1) - pods.length
  for (let index = 0; index < missing; index++) {
    createPod(plane, set, { generateName: `${set.metadata.name}-` }, {})
  }
  // What is not ready goes first, then the youngest.
  const surplus = pods
    .toSorted(
      (a, b) =>
        Number(isReady(a)) - Number(isReady(b)) ||
        (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1),
    )
    .slice(0, Math.max(0, -missing))
  for (const pod of surplus) deletePod(plane, set, pod)
  const now = activePods(plane, set)
  const ready = now.filter(isReady).length
  const { matchLabels } = set.spec.selector
  const labeled = now.filter(pod =>
    matches({ ...(matchLabels === undefined ? {} : { matchLabels }) }, pod.metadata.labels),
  )
  writeStatus(plane, set, {
    replicas: now.length,
    ...(labeled.length === 0 ? {} : { fullyLabeledReplicas: labeled.length }),
    ...(ready === 0 ? {} : { readyReplicas: ready, availableReplicas: ready }),
    observedGeneration: set.metadata.generation ?? 1,
  })
}
