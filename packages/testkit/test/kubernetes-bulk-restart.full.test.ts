import { execa } from 'execa'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { kubectlProgram } from '../src/kubectl.ts'
import { startKubernetes, type Kubernetes, type KubernetesOptions } from '../src/kubernetes/kubernetes.ts'
import { applied } from '../src/kubernetes/request-log.ts'

const PAYLOAD = fileURLToPath(
  new URL('../../../dotcodex/skills/k8s/bulk-restart/scripts/bulk_restart.py', import.meta.url),
)
const GUEST = fileURLToPath(new URL('../../core/src/guest/python', import.meta.url))

let program: string
let folder: string
let kubernetes: Kubernetes | null = null

beforeAll(async () => {
  program = await kubectlProgram()
  folder = mkdtempSync(join(tmpdir(), 'srecodex-restart-'))
}, 180_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

afterEach(async () => {
  await kubernetes?.stop()
  kubernetes = null
})

async function cluster(options: KubernetesOptions = {}): Promise<Kubernetes> {
  kubernetes = await startKubernetes({ readyDelayMs: 20, terminateDelayMs: 20, ...options })
  return kubernetes
}

async function restart(
  it: Kubernetes,
  inputs: Record<string, unknown>,
  user = 'admin',
): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await payload(it, inputs, user)
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  return JSON.parse(stdout) as Record<string, unknown>
}

async function payload(
  it: Kubernetes,
  inputs: Record<string, unknown>,
  user = 'admin',
): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await execa('python3', [PAYLOAD], {
    input: JSON.stringify({ rollout_timeout_seconds: 20, ...inputs }),
    env: {
      PATH: `${dirname(program)}:${process.env.PATH}`,
      HOME: folder,
      KUBECONFIG: it.kubeconfig(join(folder, 'config'), { user }),
      PYTHONPATH: GUEST,
    },
    extendEnv: false,
    reject: false,
  })
  return { exitCode, stdout, stderr }
}

/** Keys of what was restarted, in order. */
function restarted(it: Kubernetes): string[] {
  return applied(it.requests)
    .filter(({ body }) => JSON.stringify(body).includes('restartedAt'))
    .map(({ namespace, resource, name }) => `${namespace}/${resource?.slice(0, -1)}/${name}`)
}

test('a namespace, all kinds; what cannot or need not be restarted is left alone and told', async () => {
  const it = await cluster()
  it.addWorkload({ namespace: 'shop', name: 'web', labels: { team: 'red' } })
  it.addWorkload({ namespace: 'shop', name: 'db', kind: 'StatefulSet', replicas: 1 })
  it.addWorkload({ namespace: 'shop', name: 'agent', kind: 'DaemonSet' })
  it.addWorkload({ namespace: 'shop', name: 'still', paused: true })
  it.addWorkload({ namespace: 'shop', name: 'idle', replicas: 0 })
  it.addWorkload({ namespace: 'shop', name: 'manual', kind: 'DaemonSet', updateStrategy: 'OnDelete' })
  it.addWorkload({ namespace: 'shop', name: 'keep' })
  it.addWorkload({ namespace: 'pay', name: 'other' })
  await it.settled()
  const done = await restart(it, { namespace: 'shop', exclude: ['shop/*/keep'] })
  expect(done).toMatchObject({
    total: 7,
    restarted: 3,
    failed: 0,
    unknown: 0,
    stopped_early: false,
    failures: [],
  })
  expect(done.skipped).toEqual([
    { workload: 'shop/daemonset/manual', why: 'updateStrategy OnDelete: a restart would replace no pod' },
    { workload: 'shop/deployment/idle', why: 'zero replicas' },
    { workload: 'shop/deployment/keep', why: 'excluded by shop/*/keep' },
    { workload: 'shop/deployment/still', why: 'paused' },
  ])
  expect(restarted(it).sort()).toEqual(['shop/daemonset/agent', 'shop/deployment/web', 'shop/statefulset/db'])
})

test('choices narrow each other: label, pattern, kinds, everywhere but the system', async () => {
  const it = await cluster()
  for (const namespace of ['shop', 'pay', 'kube-system']) {
    it.addWorkload({ namespace, name: 'app-a', replicas: 1, labels: { team: 'red' } })
    it.addWorkload({ namespace, name: 'app-b', replicas: 1, labels: { team: 'blue' } })
    it.addWorkload({ namespace, name: 'job', replicas: 1, labels: { team: 'red' } })
  }
  await it.settled()
  const done = await restart(it, {
    all_namespaces: true,
    selector: 'team=red',
    name_pattern: 'app-*',
    kinds: ['deployment'],
  })
  expect(done).toMatchObject({ total: 2, restarted: 2 })
  expect(restarted(it).sort()).toEqual(['pay/deployment/app-a', 'shop/deployment/app-a'])
})

test('crashing: whatever the loop shows at the moment; and it fails with the reason of its pods', async () => {
  const it = await cluster({ mixedCrashStates: true })
  for (const [name, mode] of [
    ['a', 'crashloop'],
    ['b', 'oom'],
    ['c', 'crashloop'],
    ['d', 'imagepull'],
    ['e', 'ok'],
  ] as const) {
    it.addWorkload({ namespace: 'shop', name, replicas: 1, image: `registry.test/${name}:1-${mode}` })
  }
  await it.settled()
  const inputs = { namespace: 'shop', crashing: true, rollout_timeout_seconds: 1, max_failures: 10 }
  const done = await restart(it, inputs)
  expect(done).toMatchObject({ total: 3, restarted: 0, failed: 3, stopped_early: false })
  expect(restarted(it).sort()).toEqual(['shop/deployment/a', 'shop/deployment/b', 'shop/deployment/c'])
})

test('too many failures stop it, and what was not started is named', async () => {
  const it = await cluster()
  for (const name of ['a', 'b', 'c', 'd']) {
    const image = `registry.test/${name}:1${name < 'c' ? '-imagepull' : ''}`
    it.addWorkload({ namespace: 'shop', name, replicas: 1, image })
  }
  await it.settled()
  const inputs = { namespace: 'shop', waves: [2, '100%'], max_failures: 1, rollout_timeout_seconds: 1 }
  const done = await restart(it, inputs)
  expect(done).toMatchObject({ total: 4, restarted: 0, failed: 2, stopped_early: true })
  expect(done.failures).toEqual([
    {
      class: 'not rolled out: ImagePullBackOff',
      count: 2,
      workloads: ['shop/deployment/a', 'shop/deployment/b'],
    },
  ])
  expect(done.skipped).toEqual([
    { workload: 'shop/deployment/c', why: 'not started' },
    { workload: 'shop/deployment/d', why: 'not started' },
  ])
  expect(restarted(it)).toHaveLength(2)
})

test('exact workloads: one is gone, one is forbidden, one works', async () => {
  const it = await cluster({ forbidden: [{ verb: 'patch', namespace: 'pay' }] })
  it.addWorkload({ namespace: 'shop', name: 'web' })
  it.addWorkload({ namespace: 'pay', name: 'web' })
  await it.settled()
  const done = await restart(it, {
    workloads: ['shop/deployment/web', 'pay/deployment/web', 'shop/deployment/gone'],
    waves: ['100%'],
  })
  expect(done).toMatchObject({ total: 3, restarted: 1, failed: 2 })
  expect(done.failures).toEqual([
    { class: 'forbidden', count: 1, workloads: ['pay/deployment/web'] },
    { class: 'not found', count: 1, workloads: ['shop/deployment/gone'] },
  ])
})

test('an answer that was lost: the restart is not repeated, the template decides', async () => {
  const it = await cluster()
  for (const name of ['a', 'b']) it.addWorkload({ namespace: 'shop', name, replicas: 1 })
  await it.settled()
  it.onRequest = ({ verb, name }) => {
    if (verb !== 'patch') return 'ok'
    return name === 'a' ? 'drop-after-apply' : 'drop'
  }
  const done = await restart(it, { namespace: 'shop' })
  expect(done).toMatchObject({ restarted: 1, failed: 1, unknown: 0 })
  expect(done.failures).toMatchObject([{ class: 'not verified', workloads: ['shop/deployment/b'] }])
  expect(restarted(it)).toEqual(['shop/deployment/a'])
})

test('an answer that was lost, and a server that says no more: unknown', async () => {
  const it = await cluster()
  it.addWorkload({ namespace: 'shop', name: 'a', replicas: 1 })
  await it.settled()
  let lost = false
  it.onRequest = ({ verb }) => {
    if (verb === 'patch') {
      lost = true
      return 'drop-after-apply'
    }
    return lost ? { status: 500 } : 'ok'
  }
  expect(await restart(it, { namespace: 'shop' })).toMatchObject({ restarted: 0, failed: 0, unknown: 1 })
  expect(restarted(it)).toEqual(['shop/deployment/a'])
})

test('throttling and conflicts are tried again, for the server said that nothing happened', async () => {
  const it = await cluster()
  for (const name of ['a', 'b']) it.addWorkload({ namespace: 'shop', name, replicas: 1 })
  await it.settled()
  const once = new Set(['a', 'b'])
  it.onRequest = ({ verb, name }) => {
    if (verb !== 'patch' || !once.delete(name ?? '')) return 'ok'
    return name === 'a' ? { status: 429 } : { status: 409, message: 'the object has been modified' }
  }
  expect(await restart(it, { namespace: 'shop' })).toMatchObject({ restarted: 2, failed: 0 })
  expect(restarted(it)).toEqual(['shop/deployment/a', 'shop/deployment/b'])
})

test('namespaces that may not be listed are named, and the others go on; none at all is an error', async () => {
  const it = await cluster({ forbidden: [{ verb: 'list', resource: 'deployments', namespace: 'pay' }] })
  for (const namespace of ['shop', 'pay']) it.addWorkload({ namespace, name: 'web', replicas: 1 })
  await it.settled()
  const refused = await payload(it, { namespace: 'pay', kinds: ['deployment'] })
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
  expect(refused.stderr).toContain('is forbidden')
  it.forbidden.push({ verb: 'list', resource: 'deployments', namespace: '' })
  const done = await restart(it, { all_namespaces: true, name_pattern: 'web', kinds: ['deployment'] })
  expect(done).toMatchObject({ total: 2, restarted: 2 })
})

test('nothing found is a success that says what was looked for', async () => {
  const it = await cluster()
  const done = await restart(it, { namespace: 'nowhere', selector: 'team=red' })
  expect(done).toMatchObject({ total: 0, restarted: 0 })
  expect(done.summary).toBe('nothing to restart: no workload found for namespace nowhere, selector team=red')
})

test.each([
  [{ all_namespaces: true }, 'all_namespaces needs'],
  [{ workloads: ['shop/deployment/--all'] }, 'no namespace/kind/name'],
  [{ namespace: '-A' }, 'no namespace'],
  [{}, 'say which workloads'],
])('inputs that could mean more than they say are refused: %j', async (inputs, words) => {
  const it = await cluster()
  const { exitCode, stderr } = await payload(it, inputs)
  expect(exitCode).toBe(1)
  expect(stderr).toContain(words)
  expect(it.requests).toEqual([])
})
