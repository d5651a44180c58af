/** Renders objects as the table that `kubectl get` asks for: columns and cells as a real API server makes them. */

import { isFields, type Container, type KubeObject, type Pod, type Workload } from './object.ts'
import { renderSelector } from './selectors.ts'
import { groupVersionOf, resourceOfKind } from './resources.ts'

type Cell = string | number | boolean
interface Column {
  readonly name: string
  /** Shown with `-o wide` alone. */
  readonly wide?: true
  readonly type?: 'integer'
  readonly cell: (object: KubeObject) => Cell
}

const NAME: Column = { name: 'Name', cell: object => object.metadata.name }
const AGE: Column = { name: 'Age', cell: object => age(object.metadata.creationTimestamp) }

/** Of a workload. */
const column = (name: string, cell: (object: Workload) => Cell, extra: Partial<Column> = {}): Column => ({
  name,
  cell: object => cell(object as Workload),
  ...extra,
})
const WIDE = { wide: true } as const
const INTEGER = { type: 'integer' } as const

const count = (value: unknown): number => (typeof value === 'number' ? value : 0)
const containersOf = (object: Workload): Container[] => object.spec.template.spec.containers
const TEMPLATE_COLUMNS: readonly Column[] = [
  column(
    'Containers',
    object =>
      containersOf(object)
        .map(each => each.name)
        .join(','),
    WIDE,
  ),
  column(
    'Images',
    object =>
      containersOf(object)
        .map(each => each.image)
        .join(','),
    WIDE,
  ),
]
const SELECTOR = column('Selector', object => renderSelector(object.spec.selector), WIDE)
const ready = column('Ready', o => `${count(o.status.readyReplicas)}/${count(o.spec.replicas)}`)

const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  Pod: [
    NAME,
    { name: 'Ready', cell: object => readyContainers(object as Pod) },
    { name: 'Status', cell: object => podReason(object as Pod) },
    { name: 'Restarts', cell: object => restarts(object as Pod) },
    AGE,
    { name: 'IP', wide: true, cell: object => (object as Pod).status.podIP ?? '<none>' },
    { name: 'Node', wide: true, cell: object => (object as Pod).spec.nodeName ?? '<none>' },
    { name: 'Nominated Node', wide: true, cell: () => '<none>' },
    { name: 'Readiness Gates', wide: true, cell: () => '<none>' },
  ],
  Deployment: [
    NAME,
    ready,
    column('Up-to-date', object => count(object.status.updatedReplicas), INTEGER),
    column('Available', object => count(object.status.availableReplicas), INTEGER),
    AGE,
    ...TEMPLATE_COLUMNS,
    SELECTOR,
  ],
  ReplicaSet: [
    NAME,
    column('Desired', object => count(object.spec.replicas), INTEGER),
    column('Current', object => count(object.status.replicas), INTEGER),
    column('Ready', object => count(object.status.readyReplicas), INTEGER),
    AGE,
    ...TEMPLATE_COLUMNS,
    SELECTOR,
  ],
  StatefulSet: [NAME, ready, AGE, ...TEMPLATE_COLUMNS],
  DaemonSet: [
    NAME,
    column('Desired', object => count(object.status.desiredNumberScheduled), INTEGER),
    column('Current', object => count(object.status.currentNumberScheduled), INTEGER),
    column('Ready', object => count(object.status.numberReady), INTEGER),
    column('Up-to-date', object => count(object.status.updatedNumberScheduled), INTEGER),
    column('Available', object => count(object.status.numberAvailable), INTEGER),
    column('Node Selector', object => pairs(object.spec.template.spec.nodeSelector)),
    AGE,
    ...TEMPLATE_COLUMNS,
    SELECTOR,
  ],
  ControllerRevision: [
    NAME,
    {
      name: 'Controller',
      cell: o =>
        `${o.metadata.ownerReferences?.[0]?.kind.toLowerCase()}.apps/${o.metadata.ownerReferences?.[0]?.name}`,
    },
    { name: 'Revision', cell: object => count(object.revision) },
    AGE,
  ],
  Namespace: [NAME, { name: 'Status', cell: object => text(object, 'status', 'phase') }, AGE],
  Node: [
    NAME,
    { name: 'Status', cell: nodeStatus },
    { name: 'Roles', cell: () => '<none>' },
    AGE,
    { name: 'Version', cell: object => text(object, 'status', 'nodeInfo', 'kubeletVersion') },
    { name: 'Internal-IP', wide: true, cell: () => '127.0.0.1' },
    { name: 'External-IP', wide: true, cell: () => '<none>' },
    { name: 'OS-Image', wide: true, cell: object => text(object, 'status', 'nodeInfo', 'osImage') },
    {
      name: 'Kernel-Version',
      wide: true,
      cell: object => text(object, 'status', 'nodeInfo', 'kernelVersion'),
    },
    {
      name: 'Container-Runtime',
      wide: true,
      cell: o => text(o, 'status', 'nodeInfo', 'containerRuntimeVersion'),
    },
  ],
  Event: [
    { name: 'Last Seen', cell: object => age(text(object, 'lastTimestamp')) },
    { name: 'Type', cell: object => text(object, 'type') },
    { name: 'Reason', cell: object => text(object, 'reason') },
    {
      name: 'Object',
      cell: object =>
        `${text(object, 'involvedObject', 'kind').toLowerCase()}/${text(object, 'involvedObject', 'name')}`,
    },
    { name: 'Subobject', wide: true, cell: object => text(object, 'involvedObject', 'fieldPath') },
    {
      name: 'Source',
      wide: true,
      cell: object =>
        [text(object, 'source', 'component'), text(object, 'source', 'host')].filter(Boolean).join(', '),
    },
    { name: 'Message', cell: object => text(object, 'message').trim() },
    { name: 'First Seen', wide: true, cell: object => age(text(object, 'firstTimestamp')) },
    { name: 'Count', wide: true, cell: object => count(object.count) },
    { ...NAME, wide: true },
  ],
  Service: [
    NAME,
    { name: 'Type', cell: object => text(object, 'spec', 'type') },
    { name: 'Cluster-IP', cell: object => text(object, 'spec', 'clusterIP') || '<none>' },
    { name: 'External-IP', cell: () => '<none>' },
    { name: 'Port(s)', cell: servicePorts },
    AGE,
    {
      name: 'Selector',
      wide: true,
      cell: object => pairs(isFields(object.spec) ? object.spec.selector : null),
    },
  ],
  Endpoints: [NAME, { name: 'Endpoints', cell: endpointsOf }, AGE],
  EndpointSlice: [
    NAME,
    { name: 'AddressType', cell: object => text(object, 'addressType') },
    {
      name: 'Ports',
      cell: object =>
        list(object.ports)
          .map(port => String(port.port))
          .join(',') || '<unset>',
    },
    {
      name: 'Endpoints',
      cell: object =>
        list(object.endpoints)
          .flatMap(each => each.addresses as string[])
          .join(',') || '<unset>',
    },
    AGE,
  ],
  ConfigMap: [NAME, { name: 'Data', cell: dataCount }, AGE],
  Secret: [
    NAME,
    { name: 'Type', cell: object => text(object, 'type') },
    { name: 'Data', cell: dataCount },
    AGE,
  ],
  ServiceAccount: [NAME, { name: 'Secrets', cell: object => list(object.secrets).length }, AGE],
  PodDisruptionBudget: [
    NAME,
    { name: 'Min Available', cell: object => text(object, 'spec', 'minAvailable') || 'N/A' },
    { name: 'Max Unavailable', cell: object => text(object, 'spec', 'maxUnavailable') || 'N/A' },
    {
      name: 'Allowed Disruptions',
      cell: object => Number(text(object, 'status', 'disruptionsAllowed') || 0),
    },
    AGE,
  ],
  Lease: [NAME, { name: 'Holder', cell: object => text(object, 'spec', 'holderIdentity') }, AGE],
}

export type IncludeObject = 'None' | 'Metadata' | 'Object'

export function renderTable(
  objects: readonly KubeObject[],
  kind: string,
  metadata: Readonly<Record<string, unknown>>,
  include: IncludeObject,
): Record<string, unknown> {
  const columns = COLUMNS[kind] ?? [NAME, AGE]
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: columns.map(each => ({
      name: each.name,
      type: each.type ?? 'string',
      format: each.name === 'Name' ? 'name' : '',
      description: '',
      priority: each.wide === true ? 1 : 0,
    })),
    rows: objects.map(object => ({
      cells: columns.map(each => each.cell(object)),
      object: rowObject(object, include),
    })),
  }
}

/** Rows carry metadata alone unless asked: kubectl sorts and labels by it. */
function rowObject(object: KubeObject, include: IncludeObject): unknown {
  if (include === 'None') return null
  if (include === 'Metadata') {
    return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata }
  }
  return { ...object, kind: object.kind, apiVersion: groupVersionOf(resourceOfKind(object.kind)) }
}

function text(object: KubeObject, ...path: readonly string[]): string {
  let value: unknown = object
  for (const part of path) value = isFields(value) ? value[part] : undefined
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isFields) : []
}

function pairs(value: unknown): string {
  const found = isFields(value) ? Object.entries(value).map(([key, item]) => `${key}=${String(item)}`) : []
  return found.length === 0 ? '<none>' : found.sort().join(',')
}

function dataCount(object: KubeObject): number {
  return [object.data, object.binaryData].reduce<number>(
    (sum, value) => sum + (isFields(value) ? Object.keys(value).length : 0),
    0,
  )
}

function servicePorts(object: KubeObject): string {
  const ports = isFields(object.spec) ? list(object.spec.ports) : []
  const shown = ports.map(port => `${String(port.port)}/${String(port.protocol)}`)
  return shown.length === 0 ? '<none>' : shown.join(',')
}

function endpointsOf(object: KubeObject): string {
  const all = list(object.subsets).flatMap(subset =>
    list(subset.addresses).flatMap(address =>
      list(subset.ports).map(port => `${String(address.ip)}:${String(port.port)}`),
    ),
  )
  if (all.length === 0) return '<none>'
  return all.length <= 3 ? all.join(',') : `${all.slice(0, 3).join(',')} + ${all.length - 3} more...`
}

function nodeStatus(object: KubeObject): string {
  const conditions = isFields(object.status) ? list(object.status.conditions) : []
  const isReady = conditions.some(each => each.type === 'Ready' && each.status === 'True')
  const cordoned = isFields(object.spec) && object.spec.unschedulable === true
  return `${isReady ? 'Ready' : 'NotReady'}${cordoned ? ',SchedulingDisabled' : ''}`
}

function readyContainers(pod: Pod): string {
  const isReady = (pod.status.containerStatuses ?? []).filter(status => status.ready)
  return `${isReady.length}/${pod.spec.containers.length}`
}

/** `printPod` of Kubernetes: the phase, or what the containers say. */
function podReason(pod: Pod): string {
  if (pod.metadata.deletionTimestamp !== undefined) return 'Terminating'
  let reason = pod.status.reason ?? pod.status.phase
  for (const status of pod.status.initContainerStatuses ?? []) {
    const { terminated, waiting } = status.state
    if (terminated !== undefined && terminated.exitCode === 0) continue
    if (terminated !== undefined) return `Init:${terminated.reason}`
    if (waiting !== undefined && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`
    return `Init:0/${pod.status.initContainerStatuses?.length ?? 0}`
  }
  for (const { state } of (pod.status.containerStatuses ?? []).toReversed()) {
    if (state.waiting !== undefined) reason = state.waiting.reason
    else if (state.terminated !== undefined) reason = state.terminated.reason
  }
  return reason
}

function restarts(pod: Pod): string {
  const statuses = pod.status.containerStatuses ?? []
  const total = statuses.reduce((sum, status) => sum + status.restartCount, 0)
  const last = statuses
    .map(status => status.lastState?.terminated?.finishedAt ?? '')
    .sort()
    .at(-1)
  return total > 0 && last ? `${total} (${age(last)} ago)` : String(total)
}

/** `HumanDuration` of Kubernetes. */
export function age(since: string, now: number = Date.now()): string {
  if (since === '') return '<unknown>'
  const seconds = Math.floor((now - Date.parse(since)) / 1000)
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (days < 8) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`
  return days < 730 ? `${days}d` : `${Math.floor(days / 365)}y`
}
