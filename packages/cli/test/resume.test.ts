/** A run that did not finish is finished by `resume`, and nothing is done twice. */

import { kubectlProgram, type Fault } from '@srecodex/testkit'
import { execa } from 'execa'
import { readFileSync, rmSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  changes,
  cluster,
  journalOf,
  mutating,
  once,
  RESTART_ALL,
  type Cluster,
  type Told,
} from './cluster.ts'
import { killedJob } from './killed-job.ts'

const LONG_MS = 120_000
const FEW = ['shop/web', 'shop/cart', 'pay/ledger']

/** The server takes its time with what changes something, until it is let go. */
function holdChanges({ kubernetes }: Cluster): { readonly arrived: Promise<void>; readonly go: () => void } {
  let arrive = (): void => {}
  let go = (): void => {}
  const arrived = new Promise<void>(resolve => {
    arrive = resolve
  })
  const gate = new Promise<void>(resolve => {
    go = resolve
  })
  kubernetes.onRequest = async ({ method, dryRun }): Promise<Fault> => {
    if (method === 'PATCH' && !dryRun) {
      arrive()
      await gate
    }
    return 'ok'
  }
  return { arrived, go }
}

function outputOf({ runFile }: Cluster, run: string): string {
  return readFileSync(runFile(run, 'stderr'), 'utf8')
}

/** Until it has nothing more to do than what nobody can tell. */
async function resumeToTheEnd({ srecodex }: Cluster, most = 8): Promise<Told> {
  for (let at = 1; ; at += 1) {
    const told = await srecodex('resume last')
    if (told.exitCode === 0) return told
    const { items } = told.report
    const left = items === null ? 1 : items.failed + items.pending
    if (left === 0 || at === most) return told
  }
}

describe('resume', { timeout: LONG_MS }, () => {
  test('failures are told by their class with their keys; what failed alone is done again', async () => {
    const at = await cluster({ files: RESTART_ALL, deployments: [...FEW, 'pay/tax', 'search/index'] })
    const { kubernetes, srecodex } = at
    const { report } = await srecodex('run restart.py')
    kubernetes.forbidden.push({ verb: 'patch', namespace: 'pay' })
    const applied = await srecodex(`apply ${report.run} --yes`)
    expect(applied).toMatchObject({
      exitCode: 1,
      report: {
        status: 'failed',
        items: { total: 5, ok: 3, failed: 2, unknown: 0 },
        next: `srecodex resume ${applied.report.run}`,
      },
    })
    const { failures } = applied.report.items
    expect(failures).toEqual([
      { class: 'forbidden', count: 2, keys: expect.arrayContaining(['pay/ledger', 'pay/tax']) },
    ])
    const sofar = mutating(kubernetes).length

    kubernetes.forbidden.length = 0
    const resumed = await srecodex(`resume ${applied.report.run}`)
    expect(resumed).toMatchObject({ exitCode: 0, report: { items: { total: 5, ok: 5 } } })
    const since = mutating(kubernetes).slice(sofar)
    expect(since.map(({ namespace, name }) => `${namespace}/${name}`).sort()).toEqual([
      'pay/ledger',
      'pay/tax',
    ])
    expect(changes(kubernetes)).toEqual(once([...FEW, 'pay/tax', 'search/index']))
    expect((await srecodex(`resume ${resumed.report.run}`)).exitCode).toBe(2)
  })

  test('a mended script: what is done stays done, what differs is planned anew', async () => {
    const broken = `
import subprocess, srecodex
def work(name):
    subprocess.run(["kubectl", "rollout", "restart", "deployment/" + name, "-n", "shop"], check=True)
srecodex.each(["web", "cart"], work)
raise SystemExit("a mistake")
`
    const fixed = broken.replace('["web", "cart"]', '["web", "cart", "mail"]').replace(/raise.*/, '')
    const deployments = ['shop/web', 'shop/cart', 'shop/mail']
    const { kubernetes, srecodex, write } = await cluster({ deployments })
    write('job.py', broken.replace('raise', 'import os\nif os.environ["SRECODEX_PHASE"] == "apply": raise'))
    write('fixed.py', fixed)
    const { report } = await srecodex('run job.py')
    expect((await srecodex(`apply ${report.run} --yes`)).exitCode).toBe(1)
    expect(changes(kubernetes)).toEqual(once(['shop/web', 'shop/cart']))

    const planned = await srecodex('resume last --script fixed.py')
    expect(planned).toMatchObject({
      exitCode: 3,
      report: { status: 'planned', plan: { mutations: 1, targets: ['shop/deployment/mail'] } },
    })
    expect(mutating(kubernetes)).toHaveLength(2)
    const done = await srecodex(`apply ${planned.report.run} --yes`)
    expect(done).toMatchObject({ exitCode: 0, report: { items: { total: 3, ok: 3 } } })
    expect(changes(kubernetes)).toEqual(once(deployments))
    expect(mutating(kubernetes)).toHaveLength(3)
  })

  test('Ctrl-C: what was in flight is waited for and recorded; the rest is done by resume', async () => {
    const at = await cluster({ files: RESTART_ALL, deployments: FEW })
    const { report } = await at.srecodex('run restart.py')
    const { arrived, go } = holdChanges(at)
    const cancel = new AbortController()
    const applying = at.srecodex(`apply ${report.run} --yes`, { signal: cancel.signal, killSignal: 'SIGINT' })
    await arrived
    cancel.abort()
    await new Promise(resolve => setTimeout(resolve, 2000))
    const sofar = mutating(at.kubernetes).length
    go()
    const cancelled = await applying
    expect(cancelled).toMatchObject({
      exitCode: 130,
      report: { status: 'cancelled', next: `srecodex resume ${cancelled.report.run}` },
    })
    const inFlight = Object.keys(changes(at.kubernetes)).length
    expect(inFlight).toBeGreaterThan(0)
    expect(mutating(at.kubernetes)).toHaveLength(sofar)
    const results = journalOf(at, cancelled.report.run).filter(
      ({ kind, outcome }) => kind === 'result' && outcome,
    )
    expect(results.map(({ outcome, answered }) => `${outcome} ${answered}`)).toEqual(
      Array.from({ length: inFlight }, () => 'ok tool'),
    )

    expect(await resumeToTheEnd(at)).toMatchObject({ exitCode: 0, report: { items: { total: 3, ok: 3 } } })
    expect(changes(at.kubernetes)).toEqual(once(FEW))
  })

  test('its time is over: what was in flight is waited for and recorded; the rest is done by resume', async () => {
    const at = await cluster({ files: RESTART_ALL, deployments: FEW })
    const { report } = await at.srecodex('run restart.py')
    const { arrived, go } = holdChanges(at)
    at.configure('[scripts]\nexecution_timeout = 3')
    const applying = at.srecodex(`apply ${report.run} --yes`)
    void arrived.then(() => setTimeout(go, 4000))
    const late = await applying
    expect(late).toMatchObject({
      exitCode: 124,
      report: { status: 'timed-out', next: `srecodex resume ${late.report.run}` },
    })
    const inFlight = Object.keys(changes(at.kubernetes)).length
    expect(inFlight).toBeGreaterThan(0)

    at.configure('')
    expect(await resumeToTheEnd(at)).toMatchObject({ exitCode: 0, report: { items: { total: 3, ok: 3 } } })
    expect(changes(at.kubernetes)).toEqual(once(FEW))
    expect(mutating(at.kubernetes)).toHaveLength(3)
  })

  test('the answer of the server is lost after it did what was asked', async () => {
    const at = await cluster({ files: RESTART_ALL, deployments: FEW })
    const { report } = await at.srecodex('run restart.py')
    const lost = new Set(['web', 'ledger'])
    at.kubernetes.onRequest = ({ method, dryRun, name }) => {
      return method === 'PATCH' && !dryRun && lost.has(name ?? '') ? 'drop-after-apply' : 'ok'
    }
    const applied = await at.srecodex(`apply ${report.run} --yes`)
    expect(applied).toMatchObject({ exitCode: 1, report: { items: { total: 3, ok: 1, failed: 2 } } })
    expect(changes(at.kubernetes)).toEqual(once(FEW))

    at.kubernetes.onRequest = () => 'ok'
    expect(await resumeToTheEnd(at)).toMatchObject({ exitCode: 0, report: { items: { total: 3, ok: 3 } } })
    expect(changes(at.kubernetes)).toEqual(once(FEW))
    expect(mutating(at.kubernetes)).toHaveLength(3)
  })

  test('the same outside of any item', async () => {
    const script = `
import subprocess
for name in ["web", "cart"]:
    subprocess.run(["kubectl", "rollout", "restart", "deployment/" + name, "-n", "shop"], check=True)
`
    const at = await cluster({ files: { 'a.py': script }, deployments: ['shop/web', 'shop/cart'] })
    const { report } = await at.srecodex('run a.py')
    at.kubernetes.onRequest = ({ method, dryRun }) => {
      return method === 'PATCH' && !dryRun ? 'drop-after-apply' : 'ok'
    }
    const applied = await at.srecodex(`apply ${report.run} --yes`)
    expect(applied.exitCode).toBe(1)
    expect(changes(at.kubernetes)).toEqual(once(['shop/web']))
    at.kubernetes.onRequest = () => 'ok'
    expect(await at.srecodex('resume last')).toMatchObject({ exitCode: 0, report: { status: 'succeeded' } })
    expect(changes(at.kubernetes)).toEqual(once(['shop/web', 'shop/cart']))
    expect(mutating(at.kubernetes)).toHaveLength(2)
  })

  const SCALE = `
import subprocess, srecodex
def work(name):
    subprocess.run(["kubectl", "scale", "deployment/" + name, "--replicas=3", "-n", "shop"], check=True)
`

  test.each([
    [
      'an item',
      'srecodex.each(["web", "cart"], work)',
      { total: 2, ok: 1, unknown: 1 },
      /an item is not known/,
    ],
    ['no item', 'work("cart")\nwork("web")', null, /cannot be told: it is not done again/],
  ])('where nobody can tell, %s is reported and left alone', async (_what, rest, items, words) => {
    const script = `${SCALE}${rest}\n`
    const at = await cluster({ files: { 'a.py': script }, deployments: ['shop/web', 'shop/cart'] })
    const { kubernetes, srecodex } = at
    const { report } = await srecodex('run a.py')
    // The answer is lost, and before anybody looks somebody else scales it too: neither yes nor no.
    const program = await kubectlProgram()
    let lost = false
    let meddled = false
    kubernetes.onRequest = async ({ verb, dryRun, name, resource }) => {
      if (name !== 'web' || dryRun || meddled) return 'ok'
      if (verb !== 'get' && resource === 'deployments/scale' && !lost) {
        lost = true
        return 'drop-after-apply'
      }
      if (lost && !meddled) {
        meddled = true
        await execa(program, ['scale', 'deployment/web', '--replicas=5', '-n', 'shop'], {
          env: { KUBECONFIG: at.kubeconfig, HOME: at.home },
        })
      }
      return 'ok'
    }
    const applied = await srecodex(`apply ${report.run} --yes`)
    expect(meddled).toBe(true)
    expect(applied).toMatchObject({ exitCode: 1, report: { status: 'failed', items } })
    const sofar = mutating(kubernetes).length
    const resumed = await srecodex('resume last')
    expect(resumed).toMatchObject({ exitCode: 1, report: { status: 'failed', items } })
    expect(resumed.report.error.message + outputOf(at, resumed.report.run)).toMatch(words)
    expect(mutating(kubernetes)).toHaveLength(sofar)
    expect(kubernetes.get('deployments', 'shop', 'web').spec).toMatchObject({ replicas: 5 })
  })

  test('a run that was killed before it began is not gone on from: the one before it is', async () => {
    const at = await cluster({ files: RESTART_ALL, deployments: FEW })
    const { report } = await at.srecodex('run restart.py')
    at.kubernetes.forbidden.push({ verb: 'patch' })
    expect((await at.srecodex(`apply ${report.run} --yes`)).exitCode).toBe(1)
    at.kubernetes.forbidden.length = 0
    // As a kill leaves it just before the run has taken over what its plan allows.
    rmSync(at.runFile(report.run, 'continued'))
    const resumed = await at.srecodex('resume last')
    expect(resumed).toMatchObject({ exitCode: 2, report: { error: { code: 'RUN_NOT_RESUMABLE' } } })
    expect(resumed.report.error.hint).toBe(`srecodex apply ${report.run}`)
    expect(changes(at.kubernetes)).toEqual({})
    expect((await at.srecodex(`apply ${report.run} --yes`)).exitCode).toBe(0)
    expect(changes(at.kubernetes)).toEqual(once(FEW))
  })
})

describe('kill -9, at random moments', { timeout: LONG_MS }, () => {
  test.each([
    ['plan', 'srecodex', 1],
    ['plan', 'script', 2],
    ['allow', 'kubectl', 3],
  ] as const)('%s: of %s', async (mutations, victim, seed) => {
    const { kills } = await killedJob({
      seed,
      items: 12,
      kills: 2,
      mutations,
      victims: [victim],
      withinMs: 300,
    })
    expect(kills).toBe(2)
  })
})
