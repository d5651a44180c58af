/** k8s/pod-cleanup by hand: which pods go, which stay and why, and what happens when the server does not cooperate. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Kubernetes, KubernetesOptions } from '../src/kubernetes/kubernetes.ts'
import { resourceOf } from '../src/kubernetes/resources.ts'
import { addPod, cluster, deletedPods, payload, resultOf, type Ended } from './skill-k8s-payload.ts'

const ENTRY = 'k8s/pod-cleanup/scripts/pod_cleanup.py'
const OWNED = 'ReplicaSet/web-1'

const cleanup = (it: Kubernetes, inputs: object, user?: string): Promise<Ended> =>
  payload(it, ENTRY, { older_than: '0s', ...inputs }, user === undefined ? {} : { user })

/** Until each pod has the status that it asks for. */
async function withPods(it: Kubernetes, seeds: readonly Parameters<typeof addPod>[1][]): Promise<void> {
  for (const seed of seeds) addPod(it, seed)
  await it.settled()
}

async function standIn(options: KubernetesOptions = {}): Promise<Kubernetes> {
  const it = await cluster(options)
  for (const namespace of ['shop', 'pay']) it.addNamespace(namespace)
  return it
}

test('evicted and failed pods go; every other one is kept, and told why', async () => {
  const it = await standIn()
  it.addWorkload({ namespace: 'shop', name: 'alive', replicas: 1 })
  it.create('jobs', { metadata: { namespace: 'shop', name: 'nightly' }, spec: {}, status: {} })
  await withPods(it, [
    { namespace: 'shop', name: 'web-1-evicted', owner: OWNED },
    { namespace: 'shop', name: 'web-1-failed', owner: OWNED, mode: 'failed' },
    { namespace: 'shop', name: 'web-1-done', owner: OWNED, mode: 'succeeded' },
    { namespace: 'shop', name: 'bare' },
    { namespace: 'shop', name: 'nightly-1', owner: 'Job/nightly', mode: 'failed' },
    { namespace: 'shop', name: 'flow-1', owner: 'Workflow/flow', mode: 'failed' },
    { namespace: 'shop', name: 'etcd-node-1', owner: 'Node/node-1', mode: 'failed' },
    {
      namespace: 'shop',
      name: 'mirror',
      annotations: { 'kubernetes.io/config.mirror': 'x' },
      mode: 'failed',
    },
    { namespace: 'pay', name: 'elsewhere', owner: OWNED },
  ])
  const ended = await cleanup(it, { namespace: 'shop' })
  expect(resultOf(ended)).toEqual({
    summary:
      '2 of 7 dead pods deleted, 5 kept (static pod: 2, bare pod: 1, owned by a Workflow, which may count it: 1, 1 more)\n' +
      'most from shop (2)',
    matched: 7,
    deleted: 2,
    already_gone: 0,
    failed: 0,
    unknown: 0,
    kept: [
      { why: 'static pod', count: 2, pods: ['shop/etcd-node-1', 'shop/mirror'] },
      { why: 'bare pod', count: 1, pods: ['shop/bare'] },
      { why: 'owned by a Workflow, which may count it', count: 1, pods: ['shop/flow-1'] },
      { why: 'pod of a Job', count: 1, pods: ['shop/nightly-1'] },
    ],
    by_namespace: { shop: 2 },
    failures: [],
  })
  expect(deletedPods(it).sort()).toEqual(['shop/web-1-evicted', 'shop/web-1-failed'])
  const kept = JSON.parse(readFileSync(join(ended.folder, 'pods.json'), 'utf8'))
  expect(kept).toHaveLength(7)
  expect(kept).toContainEqual(
    expect.objectContaining({
      pod: 'shop/web-1-evicted',
      state: 'Evicted',
      message: 'The node was low on resource: memory.',
      kept: null,
    }),
  )
})

test('bare pods and pods of finished Jobs only when asked; those of a Job that runs never', async () => {
  const it = await standIn()
  const condition = { type: 'Complete', status: 'True' }
  it.create('jobs', {
    metadata: { namespace: 'shop', name: 'over' },
    spec: {},
    status: { conditions: [condition] },
  })
  it.create('jobs', { metadata: { namespace: 'shop', name: 'runs' }, spec: {}, status: { active: 1 } })
  await withPods(it, [
    { namespace: 'shop', name: 'over-1', owner: 'Job/over', mode: 'succeeded' },
    { namespace: 'shop', name: 'runs-1', owner: 'Job/runs', mode: 'succeeded' },
    { namespace: 'shop', name: 'orphan-1', owner: 'Job/forgotten', mode: 'succeeded' },
    { namespace: 'shop', name: 'bare', mode: 'succeeded' },
    { namespace: 'shop', name: 'bad', mode: 'failed' },
  ])
  const inputs = { namespace: 'shop', states: ['Succeeded'], include_bare: true, include_jobs: true }
  expect(resultOf(await cleanup(it, inputs))).toMatchObject({
    matched: 4,
    deleted: 3,
    kept: [{ why: 'its Job still runs', count: 1, pods: ['shop/runs-1'] }],
  })
  expect(deletedPods(it).sort()).toEqual(['shop/bare', 'shop/orphan-1', 'shop/over-1'])
})

test('age counts from the end of the last container, where that is known', async () => {
  const it = await standIn()
  await withPods(it, [
    { namespace: 'shop', name: 'old', owner: OWNED, mode: 'failed' },
    { namespace: 'shop', name: 'young', owner: OWNED, mode: 'failed' },
    { namespace: 'shop', name: 'unrecorded', owner: OWNED },
  ])
  const pods = resourceOf('pods')
  const old = structuredClone(it.get('pods', 'shop', 'old')) as unknown as {
    metadata: object
    status: { containerStatuses: { state: { terminated: { finishedAt: string } } }[] }
  }
  old.status.containerStatuses[0]!.state.terminated.finishedAt = new Date(Date.now() - 7_300_000)
    .toISOString()
    .replace(/\.\d+/, '')
  it.store.update(pods, old as never, { writer: { manager: 'kubelet', subresource: 'status' } })
  expect(resultOf(await cleanup(it, { namespace: 'shop', older_than: '2h' }))).toMatchObject({
    matched: 3,
    deleted: 1,
    kept: [{ why: 'younger than 2h', count: 2, pods: ['shop/unrecorded', 'shop/young'] }],
  })
  expect(deletedPods(it)).toEqual(['shop/old'])
})

test('label, pattern and namespace narrow each other; names that a shell would read are only names', async () => {
  const it = await standIn()
  await withPods(it, [
    { namespace: 'shop', name: 'canary-1', owner: OWNED, labels: { tier: 'web' } },
    { namespace: 'shop', name: 'canary-2', owner: OWNED },
    { namespace: 'shop', name: 'stable-1', owner: OWNED, labels: { tier: 'web' } },
  ])
  const narrow = { all_namespaces: true, selector: 'tier=web', name_pattern: 'canary-*' }
  expect(resultOf(await cleanup(it, narrow))).toMatchObject({ matched: 1, deleted: 1 })
  expect(resultOf(await cleanup(it, { ...narrow, name_pattern: '$(id);*' }))).toMatchObject({ matched: 0 })
  expect(deletedPods(it)).toEqual(['shop/canary-1'])
})

test('a thousand of them, over several pages; more than max_delete, and none goes', async () => {
  const it = await standIn()
  const count = 1100
  for (let index = 0; index < count; index++)
    addPod(it, { namespace: 'shop', name: `dead-${index}`, owner: OWNED })
  await it.settled()
  const refused = await cleanup(it, { namespace: 'shop' })
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
  expect(refused.stderr).toContain('1100 pods would be deleted, and max_delete is 500: nothing was deleted')
  expect(deletedPods(it)).toEqual([])
  expect(
    it.requests.filter(({ verb, resource }) => verb === 'list' && resource === 'pods').length,
  ).toBeGreaterThan(2)
})

test('looked at again: a healthy pod that took the name over is left alone', async () => {
  const it = await standIn()
  await withPods(it, [
    { namespace: 'shop', name: 'db-0', owner: 'StatefulSet/db', mode: 'failed' },
    { namespace: 'shop', name: 'db-1', owner: 'StatefulSet/db', mode: 'failed' },
  ])
  it.onRequest = ({ verb, name }) => {
    if (verb === 'get' && name === 'db-0') {
      it.onRequest = () => 'ok'
      const pods = resourceOf('pods')
      it.store.remove(pods, it.get('pods', 'shop', 'db-0'))
      addPod(it, { namespace: 'shop', name: 'db-0', owner: 'StatefulSet/db', mode: 'ok' })
    }
    return 'ok'
  }
  expect(resultOf(await cleanup(it, { namespace: 'shop' }))).toMatchObject({
    matched: 2,
    deleted: 1,
    already_gone: 1,
    failed: 0,
  })
  expect(deletedPods(it)).toEqual(['shop/db-1'])
})

test('an answer that was lost is settled by the uid; one that nobody can settle is unknown', async () => {
  const it = await standIn()
  await withPods(
    it,
    ['gone', 'stays', 'dark'].map(name => ({ namespace: 'shop', name, owner: OWNED })),
  )
  const lost = new Set<string>()
  it.onRequest = ({ verb, name, resource }) => {
    if (verb === 'delete' && name !== null) {
      lost.add(name)
      return name === 'stays' ? 'drop' : 'drop-after-apply'
    }
    // After its delete nobody may look at this one any more, nor at all of them.
    if (lost.has('dark') && resource === 'pods' && (name === 'dark' || verb === 'list'))
      return { status: 500 }
    return 'ok'
  }
  const done = resultOf(await cleanup(it, { namespace: 'shop' }))
  expect(done).toMatchObject({ matched: 3, deleted: 1, failed: 1, unknown: 1 })
  expect(done.failures).toEqual([{ class: 'no answer', count: 1, pods: ['shop/stays'] }])
  expect(deletedPods(it).sort()).toEqual(['shop/dark', 'shop/gone'])
}, 60_000)

test('throttling is waited out; a pod that may not be deleted fails alone', async () => {
  const it = await standIn({ forbidden: [{ verb: 'delete', name: 'held' }] })
  await withPods(
    it,
    ['held', 'slow'].map(name => ({ namespace: 'shop', name, owner: OWNED })),
  )
  const once = new Set(['slow'])
  it.onRequest = ({ verb, name }) => (verb === 'delete' && once.delete(name ?? '') ? { status: 429 } : 'ok')
  expect(resultOf(await cleanup(it, { namespace: 'shop' }))).toMatchObject({
    deleted: 1,
    failed: 1,
    failures: [{ class: 'forbidden', count: 1, pods: ['shop/held'] }],
  })
  expect(deletedPods(it)).toEqual(['shop/slow'])
})

test('a namespace that may not be listed is named; none at all is an error', async () => {
  const it = await standIn({ forbidden: [{ verb: 'list', resource: 'pods', namespace: 'pay' }] })
  await withPods(it, [
    { namespace: 'shop', name: 'a', owner: OWNED },
    { namespace: 'pay', name: 'b', owner: OWNED },
  ])
  const refused = await cleanup(it, { namespace: 'pay' })
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
  expect(refused.stderr).toContain('is forbidden')
  it.onRequest = ({ verb, resource, namespace }) =>
    verb === 'list' && resource === 'pods' && namespace === null
      ? { status: 403, message: 'pods is forbidden: not everywhere' }
      : 'ok'
  const done = resultOf(await cleanup(it, { all_namespaces: true }))
  expect(done).toMatchObject({ matched: 1, deleted: 1 })
  expect(done.summary).toContain('could not be listed (forbidden): pay')
  expect(resultOf(await cleanup(it, { namespace: 'nowhere' }))).toMatchObject({
    matched: 0,
    summary: 'no dead pods: namespace nowhere; states Evicted, Failed',
  })
})

test.each([
  [{}, 'say where'],
  [{ namespace: '-A' }, 'no namespace'],
  [{ namespace: 'shop', states: ['Running'] }, 'states are some of'],
  [{ namespace: 'shop', older_than: '-1h' }, 'no age'],
])('inputs that could mean more than they say are refused: %j', async (inputs, words) => {
  const it = await standIn()
  const { exitCode, stderr } = await payload(it, ENTRY, inputs)
  expect(exitCode).toBe(1)
  expect(stderr).toContain(words)
  expect(it.requests).toEqual([])
})
