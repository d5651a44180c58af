/** Deletes as the API does: preconditions, grace periods, and what becomes of an object's dependents. */

import { conflict } from './failure.ts'
import { clone, isOwnedBy, type KubeObject, type Pod } from './object.ts'
import { RESOURCES, resourceOf, resourceOfKind, type Resource } from './resources.ts'
import type { Store } from './store.ts'

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  readonly orphanDependents?: boolean
  readonly dryRun?: readonly string[]
}

/** @throws {ApiFailure} NotFound | Conflict */
export function deleteObject(
  store: Store,
  resource: Resource,
  object: KubeObject,
  options: DeleteOptions,
  dryRun: boolean,
): KubeObject {
  const { name, uid, resourceVersion } = object.metadata
  const expected = options.preconditions ?? {}
  if (expected.uid !== undefined && expected.uid !== uid) {
    const words = `UID in precondition: ${expected.uid}, UID in object meta: ${uid}`
    throw conflict(resource, name, `Precondition failed: ${words}`)
  }
  if (expected.resourceVersion !== undefined && expected.resourceVersion !== resourceVersion) {
    const words = `ResourceVersion in precondition: ${expected.resourceVersion}`
    throw conflict(
      resource,
      name,
      `Precondition failed: ${words}, ResourceVersion in object meta: ${resourceVersion}`,
    )
  }
  if (dryRun) return object
  if (resource.kind === 'Namespace') return emptyNamespace(store, resource, object)
  const orphan = options.propagationPolicy === 'Orphan' || options.orphanDependents === true
  if (orphan) disown(store, uid)
  const grace = graceOf(object, options)
  const finalizers = object.metadata.finalizers ?? []
  if (options.propagationPolicy === 'Foreground' && dependentsOf(store, uid).length > 0) {
    const marked = store.mark(resource, object, 0, [...new Set([...finalizers, 'foregroundDeletion'])])
    collect(store, uid, { propagationPolicy: 'Foreground' })
    return marked
  }
  if (grace > 0 || finalizers.length > 0) {
    if (object.metadata.deletionTimestamp !== undefined && grace > 0) return object
    return store.mark(resource, object, grace, finalizers)
  }
  const gone = store.remove(resource, object)
  if (!orphan) collect(store, uid)
  return gone
}

/** A pod that a node runs is given time; one that no node has is gone at once. */
function graceOf(object: KubeObject, options: DeleteOptions): number {
  if (object.kind !== 'Pod') return 0
  const { spec, status } = object as Pod
  if (spec.nodeName === undefined || status.phase === 'Succeeded' || status.phase === 'Failed') return 0
  return options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30
}

function dependentsOf(store: Store, uid: string): [Resource, KubeObject][] {
  return RESOURCES.flatMap(resource =>
    store
      .list(resource)
      .filter(object => isOwnedBy(object, uid))
      .map((object): [Resource, KubeObject] => [resource, object]),
  )
}

/** Deletes what an object that is gone, or is to go last, has owned. */
export function collect(store: Store, uid: string, options: DeleteOptions = {}): void {
  for (const [resource, object] of dependentsOf(store, uid)) {
    if (object.metadata.deletionTimestamp === undefined) deleteObject(store, resource, object, options, false)
  }
}

/** Lets go of owners that waited for their dependents. */
export function releaseOwners(store: Store, gone: KubeObject): void {
  for (const reference of gone.metadata.ownerReferences ?? []) {
    const resource = resourceOfKind(reference.kind)
    const owner = store.find(resource, gone.metadata.namespace ?? null, reference.name)
    if (owner?.metadata.uid !== reference.uid || !owner.metadata.finalizers?.includes('foregroundDeletion'))
      continue
    if (dependentsOf(store, reference.uid).length > 0) continue
    store.remove(resource, owner)
  }
}

function disown(store: Store, uid: string): void {
  for (const [resource, object] of dependentsOf(store, uid)) {
    const free = clone(object)
    free.metadata.ownerReferences = (free.metadata.ownerReferences ?? []).filter(owner => owner.uid !== uid)
    store.update(resource, free, { writer: { manager: 'kube-controller-manager', subresource: null } })
  }
}

function emptyNamespace(store: Store, resource: Resource, namespace: KubeObject): KubeObject {
  const marked = store.mark(resource, namespace, 0, ['kubernetes'])
  for (const each of RESOURCES.filter(({ namespaced }) => namespaced)) {
    for (const object of store.list(each, namespace.metadata.name)) store.remove(each, object)
  }
  setTimeout(() => store.remove(resourceOf('namespaces'), marked), 20).unref()
  return { ...clone(marked), status: { phase: 'Terminating' } }
}
