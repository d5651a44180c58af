/** What every controller gets, and the few things that all of them do. */

import { clone, isOwnedBy, ownerOf, timestamp, type KubeObject, type Pod, type Workload } from '../object.ts'
import { groupVersionOf, resourceOf, resourceOfKind, type Resource } from '../resources.ts'
import type { Store } from '../store.ts'

export interface PlaneOptions {
  /** Between a change and what the controllers make of it. */
  readonly controllerDelayMs: number
  /** From a pod's creation to the status that its image tag asks for. */
  readonly readyDelayMs: number
  /** From the deletion of a pod to its end, at most its grace period. */
  readonly terminateDelayMs: number
  /** Pods of one crash loop show what such pods show in turn: CrashLoopBackOff, Error, running again. */
  readonly mixedCrashStates: boolean
  /** Images that no registry has, whatever their tag says. */
  readonly unpullable: readonly string[]
}

export interface Plane {
  readonly store: Store
  readonly options: PlaneOptions
  /** Looks at an object again after a while. */
  again(object: KubeObject, afterMs: number): void
  /** Names of events by what they say: said again, an event counts. */
  readonly told: Map<string, string>
}

const CONTROLLER = { writer: { manager: 'kube-controller-manager', subresource: null } } as const
const CONTROLLER_STATUS = { writer: { manager: 'kube-controller-manager', subresource: 'status' } } as const

export function write<T extends KubeObject>(plane: Plane, object: T): T {
  return plane.store.update(resourceOfKind(object.kind), object, CONTROLLER) as T
}

export function writeStatus(plane: Plane, object: Workload, status: Workload['status']): Workload {
  const given = { ...object, status }
  return plane.store.update(resourceOfKind(object.kind), given, CONTROLLER_STATUS) as Workload
}

export function owned(plane: Plane, owner: KubeObject, plural: string): KubeObject[] {
  const { namespace = null, uid } = owner.metadata
  return plane.store.list(resourceOf(plural), namespace).filter(object => isOwnedBy(object, uid))
}

/** Those that count: neither going nor gone. */
export function activePods(plane: Plane, owner: KubeObject): Pod[] {
  return (owned(plane, owner, 'pods') as Pod[]).filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined && status.phase !== 'Succeeded' && status.phase !== 'Failed',
  )
}

export function isReady(pod: Pod): boolean {
  return pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}

export function createPod(
  plane: Plane,
  owner: Workload,
  name: { name: string } | { generateName: string },
  labels: Readonly<Record<string, string>>,
  nodeName?: string,
): void {
  const { metadata, spec } = clone(owner.spec.template)
  const pod = plane.store.create(
    resourceOf('pods'),
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...name,
        ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
        labels: { ...metadata.labels, ...labels },
        ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
        ownerReferences: [ownerOf(owner)],
      },
      spec: nodeName === undefined ? spec : { ...spec, nodeName },
    },
    CONTROLLER,
  )
  tellOfPod(plane, owner, 'create', pod.metadata.name)
}

export function deletePod(plane: Plane, owner: KubeObject, pod: Pod): void {
  const grace = pod.spec.nodeName === undefined ? 0 : (pod.spec.terminationGracePeriodSeconds ?? 30)
  const resource: Resource = resourceOf('pods')
  if (grace === 0) plane.store.remove(resource, pod)
  else plane.store.mark(resource, pod, grace, pod.metadata.finalizers ?? [])
  tellOfPod(plane, owner, 'delete', pod.metadata.name)
}

function tellOfPod(plane: Plane, owner: KubeObject, what: 'create' | 'delete', pod: string): void {
  const reason = what === 'create' ? 'SuccessfulCreate' : 'SuccessfulDelete'
  const plain = `${what === 'create' ? 'Created' : 'Deleted'} pod: ${pod}`
  const message =
    owner.kind === 'StatefulSet'
      ? `${what} Pod ${pod} in StatefulSet ${owner.metadata.name} successful`
      : plain
  tell(plane, owner, 'Normal', reason, message)
}

const COMPONENT: Readonly<Record<string, string>> = {
  Deployment: 'deployment-controller',
  ReplicaSet: 'replicaset-controller',
  StatefulSet: 'statefulset-controller',
  DaemonSet: 'daemonset-controller',
  Pod: 'kubelet',
}

export function tell(
  plane: Plane,
  about: KubeObject,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): void {
  const { name, namespace = 'default', uid, resourceVersion } = about.metadata
  const now = timestamp()
  // The namespace may be going, and events with it.
  if (plane.store.find(resourceOf('namespaces'), null, namespace) === undefined) return
  const events = resourceOf('events')
  const said = JSON.stringify([uid, reason, message])
  const before = plane.store.find(events, namespace, plane.told.get(said) ?? '')
  if (before !== undefined) {
    write(plane, { ...before, count: Number(before.count) + 1, lastTimestamp: now })
    return
  }
  const resource = resourceOfKind(about.kind)
  const event = plane.store.create(
    events,
    {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { generateName: `${name}.`, namespace },
      type,
      reason,
      message,
      involvedObject: {
        apiVersion: groupVersionOf(resource),
        kind: about.kind,
        name,
        namespace,
        uid,
        resourceVersion,
      },
      source: {
        component: reason === 'Scheduled' ? 'default-scheduler' : (COMPONENT[about.kind] ?? 'control-plane'),
      },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    },
    CONTROLLER,
  )
  plane.told.set(said, event.metadata.name)
}
