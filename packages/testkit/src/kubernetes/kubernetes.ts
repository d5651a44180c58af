/**
 * A Kubernetes API in memory that the real kubectl takes for one: discovery, tables, watches, dry runs, patches,
 * rollouts. Its log of requests is what tests judge by: what reached the server, and what it changed.
 *
 * It has no schemas, no server-side apply, no admission, no exec; what it does not know it refuses.
 */

import { writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import type { ForbiddenRule, User } from './access.ts'
import type { PlaneOptions } from './controllers/plane.ts'
import { runControllers } from './controllers/run.ts'
import type { KubeObject, Pod, Workload } from './object.ts'
import type { Fault, RequestEntry } from './request-log.ts'
import { resourceOf } from './resources.ts'
import {
  addDeployments,
  addNodes,
  addObject,
  addWorkload,
  ensureNamespace,
  type CrowdSeed,
  type SeedObject,
  type WorkloadSeed,
} from './seed.ts'
import { serve } from './server.ts'
import { Store } from './store.ts'

export interface KubernetesOptions extends Partial<PlaneOptions> {
  /** @default 0: a free one */
  readonly port?: number
  /** @default 3 */
  readonly nodes?: number
  /** @default `admin`, who may do everything, and `viewer`, who may read */
  readonly users?: readonly User[]
  readonly forbidden?: readonly ForbiddenRule[]
  /** Answers each n-th request for a resource with 429; clients repeat by themselves where seconds are told. */
  readonly throttle?: { readonly every: number; readonly retryAfterSeconds: number | null }
  /** What is to become of a request. @default 'ok' for all */
  readonly onRequest?: (request: RequestEntry) => Fault | Promise<Fault>
  readonly onLogged?: (request: RequestEntry) => void
}

export interface Kubernetes {
  readonly url: string
  readonly store: Store
  readonly users: readonly User[]
  /** Everything that came, in order; the entry of a request gets its outcome later. */
  readonly requests: readonly RequestEntry[]
  /** May be changed while it runs. */
  readonly forbidden: ForbiddenRule[]
  /** Replaces the hook. */
  onRequest: (request: RequestEntry) => Fault | Promise<Fault>
  /** Writes a kubeconfig for a user (default: the first) with everything in it, and gives its path back. */
  kubeconfig(
    path: string,
    options?: {
      readonly user?: string
      readonly token?: string
      readonly context?: string
      readonly namespace?: string
    },
  ): string
  /** @throws {Error} There is none. */
  get(plural: string, namespace: string | null, name: string): KubeObject
  /** Puts an object there whose namespace, where it has one, is made too: a pod without a controller, a service, a Job. */
  create(plural: string, object: SeedObject): KubeObject
  addNamespace(name: string): void
  addWorkload(seed: WorkloadSeed): void
  addDeployments(count: number, options?: CrowdSeed): WorkloadSeed[]
  /** Resolves once every workload is as far as its pods let it be. @throws {Error} Not in time. */
  settled(timeoutMs?: number): Promise<void>
  stop(): Promise<void>
}

export async function startKubernetes(options: KubernetesOptions = {}): Promise<Kubernetes> {
  const store = new Store()
  const users = options.users ?? [
    { name: 'admin', token: randomBytes(16).toString('hex') },
    { name: 'viewer', token: randomBytes(16).toString('hex'), viewer: true },
  ]
  const rules = [...(options.forbidden ?? [])]
  let onRequest = options.onRequest ?? ((): Fault => 'ok')
  const planeOptions: PlaneOptions = {
    controllerDelayMs: options.controllerDelayMs ?? 5,
    readyDelayMs: options.readyDelayMs ?? 50,
    terminateDelayMs: options.terminateDelayMs ?? 50,
    mixedCrashStates: options.mixedCrashStates ?? false,
    unpullable: options.unpullable ?? [],
  }
  const stopControllers = runControllers(store, planeOptions)
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system'])
    ensureNamespace(store, name)
  addNodes(store, options.nodes ?? 3)
  const server = await serve(store, {
    port: options.port ?? 0,
    users,
    forbidden: rules,
    throttle: options.throttle ?? null,
    onRequest: request => onRequest(request),
    onLogged: options.onLogged ?? ((): void => {}),
  })
  return {
    url: server.url,
    store,
    users,
    requests: server.requests,
    forbidden: rules,
    get onRequest() {
      return onRequest
    },
    set onRequest(hook) {
      onRequest = hook
    },
    kubeconfig(path, { user: name, token, context = 'stand-in', namespace } = {}) {
      const user = users.find(each => name === undefined || each.name === name)
      if (user === undefined) throw new Error(`no user ${name}`)
      const authority = Buffer.from(server.certificate).toString('base64')
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': context,
        clusters: [
          { name: context, cluster: { server: server.url, 'certificate-authority-data': authority } },
        ],
        users: [{ name: user.name, user: { token: token ?? user.token } }],
        contexts: [
          {
            name: context,
            context: { cluster: context, user: user.name, ...(namespace === undefined ? {} : { namespace }) },
          },
        ],
      }
      // JSON is YAML.
      writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 })
      return path
    },
    get: (plural, namespace, name) => store.get(resourceOf(plural), namespace, name),
    create: (plural, object) => addObject(store, plural, object),
    addNamespace: name => ensureNamespace(store, name),
    addWorkload: seed => addWorkload(store, seed),
    addDeployments: (count, seed) => addDeployments(store, count, seed),
    async settled(timeoutMs = 20_000) {
      const deadline = Date.now() + timeoutMs
      // Controllers take turns: settled is what nobody touches any more.
      const quietMs = 4 * planeOptions.controllerDelayMs + 30
      for (let seen = store.version, since = Date.now(); ;) {
        if (seen === store.version && isSettled(store) && Date.now() - since >= quietMs) return
        if (seen !== store.version) [seen, since] = [store.version, Date.now()]
        if (Date.now() > deadline) throw new Error('the workloads have not settled')
        await new Promise(resolve => {
          setTimeout(resolve, 10)
        })
      }
    },
    async stop() {
      stopControllers()
      await server.close()
    },
  }
}

/** Pods of the right number and template, each with a status that its node gave it. */
function isSettled(store: Store): boolean {
  const pods = store.list(resourceOf('pods')) as Pod[]
  const posed = pods.every(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined && status.containerStatuses !== undefined,
  )
  const observed = ['deployments', 'statefulsets', 'daemonsets', 'replicasets'].every(plural =>
    (store.list(resourceOf(plural)) as Workload[]).every(
      each => each.status.observedGeneration === each.metadata.generation,
    ),
  )
  const whole = (store.list(resourceOf('replicasets')) as Workload[]).every(
    set => (set.status.replicas ?? 0) === set.spec.replicas,
  )
  const sized = ['deployments', 'statefulsets'].every(plural =>
    (store.list(resourceOf(plural)) as Workload[]).every(
      ({ spec, status }) =>
        spec.paused === true ||
        (status.replicas ?? 0) === spec.replicas ||
        status.readyReplicas !== spec.replicas,
    ),
  )
  return posed && observed && whole && sized
}
