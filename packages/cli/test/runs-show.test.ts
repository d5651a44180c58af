/** `srecodex runs show|watch|search` of runs that call tools: the plan, the approval, the items, each call. */

import { expect, test } from 'vitest'
import { callerEnvironment, cluster, type Cluster } from './cluster.ts'

const SHOP = ['shop/api', 'shop/web']

/** Restarts two deployments, and one that is not there once it is earnest. */
const RESTART = `
import os, subprocess
from srecodex import each, summary

def restart(name):
    subprocess.run(["kubectl", "rollout", "restart", "deployment/" + name, "-n", "shop"], check=True)
    if name == "web" and os.environ["SRECODEX_PHASE"] == "apply":
        raise RuntimeError("no route to host")

summary(each(["api", "web"], restart, at_once=1).summary())
`

type Shown = (command: string, columns?: string) => Promise<string>

/** What a command prints, without figures that differ from run to run. */
async function shower(place: Cluster): Promise<Shown> {
  const env = await callerEnvironment(place.kubeconfig)
  return async (command, columns = '200') => {
    const { stdout } = await place.run(command, { env: { ...env, COLUMNS: columns } })
    return stdout
      .replaceAll(place.kubernetes.url, 'SERVER')
      .replaceAll(/good for [\dmins ]+/g, 'good for TIME')
      .replaceAll(/^ +\+\d+\.\d\ds +(?:TIME)?/gm, '  +N ')
      .replaceAll(/\b\d+(\.\d)? (B|KiB)\b/g, 'N $2')
      .replaceAll(/≈\d+/g, '≈N')
      .replaceAll(/^approved( +)\w+, by command/gm, 'approved$1USER, by command')
  }
}

test('a plan, its approval, what came of it, and each call', async () => {
  const place = await cluster({ files: { 'restart.py': RESTART }, deployments: SHOP })
  const shown = await shower(place)
  const { report: planned } = await place.srecodex('run restart.py')
  expect(planned).toMatchObject({ status: 'planned', next: `srecodex apply ${planned.run}` })
  expect(await shown('runs show last --calls')).toMatchInlineSnapshot(`
    "run        RUN
    status     ! planned
    script     WORKSPACE/restart.py
               python, N B, sha256 …
    workspace  WORKSPACE
    started    DATE (AGE)
    took       TIME
    sandbox    workspace-write by bubblewrap, network none
    items      2 items: 2 pending
    calls      2 calls: 2 changes foreseen
    stdout     2 lines, N B
    stderr     0 lines, N B
    tokens     ≈N printed, ≈N returned
    kept in    SRECODEX_HOME/state/runs/RUN
    next       srecodex apply RUN

    Plan RUN
      2 changes · good for TIME
      kubectl as stand-in at SERVER, namespace default

      2 × kubectl rollout restart
          shop/deployment/api
          shop/deployment/web

    Nothing was changed yet. It waits for approval: kubectl rollout restart × 2
    the script would say:
    2 ok

    r read · M change · p change foreseen · u undoes · x refused · ! not in the plan · = end of an item
      +N  p 0 rehearsal    kubectl rollout restart deployment/api -n shop  [api]
      +N = ok, rehearsal  api
      +N  p 0 rehearsal    kubectl rollout restart deployment/web -n shop  [web]
      +N = ok, rehearsal  web
    "
  `)

  const { report: applied } = await place.srecodex(['apply', planned.run, '--yes', '--reason', 'new secret'])
  expect(applied).toMatchObject({ status: 'failed', next: `srecodex resume ${applied.run}` })
  expect(await shown('runs show last --calls')).toMatchInlineSnapshot(`
    "run           RUN
    status        ✘ failed
    error         ITEMS_FAILED: 1 of 2 items failed
    goes on from  RUN
    script        WORKSPACE/restart.py
                  python, N B, sha256 …
    workspace     WORKSPACE
    started       DATE (AGE)
    took          TIME
    sandbox       workspace-write by bubblewrap, network none
    approved      USER, by command, AGE: new secret
    items         2 items: 1 ok, 1 failed
                  RuntimeError (1): web
    calls         2 calls: 2 changes
    stdout        2 lines, N B
    stderr        0 lines, N B
    tokens        ≈N printed, ≈N returned
    kept in       SRECODEX_HOME/state/runs/RUN
    next          srecodex resume RUN

    1 ok, 1 failed (RuntimeError: web)

    r read · M change · p change foreseen · u undoes · x refused · ! not in the plan · = end of an item
      +N  M 0 tool         kubectl rollout restart deployment/api -n shop  [api]
      +N = ok             api
      +N  M 0 tool         kubectl rollout restart deployment/web -n shop  [web]
      +N = failed         web: RuntimeError: no route to host
    "
  `)

  const { report: first } = await place.srecodex(`runs show ${planned.run}`)
  expect(first).toMatchObject({ continuedBy: applied.run, next: `srecodex runs show ${applied.run}` })
  expect(await shown(`runs show ${planned.run}`)).not.toContain('Plan ')
  expect(await shown('runs list')).toContain(`went on in ${applied.run.slice(0, 13)}`)
})

test('--json has the timeline where it is asked for', async () => {
  const place = await cluster({ files: { 'restart.py': RESTART }, deployments: SHOP })
  await place.srecodex('run restart.py')
  expect((await place.srecodex('runs show last')).report).not.toHaveProperty('timeline')
  const { report } = await place.srecodex('runs show last --calls')
  expect(report).toMatchObject({ status: 'planned', approvals: [], continuedBy: null })
  expect(report.timeline.map((entry: { kind: string }) => entry.kind)).toEqual([
    'call',
    'item',
    'call',
    'item',
  ])
  expect(report.timeline[0]).toMatchObject({
    ...{ kind: 'call', effect: 'mutate', planned: true, answered: 'rehearsal', tool: 'kubectl', item: 'api' },
    ...{ argv: ['rollout', 'restart', 'deployment/api', '-n', 'shop'], targets: ['shop/deployment/api'] },
  })
})

test('a refused call, a change that no plan lists, and one line for each, however narrow', async () => {
  const place = await cluster({
    files: {
      'refused.py': `
import subprocess
subprocess.run(["kubectl", "get", "secret", "web", "-o", "yaml", "--sort-by=\\x1b[2J" + "x" * 200])
`,
      'drift.py': `
import os, subprocess
subprocess.run(["kubectl", "scale", "deployment/web", "-n", "shop", "--replicas=2"], check=True)
if os.environ["SRECODEX_PHASE"] == "apply":
    subprocess.run(["kubectl", "delete", "deployment/api", "-n", "shop"], check=True)
`,
    },
    deployments: SHOP,
  })
  const shown = await shower(place)
  expect((await place.srecodex('run refused.py')).report.status).toBe('refused')
  const narrow = await shown('runs show last --calls', '60')
  expect(narrow).not.toContain('\u001B')
  const calls = narrow.slice(narrow.indexOf('r read'))
  expect(calls.split('\n').filter(line => line.length > 60)).toEqual([])
  expect(calls).toMatch(/\bx refused +kubectl get secret/)

  const { report: planned } = await place.srecodex('run drift.py')
  const { report: drifted } = await place.srecodex(`apply ${planned.run} --yes`)
  expect(drifted).toMatchObject({ status: 'drifted', next: `srecodex apply ${drifted.run}` })
  const wide = await shown('runs show last --calls')
  expect(wide).toMatch(
    /! not planned +kubectl delete deployment\/api -n shop: kubectl delete is not in the approved plan/,
  )
  expect(wide).toMatch(/1 × kubectl delete\n +shop\/deployment\/api\n/)
})

test('a plan that has expired is told as such, and nothing leads to it any more', async () => {
  const place = await cluster({ files: { 'restart.py': RESTART }, deployments: SHOP })
  place.configure('[mutations]\nplan_life = "1s"')
  const shown = await shower(place)
  const { report } = await place.srecodex('run restart.py')
  expect(report.next).toBe(`srecodex apply ${report.run}`)
  await expect
    .poll(async () => (await place.srecodex('runs show last')).report.next, { timeout: 10_000 })
    .toBeNull()
  expect(await shown('runs show last')).toContain('2 changes · expired: run the script again\n')
  expect(await shown('runs list')).toContain('its plan has expired')
})

test('search finds calls of all runs, by what they touch', async () => {
  const place = await cluster({ files: { 'restart.py': RESTART }, deployments: SHOP })
  const { report } = await place.srecodex('run restart.py')
  expect((await place.srecodex(['runs', 'search', 'deployment/(api)$|shop/deployment/api'])).report).toEqual([
    {
      ...{ run: report.run, stream: 'call', line: expect.any(Number) },
      text: 'kubectl rollout restart deployment/api -n shop (rollout restart: shop/deployment/api)',
    },
  ])
})

test('watch draws items and calls as they come, then the ending', async () => {
  const place = await cluster({
    files: {
      'look.py': `
import subprocess, time
from srecodex import each

def look(n):
    time.sleep(0.4)
    subprocess.run(["kubectl", "get", "deployment/web", "-n", "shop"], check=True, capture_output=True)

each(list(range(12)), look, at_once=2)
`,
    },
    deployments: SHOP,
  })
  const env = await callerEnvironment(place.kubeconfig)
  const running = place.srecodex('run look.py')
  await expect
    .poll(async () => (await place.run('runs show last --json')).exitCode, { timeout: 10_000 })
    .toBe(0)
  expect((await place.srecodex('runs show last')).report).toMatchObject({
    status: 'running',
    next: expect.stringMatching(/^srecodex runs watch /),
  })
  const { exitCode, raw, screen } = await place.runInTerminal('runs watch last', { env, columns: 100 })
  expect(exitCode).toBe(0)
  expect(raw).toMatch(/\d+\/12/)
  expect(raw).toMatch(/\d+ calls?/)
  expect(screen).toMatch(/items +12 items: 12 ok\r?\n/)
  expect(screen).not.toContain('━')
  expect((await running).report.status).toBe('succeeded')
})

test('a script that changes nothing has done its job: what failed is named, and nothing was a rehearsal', async () => {
  const place = await cluster({
    files: {
      'look.py': `
import subprocess
from srecodex import each, summary

def look(name):
    subprocess.run(["kubectl", "get", "deployment/" + name, "-n", "shop"], check=True, capture_output=True)

summary(each(["web", "gone"], look, at_once=1).summary())
`,
    },
    deployments: SHOP,
  })
  const shown = await shower(place)
  expect((await place.srecodex('run look.py')).report.status).toBe('failed')
  const text = await shown('runs show last --calls')
  expect(text).toMatch(/items +2 items: 1 ok, 1 failed\n +not found \(1\): gone\n/i)
  expect(text).toMatch(/= ok +web\n/)
  expect(text).not.toContain('rehearsal')
})

test('narrow: no id and no path is cut', async () => {
  const place = await cluster({
    files: {
      'keep.py': `${RESTART}
open(os.environ["SRECODEX_ARTIFACTS"] + "/a-name-that-is-long-enough-to-be-of-some-use.csv", "w").write("a,b")
`,
    },
    deployments: SHOP,
  })
  const shown = await shower(place)
  const { report: planned } = await place.srecodex('run keep.py')
  const { report: applied } = await place.srecodex(`apply ${planned.run} --yes`)
  expect(await shown('runs list', '80')).toContain(`see ${applied.run.slice(0, 13)}\n`)
  expect(await shown('runs show last', '80')).toMatch(
    /^artifact +artifacts\/a-name-that-is-long-enough-to-be-of-some-use\.csv \(N B\)$/m,
  )
  expect(await shown('runs show last', '300')).toMatch(/^artifact +SRECODEX_HOME\S+some-use\.csv \(N B\)$/m)
})
