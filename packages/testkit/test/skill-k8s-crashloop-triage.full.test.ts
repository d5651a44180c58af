/** k8s/crashloop-triage by hand: every pod in a loop, whatever it shows, by what it dies of. */

import { existsSync, readFileSync } from 'node:fs'
import { execa } from 'execa'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Kubernetes } from '../src/kubernetes/kubernetes.ts'
import { resourceOf } from '../src/kubernetes/resources.ts'
import { addPod, cluster, payload, resultOf, type Ended, type Loose } from './skill-k8s-payload.ts'

const ENTRY = 'k8s/crashloop-triage/scripts/crashloop_triage.py'
const SCRIPTS = fileURLToPath(
  new URL('../../../dotcodex/skills/k8s/crashloop-triage/scripts', import.meta.url),
)

const triage = (it: Kubernetes, inputs: unknown = {}, user?: string): Promise<Ended> =>
  payload(it, ENTRY, inputs, user === undefined ? {} : { user })

/** Ends the last life of a workload's pods in another way. */
function died(it: Kubernetes, workload: string, terminated: object, state?: object): void {
  const pods = resourceOf('pods')
  for (const pod of it.store.list(pods).filter(({ metadata }) => metadata.labels?.['app'] === workload)) {
    const copy = structuredClone(pod) as Loose
    const at = new Date(Date.now() - 5000).toISOString().replace(/\.\d+/, '')
    for (const one of copy.status.containerStatuses) {
      one.lastState = { terminated: { startedAt: at, finishedAt: at, ...terminated } }
      one.state = state ?? { waiting: { reason: 'CrashLoopBackOff' } }
      one.restartCount = 4
    }
    it.store.update(pods, copy, { writer: { manager: 'kubelet', subresource: 'status' } })
  }
}

const crowd = (
  it: Kubernetes,
  namespace: string,
  name: string,
  tag: string,
  replicas: number,
  log?: string,
): void => {
  const seed = { namespace, name, replicas, image: `registry.test/${name}:1${tag}` }
  it.addWorkload(seed)
  if (log === undefined) return
  const live = structuredClone(it.get('deployments', namespace, name)) as Loose
  live.spec.template.metadata.annotations = { 'sim/log': log }
  it.store.update(resourceOf('deployments'), live, { writer: { manager: 'seed', subresource: null } })
}

test('all of them, at whichever point of the loop they are, grouped by cause', async () => {
  const it = await cluster({ mixedCrashStates: true })
  crowd(it, 'shop', 'web', '-crashloop', 12)
  crowd(it, 'pay', 'ledger', '-crashloop', 6)
  crowd(it, 'pay', 'cache', '-oom', 9)
  crowd(it, 'shop', 'fine', '', 3)
  crowd(it, 'shop', 'pulls', '-imagepull', 2)
  await it.settled()
  const states = new Set(
    it.store
      .list(resourceOf('pods'))
      .filter(({ metadata }) => ['web', 'cache'].includes(metadata.labels?.['app'] ?? ''))
      .map(pod => JSON.stringify(Object.keys((pod as Loose).status.containerStatuses[0].state))),
  )
  expect(states.size).toBe(3)
  const ended = await triage(it)
  const done = resultOf(ended)
  expect(done).toEqual({
    summary: [
      '27 of 32 pods crash, of 3 workloads, for 2 causes',
      '18 crash (exit 1): psycopg2.OperationalError: connection refused: pay/deployment/ledger, shop/deployment/web',
      '9 out-of-memory (exit 137): pay/deployment/cache',
      'not counted, they cannot start: ImagePullBackOff x2; see k8s/health-check',
    ].join('\n'),
    pods: 27,
    workloads: 3,
    causes: [
      {
        cause: 'crash',
        exit_code: 1,
        last_log_line: 'psycopg2.OperationalError: connection refused',
        pods: 18,
        workloads: ['pay/deployment/ledger', 'shop/deployment/web'],
        since: expect.stringMatching(/^20\d\d-.*Z$/),
        next: 'the last log line',
      },
      {
        cause: 'out-of-memory',
        exit_code: 137,
        last_log_line: '',
        pods: 9,
        workloads: ['pay/deployment/cache'],
        since: expect.any(String),
        next: 'memory limit against usage, heap size, leak',
      },
    ],
    unreadable: [],
  })
  const logs = it.requests.filter(({ resource }) => resource === 'pods/log')
  // One pod for each workload that has something to say.
  expect(logs.map(({ namespace }) => String(namespace)).sort()).toEqual(['pay', 'shop'])
  expect(logs.every(({ query }) => query['previous'] === 'true' && query['tailLines'] === '50')).toBe(true)
  const kept = readFileSync(join(ended.folder, 'crash-logs.jsonl'), 'utf8').trim().split('\n')
  expect(kept.map(line => JSON.parse(line).workload)).toEqual([
    'pay/deployment/ledger',
    'shop/deployment/web',
  ])
  expect(it.requests.every(({ method }) => method === 'GET')).toBe(true)
})

test('each cause by its signs', async () => {
  const it = await cluster()
  const end: Record<string, object> = {
    command: { exitCode: 127, reason: 'ContainerCannotRun' },
    starts: { exitCode: 128, reason: 'StartError' },
    settings: { exitCode: 1, reason: 'Error' },
    quits: { exitCode: 0, reason: 'Completed' },
    probed: { exitCode: 137, reason: 'Error' },
    shot: { exitCode: 143, reason: 'Error' },
    faults: { exitCode: 139, reason: 'Error' },
  }
  const logs: Record<string, string> = {
    settings: 'loading\nerror: environment variable DATABASE_URL is not set\n',
    faults: 'step 12\nSegmentation fault (core dumped)\n',
  }
  for (const name of Object.keys(end)) crowd(it, 'shop', name, '', 1, logs[name] ?? 'bye\n')
  await it.settled()
  for (const [name, terminated] of Object.entries(end)) died(it, name, terminated)
  const probed = it.store
    .list(resourceOf('pods'))
    .find(({ metadata }) => metadata.labels?.['app'] === 'probed')!
  const { name, namespace = 'shop', uid } = probed.metadata
  it.create('events', {
    metadata: { name: 'probed.1', namespace },
    type: 'Warning',
    reason: 'Unhealthy',
    message: 'Liveness probe failed: context deadline exceeded',
    involvedObject: { kind: 'Pod', name, namespace, uid },
  })
  const done = resultOf(await triage(it, { namespace: 'shop' }))
  const found = Object.fromEntries(
    done.causes.flatMap(({ cause, exit_code, workloads }: Loose) =>
      workloads.map((one: string) => [one.split('/')[2], [cause, exit_code]]),
    ),
  )
  expect(found).toEqual({
    command: ['bad-command', 127],
    starts: ['bad-command', 128],
    settings: ['bad-config', 1],
    quits: ['exits-cleanly', 0],
    probed: ['liveness-probe', 137],
    shot: ['killed', 143],
    faults: ['crash', 139],
  })
})

test('what looks alike and is no loop: one restart, a long life since, a finished init container, a pod that goes', async () => {
  const it = await cluster()
  for (const name of ['once', 'healed', 'loops']) crowd(it, 'shop', name, '', 1)
  await it.settled()
  const end = { exitCode: 1, reason: 'Error' }
  died(it, 'once', end, { running: { startedAt: new Date().toISOString().replace(/\.\d+/, '') } })
  died(it, 'healed', end, { running: { startedAt: '2020-01-01T00:00:00Z' } })
  died(it, 'loops', end, { running: { startedAt: new Date().toISOString().replace(/\.\d+/, '') } })
  const pods = resourceOf('pods')
  const single = structuredClone(
    it.store.list(pods).find(({ metadata }) => metadata.labels?.['app'] === 'once')!,
  ) as Loose
  single.status.containerStatuses[0].restartCount = 1
  single.status.initContainerStatuses = [
    {
      name: 'init',
      restartCount: 5,
      ready: true,
      state: { terminated: { exitCode: 0, reason: 'Completed' } },
    },
  ]
  it.store.update(pods, single, { writer: { manager: 'kubelet', subresource: 'status' } })
  expect(resultOf(await triage(it))).toMatchObject({
    pods: 1,
    causes: [{ workloads: ['shop/deployment/loops'] }],
  })
  addPod(it, { namespace: 'shop', name: 'done', mode: 'failed' })
  it.store.mark(
    pods,
    it.store.list(pods).find(({ metadata }) => metadata.labels?.['app'] === 'loops')!,
    30,
    ['x.test/hold'],
  )
  expect(resultOf(await triage(it))).toMatchObject({
    pods: 0,
    causes: [],
    summary: expect.stringMatching(/^no pod is in a crash loop: \d pods looked at in all namespaces$/),
  })
})

test('by selector; bare pods and StatefulSets have their names; odd inputs stay words', async () => {
  const it = await cluster()
  it.addWorkload({
    namespace: 'shop',
    name: 'db',
    kind: 'StatefulSet',
    replicas: 1,
    image: 'registry.test/db:1-crashloop',
  })
  addPod(it, { namespace: 'shop', name: 'bare', mode: 'crashloop', labels: { app: 'bare' } })
  await it.settled()
  const done = resultOf(await triage(it, { namespace: 'shop', logs: false }))
  expect(done.causes).toMatchObject([
    { workloads: ['shop/pod/bare', 'shop/statefulset/db'], last_log_line: '' },
  ])
  expect(resultOf(await triage(it, { selector: 'app=bare' }))).toMatchObject({ pods: 1 })
  expect(it.requests.filter(({ resource }) => resource === 'pods/log')).toHaveLength(1)
  const none = await triage(it, { namespace: '--all-namespaces' })
  expect(none).toMatchObject({ exitCode: 1, stdout: '' })
  expect((await triage(it, { all_namespaces: false })).stderr).toContain('say where')
})

test('logs that are gone, forbidden or slow leave the exit code to group by', async () => {
  const it = await cluster()
  crowd(it, 'shop', 'web', '-crashloop', 2)
  await it.settled()
  it.onRequest = ({ resource, query }) => {
    if (resource !== 'pods/log') return 'ok'
    return query['previous'] === 'true'
      ? { status: 400, message: 'previous terminated container "main" in pod "web" not found' }
      : 'ok'
  }
  expect(resultOf(await triage(it)).causes).toMatchObject([
    { last_log_line: expect.stringContaining('refused') },
  ])
  it.onRequest = ({ resource }) => (resource === 'pods/log' ? 'hang' : 'ok')
  const begun = Date.now()
  const slow = await triage(it)
  expect(Date.now() - begun).toBeLessThan(25_000)
  expect(resultOf(slow).causes).toMatchObject([{ cause: 'crash', exit_code: 1, last_log_line: '', pods: 2 }])
  expect(existsSync(join(slow.folder, 'crash-logs.jsonl'))).toBe(false)
  it.onRequest = () => 'ok'
  it.forbidden.push({ resource: 'pods/log' })
  const refused = resultOf(await triage(it))
  expect(refused.causes).toMatchObject([{ cause: 'crash', exit_code: 1, last_log_line: '' }])
  expect(refused.summary).toContain('by exit code alone where logs may not be read')
}, 60_000)

test('namespaces that may not be listed are named; ReplicaSets that may not be are told by the hash', async () => {
  const it = await cluster({
    forbidden: [{ verb: 'list', resource: 'pods', namespace: 'pay' }, { resource: 'replicasets' }],
  })
  for (const namespace of ['shop', 'pay']) crowd(it, namespace, 'web', '-crashloop', 1)
  await it.settled()
  it.onRequest = ({ verb, resource, namespace }) =>
    verb === 'list' && resource === 'pods' && namespace === null
      ? { status: 403, message: 'pods is forbidden: not everywhere' }
      : 'ok'
  const done = resultOf(await triage(it))
  expect(done.causes).toMatchObject([{ workloads: ['shop/deployment/web'] }])
  expect(done.unreadable).toEqual([expect.stringMatching(/^pay: .*forbidden/)])
  it.forbidden.push({ verb: 'list', resource: 'namespaces' })
  const { exitCode, stderr } = await triage(it)
  expect({ exitCode }).toEqual({ exitCode: 1 })
  expect(stderr).toContain('not everywhere')
})

test('700 pods over two pages, and a server that throttles', async () => {
  const it = await cluster({
    mixedCrashStates: true,
    readyDelayMs: 5,
    throttle: { every: 4, retryAfterSeconds: 1 },
  })
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) crowd(it, 'shop', name, '-oom', 100)
  await it.settled(60_000)
  expect(resultOf(await triage(it))).toMatchObject({ pods: 700, workloads: 7, causes: [{ pods: 700 }] })
  expect(
    it.requests.some(({ resource, query }) => resource === 'pods' && query['continue'] !== undefined),
  ).toBe(true)
}, 90_000)

test('a line of a log becomes a template without what is particular or secret', async () => {
  const lines = [
    '2026-11-22T14:00:01.123Z ERROR cannot reach 10.2.3.4:5432 after 3 tries',
    'error: auth failed for postgres://app:hunter2@db.shop:5432/x?sslmode=off',
    'fatal: password="hunter2" is wrong',
    'Error: token=eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x rejected',
    'panic: order 5f2b9c1e-77aa-4b1c-9d1e-0123456789ab of jane.doe@example.com\u001b[31m lost',
  ]
  const words =
    'import sys, json; from causes import log_line; print(json.dumps([log_line(one) for one in json.load(sys.stdin)]))'
  const { stdout } = await execa('python3', ['-c', words], {
    cwd: SCRIPTS,
    input: JSON.stringify([
      ...lines,
      'Traceback (most recent call last):\n  File "a.py", line 3\nKeyError: \'DB\'\n',
      'ok\nException in thread "main" java.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)\n\tat a.B.error(B.java:2)\n',
      'INFO ready\nbye\n\n',
      '',
    ]),
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  })
  expect(JSON.parse(stdout)).toEqual([
    'ERROR cannot reach <ip> after <n> tries',
    'error: auth failed for <secret>@db.shop:<n>/x?sslmode=off',
    'fatal: password=<secret> is wrong',
    'Error: token=<secret> rejected',
    'panic: order <id> of <email> [<n>m lost',
    "KeyError: 'DB'",
    'Exception in thread "main" java.lang.IllegalStateException: no',
    'bye',
    '',
  ])
})
