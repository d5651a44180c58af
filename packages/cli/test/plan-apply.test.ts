/** One script, planned, approved once, applied: what was approved is done, once, and nothing else. */

import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { addDeployment, changes, cluster, journalOf, mutating, once, RESTART_ALL } from './cluster.ts'

const LONG_MS = 120_000
const FEW = ['shop/web', 'shop/cart', 'pay/ledger']

const RESTART_WEB = 'kubectl rollout restart deployment/web -n shop\n'

describe('a plan', { timeout: LONG_MS }, () => {
  test('50 restarts: rehearsed, approved once, each done once; a 51st that appears is not touched', async () => {
    const { kubernetes, srecodex } = await cluster({ files: RESTART_ALL })
    const crowd = kubernetes.addDeployments(50).map(({ namespace, name }) => `${namespace}/${name}`)
    await kubernetes.settled()

    const { exitCode, report } = await srecodex('run restart.py')
    expect(exitCode).toBe(3)
    expect(report).toMatchObject({
      status: 'planned',
      items: { total: 50, pending: 50, ok: 0 },
      plan: { complete: true, mutations: 50 },
      next: `srecodex apply ${report.run}`,
    })
    expect(mutating(kubernetes)).toEqual([])
    const rehearsed = kubernetes.requests.filter(({ dryRun }) => dryRun)
    expect(rehearsed.map(({ namespace, name }) => `${namespace}/${name}`).sort()).toEqual([...crowd].sort())

    addDeployment(kubernetes, 'shop/newcomer')
    await kubernetes.settled()
    const applied = await srecodex(`apply ${report.run} --yes`)
    expect(applied.report).toMatchObject({
      parent: report.run,
      items: { total: 51, ok: 50, skipped: 1, failed: 0, unknown: 0, pending: 0 },
    })
    expect(applied.report.summary).toContain('1 skipped')
    expect(applied.exitCode).toBe(0)
    expect(changes(kubernetes)).toEqual(once(crowd))
    expect(mutating(kubernetes)).toHaveLength(50)
  })

  test.each(['restart.sh', 'restart.js'])('%s: planned, applied in part, resumed', async script => {
    const { kubernetes, srecodex } = await cluster({ files: RESTART_ALL, deployments: FEW })
    const { exitCode, report } = await srecodex(`run ${script}`)
    expect(exitCode).toBe(3)
    expect(report).toMatchObject({ status: 'planned', items: { pending: 3 }, plan: { mutations: 3 } })
    expect(mutating(kubernetes)).toEqual([])

    addDeployment(kubernetes, 'shop/newcomer')
    kubernetes.forbidden.push({ verb: 'patch', namespace: 'pay' })
    const applied = await srecodex(`apply ${report.run} --yes`)
    expect(applied.exitCode).toBe(1)
    expect(applied.report).toMatchObject({
      status: 'failed',
      items: { total: 4, ok: 2, failed: 1, skipped: 1 },
      next: `srecodex resume ${applied.report.run}`,
    })
    expect(applied.report.items.failures.find(({ count }: { count: number }) => count === 1).keys).toEqual([
      'pay/ledger',
    ])

    kubernetes.forbidden.length = 0
    const resumed = await srecodex('resume last')
    expect(resumed).toMatchObject({ report: { items: { total: 4, ok: 3, skipped: 1 } } })
    expect(changes(kubernetes)).toEqual(once(FEW))
  })

  test('an item that fails in the rehearsal makes the plan incomplete, and is not done by its apply', async () => {
    const { kubernetes, srecodex } = await cluster({ files: RESTART_ALL, deployments: FEW })
    kubernetes.forbidden.push({ verb: 'patch', namespace: 'pay' })
    const { exitCode, report } = await srecodex('run restart.py')
    expect({ exitCode, plan: report.plan }).toMatchObject({
      exitCode: 3,
      plan: { complete: false, mutations: 2 },
    })
    expect(report.summary).toContain('1 of 3 items failed when they were rehearsed')
    kubernetes.forbidden.length = 0
    expect(await srecodex(`apply ${report.run} --yes`)).toMatchObject({
      report: { items: { ok: 2, skipped: 1 } },
    })
    expect(changes(kubernetes)).toEqual(once(['shop/web', 'shop/cart']))
  })

  test('a script that changes nothing runs once and is done', async () => {
    const files = { 'look.sh': 'kubectl get deployments -n shop -o name' }
    const { kubernetes, srecodex } = await cluster({ files, deployments: ['shop/web'] })
    expect(await srecodex('run look.sh')).toMatchObject({
      exitCode: 0,
      report: { status: 'succeeded', summary: 'deployment.apps/web', plan: null, calls: { reads: 1 } },
    })
    expect(mutating(kubernetes)).toEqual([])
  })

  test('deny: refused before anything reaches the server', async () => {
    const { kubernetes, srecodex } = await cluster({ files: RESTART_ALL, deployments: FEW })
    expect(await srecodex('run restart.py --mutations deny')).toMatchObject({
      exitCode: 4,
      report: { status: 'refused', items: { ok: 0 }, error: { code: 'CALL_REFUSED' } },
    })
    expect(kubernetes.requests.filter(({ method }) => method !== 'GET')).toEqual([])
  })

  test('allow: done at once, and journaled', async () => {
    const at = await cluster({ files: RESTART_ALL, deployments: FEW })
    const { exitCode, report } = await at.srecodex('run restart.py --mutations allow')
    expect({ exitCode, status: report.status }).toEqual({ exitCode: 0, status: 'succeeded' })
    expect(changes(at.kubernetes)).toEqual(once(FEW))
    const lines = journalOf(at, report.run)
    const begun = lines.filter(({ kind, effect }) => kind === 'call' && effect === 'mutate')
    expect(new Set(begun.map(({ item }) => item))).toEqual(new Set(FEW))
    expect(begun).toHaveLength(FEW.length)
    for (const { call, seq } of begun) {
      const result = lines.find(one => one.kind === 'result' && one.call === call)
      expect(result).toMatchObject({ outcome: 'ok', answered: 'tool' })
      expect(result.seq).toBeGreaterThan(seq)
    }
  })
})

describe('limits', { timeout: LONG_MS }, () => {
  test('more mutations than allowed end the planning, and the count is told', async () => {
    const at = await cluster({ files: RESTART_ALL, deployments: FEW })
    at.configure('[limits]\nmax_mutations = 2')
    const { exitCode, report } = await at.srecodex('run restart.py')
    expect(exitCode).toBe(4)
    expect(report).toMatchObject({ status: 'refused', plan: null, error: { code: 'LIMIT_EXCEEDED' } })
    expect(report.error.message).toMatch(/3 mutations, and 2 are allowed/)
    expect(report.error.hint).toMatch(/max_mutations/)
    expect(mutating(at.kubernetes)).toEqual([])
  })

  test('more calls than allowed end the apply with its ledger, and resume goes on', async () => {
    const at = await cluster({ files: RESTART_ALL, deployments: FEW })
    const { report } = await at.srecodex('run restart.py')
    at.configure('[limits]\nmax_calls = 2')
    const stopped = await at.srecodex(`apply ${report.run} --yes`)
    expect(stopped.exitCode).toBe(4)
    expect(stopped.report).toMatchObject({
      status: 'refused',
      error: { code: 'LIMIT_EXCEEDED' },
      items: { total: 3 },
      next: `srecodex resume ${stopped.report.run}`,
    })
    const { ok, failed, unknown, skipped, pending } = stopped.report.items
    expect(ok + failed + unknown + skipped + pending).toBe(3)
    expect(skipped).toBe(0)

    at.configure('')
    expect(await at.srecodex('resume last')).toMatchObject({ exitCode: 0, report: { items: { ok: 3 } } })
    expect(changes(at.kubernetes)).toEqual(once(FEW))
  })
})

describe('what was decided', { timeout: LONG_MS }, () => {
  const DECIDED = `
import secrets, subprocess, srecodex
mark = srecodex.once("mark", lambda: secrets.token_hex(8))
def annotate(name):
    subprocess.run(["kubectl", "annotate", "deployment/" + name, "-n", "shop", "mark=" + mark], check=True)
result = srecodex.each(["web", "cart"], annotate)
srecodex.summary(mark)
`

  test('a value decided once is the same in plan, apply and resume', async () => {
    const files = { 'mark.py': DECIDED }
    const { kubernetes, srecodex } = await cluster({ files, deployments: ['shop/web', 'shop/cart'] })
    const planned = await srecodex('run mark.py')
    const mark = /[0-9a-f]{16}/.exec(planned.report.summary)?.[0]
    kubernetes.forbidden.push({ verb: 'patch', name: 'cart' })
    const applied = await srecodex(`apply ${planned.report.run} --yes`)
    expect(applied).toMatchObject({ exitCode: 1, report: { summary: mark, items: { ok: 1, failed: 1 } } })
    kubernetes.forbidden.length = 0
    const resumed = await srecodex('resume last')
    expect(resumed).toMatchObject({ exitCode: 0, report: { summary: mark, items: { ok: 2 } } })
    expect(changes(kubernetes)).toEqual(once(['shop/web', 'shop/cart']))
    const marks = ['web', 'cart'].map(
      name => kubernetes.get('deployments', 'shop', name).metadata.annotations?.['mark'],
    )
    expect(marks).toEqual([mark, mark])
  })

  const FALLBACK = `
import os, subprocess, srecodex
srecodex.may("kubectl", "scale", "deployment/web", "--replicas=0", "-n", "shop")
subprocess.run(["kubectl", "annotate", "deployment/web", "-n", "shop", "tried=yes"], check=True)
if os.path.exists("unhealthy"):
    subprocess.run(["kubectl", "scale", os.environ.get("TARGET", "deployment/web"), "--replicas=0", "-n", "shop"], check=True)
    srecodex.summary("scaled down")
else:
    srecodex.summary("healthy")
`

  test('a declared fallback is shown by the plan and allowed by the apply', async () => {
    const { kubernetes, srecodex, write } = await cluster({
      files: { 'fall.py': FALLBACK },
      deployments: ['shop/web'],
    })
    const { report } = await srecodex('run fall.py')
    expect(report.plan).toMatchObject({
      mutations: 1,
      may: ['kubectl scale deployment/web --replicas=0 -n shop'],
    })
    write('unhealthy', '')
    expect(await srecodex(`apply ${report.run} --yes`)).toMatchObject({
      exitCode: 0,
      report: { summary: 'scaled down', calls: { mutations: 2 } },
    })
    expect(kubernetes.get('deployments', 'shop', 'web').spec).toMatchObject({ replicas: 0 })
  })

  test('a fallback that names no namespace means the one of the context, as its call does', async () => {
    const text = FALLBACK.replaceAll(', "-n", "shop"', '')
    const { kubernetes, srecodex, write } = await cluster({
      files: { 'fall.py': text },
      deployments: ['default/web'],
    })
    const { report } = await srecodex('run fall.py')
    write('unhealthy', '')
    expect(await srecodex(`apply ${report.run} --yes`)).toMatchObject({ exitCode: 0 })
    expect(kubernetes.get('deployments', 'default', 'web').spec).toMatchObject({ replicas: 0 })
  })

  test('a declared fallback stands for itself alone: another target is drift', async () => {
    const { kubernetes, srecodex, write } = await cluster({
      files: { 'fall.py': FALLBACK },
      deployments: ['shop/web', 'shop/cart'],
    })
    const { report } = await srecodex('run fall.py --env TARGET=deployment/cart')
    write('unhealthy', '')
    const drifted = await srecodex(`apply ${report.run} --yes`)
    expect(drifted).toMatchObject({ exitCode: 5, report: { status: 'drifted' } })
    expect(kubernetes.get('deployments', 'shop', 'cart').spec).toMatchObject({ replicas: 1 })
    expect(changes(kubernetes)).toEqual(once(['shop/web']))
  })
})

describe('a plan fits only what it was made for', { timeout: LONG_MS }, () => {
  test('a plan is used once', async () => {
    const { kubernetes, srecodex } = await cluster({
      files: { 'a.sh': RESTART_WEB },
      deployments: ['shop/web'],
    })
    const { report } = await srecodex('run a.sh')
    const first = await srecodex(`apply ${report.run} --yes`)
    expect(first.exitCode).toBe(0)
    const again = await srecodex(`apply ${report.run} --yes`)
    expect(again).toMatchObject({ exitCode: 5, report: { error: { code: 'PLAN_STALE' } } })
    expect(again.report.error.message).toContain(first.report.run)
    expect(changes(kubernetes)).toEqual(once(['shop/web']))
  })

  test('a plan lives as long as the config says', async () => {
    const at = await cluster({ files: { 'a.sh': RESTART_WEB }, deployments: ['shop/web'] })
    at.configure('[mutations]\nplan_life = "1s"')
    const { report } = await at.srecodex('run a.sh')
    await new Promise(resolve => setTimeout(resolve, 1100))
    const late = await at.srecodex(`apply ${report.run} --yes`)
    expect(late).toMatchObject({ exitCode: 5, report: { error: { code: 'PLAN_STALE' } } })
    expect(late.report.error.message).toMatch(/expired/)
    expect(mutating(at.kubernetes)).toEqual([])
  })

  const TAMPERED: readonly (readonly [string, string, (text: string) => string])[] = [
    ['target', 'plan.json', text => text.replaceAll('deployment/web', 'deployment/cart')],
    ['life', 'plan.json', text => text.replace(/"expiresAt":"\d+/, '"expiresAt":"9999')],
    ['half of it', 'plan.json', text => text.slice(0, text.length / 2)],
    ['script', 'script', text => text.replace('web', 'cart')],
  ]

  test.each(TAMPERED)('what stands on the disk was edited: its %s', async (_what, file, edit) => {
    const at = await cluster({ files: { 'a.sh': RESTART_WEB }, deployments: ['shop/web', 'shop/cart'] })
    const { report } = await at.srecodex('run a.sh')
    const path = at.runFile(report.run, file)
    const before = readFileSync(path, 'utf8')
    writeFileSync(path, edit(before))
    expect(readFileSync(path, 'utf8')).not.toBe(before)
    const stale = await at.srecodex(`apply ${report.run} --yes`)
    expect(stale).toMatchObject({ exitCode: 5, report: { error: { code: 'PLAN_STALE' } } })
    expect(mutating(at.kubernetes)).toEqual([])

    writeFileSync(path, before)
    expect((await at.srecodex(`apply ${report.run} --yes`)).exitCode).toBe(0)
    expect(changes(at.kubernetes)).toEqual(once(['shop/web']))
  })

  test('the plan of another run', async () => {
    const files = { 'a.sh': RESTART_WEB, 'b.sh': 'kubectl delete deployment/cart -n shop' }
    const at = await cluster({ files, deployments: ['shop/web', 'shop/cart'] })
    const { report: a } = await at.srecodex('run a.sh')
    const { report: b } = await at.srecodex('run b.sh')
    cpSync(at.runFile(b.run, 'plan.json'), at.runFile(a.run, 'plan.json'))
    expect(await at.srecodex(`apply ${a.run} --yes`)).toMatchObject({
      exitCode: 5,
      report: { error: { code: 'PLAN_STALE' } },
    })
    expect(mutating(at.kubernetes)).toEqual([])
  })

  test('two at once: one of them applies it', async () => {
    const { kubernetes, srecodex } = await cluster({ files: RESTART_ALL, deployments: FEW })
    const { report } = await srecodex('run restart.py')
    const both = await Promise.all([1, 2].map(() => srecodex(`apply ${report.run} --yes`)))
    const [won, lost] = both.toSorted((a, b) => a.exitCode - b.exitCode)
    expect(won).toMatchObject({ exitCode: 0, report: { items: { ok: 3 } } })
    expect(lost).toMatchObject({ exitCode: 5, report: { error: { code: 'PLAN_STALE' } } })
    expect(changes(kubernetes)).toEqual(once(FEW))
  })
})

describe('what is named indirectly', { timeout: LONG_MS }, () => {
  test('a selector means what it found when it was planned', async () => {
    const files = {
      'a.sh': 'kubectl delete pods -l tier=edge -n shop --wait=false',
      'look.sh': 'kubectl get pods -l app=late -n shop -o name',
    }
    const { kubernetes, srecodex } = await cluster({ files })
    const addEdge = async (name: string): Promise<void> => {
      kubernetes.addWorkload({ namespace: 'shop', name, replicas: 1, labels: { tier: 'edge' } })
      await kubernetes.settled()
    }
    await addEdge('web')
    await addEdge('cart')
    const { exitCode, report } = await srecodex('run a.sh')
    expect({ exitCode, mutations: report.plan.mutations }).toEqual({ exitCode: 3, mutations: 2 })
    await addEdge('late')
    const { report: late } = await srecodex('run look.sh')
    expect(late.summary).toMatch(/^pod\/late-/)

    expect((await srecodex(`apply ${report.run} --yes`)).exitCode).toBe(0)
    const deleted = mutating(kubernetes).map(({ verb, name }) => `${verb} shop/pod/${name}`)
    expect(deleted.sort()).toEqual(report.plan.targets.map((target: string) => `delete ${target}`).sort())
    expect((await srecodex('run look.sh')).report.summary).toBe(late.summary)
  })

  const MAP = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'limits', namespace: 'shop' } }
  const CREATE = 'kubectl create -f - < manifest.json\n'

  test('a manifest on stdin', async () => {
    const manifest = JSON.stringify({ ...MAP, data: { rate: '10' } })
    const files = { 'a.sh': CREATE, 'manifest.json': manifest }
    const { kubernetes, srecodex } = await cluster({ files, deployments: ['shop/web'] })
    const { exitCode, report } = await srecodex('run a.sh')
    expect({ exitCode, plan: report.plan }).toMatchObject({ exitCode: 3, plan: { mutations: 1 } })
    expect((await srecodex(`apply ${report.run} --yes`)).exitCode).toBe(0)
    expect(kubernetes.get('configmaps', 'shop', 'limits')).toMatchObject({ data: { rate: '10' } })
  })

  test('its contents are what was approved: others are drift', async () => {
    const manifest = (rate: string): string => JSON.stringify({ ...MAP, data: { rate } })
    const files = { 'a.sh': CREATE, 'manifest.json': manifest('10') }
    const { kubernetes, srecodex, write } = await cluster({ files, deployments: ['shop/web'] })
    const { report } = await srecodex('run a.sh')
    write('manifest.json', manifest('99999'))
    const drifted = await srecodex(`apply ${report.run} --yes`)
    expect(drifted).toMatchObject({ exitCode: 5, report: { status: 'drifted', plan: { complete: true } } })
    expect(mutating(kubernetes)).toEqual([])
    expect((await srecodex(`apply ${drifted.report.run} --yes`)).exitCode).toBe(0)
    expect(kubernetes.get('configmaps', 'shop', 'limits')).toMatchObject({ data: { rate: '99999' } })
    expect(mutating(kubernetes)).toHaveLength(1)
  })
})
