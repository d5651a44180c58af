/** A pod on every node; at most `maxUnavailable` are replaced at a time. */

import type { Pod, Workload } from '../object.ts'
import { resourceOf } from '../resources.ts'
import { createPod, deletePod, isReady, owned, writeStatus, type Plane } from './plane.ts'
import { currentRevision } from './revisions.ts'

const LABEL = 'controller-revision-hash'

export function reconcileDaemonSet(plane: Plane, set: Workload): void {
  if (set.metadata.deletionTimestamp !== undefined) return
  const { hash } = currentRevision(plane, set)
  const nodes = plane.store.list(resourceOf('nodes')).map(({ metadata }) => metadata.name)
  const isGoing = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined
  const isCurrent = ({ metadata }: Pod): boolean => metadata.labels?.[LABEL] === hash
  const before = owned(plane, set, 'pods') as Pod[]
  for (const node of nodes) {
    if (before.some(pod => pod.spec.nodeName === node)) continue
    createPod(plane, set, { generateName: `${set.metadata.name}-` }, { [LABEL]: hash }, node)
  }
  const pods = (owned(plane, set, 'pods') as Pod[]).filter(pod => !isGoing(pod))
  if (set.spec.updateStrategy?.type !== 'OnDelete') {
    const { maxUnavailable = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {}
    const most =
      typeof maxUnavailable === 'number'
        ? maxUnavailable
        : Math.ceil((nodes.length * Number.parseInt(maxUnavailable, 10)) / 100)
    const old = pods.filter(pod => !isCurrent(pod))
    let room = most - (nodes.length - pods.filter(isReady).length)
    for (const pod of old) {
      if (!isReady(pod)) deletePod(plane, set, pod)
      else if (room-- > 0) deletePod(plane, set, pod)
    }
  }
  const now = (owned(plane, set, 'pods') as Pod[]).filter(pod => !isGoing(pod))
  const ready = now.filter(isReady).length
  const positive = Object.entries({
    updatedNumberScheduled: now.filter(isCurrent).length,
    numberAvailable: ready,
    numberUnavailable: nodes.length - ready,
  }).filter(([, value]) => value > 0)
  writeStatus(plane, set, {
    currentNumberScheduled: now.length,
    desiredNumberScheduled: nodes.length,
    numberMisscheduled: 0,
    numberReady: ready,
    observedGeneration: set.metadata.generation ?? 1,
    ...Object.fromEntries(positive),
  })
}
