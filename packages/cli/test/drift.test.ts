/** What is not in the plan, or no longer what the plan was made for, is stopped before it happens. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { changes, cluster, journalOf, mutating, once } from './cluster.ts'

const LONG_MS = 120_000

const RESTART_WEB = 'kubectl rollout restart deployment/web -n shop\n'

/** Wants one more change where a file says so: planned without, applied with. */
const MORE = {
  'more.py': `
import os, subprocess, srecodex
def kubectl(*words):
    return subprocess.run(["kubectl", *words, "-n", "shop"]).returncode
codes = [kubectl("rollout", "restart", "deployment/web")]
if os.path.exists("more"):
    codes.append(kubectl("delete", "deployment/cart"))
codes.append(kubectl("rollout", "restart", "deployment/mail"))
srecodex.summary(str(codes))
`,
  'more.sh': `
kubectl rollout restart deployment/web -n shop
[ -e more ] && kubectl delete deployment/cart -n shop
kubectl rollout restart deployment/mail -n shop
`,
  'more.js': `
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
const kubectl = (...words) => execFileSync('kubectl', [...words, '-n', 'shop'])
kubectl('rollout', 'restart', 'deployment/web')
if (existsSync('more')) kubectl('delete', 'deployment/cart')
kubectl('rollout', 'restart', 'deployment/mail')
`,
}

describe('a change that no plan foresaw', { timeout: LONG_MS }, () => {
  test.each(Object.keys(MORE))(
    '%s: a delete is stopped before it happens; its plan goes on',
    async script => {
      const deployments = ['shop/web', 'shop/cart', 'shop/mail']
      const at = await cluster({ files: MORE, deployments })
      const { kubernetes, srecodex, write } = at
      const { exitCode, report } = await srecodex(`run ${script}`)
      expect({ exitCode, mutations: report.plan.mutations }).toEqual({ exitCode: 3, mutations: 2 })

      write('more', '')
      const drifted = await srecodex(`apply ${report.run} --yes`)
      expect(drifted).toMatchObject({
        exitCode: 5,
        report: {
          status: 'drifted',
          error: { code: 'DRIFTED' },
          next: `srecodex apply ${drifted.report.run}`,
        },
      })
      expect(drifted.report.error.message).toContain('kubectl delete deployment/cart -n shop')
      expect(drifted.report.plan.preview).toContain('kubectl delete deployment/cart -n shop')
      // Nothing came after it either, and the server heard of no delete at all.
      expect(changes(kubernetes)).toEqual(once(['shop/web']))
      expect(mutating(kubernetes).map(({ verb }) => verb)).toEqual(['patch'])
      expect(journalOf(at, drifted.report.run)).toContainEqual(
        expect.objectContaining({ kind: 'refused', code: 'DRIFTED' }),
      )

      const applied = await srecodex(`apply ${drifted.report.run} --yes`)
      expect(applied).toMatchObject({ exitCode: 0, report: { status: 'succeeded' } })
      expect(changes(kubernetes)).toEqual({ ...once(['shop/web', 'shop/mail']), 'delete shop/cart': 1 })
      expect(mutating(kubernetes)).toHaveLength(3)
      // The first plan was used, and so is the second one now.
      for (const used of [report.run, drifted.report.run]) {
        expect((await srecodex(`apply ${used} --yes`)).exitCode).toBe(5)
      }
    },
  )

  test('inside an item it costs that item alone', async () => {
    const script = `
import os, subprocess, srecodex
def work(name):
    subprocess.run(["kubectl", "rollout", "restart", "deployment/" + name, "-n", "shop"], check=True)
    if name == "cart" and os.path.exists("more"):
        subprocess.run(["kubectl", "delete", "deployment/web", "-n", "shop"], check=True)
srecodex.summary(srecodex.each(["web", "cart", "mail"], work).summary())
`
    const deployments = ['shop/web', 'shop/cart', 'shop/mail']
    const { kubernetes, srecodex, write } = await cluster({ files: { 'a.py': script }, deployments })
    const { report } = await srecodex('run a.py')
    write('more', '')
    const applied = await srecodex(`apply ${report.run} --yes`)
    expect(applied.report).toMatchObject({ items: { total: 3, ok: 2, skipped: 1 } })
    expect(changes(kubernetes)).toEqual(once(deployments))
    expect(mutating(kubernetes)).toHaveLength(3)
  })

  const UNDO = {
    'release.sh': 'kubectl set image deployment/web deployment/cart "main=registry.test/any:$1" -n shop',
    'a.py': `
import os, subprocess
def kubectl(*words):
    return subprocess.run(["kubectl", *words, "-n", "shop"]).returncode
kubectl("set", "image", "deployment/web", "main=registry.test/web:3.0")
for name in os.environ.get("UNDO", "").split() if os.environ["SRECODEX_PHASE"] == "apply" else []:
    kubectl("rollout", "undo", "deployment/" + name)
`,
  }

  test.each([
    ['twice', 'web web', 'web'],
    ['of what it did not change', 'cart', 'cart'],
  ])('an undo of what the run did needs no plan; %s it does', async (_what, undone, stopped) => {
    const { kubernetes, srecodex } = await cluster({ files: UNDO, deployments: ['shop/web', 'shop/cart'] })
    for (const tag of ['1.1', '1.2']) await srecodex(`run release.sh --mutations allow -- ${tag}`)
    await kubernetes.settled()
    const sofar = mutating(kubernetes).length
    const { report } = await srecodex(['run', 'a.py', '--env', `UNDO=${undone}`])
    expect(report.plan).toMatchObject({ mutations: 1 })

    const drifted = await srecodex(`apply ${report.run} --yes`)
    expect(drifted).toMatchObject({ exitCode: 5, report: { status: 'drifted' } })
    expect(drifted.report.error.message).toContain(`rollout undo deployment/${stopped}`)
    const since = mutating(kubernetes).slice(sofar)
    expect(since.map(({ name }) => name)).toEqual(undone === 'cart' ? ['web'] : ['web', 'web'])
    const image = undone === 'cart' ? 'registry.test/web:3.0' : 'registry.test/any:1.2'
    expect(imageOf(kubernetes.get('deployments', 'shop', 'web'))).toBe(image)
    expect(imageOf(kubernetes.get('deployments', 'shop', 'cart'))).toBe('registry.test/any:1.2')
  })
})

function imageOf(deployment: unknown): string {
  const { spec } = deployment as { spec: { template: { spec: { containers: { image: string }[] } } } }
  return spec.template.spec.containers[0]!.image
}

describe('an undo that is done', { timeout: LONG_MS }, () => {
  const SCRIPT = `
import os, subprocess
def kubectl(*words):
    return subprocess.run(["kubectl", *words, "-n", "shop"]).returncode
kubectl("set", "image", "deployment/web", "main=registry.test/web:2.0")
if os.environ["SRECODEX_PHASE"] == "apply":
    kubectl("rollout", "undo", "deployment/web")
if os.path.exists("crash"):
    raise SystemExit(1)
if os.path.exists("again"):
    kubectl("rollout", "undo", "deployment/web")
`

  test('is no change that a resume may undo: that would lead back to what was undone', async () => {
    const at = await cluster({ files: { 'a.py': SCRIPT }, deployments: ['shop/web'] })
    const { report } = await at.srecodex('run a.py')
    at.write('crash', '')
    expect(await at.srecodex(`apply ${report.run} --yes`)).toMatchObject({ exitCode: 1 })
    expect(changes(at.kubernetes)).toEqual({ 'patch shop/web': 2 })
    rmSync(at.path('crash'))
    at.write('again', '')
    expect(await at.srecodex('resume last')).toMatchObject({ exitCode: 5, report: { status: 'drifted' } })
    expect(changes(at.kubernetes)).toEqual({ 'patch shop/web': 2 })
    expect(imageOf(at.kubernetes.get('deployments', 'shop', 'web'))).toBe('registry.test/web:1.0')
  })
})

describe('another target than the one of the plan', { timeout: LONG_MS }, () => {
  const MOVES: readonly (readonly [string, (config: string) => string])[] = [
    ['context', text => text.replaceAll('"stand-in"', '"production"')],
    ['server', text => text.replace('https://127.0.0.1:', 'https://localhost:')],
    ['namespace', text => text.replace('"user": "admin"', '"user": "admin", "namespace": "pay"')],
    ['user', text => text.replaceAll('"admin"', '"root"')],
  ]

  test.each(MOVES)('its %s changed', async (what, move) => {
    const { kubernetes, srecodex, kubeconfig } = await cluster({
      files: { 'a.sh': RESTART_WEB },
      deployments: ['shop/web', 'pay/web'],
    })
    const { report } = await srecodex('run a.sh')
    const before = readFileSync(kubeconfig, 'utf8')
    writeFileSync(kubeconfig, move(before))
    expect(readFileSync(kubeconfig, 'utf8')).not.toBe(before)
    const moved = await srecodex(`apply ${report.run} --yes`)
    expect(moved).toMatchObject({ exitCode: 5, report: { error: { code: 'PLAN_STALE' } } })
    expect(moved.report.error.message).toContain(what)
    expect(mutating(kubernetes)).toEqual([])

    // It costs the plan nothing: back at its target it is applied.
    writeFileSync(kubeconfig, before)
    expect((await srecodex(`apply ${report.run} --yes`)).exitCode).toBe(0)
    expect(changes(kubernetes)).toEqual(once(['shop/web']))
  })

  test('a resume is held to it as well', async () => {
    const { kubernetes, srecodex, kubeconfig } = await cluster({
      files: { 'a.sh': `set -e\n${RESTART_WEB}` },
      deployments: ['shop/web'],
    })
    const { report } = await srecodex('run a.sh')
    kubernetes.forbidden.push({ verb: 'patch' })
    expect((await srecodex(`apply ${report.run} --yes`)).exitCode).toBe(1)
    kubernetes.forbidden.length = 0
    const before = readFileSync(kubeconfig, 'utf8')
    writeFileSync(kubeconfig, before.replaceAll('"stand-in"', '"production"'))
    const moved = await srecodex('resume last')
    expect(moved).toMatchObject({ exitCode: 5, report: { error: { code: 'PLAN_STALE' } } })
    expect(changes(kubernetes)).toEqual({})
    writeFileSync(kubeconfig, before)
  })
})
