/** Pods with ordinals: made one after the other from the first, replaced one after the other from the last. */

import type { Pod, Workload } from '../object.ts'
import { activePods, createPod, deletePod, isReady, owned, writeStatus, type Plane } from './plane.ts'
import { currentRevision } from './revisions.ts'

const LABEL = 'controller-revision-hash'

export function reconcileStatefulSet(plane: Plane, set: Workload): void {
  if (set.metadata.deletionTimestamp !== undefined) return
  const revision = currentRevision(plane, set)
  const replicas = set.spec.replicas ?? 1
  const ordinal = ({ metadata }: Pod): number => Number(metadata.name.slice(set.metadata.name.length + 1))
  const all = owned(plane, set, 'pods') as Pod[]
  const byOrdinal = new Map(all.map(pod => [ordinal(pod), pod]))
  const isCurrent = ({ metadata }: Pod): boolean => metadata.labels?.[LABEL] === revision.name
  const isGoing = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined
  step: {
    for (let index = 0; index < replicas; index++) {
      const pod = byOrdinal.get(index)
      if (pod === undefined) {
        const name = `${set.metadata.name}-${index}`
        createPod(
          plane,
          set,
          { name },
          { [LABEL]: revision.name, 'statefulset.kubernetes.io/pod-name': name },
        )
      }
      const inOrder = set.spec.podManagementPolicy !== 'Parallel'
      // As the real one: a pod that is not ready holds everything up, under whatever template. Only its deletion helps.
      if (inOrder && (pod === undefined || isGoing(pod) || !isReady(pod))) break step
    }
    const surplus = all.filter(pod => ordinal(pod) >= replicas).toSorted((a, b) => ordinal(b) - ordinal(a))
    if (surplus[0] !== undefined) {
      if (!isGoing(surplus[0])) deletePod(plane, set, surplus[0])
      break step
    }
    for (let index = replicas - 1; index >= 0; index--) {
      const pod = byOrdinal.get(index)
      if (pod === undefined || isGoing(pod)) break step
      if (!isCurrent(pod)) {
        if (rolls(set, index)) deletePod(plane, set, pod)
        break step
      }
      if (!isReady(pod)) break step
    }
  }
  const pods = activePods(plane, set)
  const updated = pods.filter(isCurrent)
  const ready = pods.filter(isReady).length
  const through = updated.length === replicas && ready === replicas
  const before = typeof set.status.currentRevision === 'string' ? set.status.currentRevision : revision.name
  const current = through ? revision.name : before
  writeStatus(plane, set, {
    observedGeneration: set.metadata.generation ?? 1,
    replicas: pods.length,
    ...(ready === 0 ? { availableReplicas: 0 } : { readyReplicas: ready, availableReplicas: ready }),
    currentReplicas: pods.filter(({ metadata }) => metadata.labels?.[LABEL] === current).length,
    updatedReplicas: updated.length,
    currentRevision: current,
    updateRevision: revision.name,
    collisionCount: 0,
  })
}

function rolls({ spec }: Workload, ordinal: number): boolean {
  if (spec.updateStrategy?.type === 'OnDelete') return false
  return ordinal >= (spec.updateStrategy?.rollingUpdate?.partition ?? 0)
}
