/** `srecodex runs report`: the page of one run as a file, looked at as text. What a browser makes of it: the full test. */

import { project, type Project } from '@srecodex/testkit'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { callerEnvironment, cluster } from './cluster.ts'
import { dataOf, HOSTILE, pageOf } from './report-page.ts'

const files = { 'check.sh': 'echo "checked 3 hosts"; summary "3 hosts are well"' }

function runPath({ srecodexHome }: Project, run: string, file: string): string {
  return join(srecodexHome, 'state', 'runs', run, file)
}

test('nothing that a script says is taken for markup', async () => {
  const place = project({ files: { 'hostile.py': HOSTILE } })
  const { run } = (await place.run('run hostile.py --json')).json()
  const html = await pageOf(place)
  // Its own: the end of the JSON, of the program and of the style; and the two elements that begin.
  expect(html.match(/<\/script/gi)).toHaveLength(2)
  expect(html.match(/<script/gi)).toHaveLength(2)
  expect(html.match(/<\/style/gi)).toHaveLength(1)
  expect(html.match(/<img|<svg|<iframe|<!--|[\u2028\u2029]/i)).toBeNull()
  const data = dataOf(html)
  expect(data.report.run).toBe(run)
  expect(data.report.summary).toContain('</script><script>owned("summary")</script>')
  expect(data.output[0].parts[0].lines).toContain('</script><script>owned("stdout")</script><!-- <script>')
  expect(data.words).toContain('<img src=x onerror=owned("item")>')
  expect(data.artifacts.map(({ name }: { name: string }) => name)).toContain(
    '<img src=x onerror=owned("file")>.txt',
  )
  // What a browser would run is named, and no link leads to it.
  expect(data.artifacts.find(({ name }: { name: string }) => name === 'page.html')).toMatchObject({
    href: null,
  })
})

test('nothing but its own parts may run, and nothing may be asked for', async () => {
  const place = project({ files })
  await place.run('run check.sh')
  const html = await pageOf(place)
  const policy = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(html)![1]!
  expect(policy.replaceAll(/sha256-[\w+/]{43}=/g, 'DIGEST')).toBe(
    "default-src 'none'; script-src 'DIGEST'; style-src 'DIGEST'; base-uri 'none'; form-action 'none'; " +
      "require-trusted-types-for 'script'; trusted-types 'none'",
  )
  expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<style'))
  expect(html.match(/\b(?:src|srcset|action)=|@import|url\(|https?:/)).toBeNull()
})

test('in the folder of the run, or where it is told to go; its path on stdout', async () => {
  const place = project({ files })
  const { run } = (await place.run('run check.sh --json')).json()
  const own = await place.run('runs report last')
  expect(own.transcript).toBe('SRECODEX_HOME/state/runs/RUN/report.html\n')
  const path = own.raw.stdout.trim()
  expect(path).toBe(runPath(place, run, 'report.html'))
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(path).size).toBeLessThan(64 * 1024)

  expect((await place.run('runs report last --output page.html')).transcript).toBe('WORKSPACE/page.html\n')
  expect(dataOf(place.read('page.html')).report).toMatchObject({ run, summary: '3 hosts are well' })
  expect((await place.run('runs report last --output page.html --json')).json()).toEqual({
    ...{ run, path: place.path('page.html') },
    bytes: statSync(place.path('page.html')).size,
  })
  const { raw, stderr } = await place.run('runs report last --output -')
  expect(stderr).toBe('')
  expect(dataOf(raw.stdout).report.run).toBe(run)
  // Nothing half-written stays beside it.
  expect((await place.run('runs show last')).exitCode).toBe(0)
  expect(readdirSync(place.workspace)).toEqual(['check.sh', 'page.html'])
})

test('what cannot be done is said', async () => {
  const place = project({ files })
  expect((await place.run('runs report last')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    error[RUN_NOT_FOUND]: there is no run yet

    hint: srecodex runs list shows the runs that are kept
    --- exit code 2
    "
  `)
  await place.run('run check.sh')
  expect((await place.run('runs report last --output - --open')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    error[USAGE]: --output - and --open do not go together

    hint: give --output a file, or leave it out
    --- exit code 2
    "
  `)
  expect((await place.run('runs report last --output .')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    error[USAGE]: WORKSPACE is a folder

    hint: --output names a file
    --- exit code 2
    "
  `)
  expect((await place.run('runs report last --output no/such/page.html')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    error[USAGE]: there is no folder WORKSPACE/no/such

    hint: make it, or give --output a file in another one
    --- exit code 2
    "
  `)
  expect((await place.run('runs report last --output page.html --open')).transcript).toMatchInlineSnapshot(`
    "WORKSPACE/page.html
    --- stderr
    note: not opened: there is no desktop here
    "
  `)
})

test('--open hands the page to the desktop, and says where that fails', async () => {
  const place = project({ files })
  await place.run('run check.sh')
  const opener = (script: string): Record<string, string> => {
    place.write('~/bin/xdg-open', `#!/bin/sh\n${script}\n`)
    chmodSync(place.path('~/bin/xdg-open'), 0o755)
    return { DISPLAY: ':7', PATH: `${place.path('~/bin')}:${process.env.PATH}` }
  }
  const env = opener(`printf %s "$1" > ${place.path('opened')}`)
  const told = await place.run('runs report last --open --json', { env })
  expect(told.json()).toMatchObject({ opened: true })
  await expect.poll(() => place.exists('opened') && place.read('opened')).toBe(told.json().path)
  opener('exit 3')
  const failed = await place.run('runs report last --open', { env })
  expect(failed.exitCode).toBe(0)
  expect(failed.stderr).toBe('note: not opened: xdg-open failed (exit 3)\n')
})

test('a page that finds no room is told as such', async () => {
  const place = project({ files })
  await place.run('run check.sh')
  const full = place.path('full')
  mkdirSync(full)
  const within = ['bwrap', '--dev-bind', '/', '/', '--size', '8192', '--tmpfs', full, '--']
  const { exitCode, stderr } = await place.run('runs report last --output full/page.html', { within })
  expect(stderr).toBe(
    'error[DISK_FULL]: cannot write `WORKSPACE/full/page.html`: no space left on device\n\n' +
      'hint: srecodex runs prune frees old runs; --output puts the page elsewhere\n',
  )
  expect(exitCode).toBe(1)
})

test('secrets are taken out of all that it says', async () => {
  const env = { DEPLOY_TOKEN: 'hunter2hunter2hunter2' }
  const place = project({
    env,
    files: {
      'leak.py': `
import os, sys
from srecodex import artifact, each, summary
token = os.environ["DEPLOY_TOKEN"]
for name in ["host-" + token + ".txt", token + "/rows.txt", "plain.txt"]:
    with open(artifact(name), "w") as file:
        file.write("rows")
print("token is", token)
print("error with", token, file=sys.stderr)
def fail(key):
    raise RuntimeError("rejected " + token)
each(["host-" + token], fail)
summary("done with " + token)
`,
    },
  })
  await place.run(['run', 'leak.py', '--env', 'DEPLOY_TOKEN', '--', '--password', 'correct-horse-battery-9'])
  const html = await pageOf(place)
  expect(html.match(/hunter2|correct-horse/)).toBeNull()
  expect(dataOf(html)).toMatchObject({
    args: ['--password', '[redacted:password]'],
    output: [{ parts: [{ lines: [expect.stringMatching(/^token is \[redacted/)] }] }, {}],
    // A link would say what the name may not.
    artifacts: [
      { name: 'host-[redacted:DEPLOY_TOKEN].txt', href: null },
      { name: '[redacted:DEPLOY_TOKEN]/rows.txt', href: null },
      { name: 'plain.txt', href: 'artifacts/plain.txt' },
    ],
    report: {
      artifacts: [
        { name: 'host-[redacted:DEPLOY_TOKEN].txt' },
        { name: '[redacted:DEPLOY_TOKEN]/rows.txt' },
        { name: 'plain.txt' },
      ],
    },
  })
  const { stdout } = await place.run('runs show last --json')
  expect(stdout.match(/hunter2|correct-horse/)).toBeNull()
})

test('a run that still goes on is told as it stands', async () => {
  const place = project({ files: { 'slow.sh': 'echo begun; touch begun; sleep 60' } })
  const running = place.run('run slow.sh')
  await expect.poll(() => place.exists('begun'), { timeout: 10_000 }).toBe(true)
  const told = await place.run('runs report last')
  expect(told.stderr).toBe('note: the run still goes on: the page says how it stands now\n')
  expect(dataOf(readFileSync(told.raw.stdout.trim(), 'utf8'))).toMatchObject({
    ...{ running: true, report: { status: 'running' } },
    output: [{ parts: [{ lines: ['begun'] }], rest: null }, {}],
  })
  await place.run('runs stop last')
  await running
  expect(dataOf(await pageOf(place))).toMatchObject({ running: false, report: { status: 'cancelled' } })
})

test('a run without a journal, and one whose journal is damaged, have a page too', async () => {
  const place = project({ files })
  const { run } = (await place.run('run check.sh --json')).json()
  const journal = runPath(place, run, 'journal.jsonl')
  expect(existsSync(journal)).toBe(false) // it called nothing
  expect(dataOf(await pageOf(place))).toMatchObject({
    ...{ problems: [], calls: { at: [] }, plan: null },
    report: { summary: '3 hosts are well' },
  })
  writeFileSync(journal, '{"seq":1,"at":"2026-11-22T10:00:00Z","kind":"begin"}\nnot JSON\n')
  expect(dataOf(await pageOf(place))).toMatchObject({
    problems: ['the journal of the run cannot be relied on: line 2 of it is not JSON'],
    report: { summary: '3 hosts are well' },
  })
})

test('waves are told where a script asked for them', async () => {
  const place = project({
    files: {
      'waves.py': 'from srecodex import each\neach(["a", "b", "c"], print, waves=[1, "100%"])',
      'waves.js':
        "import { each } from 'srecodex'\nawait each(['a', 'b', 'c'], () => 1, { waves: [1, '100%'] })",
      'none.js': "import { each } from 'srecodex'\nawait each(['a', 'b', 'c'], () => 1)",
    },
  })
  const waves = async (script: string): Promise<unknown> => {
    expect((await place.run(`run ${script} --mutations allow`)).exitCode).toBe(0)
    return dataOf(await pageOf(place)).items.wave
  }
  expect([await waves('waves.py'), await waves('waves.js'), await waves('none.js')]).toEqual([
    [1, 2, 2],
    [1, 2, 2],
    [0, 0, 0],
  ])
})

test('a long log: its beginning, its end, and the command for the rest', async () => {
  const place = project({ files: { 'long.sh': 'for i in {1..20000}; do echo "line $i"; done' } })
  const { run } = (await place.run('run long.sh --json')).json()
  const [stdout] = dataOf(await pageOf(place)).output
  expect(stdout.parts.map(({ firstNumber }: { firstNumber: number }) => firstNumber)).toEqual([1, 16_001])
  expect(stdout.parts[0].lines.at(-1)).toBe('line 500')
  expect(stdout.parts[1].lines.at(-1)).toBe('line 20000')
  expect(stdout.rest).toBe(`srecodex output ${run} --offset 500`)
})

test('what was planned, what became of it, who let it wait, which run went on', async () => {
  const place = await cluster({
    deployments: ['shop/api', 'shop/web', 'shop/job'],
    files: {
      'roll.py': `
import os, subprocess
from srecodex import each

def kubectl(*words):
    subprocess.run(["kubectl", *words], check=True)

tries = {}
def restart(name):
    tries[name] = tries.get(name, 0) + 1
    if name == "api" and tries[name] == 1 and os.environ["SRECODEX_PHASE"] == "apply":
        raise ConnectionError("no route to host")
    kubectl("rollout", "restart", "deployment/" + name, "-n", "shop")

each(["web", "api"], restart, at_once=1, waves=[1, "100%"], retries=1)
if os.environ["SRECODEX_PHASE"] == "plan":
    kubectl("scale", "deployment/job", "-n", "shop", "--replicas=2")
else:
    kubectl("delete", "deployment/job", "-n", "shop")
`,
    },
  })
  const env = await callerEnvironment(place.kubeconfig)
  const page = async (run: string) => dataOf(await pageOf(place, run, env))
  const { report: planned } = await place.srecodex('run roll.py')
  expect((await page(planned.run)).plan).toMatchObject({
    continuedBy: null,
    calls: ['web', 'api', 'job'].map(name => ({ state: 'waiting', targets: `shop/deployment/${name}` })),
  })
  const { report: drifted } = await place.srecodex(`apply ${planned.run} --yes`)
  expect(drifted.status).toBe('drifted')
  const told = await page(drifted.run)
  expect(told.plan).toMatchObject({
    ...{ id: planned.run, continuedBy: { id: drifted.run } },
    calls: [{ state: 'done' }, { state: 'done' }, { state: 'not-done' }],
    outside: [{ text: 'kubectl delete deployment/job -n shop', how: 'refused', state: null }],
  })
  expect(told).toMatchObject({
    parent: { id: planned.run, href: `../${planned.run}/report.html` },
    approvals: [{ how: 'command', inPlace: false, waitedMs: expect.any(Number) }],
    items: { wave: [1, 2], attempts: [{ length: 3 }, { length: 6 }] },
  })
  // The page of the plan tells what became of it since.
  expect(await page(planned.run)).toMatchObject({
    continuedBy: { id: drifted.run },
    plan: {
      continuedBy: { id: drifted.run },
      calls: [{ state: 'done' }, { state: 'done' }, { state: 'not-done' }],
    },
  })
})

test('a question that the script stood still for: how long, and what it allowed', async () => {
  const place = await cluster({
    deployments: ['shop/api', 'shop/web'],
    files: {
      'ask.py': `
import os, subprocess
names = ["web"] if os.environ["SRECODEX_PHASE"] == "plan" else ["web", "api"]
for name in names:
    subprocess.run(["kubectl", "rollout", "restart", "deployment/" + name, "-n", "shop"], check=True)
`,
    },
  })
  const env = await callerEnvironment(place.kubeconfig)
  const { report } = await place.srecodex('run ask.py')
  const { exitCode } = await place.runInTerminal(`apply ${report.run} --yes`, {
    env,
    keys: { '[y/N] ': 'y\r' },
  })
  expect(exitCode).toBe(0)
  expect(dataOf(await pageOf(place, 'last', env))).toMatchObject({
    approvals: [{ inPlace: false }, { inPlace: true, how: 'terminal', waitedMs: expect.any(Number) }],
    plan: { calls: [{ state: 'done' }], outside: [{ how: 'approved', state: 'done' }] },
  })
})
