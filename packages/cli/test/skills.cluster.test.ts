/** The Kubernetes skills against a real control plane with 200 deployments and 470 pods of which everything is known. */

import { crowdOf, type WorkloadSeed } from '@srecodex/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  changesOf,
  create,
  deadPod,
  ground,
  killedWhen,
  listed,
  makeNamespaces,
  podsBecome,
  removeNamespaces,
  type Ground,
} from './real-cluster.ts'
import type { Told } from './cluster.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
type Loose = any

const LONG_MS = 600_000
const NAMESPACES = ['srecodex-shop', 'srecodex-pay', 'srecodex-search', 'srecodex-batch']
const DEPLOYMENTS = 200
const PODS = 470
const DEAD = ['evicted', 'succeeded', 'failed'] as const

/** Who is restarted by which test: all of them are well. */
const groupOf = (index: number): string =>
  index < 20 ? 'none' : index < 70 ? 'fifty' : index < 100 ? 'killed' : 'rest'

const seeds: readonly WorkloadSeed[] = crowdOf(DEPLOYMENTS, { namespaces: NAMESPACES, bad: 0.1 }).map(
  (seed, index) => ({
    ...seed,
    labels: { ...seed.labels, group: groupOf(index) },
  }),
)
const keysOf = (group: string): string[] =>
  seeds.filter((_, index) => groupOf(index) === group).map(({ namespace, name }) => `${namespace}/${name}`)
const ofMode = (mode: string): readonly WorkloadSeed[] =>
  seeds.filter(({ image }) => image!.endsWith(`-${mode}`))
const replicas = (list: readonly WorkloadSeed[]): number =>
  list.reduce((sum, seed) => sum + seed.replicas!, 0)

/** The rest are in end states, and owned by nobody. */
const deadModes = Array.from({ length: PODS - replicas(seeds) }, (_, index) => DEAD[index % DEAD.length]!)

/** A script that calls one skill, and returns its result as its summary. */
const calling = (id: string, inputs: object): string =>
  `import json, srecodex\nsrecodex.summary(json.dumps(srecodex.skill("${id}", **json.loads(r'''${JSON.stringify(inputs)}'''))))\n`
const RUN = 'run job.py --max-summary 8000'
const resultOf = ({ report, stderr }: Told): Loose => {
  const at = report.summary?.indexOf('{') ?? -1
  if (at === -1) throw new Error(`${JSON.stringify(report, null, 1)}\n${stderr}`)
  return JSON.parse(report.summary.slice(at))
}

beforeAll(async () => {
  await makeNamespaces(NAMESPACES)
  const dead = deadModes.map((mode, index) =>
    deadPod(NAMESPACES[index % NAMESPACES.length]!, `${mode}-${String(index).padStart(3, '0')}`, mode),
  )
  await create(seeds, dead)
  const ready = replicas(seeds) - seeds.slice(0, 20).reduce((sum, seed) => sum + seed.replicas!, 0)
  await podsBecome(NAMESPACES, { all: PODS, ready })
  console.log(`${seeds.length} deployments, ${PODS} pods`)
}, LONG_MS)
afterAll(removeNamespaces, LONG_MS)

describe('a real control plane', { timeout: LONG_MS }, () => {
  const restartGroup = async (group: string): Promise<Ground> =>
    ground({
      'job.py': calling('k8s/bulk-restart', {
        ...{ all_namespaces: true, selector: `group=${group}`, kinds: ['deployment'], waves: [1, 5, '100%'] },
        at_once: 16,
      }),
    })
  const each = (group: string, count: number): Record<string, number> =>
    Object.fromEntries(keysOf(group).map(key => [key, count]))

  test('crash-loop triage finds what is known to crash, by what it died of, and changes nothing', async () => {
    const inputs = { log_lines: 20 }
    const { srecodex } = await ground({ 'job.py': calling('k8s/crashloop-triage', inputs) })
    const told = await srecodex(RUN)
    expect(told).toMatchObject({ exitCode: 0, report: { status: 'succeeded', plan: null } })
    const found = resultOf(told)
    const workloads = (mode: string): Set<string> =>
      new Set(ofMode(mode).map(({ namespace, name }) => `${namespace}/deployment/${name}`))
    const causes = found.causes.map((one: Loose) => ({ ...one, workloads: new Set(one.workloads) }))
    expect(found).toMatchObject({
      pods: replicas(ofMode('crashloop')) + replicas(ofMode('oom')),
      workloads: ofMode('crashloop').length + ofMode('oom').length,
    })
    expect(causes).toHaveLength(2)
    expect(causes).toContainEqual(
      expect.objectContaining({
        ...{
          cause: 'crash',
          exit_code: 1,
          pods: replicas(ofMode('crashloop')),
          workloads: workloads('crashloop'),
        },
        last_log_line: expect.stringContaining('connection refused'),
      }),
    )
    expect(causes).toContainEqual(
      expect.objectContaining({
        cause: 'out-of-memory',
        pods: replicas(ofMode('oom')),
        workloads: workloads('oom'),
      }),
    )
  })

  test('health-check names each that is ill, and no other', async () => {
    const { srecodex } = await ground({
      'job.py': calling('k8s/health-check', { all_namespaces: true, selector: 'group' }),
    })
    const found = resultOf(await srecodex('run job.py --max-summary 20000'))
    expect(found.checked).toBe(DEPLOYMENTS)
    expect(found.unhealthy.map(({ workload }: Loose) => workload).sort()).toEqual(
      seeds
        .slice(0, 20)
        .map(({ namespace, name }) => `${namespace}/deployment/${name}`)
        .sort(),
    )
  })

  test('50 restarts: the plan changes nothing, the apply restarts each once, and nothing else', async () => {
    const { srecodex } = await restartGroup('fifty')
    const planned = await srecodex(RUN)
    expect(planned).toMatchObject({
      exitCode: 3,
      report: {
        status: 'planned',
        plan: { complete: true, mutations: 50 },
        items: { total: 50, pending: 50 },
      },
    })
    expect(await changesOf('group=fifty')).toEqual(each('fifty', 0))
    const applied = await srecodex(`apply ${planned.report.run} --yes`)
    expect(applied).toMatchObject({ exitCode: 0, report: { items: { total: 50, ok: 50 } } })
    expect(resultOf(applied)).toMatchObject({ restarted: 50, failed: 0, unknown: 0 })
    expect(await changesOf('group=fifty')).toEqual(each('fifty', 1))
    expect(await changesOf('group=rest')).toEqual(each('rest', 0))
    for (const { metadata, spec, status } of await listed('deployments', '-A', '-l', 'group=fifty')) {
      expect({
        name: metadata.name,
        updated: status.updatedReplicas,
        available: status.availableReplicas,
      }).toEqual({
        ...{ name: metadata.name, updated: spec.replicas, available: spec.replicas },
      })
    }
  })

  test('30 restarts, killed half way and resumed: each restarted once', async () => {
    const at = await restartGroup('killed')
    const { srecodex } = at
    const { report } = await srecodex(RUN)
    const restarted = async (): Promise<number> =>
      Object.values(await changesOf('group=killed')).filter(count => count > 0).length
    await killedWhen(at, report.run, async () => (await restarted()) >= 8)
    expect(await restarted()).toBeLessThan(30)
    const resumed = await srecodex('resume last')
    expect(resumed).toMatchObject({ exitCode: 0, report: { items: { total: 30, ok: 30 } } })
    expect(await changesOf('group=killed')).toEqual(each('killed', 1))
  })

  test('a bad rollout is taken back under the same approval', async () => {
    const { namespace, name } = seeds.at(-1)!
    const inputs = {
      ...{ namespace, workload: `deployment/${name}`, image: `registry.test/${name}:2.0-imagepull` },
      ...{ rollout_timeout_seconds: 20, settle_seconds: 2 },
    }
    const { srecodex } = await ground({ 'job.py': calling('deploy/rollout', inputs) })
    const planned = await srecodex(RUN)
    const undo = `kubectl rollout undo deployment/${name} --namespace=${namespace} --to-revi`
    const may = [expect.stringContaining(undo)]
    expect(planned.report.plan).toMatchObject({ complete: true, mutations: 1, may })
    const applied = await srecodex(`apply ${planned.report.run} --yes`)
    const done = resultOf(applied)
    expect(done).toMatchObject({ status: 'rolled-back', image_after: [`main=registry.test/${name}:1.0`] })
    expect(done.reason).toContain('ImagePullBackOff')
    const [deployment] = await listed(
      'deployments',
      '-n',
      namespace,
      '--field-selector',
      `metadata.name=${name}`,
    )
    expect(deployment).toMatchObject({
      metadata: { generation: 3 },
      spec: { template: { spec: { containers: [{ image: `registry.test/${name}:1.0` }] } } },
    })
  })

  test('dead pods go by name, also when it is killed half way; the completed stay', async () => {
    const inputs = {
      all_namespaces: true,
      include_bare: true,
      older_than: '0s',
      states: ['Evicted', 'Failed'],
    }
    const at = await ground({ 'job.py': calling('k8s/pod-cleanup', inputs) })
    const { srecodex } = at
    const dead = async (): Promise<string[]> =>
      (await listed('pods', '-A', '-l', 'dead')).map(({ metadata }) => metadata.labels.dead)
    const doomed = deadModes.filter(mode => mode !== 'succeeded').length
    const planned = await srecodex(RUN)
    expect(planned.report).toMatchObject({ status: 'planned', plan: { complete: true, mutations: doomed } })
    expect(await dead()).toHaveLength(deadModes.length)
    await killedWhen(at, planned.report.run, async () => (await dead()).length <= deadModes.length - 8)
    const resumed = await srecodex('resume last')
    expect(resumed).toMatchObject({ exitCode: 0, report: { items: { total: doomed, ok: doomed } } })
    expect(await dead()).toEqual(deadModes.filter(mode => mode === 'succeeded'))
  })
})
