/** Kubernetes objects as JSON: types for the few fields that the stand-in itself looks at. */

import { randomBytes, randomUUID } from 'node:crypto'

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface ManagedFields {
  manager: string
  operation: 'Update' | 'Apply'
  apiVersion: string
  time: string
  fieldsType: 'FieldsV1'
  fieldsV1: FieldSet
  subresource?: string
}

export interface FieldSet {
  [path: string]: FieldSet
}

export interface Metadata {
  name: string
  generateName?: string
  namespace?: string
  uid: string
  resourceVersion: string
  generation?: number
  creationTimestamp: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  managedFields?: ManagedFields[]
}

export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: Metadata
  [field: string]: unknown
}

export interface Container {
  name: string
  image: string
  ports?: { containerPort: number; name?: string; protocol?: string }[]
  [field: string]: unknown
}

export interface PodSpec {
  containers: Container[]
  initContainers?: Container[]
  nodeName?: string
  terminationGracePeriodSeconds?: number
  [field: string]: unknown
}

export interface ContainerStatus {
  name: string
  image: string
  ready: boolean
  restartCount: number
  state: {
    waiting?: { reason: string; message?: string }
    running?: { startedAt: string }
    terminated?: Terminated
  }
  lastState?: { terminated?: Terminated }
  [field: string]: unknown
}

export interface Terminated {
  exitCode: number
  reason: string
  startedAt: string
  finishedAt: string
  signal?: number
}

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason?: string
  message?: string
  lastTransitionTime: string
  lastUpdateTime?: string
}

export interface Pod extends KubeObject {
  spec: PodSpec
  status: {
    phase: string
    reason?: string
    podIP?: string
    conditions?: Condition[]
    containerStatuses?: ContainerStatus[]
    initContainerStatuses?: ContainerStatus[]
    [field: string]: unknown
  }
}

export interface PodTemplate {
  metadata: { labels?: Record<string, string>; annotations?: Record<string, string> }
  spec: PodSpec
}

export interface Selector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

/** A Deployment, ReplicaSet, StatefulSet or DaemonSet. */
export interface Workload extends KubeObject {
  spec: {
    replicas?: number
    selector: Selector
    template: PodTemplate
    paused?: boolean
    minReadySeconds?: number
    progressDeadlineSeconds?: number
    revisionHistoryLimit?: number
    strategy?: {
      type: string
      rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string }
    }
    updateStrategy?: {
      type: string
      rollingUpdate?: { partition?: number; maxUnavailable?: number | string }
    }
    [field: string]: unknown
  }
  status: { observedGeneration?: number; conditions?: Condition[]; [field: string]: unknown }
}

export function clone<T>(value: T): T {
  return structuredClone(value)
}

/** Equal as JSON, whatever the order of the members; an absent member equals one that is undefined. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((item, index) => same(item, b[index]))
  }
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>]
  const keys = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...keys].every(key => same(left[key], right[key]))
}

export function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `2026-11-22T13:55:07Z`: the API has no parts of a second. */
export function timestamp(ms: number = Date.now()): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

export const newUid = (): string => randomUUID()

/** No vowels, as Kubernetes has it: no words come out. */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789'

export function safeSuffix(length: number): string {
  return [...randomBytes(length)].map(byte => SAFE[byte % SAFE.length]).join('')
}

/** As the API server makes a hash a word: the digits of 32 bits, each in that alphabet. */
export function safeWord(bytes: Uint8Array): string {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes
  const digits = String(((first << 24) | (second << 16) | (third << 8) | fourth) >>> 0)
  return digits.replaceAll(/\d/g, digit => SAFE[digit.charCodeAt(0) % SAFE.length] ?? '')
}

export function ownerOf(owner: KubeObject): OwnerReference {
  const { name, uid } = owner.metadata
  const { apiVersion, kind } = owner
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

export function isOwnedBy(object: KubeObject, uid: string): boolean {
  return object.metadata.ownerReferences?.some(owner => owner.uid === uid) ?? false
}
