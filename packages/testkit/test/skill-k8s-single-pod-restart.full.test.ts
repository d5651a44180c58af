/** k8s/single-pod-restart by hand, in Bash: one pod, its successor, and everything that must not be restarted so. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Kubernetes } from '../src/kubernetes/kubernetes.ts'
import { resourceOf } from '../src/kubernetes/resources.ts'
import { addPod, cluster, deletedPods, payload, resultOf, type Ended } from './skill-k8s-payload.ts'

const ENTRY = 'k8s/single-pod-restart/scripts/single_pod_restart.sh'

const restart = (it: Kubernetes, inputs: object | string, user?: string): Promise<Ended> =>
  payload(it, ENTRY, typeof inputs === 'string' ? inputs : { wait_seconds: 10, ...inputs }, {
    ...(user === undefined ? {} : { user }),
  })

/** The first pod of a workload. */
function podOf(it: Kubernetes, namespace: string, workload: string): string {
  const found = it.store
    .list(resourceOf('pods'), namespace)
    .find(({ metadata }) => metadata.labels?.['app'] === workload && metadata.deletionTimestamp === undefined)
  if (found === undefined) throw new Error(`${workload} has no pod`)
  return found.metadata.name
}

const restarts = (it: Kubernetes): unknown[] =>
  it.requests
    .filter(({ applied, body }) => applied && JSON.stringify(body)?.includes('restartedAt'))
    .map(({ resource, namespace, name }) => `${namespace}/${resource}/${name}`)

test.each([
  ['Deployment', 'shop/deployment/web'],
  ['StatefulSet', 'shop/statefulset/web'],
  ['DaemonSet', 'shop/daemonset/web'],
] as const)('a pod of a %s: deleted once, and its successor is told', async (kind, owner) => {
  const it = await cluster()
  it.addWorkload({ namespace: 'shop', name: 'web', kind })
  await it.settled()
  const pod = podOf(it, 'shop', 'web')
  const { uid } = it.get('pods', 'shop', pod).metadata
  const ended = await restart(it, { namespace: 'shop', pod })
  const { replacement, summary, ...rest } = resultOf(ended)
  expect(rest).toEqual({ restarted: true, owner, ready: true })
  expect(summary).toBe(`restarted shop/${pod}: ${replacement} is ready`)
  expect(it.get('pods', 'shop', replacement).metadata.uid).not.toBe(uid)
  expect(replacement === pod).toBe(kind === 'StatefulSet')
  expect(deletedPods(it)).toEqual([`shop/${pod}`])
  const log = readFileSync(join(ended.folder, `logs/shop/${pod}/main.log`), 'utf8')
  expect(log).toContain('listening on :8080')
  expect(existsSync(join(ended.folder, `logs/shop/${pod}/main.previous.log`))).toBe(false)
})

test('rollout: the owner is rolled, the pod itself is not deleted', async () => {
  const it = await cluster()
  it.addWorkload({ namespace: 'shop', name: 'web' })
  await it.settled()
  const done = resultOf(
    await restart(it, { namespace: 'shop', pod: podOf(it, 'shop', 'web'), method: 'rollout' }),
  )
  expect(done).toMatchObject({
    restarted: true,
    owner: 'shop/deployment/web',
    replacement: null,
    ready: true,
  })
  expect(restarts(it)).toEqual(['shop/deployments/web'])
  expect(deletedPods(it)).toEqual([])
})

test('a replacement that does not become ready is told with its reason, by either method', async () => {
  const it = await cluster({ mixedCrashStates: true })
  it.addWorkload({ namespace: 'shop', name: 'web', replicas: 1, image: 'registry.test/web:1-imagepull' })
  await it.settled()
  const inputs = { namespace: 'shop', pod: podOf(it, 'shop', 'web'), wait_seconds: 2, save_logs: false }
  const deleted = resultOf(await restart(it, inputs))
  expect(deleted).toMatchObject({ restarted: true, ready: false })
  expect(deleted.summary).toContain(`${deleted.replacement} is not ready after 2 s: ImagePullBackOff`)
  const rolled = resultOf(await restart(it, { ...inputs, pod: deleted.replacement, method: 'rollout' }))
  expect(rolled).toMatchObject({ restarted: true, ready: false })
  expect(rolled.summary).toContain('its rollout was not done in 2 s: ImagePullBackOff')
})

test('what must not be restarted so is refused, and nothing reaches the pod', async () => {
  const it = await cluster()
  addPod(it, { namespace: 'shop', name: 'bare', mode: 'ok' })
  addPod(it, {
    namespace: 'shop',
    name: 'etcd',
    mode: 'ok',
    annotations: { 'kubernetes.io/config.mirror': 'x' },
  })
  addPod(it, { namespace: 'shop', name: 'nightly-1', mode: 'ok', owner: 'Job/nightly' })
  addPod(it, { namespace: 'shop', name: 'lonely-1', mode: 'ok', owner: 'ReplicaSet/lonely' })
  await it.settled()
  for (const [inputs, words] of [
    [{ pod: 'bare' }, 'no controller owns bare'],
    [{ pod: 'bare', method: 'rollout' }, 'has no owner that could be rolled'],
    [{ pod: 'etcd' }, 'static pod: deleting its mirror restarts nothing'],
    [{ pod: 'nightly-1' }, 'belongs to Job nightly'],
    [{ pod: 'lonely-1', method: 'rollout' }, 'shop/replicaset/lonely has no rollout'],
  ] as const) {
    const { exitCode, stdout, stderr } = await restart(it, { namespace: 'shop', ...inputs })
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toContain(words)
  }
  expect(deletedPods(it)).toEqual([])
  expect(resultOf(await restart(it, { namespace: 'shop', pod: 'bare', allow_bare: true }))).toMatchObject({
    restarted: false,
    owner: null,
    summary: 'deleted shop/bare; nothing owns it, so it does not come back',
  })
  expect(deletedPods(it)).toEqual(['shop/bare'])
}, 30_000)

test('a pod that is going already is left to go', async () => {
  const it = await cluster()
  addPod(it, {
    namespace: 'shop',
    name: 'held',
    mode: 'ok',
    owner: 'ReplicaSet/web-1',
    finalizers: ['x.test/hold'],
  })
  await it.settled()
  it.store.mark(resourceOf('pods'), it.get('pods', 'shop', 'held'), 30, ['x.test/hold'])
  const done = resultOf(await restart(it, { namespace: 'shop', pod: 'held' }))
  expect(done).toMatchObject({ restarted: false, ready: false })
  expect(done.summary).toMatch(
    /is being deleted since 20.*: nothing was done; finalizers hold it: x\.test\/hold/,
  )
  expect(deletedPods(it)).toEqual([])
})

test('a name that is gone: those that are like it are told', async () => {
  const it = await cluster()
  it.addWorkload({ namespace: 'shop', name: 'web', replicas: 1 })
  await it.settled()
  const { exitCode, stderr } = await restart(it, { namespace: 'shop', pod: 'web-5c9d8f7b6-abcde' })
  expect(exitCode).toBe(1)
  expect(stderr).toContain(
    `there is no pod web-5c9d8f7b6-abcde in shop; similar: ${podOf(it, 'shop', 'web')}`,
  )
})

test('a disruption budget that is spent is told before the delete', async () => {
  const it = await cluster()
  it.addWorkload({ namespace: 'shop', name: 'web', labels: { tier: 'front' } })
  const budget = (name: string, selector: object, disruptionsAllowed: number): void => {
    it.create('poddisruptionbudgets', {
      metadata: { namespace: 'shop', name },
      spec: { minAvailable: 2, selector },
      status: { disruptionsAllowed },
    })
  }
  budget('spent', { matchExpressions: [{ key: 'tier', operator: 'In', values: ['front', 'edge'] }] }, 0)
  budget('other', { matchLabels: { app: 'cart' } }, 0)
  budget('left', { matchLabels: { app: 'web' } }, 1)
  await it.settled()
  const ended = await restart(it, { namespace: 'shop', pod: podOf(it, 'shop', 'web') })
  expect(ended.stderr).toContain('disruption budget spent has none left')
  expect(resultOf(ended).summary).toContain(
    'disruption budget spent has none left, which a delete does not ask',
  )
})

test('an answer that was lost: by the pod itself', async () => {
  const it = await cluster()
  for (const name of ['web', 'cart']) it.addWorkload({ namespace: 'shop', name, replicas: 1 })
  await it.settled()
  const [web, cart] = [podOf(it, 'shop', 'web'), podOf(it, 'shop', 'cart')]
  it.onRequest = ({ verb }) => (verb === 'delete' ? 'drop-after-apply' : 'ok')
  expect(resultOf(await restart(it, { namespace: 'shop', pod: web }))).toMatchObject({
    restarted: true,
    ready: true,
  })
  it.onRequest = ({ verb }) => (verb === 'delete' ? 'drop' : 'ok')
  const { exitCode, stderr } = await restart(it, { namespace: 'shop', pod: cart })
  expect({ exitCode }).toEqual({ exitCode: 1 })
  expect(stderr).toContain('the delete did not happen: no answer from the server')
  expect(deletedPods(it)).toEqual([`shop/${web}`])
})

test('a lost answer to a rollout is settled by the template, and throttling is waited out', async () => {
  const it = await cluster()
  it.addWorkload({ namespace: 'shop', name: 'web', replicas: 1 })
  await it.settled()
  const inputs = { namespace: 'shop', method: 'rollout', save_logs: false }
  it.onRequest = ({ verb }) => (verb === 'patch' ? 'drop-after-apply' : 'ok')
  const first = resultOf(await restart(it, { ...inputs, pod: podOf(it, 'shop', 'web') }))
  expect(first).toMatchObject({ restarted: true, ready: true })
  let refusals = 1
  it.onRequest = ({ verb }) => (verb === 'patch' && refusals-- > 0 ? { status: 429 } : 'ok')
  const second = resultOf(await restart(it, { ...inputs, pod: podOf(it, 'shop', 'web') }))
  expect(second).toMatchObject({ restarted: true })
  expect(restarts(it)).toEqual(['shop/deployments/web', 'shop/deployments/web'])
}, 30_000)

test('forbidden: the missing right is named', async () => {
  const it = await cluster()
  it.addWorkload({ namespace: 'shop', name: 'web', replicas: 1 })
  await it.settled()
  const inputs = { namespace: 'shop', pod: podOf(it, 'shop', 'web'), save_logs: false }
  expect((await restart(it, inputs, 'viewer')).stderr).toContain('forbidden: delete pods in namespace shop')
  expect((await restart(it, { ...inputs, method: 'rollout' }, 'viewer')).stderr).toContain(
    'forbidden: patch deployments in namespace shop',
  )
  it.forbidden.push({ verb: 'get', resource: 'pods' })
  expect((await restart(it, inputs)).stderr).toContain('forbidden: get pods in namespace shop')
  expect(deletedPods(it)).toEqual([])
})

test.each([
  [{ namespace: 'shop', pod: '$(touch x)' }, 'is no pod'],
  [{ namespace: 'shop', pod: '--all' }, 'is no pod'],
  [{ namespace: '../x', pod: 'web' }, 'is no namespace'],
  [{ namespace: 'shop', pod: 'web', method: 'exec' }, 'method is delete or rollout'],
  ['{"namespace":"shop","pod":["web"]}', 'the inputs are a JSON object'],
  ['{"namespace":"shop","pod":"a\\u0022b"}', '`a"b` is no pod'],
  ['not json', 'the inputs are a JSON object'],
])('inputs that are none: %j', async (inputs, words) => {
  const it = await cluster()
  const { exitCode, stdout, stderr } = await restart(it, inputs)
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
  expect(stderr).toContain(words)
  expect(it.requests).toEqual([])
})
