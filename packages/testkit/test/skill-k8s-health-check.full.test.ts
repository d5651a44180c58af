/** k8s/health-check by hand, in JavaScript: what is down, degraded, stuck or unstable, why, and what could not be read. */

import { expect, test } from 'vitest'
import type { Kubernetes } from '../src/kubernetes/kubernetes.ts'
import { resourceOf } from '../src/kubernetes/resources.ts'
import {
  addPod,
  addService,
  cluster,
  payload,
  resultOf,
  type Ended,
  type Loose,
} from './skill-k8s-payload.ts'

const ENTRY = 'k8s/health-check/scripts/health_check.js'

const look = (it: Kubernetes, inputs: unknown, user?: string): Promise<Ended> =>
  payload(it, ENTRY, inputs, user === undefined ? {} : { user })

/** Changes the status of a pod, as its node would. */
function restatus(it: Kubernetes, workload: string, change: (status: Loose) => void): void {
  const pods = resourceOf('pods')
  const pod = it.store.list(pods).find(({ metadata }) => metadata.labels?.['app'] === workload)!
  const copy = structuredClone(pod) as unknown as { status: unknown }
  change(copy.status)
  it.store.update(pods, copy as never, { writer: { manager: 'kubelet', subresource: 'status' } })
}

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString().replace(/\.\d+/, '')

test('down, degraded, stuck and unstable, worst first, each with its reasons and services', async () => {
  const it = await cluster({ mixedCrashStates: true })
  const workload = (name: string, tag: string, more: object = {}): void =>
    it.addWorkload({ namespace: 'shop', name, image: `registry.test/${name}:1${tag}`, ...more })
  workload('fine', '')
  workload('idle', '', { replicas: 0 })
  workload('gone', '-imagepull', { replicas: 3 })
  workload('loops', '-crashloop', { replicas: 6 })
  workload('half', '', { replicas: 2 })
  workload('shaky', '', { replicas: 1 })
  workload('stuck', '', { replicas: 4, progressDeadlineSeconds: 1 })
  for (const name of ['fine', 'idle', 'gone', 'half']) addService(it, 'shop', name)
  addService(it, 'shop', 'typo', 'nobody')
  await it.settled()
  restatus(it, 'half', status => {
    status.containerStatuses[0].ready = false
    for (const one of status.conditions) if (one.type === 'Ready') one.status = 'False'
  })
  restatus(it, 'shaky', status => {
    const container = status.containerStatuses[0]
    container.restartCount = 5
    container.lastState = { terminated: { exitCode: 1, reason: 'Error', finishedAt: ago(1_800_000) } }
    container.state.running.startedAt = ago(1_799_000)
  })
  const stuck = structuredClone(it.get('deployments', 'shop', 'stuck')) as Loose
  stuck.spec.template.spec.containers[0].image = 'registry.test/stuck:2-configerror'
  it.store.update(resourceOf('deployments'), stuck, { writer: { manager: 'test', subresource: null } })
  await new Promise(resolve => setTimeout(resolve, 2500))

  const done = resultOf(await look(it, { namespace: 'shop' }))
  expect(done).toMatchObject({ checked: 7, healthy: 2, unreadable: [] })
  expect(done.unhealthy).toEqual([
    {
      workload: 'shop/deployment/gone',
      state: 'down',
      ready: 0,
      desired: 3,
      reasons: ['ImagePullBackOff x3', expect.stringContaining('Failed: Failed to pull image: rpc error')],
      services: ['shop/gone'],
    },
    {
      workload: 'shop/deployment/loops',
      state: 'down',
      ready: 0,
      desired: 6,
      // Six pods, each at another point of the loop, and one reason.
      reasons: ['CrashLoopBackOff after Error x6'],
      services: [],
    },
    {
      workload: 'shop/deployment/half',
      state: 'degraded',
      ready: 1,
      desired: 2,
      reasons: ['running, not ready'],
      services: ['shop/half'],
    },
    {
      workload: 'shop/deployment/stuck',
      state: 'stuck',
      ready: expect.any(Number),
      desired: 4,
      reasons: [
        expect.stringMatching(/^CreateContainerConfigError x\d$/),
        expect.stringContaining('Failed: Error: secret "app-secret" not found'),
        'the rollout is stuck: ProgressDeadlineExceeded',
      ],
      services: [],
    },
    {
      workload: 'shop/deployment/shaky',
      state: 'unstable',
      ready: 1,
      desired: 1,
      reasons: ['restarted, last by Error'],
      services: [],
    },
  ])
  expect(done.services_without_endpoints).toEqual(['shop/gone', 'shop/typo'])
  expect(done.summary.split('\n').slice(0, 2)).toEqual([
    'shop: 5 of 7 workloads unhealthy: 2 down, 1 degraded, 1 stuck, 1 unstable',
    'services without a ready endpoint: shop/gone, shop/typo',
  ])
  expect(it.requests.every(({ method }) => method === 'GET')).toBe(true)
})

test('a restart that is long past, or that happened too seldom, is no instability', async () => {
  const it = await cluster()
  for (const name of ['old', 'rare']) it.addWorkload({ namespace: 'shop', name, replicas: 1 })
  await it.settled()
  const end = (at: number) => ({ terminated: { exitCode: 1, reason: 'Error', finishedAt: ago(at) } })
  restatus(it, 'old', ({ containerStatuses: [one] }) =>
    Object.assign(one, { restartCount: 9, lastState: end(4e6) }),
  )
  restatus(it, 'rare', ({ containerStatuses: [one] }) =>
    Object.assign(one, { restartCount: 2, lastState: end(1e5) }),
  )
  expect(resultOf(await look(it, { namespace: 'shop' }))).toMatchObject({ checked: 2, healthy: 2 })
  expect(resultOf(await look(it, { namespace: 'shop', restarts: 2 })).unhealthy).toMatchObject([
    { workload: 'shop/deployment/rare', state: 'unstable' },
  ])
})

test('unschedulable pods, and events that are too old to explain anything', async () => {
  const it = await cluster({ nodes: 0 })
  it.addWorkload({ namespace: 'shop', name: 'big', replicas: 1 })
  await new Promise(resolve => setTimeout(resolve, 300))
  restatus(it, 'big', status => {
    const message = '0/3 nodes are available: 3 Insufficient memory.'
    status.conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }]
  })
  const done = resultOf(await look(it, { namespace: 'shop' }))
  expect(done.unhealthy).toMatchObject([
    { state: 'down', reasons: ['FailedScheduling: 0/3 nodes are available: 3 Insufficient memory.'] },
  ])
  const other = await cluster()
  other.addWorkload({
    namespace: 'shop',
    name: 'probe',
    replicas: 1,
    image: 'registry.test/probe:1-notready',
  })
  await other.settled()
  const fresh = resultOf(await look(other, { namespace: 'shop' }))
  expect(fresh.unhealthy[0].reasons).toEqual([
    'running, not ready',
    'Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503',
  ])
  await new Promise(resolve => setTimeout(resolve, 1100))
  const later = resultOf(await look(other, { namespace: 'shop', events_since: '1s' }))
  expect(later.unhealthy[0].reasons).toEqual(['running, not ready'])
})

test('everywhere, by label, by name; what another skill takes comes out as it is', async () => {
  const it = await cluster()
  const bad = { replicas: 1, image: 'registry.test/x:1-imagepull' }
  it.addWorkload({ namespace: 'shop', name: 'a', labels: { team: 'red' }, ...bad })
  it.addWorkload({ namespace: 'pay', name: 'b', kind: 'StatefulSet', labels: { team: 'red' } })
  it.addWorkload({ namespace: 'pay', name: 'c', kind: 'DaemonSet', ...bad })
  addService(it, 'pay', 'c')
  addPod(it, { namespace: 'shop', name: 'bare', mode: 'failed' })
  await it.settled()
  const all = resultOf(await look(it, { all_namespaces: true }))
  expect(all).toMatchObject({ checked: 3, healthy: 1, services_without_endpoints: ['pay/c'] })
  expect(all.unhealthy.map(({ workload }: { workload: string }) => workload)).toEqual([
    'pay/daemonset/c',
    'shop/deployment/a',
  ])
  const red = resultOf(await look(it, { all_namespaces: true, selector: 'team=red' }))
  expect(red).toMatchObject({ checked: 2, healthy: 1, services_without_endpoints: [] })
  const named = resultOf(await look(it, { workloads: ['pay/statefulset/b', 'shop/deployment/nope'] }))
  expect(named).toMatchObject({
    checked: 2,
    healthy: 1,
    unhealthy: [{ workload: 'shop/deployment/nope', state: 'down', reasons: ['there is no such workload'] }],
  })
})

test('700 pods over two pages', async () => {
  const it = await cluster({ readyDelayMs: 5 })
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
    it.addWorkload({ namespace: 'shop', name, replicas: 100, image: `registry.test/${name}:1-imagepull` })
  }
  await it.settled(60_000)
  const done = resultOf(await look(it, { namespace: 'shop' }))
  expect(done).toMatchObject({ checked: 7, healthy: 0 })
  expect(done.unhealthy.map(({ reasons }: { reasons: string[] }) => reasons[0])).toEqual(
    Array.from({ length: 7 }, () => 'ImagePullBackOff x100'),
  )
  expect(
    it.requests.some(({ resource, query }) => resource === 'pods' && query['continue'] !== undefined),
  ).toBe(true)
}, 90_000)

test('what may not be listed is named, and the rest is judged; nothing at all is an error', async () => {
  const it = await cluster({
    forbidden: [
      { verb: 'list', resource: 'endpointslices', namespace: 'shop' },
      { verb: 'list', namespace: 'pay' },
    ],
  })
  for (const namespace of ['shop', 'pay']) {
    it.addWorkload({ namespace, name: 'web', replicas: 1, image: 'registry.test/web:1-imagepull' })
    addService(it, namespace, 'web')
  }
  await it.settled()
  const done = resultOf(await look(it, { all_namespaces: true }))
  expect(done).toMatchObject({ checked: 1, services_without_endpoints: [] })
  expect(done.unhealthy).toMatchObject([{ workload: 'shop/deployment/web', state: 'down' }])
  expect(done.unreadable).toEqual([
    expect.stringMatching(/^pay: .*forbidden/),
    expect.stringMatching(/^shop: endpointslices: .*forbidden/),
  ])
  const { exitCode, stdout, stderr } = await look(it, { namespace: 'pay' })
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
  expect(stderr).toContain('is forbidden')
})

test('throttling and a broken connection are waited out, a server that stays silent is unreadable', async () => {
  const it = await cluster()
  it.addWorkload({ namespace: 'shop', name: 'web' })
  it.addWorkload({ namespace: 'pay', name: 'web' })
  await it.settled()
  let broken = 0
  it.onRequest = ({ resource, namespace }) => {
    if (namespace === 'pay') return { status: 500 }
    if (resource === 'pods' && broken++ === 0) return { status: 429 }
    if (resource === 'services' && broken++ === 1) return 'drop'
    return 'ok'
  }
  const done = resultOf(await look(it, { workloads: ['shop/deployment/web', 'pay/deployment/web'] }))
  expect(done).toMatchObject({ checked: 1, healthy: 1, unreadable: [expect.stringContaining('pay: ')] })
}, 30_000)

test('an empty namespace is told as what it usually is', async () => {
  const it = await cluster()
  expect(resultOf(await look(it, { namespace: 'shpo' }))).toMatchObject({
    checked: 0,
    healthy: 0,
    unhealthy: [],
    summary: 'no workloads in shpo: is the name right?',
  })
})

test.each([
  [{}, 'say what to look at'],
  [{ namespace: '$(id)' }, 'is no namespace'],
  [{ workloads: ['shop/deployment/--all'] }, 'is no namespace/kind/name'],
  [{ namespace: 'shop', events_since: 'ever' }, 'is no age'],
  [[], 'a JSON object'],
])('inputs that are none: %j', async (inputs, words) => {
  const it = await cluster()
  const { exitCode, stderr } = await look(it, inputs)
  expect(exitCode).toBe(1)
  expect(stderr).toContain(words)
  expect(it.requests).toEqual([])
})
