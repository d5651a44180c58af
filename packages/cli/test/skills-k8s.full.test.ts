/**
 * The Kubernetes skills as a script composes them: planned, approved, applied and resumed by the built CLI. What was
 * done is judged by the log of the server.
 */

import { resourceOf, type Kubernetes, type RequestEntry } from '@srecodex/testkit'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { addDeployment, changes, cluster, mutating, type Cluster, type Told } from './cluster.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
type Loose = any

const LONG_MS = 180_000
const SKILLS = fileURLToPath(new URL('../../../dotcodex/skills', import.meta.url))

/** A script that calls one skill, and returns its result as its summary. */
const calling = (id: string, inputs: object): string =>
  `import json, srecodex\nsrecodex.summary(json.dumps(srecodex.skill("${id}", **json.loads(r'''${JSON.stringify(inputs)}'''))))\n`

const run = ({ srecodex }: Cluster, script: string): Promise<Told> =>
  srecodex(['run', script, '--skills-dir', SKILLS, '--max-summary', '8000'])

/** What the script says, also where the plan says something before it. */
const resultOf = ({ report, stderr }: Told): Loose => {
  try {
    return JSON.parse(report.summary.slice(report.summary.indexOf('{')))
  } catch {
    throw new Error(`${JSON.stringify(report, null, 1)}\n${stderr}`)
  }
}

/** Deletes and patches of an object, by whoever is a client. */
const countOf = (kubernetes: Kubernetes, verb: string, name?: string): number =>
  kubernetes.requests.filter(
    one => one.applied && one.verb === verb && (name === undefined || one.name === name),
  ).length

const OWNER = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: 'web-1',
  uid: 'uid-of-web-1',
  controller: true,
}

function addDead(kubernetes: Kubernetes, name: string, isOwned = true): void {
  kubernetes.create('pods', {
    metadata: {
      name,
      namespace: 'shop',
      annotations: { 'sim/mode': 'evicted' },
      ...(isOwned ? { ownerReferences: [OWNER] } : {}),
    },
    spec: { containers: [{ name: 'main', image: 'registry.test/main' }] },
  })
}

const podOf = (kubernetes: Kubernetes, workload: string): string =>
  kubernetes.store
    .list(resourceOf('pods'))
    .find(
      ({ metadata }) => metadata.labels?.['app'] === workload && metadata.deletionTimestamp === undefined,
    )!.metadata.name

/** Kills an apply as soon as the server has done a request that fits; then resumes it to its end. */
async function killedAt(at: Cluster, plan: string, fits: (request: RequestEntry) => boolean): Promise<Told> {
  const { kubernetes } = at
  const killer = new AbortController()
  const watch = setInterval(() => {
    if (kubernetes.requests.some(one => one.applied && fits(one))) killer.abort()
  }, 10)
  await expect(
    at.srecodex(`apply ${plan} --yes`, { signal: killer.signal, killSignal: 'SIGKILL' }),
  ).rejects.toThrow(/SIGKILL/)
  clearInterval(watch)
  return at.srecodex('resume last')
}

describe('k8s/pod-cleanup', { timeout: LONG_MS }, () => {
  const files = { 'clean.py': calling('k8s/pod-cleanup', { namespace: 'shop', older_than: '0s' }) }

  test('planned by name, applied, and what failed is resumed; each pod is deleted once', async () => {
    const at = await cluster({ files })
    const { kubernetes, srecodex } = at
    const dead = ['a', 'b', 'c', 'd', 'e']
    for (const name of dead) addDead(kubernetes, name)
    addDead(kubernetes, 'bare', false)
    await kubernetes.settled()
    const planned = await run(at, 'clean.py')
    expect(planned).toMatchObject({
      exitCode: 3,
      report: { status: 'planned', items: { total: 5, pending: 5 }, plan: { complete: true, mutations: 5 } },
    })
    expect(resultOf(planned).summary).toContain('5 of 6 dead pods to delete, 1 kept (bare pod: 1)')
    expect(mutating(kubernetes)).toEqual([])

    addDead(kubernetes, 'newcomer')
    await kubernetes.settled()
    kubernetes.forbidden.push({ verb: 'delete', name: 'c' })
    const applied = await srecodex(`apply ${planned.report.run} --yes`)
    expect(applied).toMatchObject({ exitCode: 1, report: { items: { total: 5, ok: 4, failed: 1 } } })
    expect(resultOf(applied)).toMatchObject({
      deleted: 4,
      failed: 1,
      failures: [{ class: 'forbidden', pods: ['shop/c'] }],
    })
    expect(applied.report.artifacts).toMatchObject([{ name: 'pods.json' }])

    kubernetes.forbidden.length = 0
    const resumed = await srecodex('resume last')
    expect(resumed).toMatchObject({ exitCode: 0, report: { items: { total: 5, ok: 5 } } })
    expect(resultOf(resumed)).toMatchObject({ deleted: 5, failed: 0, by_namespace: { shop: 5 } })
    expect(changes(kubernetes)).toEqual(Object.fromEntries(dead.map(name => [`delete shop/${name}`, 1])))
  })

  test('killed half way: no pod is deleted twice, and none that took a name over', async () => {
    const at = await cluster({ files })
    const { kubernetes } = at
    const dead = Array.from({ length: 30 }, (_, index) => `dead-${index}`)
    for (const name of dead) addDead(kubernetes, name)
    await kubernetes.settled()
    const { report } = await run(at, 'clean.py')
    const resumed = await killedAt(
      at,
      report.run,
      ({ verb }) => verb === 'delete' && countOf(kubernetes, 'delete') >= 8,
    )
    expect(resumed).toMatchObject({ exitCode: 0, report: { items: { total: 30, ok: 30 } } })
    expect(changes(kubernetes)).toEqual(Object.fromEntries(dead.map(name => [`delete shop/${name}`, 1])))
  })
})

describe('k8s/single-pod-restart', { timeout: LONG_MS }, () => {
  test('planned, applied, and told by its replacement', async () => {
    const at = await cluster({ deployments: ['shop/web'] })
    const { kubernetes, srecodex, write } = at
    const pod = podOf(kubernetes, 'web')
    write('one.py', calling('k8s/single-pod-restart', { namespace: 'shop', pod }))
    const planned = await run(at, 'one.py')
    expect(planned).toMatchObject({
      exitCode: 3,
      report: { plan: { mutations: 1, targets: [`shop/pod/${pod}`] } },
    })
    expect(resultOf(planned)).toMatchObject({
      summary: `to delete: shop/${pod}, which shop/deployment/web replaces`,
      restarted: true,
      ready: true,
    })
    expect(mutating(kubernetes)).toEqual([])
    const applied = await srecodex(`apply ${planned.report.run} --yes`)
    const { replacement, ...rest } = resultOf(applied)
    expect(rest).toMatchObject({ restarted: true, owner: 'shop/deployment/web', ready: true })
    expect(replacement).not.toBe(pod)
    expect(applied.report.artifacts.map(({ name }: { name: string }) => name)).toEqual([
      `logs/shop/${pod}/main.log`,
    ])
    expect(changes(kubernetes)).toEqual({ [`delete shop/${pod}`]: 1 })
  })

  test('killed while it waits: the resume waits on, and restarts nothing more', async () => {
    const at = await cluster({ deployments: ['shop/web'], readyDelayMs: 3000 })
    const { kubernetes, write } = at
    const pod = podOf(kubernetes, 'web')
    write('one.py', calling('k8s/single-pod-restart', { namespace: 'shop', pod, save_logs: false }))
    const { report } = await run(at, 'one.py')
    const resumed = await killedAt(at, report.run, ({ verb }) => verb === 'delete')
    expect(resultOf(resumed)).toMatchObject({ restarted: true, ready: true })
    expect(changes(kubernetes)).toEqual({ [`delete shop/${pod}`]: 1 })
  })

  test('rollout of its owner: the restart is planned, and done once', async () => {
    const at = await cluster({ deployments: ['shop/web'] })
    const { kubernetes, srecodex, write } = at
    const pod = podOf(kubernetes, 'web')
    write(
      'roll.py',
      calling('k8s/single-pod-restart', { namespace: 'shop', pod, method: 'rollout', save_logs: false }),
    )
    const planned = await run(at, 'roll.py')
    expect(planned.report.plan).toMatchObject({ mutations: 1, targets: ['shop/deployment/web'] })
    expect(resultOf(await srecodex(`apply ${planned.report.run} --yes`))).toMatchObject({
      restarted: true,
      ready: true,
    })
    expect(changes(kubernetes)).toEqual({ 'patch shop/web': 1 })
  })
})

describe('what only reads', { timeout: LONG_MS }, () => {
  test('k8s/health-check and k8s/crashloop-triage run at once, within one script, and change nothing', async () => {
    const script = `
import { skill, summary } from 'srecodex'
const health = await skill('k8s/health-check', { all_namespaces: true })
const triage = await skill('k8s/crashloop-triage')
await summary({ health, triage })
`
    const at = await cluster({ files: { 'look.js': script }, mixedCrashStates: true })
    const { kubernetes } = at
    addDeployment(kubernetes, 'shop/web')
    for (const name of ['a', 'b', 'c', 'd']) addDeployment(kubernetes, `pay/${name}:1-crashloop`)
    await kubernetes.settled()
    const looked = await run(at, 'look.js')
    expect(looked).toMatchObject({ exitCode: 0, report: { status: 'succeeded', plan: null } })
    const { health, triage } = resultOf(looked)
    expect(health).toMatchObject({ checked: 5, healthy: 1, unreadable: [] })
    expect(health.unhealthy).toHaveLength(4)
    expect(triage).toMatchObject({
      pods: 4,
      workloads: 4,
      causes: [{ cause: 'crash', exit_code: 1, pods: 4 }],
    })
    expect(triage.causes[0].workloads).toEqual(health.unhealthy.map(({ workload }: Loose) => workload))
    expect(looked.report.artifacts).toMatchObject([{ name: 'crash-logs.jsonl' }])
    expect(mutating(kubernetes)).toEqual([])
  })

  test('what they find goes into k8s/bulk-restart as it is', async () => {
    const script = `
import srecodex
sick = srecodex.skill("k8s/crashloop-triage", namespace="shop")["causes"][0]["workloads"]
done = srecodex.skill("k8s/bulk-restart", workloads=sick, rollout_timeout_seconds=1, max_failures=9)
after = srecodex.skill("k8s/health-check", workloads=sick)
srecodex.summary("%s; %d still unhealthy" % (done["summary"].splitlines()[0], len(after["unhealthy"])))
`
    const at = await cluster({ files: { 'mend.py': script } })
    const { kubernetes, srecodex } = at
    for (const name of ['a', 'b']) addDeployment(kubernetes, `shop/${name}:1-oom`)
    addDeployment(kubernetes, 'shop/fine')
    await kubernetes.settled()
    const planned = await run(at, 'mend.py')
    expect(planned.report).toMatchObject({ status: 'planned', plan: { complete: true, mutations: 2 } })
    const applied = await srecodex(`apply ${planned.report.run} --yes`)
    expect(applied.report.summary).toContain('2 still unhealthy')
    expect(changes(kubernetes)).toEqual({ 'patch shop/a': 1, 'patch shop/b': 1 })
  })
})

describe('deploy/rollout', { timeout: LONG_MS }, () => {
  const GOOD = 'registry.test/web:2.0'
  const BAD = 'registry.test/web:2.0-imagepull'
  const files = (image: string): Record<string, string> => ({
    'deploy.py': calling('deploy/rollout', {
      ...{
        namespace: 'shop',
        workload: 'deployment/web',
        image,
        rollout_timeout_seconds: 10,
        settle_seconds: 1,
      },
    }),
  })
  const withWeb = async (image: string): Promise<Cluster> => {
    const at = await cluster({ files: files(image) })
    // A bad one is known as such after two seconds.
    at.kubernetes.addWorkload({ namespace: 'shop', name: 'web', replicas: 1, progressDeadlineSeconds: 2 })
    await at.kubernetes.settled()
    return at
  }
  const UNDO = 'kubectl rollout undo deployment/web --namespace=shop --to-revision=1'
  const imageOf = (kubernetes: Kubernetes): string =>
    (kubernetes.get('deployments', 'shop', 'web') as Loose).spec.template.spec.containers[0].image

  test('the plan shows the change and the way back; a good one is shipped', async () => {
    const at = await withWeb(GOOD)
    const { kubernetes, srecodex } = at
    const planned = await run(at, 'deploy.py')
    expect(planned).toMatchObject({
      exitCode: 3,
      report: { plan: { complete: true, mutations: 1, targets: ['shop/deployment/web'], may: [UNDO] } },
    })
    expect(resultOf(planned)).toMatchObject({
      status: 'deployed',
      summary: `to deploy: ${GOOD} to deployment/web in shop, back to revision 1 if it is not healthy`,
    })
    expect(mutating(kubernetes)).toEqual([])
    const applied = await srecodex(`apply ${planned.report.run} --yes`)
    expect(applied.exitCode).toBe(0)
    expect(resultOf(applied)).toMatchObject({ status: 'deployed', revision_before: 1, revision_after: 2 })
    expect(changes(kubernetes)).toEqual({ 'patch shop/web': 1 })
  })

  test('a bad one is taken back under the same approval', async () => {
    const at = await withWeb(BAD)
    const { kubernetes, srecodex } = at
    const { report } = await run(at, 'deploy.py')
    const applied = await srecodex(`apply ${report.run} --yes`)
    expect(applied.report).toMatchObject({ status: 'succeeded', calls: { mutations: 2 } })
    const done = resultOf(applied)
    expect(done).toMatchObject({ status: 'rolled-back', image_after: ['main=registry.test/web:1.0'] })
    expect(done.reason).toContain('ImagePullBackOff')
    expect(changes(kubernetes)).toEqual({ 'patch shop/web': 2 })
  })

  test('a StatefulSet: its bad pod holds up the way back, so its deletion is part of what is approved', async () => {
    const inputs = { namespace: 'shop', workload: 'statefulset/db', image: 'registry.test/db:2-imagepull' }
    const at = await cluster({
      files: {
        'deploy.py': calling('deploy/rollout', { ...inputs, rollout_timeout_seconds: 10, settle_seconds: 0 }),
      },
    })
    const { kubernetes, srecodex } = at
    kubernetes.addWorkload({ namespace: 'shop', name: 'db', kind: 'StatefulSet' })
    await kubernetes.settled()
    const planned = await run(at, 'deploy.py')
    expect(planned.report.plan.may).toEqual([
      'kubectl rollout undo statefulset/db --namespace=shop --to-revision=1',
      'kubectl delete pod db-0 --namespace=shop --ignore-not-found --wait=false',
      'kubectl delete pod db-1 --namespace=shop --ignore-not-found --wait=false',
    ])
    const applied = await srecodex(`apply ${planned.report.run} --yes`)
    expect(resultOf(applied)).toMatchObject({
      status: 'rolled-back',
      image_after: ['main=registry.test/db:1.0'],
    })
    expect(changes(kubernetes)).toEqual({ 'patch shop/db': 2, 'delete shop/db-1': 1 })
  })

  test('killed while it waits for a bad one: the resume takes it back, and ships nothing twice', async () => {
    const at = await withWeb(BAD)
    const { kubernetes } = at
    const { report } = await run(at, 'deploy.py')
    const resumed = await killedAt(at, report.run, ({ verb }) => verb === 'patch')
    expect(resultOf(resumed)).toMatchObject({ status: 'rolled-back' })
    expect(imageOf(kubernetes)).toBe('registry.test/web:1.0')
    expect(changes(kubernetes)).toEqual({ 'patch shop/web': 2 })
  })

  test('killed after the rollback: the resume does not take the old version for the new one', async () => {
    const at = await withWeb(BAD)
    const { kubernetes } = at
    const { report } = await run(at, 'deploy.py')
    const resumed = await killedAt(
      at,
      report.run,
      ({ verb }) => verb === 'patch' && countOf(kubernetes, 'patch') === 2,
    )
    expect(resultOf(resumed)).toMatchObject({ status: 'rolled-back' })
    expect(imageOf(kubernetes)).toBe('registry.test/web:1.0')
    expect(changes(kubernetes)).toEqual({ 'patch shop/web': 2 })
  })

  test('somebody else deployed after the plan: nothing is done, and nothing of theirs is undone', async () => {
    const at = await withWeb(GOOD)
    const { kubernetes, srecodex } = at
    const { report } = await run(at, 'deploy.py')
    const { store } = kubernetes
    const theirs = structuredClone(kubernetes.get('deployments', 'shop', 'web')) as Loose
    theirs.spec.template.spec.containers[0].image = 'registry.test/web:1.1'
    store.update(resourceOf('deployments'), theirs, { writer: { manager: 'them', subresource: null } })
    await kubernetes.settled()
    const applied = await srecodex(`apply ${report.run} --yes`)
    expect(resultOf(applied)).toMatchObject({
      status: 'failed',
      reason: 'somebody else changed it since it was planned: nothing was done',
    })
    expect(imageOf(kubernetes)).toBe('registry.test/web:1.1')
    expect(mutating(kubernetes)).toEqual([])
  })
})
