/** The owner's cases as a plain client can play them: one script a job, one result, and no raw line on the wire. */

import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { addDeployment, callerEnvironment, changes, cluster, mutating } from './cluster.ts'
import { project } from '@srecodex/testkit'
import { connect, REVISIONS } from './mcp-client.ts'

/** Each starts processes, a cluster or several servers. */
const LONG_MS = 120_000

const CRASHING = `import json, subprocess
from srecodex import summary
pods = json.loads(subprocess.run(["kubectl", "get", "pods", "-A", "-o", "json"], check=True, capture_output=True, text=True).stdout)["items"]
def looping(pod):
    for status in pod["status"].get("containerStatuses", []):
        waiting = status["state"].get("waiting", {}).get("reason")
        last = status.get("lastState", {}).get("terminated")
        if waiting == "CrashLoopBackOff" or (last and status["restartCount"] >= 3): return True
found = sorted("%(namespace)s/%(name)s" % pod["metadata"] for pod in pods if looping(pod))
print(json.dumps(pods))
summary("%d of %d pods in CrashLoopBackOff:\\n%s" % (len(found), len(pods), "\\n".join(found)))
`

const MEND = `import srecodex
health = srecodex.skill("k8s/health-check", all_namespaces=True)
sick = [one["workload"] for one in health["unhealthy"]]
done = srecodex.skill("k8s/bulk-restart", workloads=sick, rollout_timeout_seconds=5)
srecodex.summary("%d unhealthy: %s\\n%s" % (len(sick), ", ".join(sick), done["summary"]))
`

const GROUP = `import collections, re, sys
from srecodex import summary
kinds = collections.Counter()
with open("app.log", "rb") as log:
    for line in log:
        if b" ERROR " in line: kinds[re.search(rb"ERROR \\[(\\w+)\\]", line)[1].decode()] += 1
summary("\\n".join("%6d %s" % (n, kind) for kind, n in kinds.most_common()))
`

describe.for(REVISIONS)('revision %s', { timeout: LONG_MS }, revision => {
  test('bulk: all pods in CrashLoopBackOff, by one call', async () => {
    const it = await cluster({
      deployments: ['shop/web:1.0-crashloop', 'shop/cart', 'pay/api:2.0-crashloop'],
    })
    it.kubernetes.addDeployments(60)
    await it.kubernetes.settled()
    const { call, received } = await connect(it, { revision, env: await callerEnvironment(it.kubeconfig) })
    const { report, chars } = await call('run_script', { script: CRASHING, language: 'python' })
    expect(report.status).toBe('succeeded')
    expect(report.summary).toMatch(/^2 of \d+ pods in CrashLoopBackOff:\npay\/api-\S+\nshop\/web-\S+$/)
    expect(chars).toBeLessThanOrEqual(2500)
    expect(received().length).toBeLessThan(6000)
    expect(received()).not.toContain('containerStatuses')
    expect(mutating(it.kubernetes)).toEqual([])
  })

  test('composition: skills are found, and one script checks and restarts; plan, approval, apply', async () => {
    const it = await cluster({
      deployments: ['shop/web:1.0-crashloop', 'shop/cart', 'pay/api:2.0-crashloop'],
    })
    const { call, received } = await connect(it, { revision, env: await callerEnvironment(it.kubeconfig) })
    const { report: found } = await call('find_skills', {
      query: 'check which services are unhealthy and restart them',
    })
    const ids = found.skills.map(({ id }: { id: string }) => id)
    expect(ids).toEqual(expect.arrayContaining(['k8s/health-check', 'k8s/bulk-restart']))

    const planned = await call('run_script', { script: MEND, language: 'python' })
    expect(planned.report).toMatchObject({ status: 'planned', plan: { mutations: 2 } })
    expect(planned.report.plan.targets).toEqual(['pay/deployment/api', 'shop/deployment/web'])
    expect(mutating(it.kubernetes)).toEqual([])

    const applied = await call('apply_plan', { plan: planned.report.run })
    expect(changes(it.kubernetes)).toMatchObject({ 'patch pay/api': 1 })
    expect(applied.report).toMatchObject({ parent: planned.report.run, items: { total: 2 } })
    for (const { chars } of [planned, applied]) expect(chars).toBeLessThanOrEqual(2500)
    expect(received().length).toBeLessThan(12_000)
  })

  test('large data: errors grouped by type, and no line of the log in any message', async () => {
    const place = project()
    const kinds = ['Timeout', 'Refused', 'Parse']
    const line = (n: number): string =>
      `2026-11-22T10:00:${n % 60} ${n % 10 === 0 ? `ERROR [${kinds[(n / 10) % 3]}]` : 'INFO [Ok]'} request=needle${n} took ${n} ms\n`
    writeFileSync(place.path('app.log'), Array.from({ length: 300_000 }, (_, n) => line(n)).join(''))
    const { call, received } = await connect(place, { revision })
    const { report } = await call('run_script', { script: GROUP, language: 'python' })
    expect(report.summary.split('\n').map((one: string) => one.trim())).toEqual([
      '10000 Timeout',
      '10000 Refused',
      '10000 Parse',
    ])
    expect(received()).not.toContain('needle')
    expect(received()).not.toContain('2026-11-22T10')
    expect(readdirSync(place.workspace)).toEqual(['app.log'])
  })
})

test(
  'deploy, verify, roll back: one plan, and the way back is declared in it',
  async () => {
    const it = await cluster({ deployments: ['shop/web:1.0'] })
    const script = `import subprocess, srecodex
def kubectl(*words): return subprocess.run(["kubectl", "-n", "shop", *words], capture_output=True, text=True)
srecodex.may("kubectl", "-n", "shop", "rollout", "undo", "deployment/web")
kubectl("set", "image", "deployment/web", "*=registry.test/web:2.0-crashloop").check_returncode()
if kubectl("rollout", "status", "deployment/web", "--timeout=3s").returncode != 0:
    kubectl("rollout", "undo", "deployment/web").check_returncode()
    srecodex.summary("2.0 did not become ready: back to 1.0")
else:
    srecodex.summary("2.0 is out")
`
    const { call } = await connect(it, { env: await callerEnvironment(it.kubeconfig) })
    const { report } = await call('run_script', { script, language: 'python' })
    expect(report).toMatchObject({ status: 'planned', plan: { targets: ['shop/deployment/web'] } })
    expect(report.plan.may).toHaveLength(1)
    const { report: applied } = await call('apply_plan', { plan: report.run })
    expect(applied).toMatchObject({ status: 'succeeded', summary: '2.0 did not become ready: back to 1.0' })
    expect(it.kubernetes.get('deployments', 'shop', 'web')).toMatchObject({
      spec: { template: { spec: { containers: [{ image: 'registry.test/web:1.0' }] } } },
    })
  },
  LONG_MS,
)

test(
  'a run that fails half way is resumed with a mended script, and nothing is done twice',
  async () => {
    const it = await cluster({ deployments: ['shop/a', 'shop/b', 'shop/c'] })
    addDeployment(it.kubernetes, 'shop/d')
    await it.kubernetes.settled()
    const script = (names: string): string => `import subprocess, srecodex
def restart(name):
    if name == "?": raise RuntimeError("a slip in the script")
    subprocess.run(["kubectl", "-n", "shop", "rollout", "restart", "deployment/" + name], check=True, capture_output=True)
srecodex.summary(srecodex.each(${names}, restart, key=str, at_once=1, max_failures=0).summary())
`
    const { call } = await connect(it, { env: await callerEnvironment(it.kubeconfig), person: 'accept' })
    const { report } = await call('run_script', {
      script: script('["a", "b", "?", "c"]'),
      language: 'python',
    })
    expect(report).toMatchObject({ status: 'failed', items: { ok: 2, failed: 1 } })
    expect(report.next).toBe(`resume_run {"run":"${report.run}"}`)
    const mended = await call('resume_run', { run: report.run, script: script('["a", "b", "c", "d"]') })
    expect(mended.report).toMatchObject({ status: 'succeeded', items: { total: 4, ok: 4 } })
    expect(changes(it.kubernetes)).toEqual({
      'patch shop/a': 1,
      'patch shop/b': 1,
      'patch shop/c': 1,
      'patch shop/d': 1,
    })
    expect(existsSync(it.path('.srecodex'))).toBe(false)
  },
  LONG_MS,
)
