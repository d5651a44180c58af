/** What the API server itself puts into an object that leaves it out, and what it refuses. */

import { createHash } from 'node:crypto'
import type { Cause } from './failure.ts'
import { isFields, same, type Container, type KubeObject, type PodTemplate, type Workload } from './object.ts'
import { matches } from './selectors.ts'

type Fields = Record<string, unknown>

export function applyDefaults(object: KubeObject): void {
  const spec = isFields(object.spec) ? object.spec : undefined
  if (spec !== undefined) BY_KIND[object.kind]?.(spec, object)
  if (object.kind === 'Secret') secret(object)
  if (object.kind === 'Namespace') namespace(object)
  if (STATEFUL.has(object.kind)) object.status ??= {}
}

const STATEFUL = new Set(['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'PodDisruptionBudget'])

const BY_KIND: Readonly<Record<string, (spec: Fields, object: KubeObject) => void>> = {
  Deployment(spec) {
    fill(spec, { replicas: 1, progressDeadlineSeconds: 600, revisionHistoryLimit: 10, strategy: {} })
    const strategy = spec.strategy as Fields
    fill(strategy, { type: 'RollingUpdate' })
    if (strategy.type === 'RollingUpdate') {
      fill(strategy, { rollingUpdate: {} })
      fill(strategy.rollingUpdate as Fields, { maxSurge: '25%', maxUnavailable: '25%' })
    }
    template(spec.template)
  },
  ReplicaSet(spec) {
    fill(spec, { replicas: 1 })
    template(spec.template)
  },
  StatefulSet(spec) {
    fill(spec, { replicas: 1, podManagementPolicy: 'OrderedReady', revisionHistoryLimit: 10 })
    fill(spec, { serviceName: '', updateStrategy: {} })
    const strategy = spec.updateStrategy as Fields
    fill(strategy, { type: 'RollingUpdate' })
    if (strategy.type === 'RollingUpdate') fill(strategy, { rollingUpdate: { partition: 0 } })
    template(spec.template)
  },
  DaemonSet(spec) {
    fill(spec, { revisionHistoryLimit: 10, updateStrategy: {} })
    const strategy = spec.updateStrategy as Fields
    fill(strategy, { type: 'RollingUpdate' })
    if (strategy.type === 'RollingUpdate')
      fill(strategy, { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } })
    template(spec.template)
  },
  Pod(spec, object) {
    podSpec(spec)
    fill(spec, { enableServiceLinks: true, serviceAccountName: 'default', serviceAccount: 'default' })
    object.status ??= { phase: 'Pending', qosClass: 'Burstable' }
  },
  Service(spec, object) {
    fill(spec, { type: 'ClusterIP', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster' })
    if (spec.type !== 'ExternalName') {
      const hash = createHash('sha256').update(object.metadata.uid).digest()
      fill(spec, { clusterIP: `10.96.${hash[0]}.${(hash[1] ?? 0) | 1}` })
      fill(spec, { clusterIPs: [spec.clusterIP], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
    }
    for (const port of items(spec.ports)) {
      fill(port, { protocol: 'TCP', targetPort: port.port })
    }
    object.status ??= { loadBalancer: {} }
  },
  Node(_spec, object) {
    object.status ??= {}
  },
}

function fill(fields: Fields, defaults: Fields): void {
  for (const [key, value] of Object.entries(defaults)) fields[key] ??= value
}

function items(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : []
}

function template(value: unknown): void {
  if (!isFields(value)) return
  fill(value, { metadata: {}, spec: {} })
  podSpec(value.spec as Fields)
}

function podSpec(spec: Fields): void {
  fill(spec, { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', schedulerName: 'default-scheduler' })
  fill(spec, { securityContext: {}, terminationGracePeriodSeconds: 30 })
  for (const container of [...items(spec.containers), ...items(spec.initContainers)]) {
    const latest = !/:[^/]+$/.test(String(container.image)) || String(container.image).endsWith(':latest')
    fill(container, { imagePullPolicy: latest ? 'Always' : 'IfNotPresent', resources: {} })
    fill(container, { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' })
    for (const port of items(container.ports)) fill(port, { protocol: 'TCP' })
    for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
      const probe = container[name]
      if (!isFields(probe)) continue
      fill(probe, { failureThreshold: 3, periodSeconds: 10, successThreshold: 1, timeoutSeconds: 1 })
      if (isFields(probe.httpGet)) fill(probe.httpGet, { path: '/', scheme: 'HTTP' })
    }
  }
}

function secret(object: KubeObject): void {
  object.type ??= 'Opaque'
  if (!isFields(object.stringData)) return
  const encoded = Object.entries(object.stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ])
  object.data = { ...(object.data as Fields | undefined), ...Object.fromEntries(encoded) }
  delete object.stringData
}

function namespace(object: KubeObject): void {
  object.spec = { finalizers: ['kubernetes'] }
  object.status ??= { phase: 'Active' }
  object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name }
}

const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/
const WORKLOADS = new Set(['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'])

export function problemsOf(object: KubeObject, before: KubeObject | null): Cause[] {
  const problems: Cause[] = []
  const { name } = object.metadata
  if (!NAME.test(name) || name.length > 253) {
    const why = 'a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters'
    problems.push(wrong('metadata.name', name, `${why}, '-' or '.'`))
  }
  for (const [key, value] of Object.entries(object.metadata.labels ?? {})) {
    if (!/^(([A-Za-z0-9][-\w.]*)?[A-Za-z0-9])?$/.test(value) || value.length > 63) {
      problems.push(
        wrong(
          'metadata.labels',
          value,
          `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.' (${key})`,
        ),
      )
    }
  }
  if (WORKLOADS.has(object.kind))
    problems.push(...workloadProblems(object as Workload, before as Workload | null))
  if (object.kind === 'Pod') {
    problems.push(...containerProblems((object.spec as Fields).containers as Container[] | undefined, 'spec'))
  }
  if (object.kind === 'Deployment' || object.kind === 'StatefulSet') {
    const replicas = (object as Workload).spec.replicas ?? 1
    if (replicas < 0) problems.push(wrong('spec.replicas', replicas, 'must be greater than or equal to 0'))
  }
  return problems
}

function wrong(field: string, value: unknown, why: string): Cause {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${why}` }
}

function workloadProblems({ spec }: Workload, before: Workload | null): Cause[] {
  const problems: Cause[] = []
  const pods = spec.template as PodTemplate | undefined
  const selector = spec.selector as Workload['spec']['selector'] | undefined
  if (selector === undefined) {
    problems.push({ reason: 'FieldValueRequired', field: 'spec.selector', message: 'Required value' })
  } else if (!matches(selector, pods?.metadata.labels)) {
    const labels = pods?.metadata.labels ?? {}
    problems.push(
      wrong('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'),
    )
  }
  if (before !== null && !same(before.spec.selector, selector)) {
    problems.push(wrong('spec.selector', selector, 'field is immutable'))
  }
  return [...problems, ...containerProblems(pods?.spec.containers, 'spec.template.spec')]
}

function containerProblems(containers: readonly Container[] | undefined, where: string): Cause[] {
  if (containers === undefined || containers.length === 0) {
    return [{ reason: 'FieldValueRequired', field: `${where}.containers`, message: 'Required value' }]
  }
  return containers.flatMap(({ name, image }, index): Cause[] =>
    [
      { field: 'name', value: name },
      { field: 'image', value: image },
    ]
      .filter(({ value }) => typeof value !== 'string' || value === '')
      .map(({ field }) => ({
        reason: 'FieldValueRequired',
        field: `${where}.containers[${index}].${field}`,
        message: 'Required value',
      })),
  )
}
