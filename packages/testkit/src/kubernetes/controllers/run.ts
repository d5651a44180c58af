/** Runs the controllers: each object that changed, and the owners of what changed, are looked at a moment later. */

import { collect, releaseOwners } from '../deletion.ts'
import { isFields, type KubeObject, type Workload } from '../object.ts'
import { resourceOf, resourceOfKind } from '../resources.ts'
import type { Change, Store } from '../store.ts'
import { reconcileDaemonSet } from './daemon-set.ts'
import { reconcileDeployment } from './deployment.ts'
import { reconcileService } from './endpoints.ts'
import { onPod } from './kubelet.ts'
import type { Plane, PlaneOptions } from './plane.ts'
import { reconcileReplicaSet } from './replica-set.ts'
import { reconcileStatefulSet } from './stateful-set.ts'

const RECONCILE: Readonly<Record<string, (plane: Plane, object: Workload) => void>> = {
  Deployment: reconcileDeployment,
  ReplicaSet: reconcileReplicaSet,
  StatefulSet: reconcileStatefulSet,
  DaemonSet: reconcileDaemonSet,
  Service: reconcileService,
}

/** @returns A function that stops them. */
export function runControllers(store: Store, options: PlaneOptions): () => void {
  const timers = new Set<NodeJS.Timeout>()
  const waiting = new Set<string>()
  let stopped = false
  const look = (kind: string, namespace: string | null, name: string, afterMs: number): void => {
    const key = `${kind}/${namespace ?? ''}/${name}`
    // A later look of its own must not hold up one that is due now.
    const due = afterMs <= options.controllerDelayMs
    if (stopped || (due && waiting.has(key))) return
    if (due) waiting.add(key)
    const timer = setTimeout(() => {
      timers.delete(timer)
      if (due) waiting.delete(key)
      const object = store.find(resourceOfKind(kind), namespace, name)
      if (object !== undefined) RECONCILE[kind]?.(plane, object as Workload)
    }, afterMs)
    timer.unref()
    timers.add(timer)
  }
  const lookAt = ({ kind, metadata }: KubeObject, afterMs: number): void =>
    look(kind, metadata.namespace ?? null, metadata.name, afterMs)
  const plane: Plane = { store, options, again: lookAt, told: new Map() }
  const off = store.onChange(change => {
    const { object, type, resource } = change
    if (resource.kind in RECONCILE && type !== 'DELETED') lookAt(object, options.controllerDelayMs)
    for (const owner of object.metadata.ownerReferences ?? []) {
      if (owner.kind in RECONCILE) {
        look(owner.kind, object.metadata.namespace ?? null, owner.name, options.controllerDelayMs)
      }
    }
    if (type === 'DELETED' && resource.kind !== 'Event') {
      setImmediate(() => {
        collect(store, object.metadata.uid)
        releaseOwners(store, object)
      })
    }
    if (resource.kind === 'Pod') {
      onPod(plane, change)
      lookAtServices(change)
    }
  })
  const lookAtServices = ({ object }: Change): void => {
    const labels = object.metadata.labels ?? {}
    for (const service of store.list(resourceOf('services'), object.metadata.namespace ?? null)) {
      const selector =
        isFields(service.spec) && isFields(service.spec.selector) ? service.spec.selector : null
      if (selector === null) continue
      if (Object.entries(selector).every(([key, value]) => labels[key] === value)) {
        lookAt(service, options.controllerDelayMs)
      }
    }
  }
  return () => {
    stopped = true
    off()
    for (const timer of timers) clearTimeout(timer)
  }
}
