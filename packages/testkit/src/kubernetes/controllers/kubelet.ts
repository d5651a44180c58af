/** Plays scheduler and nodes: gives a pod a node, a status after a while, and an end after its deletion. */

import { clone, type Pod } from '../object.ts'
import { resourceOf } from '../resources.ts'
import type { Change } from '../store.ts'
import { EVENTS, modeOf, statusOf, type PodMode } from './pod-status.ts'
import { tell, type Plane } from './plane.ts'

const PODS = resourceOf('pods')
const SCHEDULER = { writer: { manager: 'kube-scheduler', subresource: null } } as const
const KUBELET = { writer: { manager: 'kubelet', subresource: 'status' } } as const

export function onPod(plane: Plane, { type, object, before }: Change): void {
  if (type === 'DELETED') return
  const pod = object as Pod
  const images = (each: Pod): string => each.spec.containers.map(({ image }) => image).join()
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (before?.metadata.deletionTimestamp === undefined) later(plane, pod, endAfter(plane, pod), end)
  } else if (before === null || images(before as Pod) !== images(pod)) {
    const { seconds } = modeOf(pod)
    later(plane, pod, 0, schedule)
    later(plane, pod, seconds > 0 ? seconds * 1000 : plane.options.readyDelayMs, settle)
  }
}

function endAfter({ options }: Plane, pod: Pod): number {
  return Math.min(options.terminateDelayMs, (pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000)
}

function later(plane: Plane, { metadata }: Pod, ms: number, act: (plane: Plane, pod: Pod) => void): void {
  setTimeout(() => {
    const pod = plane.store.find(PODS, metadata.namespace ?? null, metadata.name)
    if (pod?.metadata.uid === metadata.uid) act(plane, pod as Pod)
  }, ms).unref()
}

function schedule(plane: Plane, pod: Pod): void {
  if (pod.spec.nodeName !== undefined || pod.metadata.deletionTimestamp !== undefined) return
  const nodes = plane.store.list(resourceOf('nodes'))
  if (nodes.length === 0) return
  const place = Number.parseInt(pod.metadata.uid.slice(0, 8), 16)
  const node = nodes[place % nodes.length]
  if (node === undefined) return
  const bound = clone(pod)
  bound.spec.nodeName = node.metadata.name
  const { name, namespace } = pod.metadata
  const message = `Successfully assigned ${namespace}/${name} to ${node.metadata.name}`
  tell(plane, plane.store.update(PODS, bound, SCHEDULER), 'Normal', 'Scheduled', message)
}

function settle(plane: Plane, pod: Pod): void {
  if (pod.metadata.deletionTimestamp !== undefined) return
  if (pod.spec.nodeName === undefined) {
    schedule(plane, pod)
    later(plane, pod, plane.options.readyDelayMs + 20, settle)
    return
  }
  const mode = modeIn(plane, pod)
  const status = statusOf(pod, mode, plane.options.mixedCrashStates, Date.now())
  const settled = plane.store.update(PODS, { ...pod, status }, KUBELET)
  const event = EVENTS[mode]
  if (event !== undefined) tell(plane, settled, 'Warning', ...event)
}

function modeIn({ options }: Plane, pod: Pod): PodMode {
  const isMissing = pod.spec.containers.some(({ image }) => options.unpullable.includes(image))
  return isMissing ? 'imagepull' : modeOf(pod).mode
}

function end(plane: Plane, pod: Pod): void {
  if ((pod.metadata.finalizers ?? []).length === 0 && pod.metadata.annotations?.['sim/stuck'] !== 'true') {
    plane.store.remove(PODS, pod)
  }
}
