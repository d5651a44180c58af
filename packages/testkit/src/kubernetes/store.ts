/**
 * The state: objects by resource, namespace and name, and what happened to them, for watches.
 *
 * Every write makes a new object with the next resourceVersion; what was handed out is never changed. Refuses a
 * write against an old resourceVersion. Knows nothing of HTTP, users or controllers.
 */

import { applyDefaults, problemsOf } from './defaults.ts'
import { alreadyExists, conflict, invalid, modified, notFound } from './failure.ts'
import { manage, type Writer } from './managed-fields.ts'
import {
  clone,
  isFields,
  newUid,
  safeSuffix,
  same,
  timestamp,
  type KubeObject,
  type Metadata,
} from './object.ts'
import { groupVersionOf, resourceOfKind, type Resource } from './resources.ts'

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly resource: Resource
  readonly object: KubeObject
  /** Before the change: a watch with a selector tells what left its view as deleted. */
  readonly before: KubeObject | null
  readonly version: number
}

export interface WriteOptions {
  readonly writer: Writer
  readonly dryRun?: boolean
}

/** What a client sends as a new object: no uid, no times. */
export type NewObject = Omit<KubeObject, 'metadata'> & { metadata: Partial<Metadata> }

/** Events that a watch can still ask for. */
const KEPT = 20_000
const HAS_GENERATION = new Set([
  ...['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'EndpointSlice', 'PodDisruptionBudget'],
])

export class Store {
  readonly #objects = new Map<Resource, Map<string, KubeObject>>()
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #changes: Change[] = []
  #version = 1

  get version(): number {
    return this.#version
  }

  /** Calls `listener` after each change until the returned function is called. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** @returns null: so long ago that it is forgotten. */
  changesSince(version: number): readonly Change[] | null {
    const oldest = this.#changes[0]?.version ?? this.#version + 1
    if (this.#changes.length >= KEPT && version < oldest - 1) return null
    return this.#changes.filter(change => change.version > version)
  }

  find(resource: Resource, namespace: string | null, name: string): KubeObject | undefined {
    return this.#objects.get(resource)?.get(`${namespace ?? ''}/${name}`)
  }

  /** @throws {ApiFailure} NotFound */
  get(resource: Resource, namespace: string | null, name: string): KubeObject {
    const found = this.find(resource, namespace, name)
    if (found === undefined) throw notFound(resource, name)
    return found
  }

  /** Sorted by namespace and name, as the API lists. */
  list(resource: Resource, namespace: string | null = null): KubeObject[] {
    const all = [...(this.#objects.get(resource)?.entries() ?? [])]
    const inside = namespace === null ? all : all.filter(([key]) => key.startsWith(`${namespace}/`))
    return inside.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
  }

  /** @throws {ApiFailure} AlreadyExists | Invalid | NotFound: its namespace. */
  create(resource: Resource, given: NewObject, { writer, dryRun = false }: WriteOptions): KubeObject {
    const object = clone(given) as KubeObject
    object.apiVersion = groupVersionOf(resource)
    object.kind = resource.kind
    const { generateName } = object.metadata
    if (!object.metadata.name && generateName) object.metadata.name = `${generateName}${safeSuffix(5)}`
    const { name = '', namespace } = given.metadata.name ? given.metadata : object.metadata
    if (name === '') {
      const message = 'Required value: name or generateName is required'
      throw invalid(resource, '', [{ reason: 'FieldValueRequired', field: 'metadata.name', message }])
    }
    if (namespace !== undefined) this.get(resourceOfKind('Namespace'), null, namespace)
    if (this.find(resource, namespace ?? null, name) !== undefined) throw alreadyExists(resource, name)
    object.metadata = {
      ...object.metadata,
      uid: newUid(),
      creationTimestamp: timestamp(),
      ...(HAS_GENERATION.has(resource.kind) ? { generation: 1 } : {}),
    }
    applyDefaults(object)
    const problems = problemsOf(object, null)
    if (problems.length > 0) throw invalid(resource, name, problems)
    object.metadata.managedFields = manage(null, object, writer)
    if (dryRun) return object
    return this.#put('ADDED', resource, object, null)
  }

  /**
   * @param given Whole; its identity, and outside of the subresource `status` its status, stay as they are.
   * @throws {ApiFailure} NotFound | Conflict | Invalid
   */
  update(resource: Resource, given: KubeObject, { writer, dryRun = false }: WriteOptions): KubeObject {
    const { name, namespace } = given.metadata
    const before = this.get(resource, namespace ?? null, name)
    const { resourceVersion, uid } = given.metadata
    if (resourceVersion && resourceVersion !== before.metadata.resourceVersion) throw modified(resource, name)
    if (uid && uid !== before.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`
      throw conflict(resource, name, why)
    }
    const object = merged(before, given, writer.subresource, resource)
    applyDefaults(object)
    const problems = problemsOf(object, before)
    if (problems.length > 0) throw invalid(resource, name, problems)
    // Annotations of a Deployment count, but for the revision: its controller notes that through the status.
    const annotated =
      resource.kind === 'Deployment' &&
      writer.manager !== 'kube-controller-manager' &&
      !same(before.metadata.annotations, object.metadata.annotations)
    if (HAS_GENERATION.has(resource.kind) && (annotated || !same(before.spec, object.spec))) {
      object.metadata.generation = (before.metadata.generation ?? 0) + 1
    }
    object.metadata.managedFields = manage(before, object, writer)
    // A write that changes nothing is none: no new version, no event.
    if (same({ ...object, metadata: comparable(object) }, { ...before, metadata: comparable(before) }))
      return before
    if (dryRun) return object
    if (object.metadata.deletionTimestamp !== undefined && isFinal(object))
      return this.#drop(resource, object)
    return this.#put('MODIFIED', resource, object, before)
  }

  /** Marks it as being deleted, for as long as its grace period or its finalizers hold it. */
  mark(resource: Resource, object: KubeObject, gracePeriodSeconds: number, finalizers: string[]): KubeObject {
    const marked = clone(object)
    marked.metadata.deletionTimestamp = timestamp(Date.now() + gracePeriodSeconds * 1000)
    marked.metadata.deletionGracePeriodSeconds = gracePeriodSeconds
    if (finalizers.length > 0) marked.metadata.finalizers = finalizers
    if (marked.metadata.generation !== undefined) marked.metadata.generation++
    return this.#put('MODIFIED', resource, marked, object)
  }

  /** Forgets it. */
  remove(resource: Resource, object: KubeObject): KubeObject {
    const now = this.find(resource, object.metadata.namespace ?? null, object.metadata.name)
    return now?.metadata.uid === object.metadata.uid ? this.#drop(resource, now) : object
  }

  #drop(resource: Resource, object: KubeObject): KubeObject {
    this.#objects.get(resource)?.delete(keyOf(object))
    return this.#tell('DELETED', resource, clone(object), object)
  }

  #put(
    type: 'ADDED' | 'MODIFIED',
    resource: Resource,
    object: KubeObject,
    before: KubeObject | null,
  ): KubeObject {
    let all = this.#objects.get(resource)
    if (all === undefined) this.#objects.set(resource, (all = new Map()))
    all.set(keyOf(object), object)
    return this.#tell(type, resource, object, before)
  }

  #tell(type: Change['type'], resource: Resource, object: KubeObject, before: KubeObject | null): KubeObject {
    const version = ++this.#version
    object.metadata.resourceVersion = String(version)
    const change = { type, resource, object, before, version }
    this.#changes.push(change)
    if (this.#changes.length > KEPT * 1.2) this.#changes.splice(0, this.#changes.length - KEPT)
    for (const listener of this.#listeners) listener(change)
    return object
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function isFinal({ metadata }: KubeObject): boolean {
  return (metadata.finalizers ?? []).length === 0 && (metadata.deletionGracePeriodSeconds ?? 0) === 0
}

function comparable({ metadata }: KubeObject): unknown {
  const { managedFields: _, resourceVersion: _version, ...rest } = metadata
  return rest
}

function merged(
  before: KubeObject,
  given: KubeObject,
  subresource: string | null,
  resource: Resource,
): KubeObject {
  const object = clone(given)
  if (subresource === 'status') {
    const status = object.status
    return { ...clone(before), ...(isFields(status) ? { status } : {}) }
  }
  const { uid, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds } =
    before.metadata
  object.apiVersion = before.apiVersion
  object.kind = before.kind
  object.metadata = {
    ...object.metadata,
    uid,
    creationTimestamp,
    resourceVersion: before.metadata.resourceVersion,
    ...(generation === undefined ? {} : { generation }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
  }
  const withStatus = resource.subresources.includes('status')
  if (withStatus && before.status !== undefined) object.status = clone(before.status)
  return object
}
