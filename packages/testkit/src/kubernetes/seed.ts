/** Objects to begin with: nodes, namespaces, and workloads whose pods have settled. */

import { Random } from '../demo/random.ts'
import type { KubeObject, Metadata } from './object.ts'
import { groupVersionOf, resourceOf } from './resources.ts'
import type { NewObject, Store } from './store.ts'

const WRITER = { writer: { manager: 'seed', subresource: null } } as const

export interface WorkloadSeed {
  readonly namespace: string
  readonly name: string
  /** @default 'Deployment' */
  readonly kind?: 'Deployment' | 'StatefulSet' | 'DaemonSet'
  /** @default 2 */
  readonly replicas?: number
  /** A tag tells what its pods do: `registry.test/web:1.0-crashloop`. @default 'registry.test/NAME:1.0' */
  readonly image?: string
  /** Beside `app`. */
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** Of its pods, such as `sim/log`, or `sim/mended-by: restart` for a crash whose cause has passed. */
  readonly podAnnotations?: Readonly<Record<string, string>>
  readonly paused?: boolean
  /** @default 'RollingUpdate' */
  readonly updateStrategy?: 'RollingUpdate' | 'OnDelete'
  /** @default 60 */
  readonly progressDeadlineSeconds?: number
}

export function addNodes(store: Store, count: number): void {
  for (let index = 1; index <= count; index++) {
    const name = `node-${index}`
    const capacity = { cpu: '2000', memory: '4Ti', pods: '5000' }
    const now = new Date().toISOString().replace(/\.\d+/, '')
    const condition = (type: string, status: string, reason: string): Record<string, string> => ({
      ...{ type, status, reason, message: reason, lastHeartbeatTime: now, lastTransitionTime: now },
    })
    store.create(
      resourceOf('nodes'),
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name,
          labels: {
            'kubernetes.io/hostname': name,
            'kubernetes.io/os': 'linux',
            'topology.kubernetes.io/zone': `z${index % 3}`,
          },
        },
        spec: {},
        status: {
          capacity,
          allocatable: capacity,
          addresses: [
            { type: 'InternalIP', address: '127.0.0.1' },
            { type: 'Hostname', address: 'localhost' },
          ],
          conditions: [
            condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
            condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
            condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
            condition('Ready', 'True', 'KubeletReady'),
          ],
          nodeInfo: {
            kubeletVersion: 'v0.0.0-fake',
            osImage: 'fake',
            kernelVersion: 'fake',
            containerRuntimeVersion: 'fake://0',
            architecture: 'amd64',
            operatingSystem: 'linux',
          },
        },
      },
      WRITER,
    )
  }
}

export function ensureNamespace(store: Store, name: string): void {
  if (store.find(resourceOf('namespaces'), null, name) !== undefined) return
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
  store.create(resourceOf('namespaces'), namespace, WRITER)
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } }
  store.create(resourceOf('serviceaccounts'), account, WRITER)
}

/** Kind and version follow from the resource. */
export interface SeedObject {
  readonly metadata: Partial<Metadata>
  readonly [field: string]: unknown
}

export function addObject(store: Store, plural: string, object: SeedObject): KubeObject {
  const { namespace } = object.metadata
  if (namespace !== undefined) ensureNamespace(store, namespace)
  const resource = resourceOf(plural)
  const whole = { ...object, apiVersion: groupVersionOf(resource), kind: resource.kind } as NewObject
  return store.create(resource, whole, WRITER)
}

export function addWorkload(store: Store, seed: WorkloadSeed): void {
  ensureNamespace(store, seed.namespace)
  const kind = seed.kind ?? 'Deployment'
  store.create(resourceOf(`${kind.toLowerCase()}s`), manifestOf(seed), WRITER)
}

/** What `kubectl create` would be given for it. */
export function manifestOf(seed: WorkloadSeed): NewObject {
  const { namespace, name, kind = 'Deployment' } = seed
  const labels = { app: name, ...seed.labels }
  const replicas = kind === 'DaemonSet' ? {} : { replicas: seed.replicas ?? 2 }
  const onDelete = seed.updateStrategy === undefined ? {} : { updateStrategy: { type: seed.updateStrategy } }
  const ofDeployment = {
    progressDeadlineSeconds: seed.progressDeadlineSeconds ?? 60,
    ...(seed.paused === undefined ? {} : { paused: seed.paused }),
  }
  const container = {
    name: 'main',
    image: seed.image ?? `registry.test/${name}:1.0`,
    resources: { requests: { cpu: '10m', memory: '16Mi' } },
  }
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: {
      name,
      namespace,
      labels,
      ...(seed.annotations === undefined ? {} : { annotations: { ...seed.annotations } }),
    },
    spec: {
      ...replicas,
      selector: { matchLabels: { app: name } },
      ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
      ...(kind === 'Deployment' ? ofDeployment : onDelete),
      template: {
        metadata: {
          labels,
          ...(seed.podAnnotations === undefined ? {} : { annotations: { ...seed.podAnnotations } }),
        },
        spec: { terminationGracePeriodSeconds: 5, containers: [container] },
      },
    },
  }
}

export interface CrowdSeed {
  /** @default ['shop', 'pay', 'search', 'batch'] */
  readonly namespaces?: readonly string[]
  /** Part of them that does not work. @default 0 */
  readonly bad?: number
  /** @default 1 */
  readonly seed?: number
  /** @default 'app' */
  readonly prefix?: string
}

const BAD = ['crashloop', 'oom', 'imagepull', 'notready', 'configerror'] as const

/** `app-000` and so on, spread over the namespaces, the bad ones first. The same seed gives the same ones. */
export function addDeployments(store: Store, count: number, options: CrowdSeed = {}): WorkloadSeed[] {
  const seeds = crowdOf(count, options)
  for (const seed of seeds) addWorkload(store, seed)
  return seeds
}

/** The same, for whichever server is to have them. Pure. */
export function crowdOf(count: number, options: CrowdSeed = {}): WorkloadSeed[] {
  const { namespaces = ['shop', 'pay', 'search', 'batch'], bad = 0, seed = 1, prefix = 'app' } = options
  const random = new Random(seed)
  return Array.from({ length: count }, (_, index) => {
    const name = `${prefix}-${String(index).padStart(3, '0')}`
    const mode = index < Math.round(count * bad) ? `-${BAD[index % BAD.length]}` : ''
    return {
      namespace: namespaces[index % namespaces.length] ?? 'default',
      name,
      replicas: 1 + random.below(3),
      image: `registry.test/${name}:1.0${mode}`,
      labels: {
        tier: random.pick(['web', 'api', 'worker']),
        team: random.pick(['red', 'blue', 'green']),
      },
    }
  })
}
