/**
 * One approval, for what the plan lists and once each: scripts that want more, or the same twice, or to approve
 * themselves. The server's log is the judge.
 */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { changed, makeArena } from './arena.ts'
import { RAW } from './raw.ts'

const LONG_MS = 60_000

const HEAD = `
import json, os, subprocess, threading, time
applying = os.environ['SRECODEX_PHASE'] == 'apply'
def kubectl(*words, **more):
    return subprocess.run(['kubectl', *words], capture_output=True, text=True, **more)
`

const PATCH = 'PATCH deployments shop/web'
const PATCH_CART = 'PATCH deployments shop/cart'

/** What each does in the apply; in planning it labels `web`, once. */
const BEYOND: readonly (readonly [
  what: string,
  applied: string,
  changes: readonly string[],
  status: string,
])[] = [
  [
    'nothing else: the plan is applied',
    `kubectl('label', 'deploy/web', '-n', 'shop', 'a=b')`,
    [PATCH],
    'succeeded',
  ],
  [
    'the same again, one after the other',
    `[kubectl('label', 'deploy/web', '-n', 'shop', 'a=b') for _ in range(3)]`,
    [PATCH],
    'drifted',
  ],
  [
    'twenty times at once',
    `ts = [threading.Thread(target=kubectl, args=('label', 'deploy/web', '-n', 'shop', 'a=b')) for _ in range(20)]
[t.start() for t in ts]; [t.join() for t in ts]`,
    [PATCH],
    'drifted',
  ],
  ['another object', `kubectl('label', 'deploy/cart', '-n', 'shop', 'a=b')`, [], 'drifted'],
  ['another value', `kubectl('label', 'deploy/web', '-n', 'shop', 'a=c')`, [], 'drifted'],
  ['all of them', `kubectl('label', 'deploy', '--all', '-n', 'shop', 'a=b')`, [], 'drifted'],
  ['one more flag', `kubectl('label', 'deploy/web', '-n', 'shop', 'a=b', '--overwrite')`, [], 'drifted'],
  ['one more operand', `kubectl('label', 'deploy/web', 'deploy/cart', '-n', 'shop', 'a=b')`, [], 'drifted'],
  ['one more key', `kubectl('label', 'deploy/web', '-n', 'shop', 'a=b', 'c=d')`, [], 'drifted'],
  ['behind `--`', `kubectl('label', '-n', 'shop', 'a=b', '--', 'deploy/cart')`, [], ''],
  [
    'in other words: it is the same call',
    `kubectl('-nshop', 'label', 'deployments.apps', 'web', 'a=b', '-v=1')`,
    [PATCH],
    'succeeded',
  ],
  [
    'a fallback that it declares only now',
    `import srecodex
try: srecodex.may('kubectl', 'delete', 'deploy/cart', '-n', 'shop')
except Exception: pass
kubectl('delete', 'deploy/cart', '-n', 'shop')`,
    [],
    'drifted',
  ],
  [
    'an undo of what it never touched',
    `kubectl('label', 'deploy/web', '-n', 'shop', 'a=b'); kubectl('rollout', 'undo', 'deploy/cart', '-n', 'shop')`,
    [PATCH],
    '',
  ],
  [
    'an undo to a revision of its choice',
    `kubectl('label', 'deploy/web', '-n', 'shop', 'a=b'); kubectl('rollout', 'undo', 'deploy/web', '-n', 'shop', '--to-revision=1')`,
    [PATCH],
    'drifted',
  ],
  [
    'it, in an item that the plan knows nothing of',
    `import srecodex
print(srecodex.each(['x'], lambda one: kubectl('label', 'deploy/web', '-n', 'shop', 'a=b').check_returncode()).summary())`,
    [],
    'succeeded',
  ],
  [
    'more, from a child that outlives the script',
    `if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for _ in range(50):
            time.sleep(0.05); kubectl('delete', 'deploy/cart', '-n', 'shop')
    os._exit(0)
kubectl('label', 'deploy/web', '-n', 'shop', 'a=b')`,
    [PATCH],
    '',
  ],
  [
    'more, while the run is ending after drift',
    `kubectl('label', 'deploy/cart', '-n', 'shop', 'a=b')
ts = [threading.Thread(target=kubectl, args=('label', 'deploy/web', '-n', 'shop', 'a=b')) for _ in range(5)]
[t.start() for t in ts]; [t.join() for t in ts]`,
    [],
    'drifted',
  ],
  [
    'its own script, changed meanwhile',
    `try: open('attack.py', 'w').write("import subprocess; subprocess.run(['kubectl', 'delete', 'deploy/cart', '-n', 'shop'])")
except OSError: pass
kubectl('label', 'deploy/web', '-n', 'shop', 'a=b')`,
    [PATCH],
    'succeeded',
  ],
]

describe(
  'in the apply, a script that was planned to label one deployment, does',
  { timeout: LONG_MS },
  () => {
    test.each(BEYOND)('%s', async (_what, applied, changes, status) => {
      const arena = await makeArena()
      const script = `${HEAD}
if applying:
${applied.replaceAll(/^/gm, '    ')}
else:
    kubectl('label', 'deploy/web', '-n', 'shop', 'a=b')
`
      const { report } = await arena.run(script)
      expect(report).toMatchObject({ status: 'planned', plan: { mutations: 1 } })
      expect(changed(arena.kubernetes)).toEqual([])
      const { report: after } = await arena.apply(report.run)
      expect(changed(arena.kubernetes)).toEqual(changes)
      expect(status === '' ? '' : after.status).toBe(status)
      await expect(arena.apply(report.run)).rejects.toMatchObject({ code: 'PLAN_STALE' })
      expect(changed(arena.kubernetes)).toEqual(changes)
    })

    test('the copy that was planned is what runs, whatever stands at its path by then', async () => {
      const arena = await makeArena()
      const { report } = await arena.run(`${HEAD}\nkubectl('label', 'deploy/web', '-n', 'shop', 'a=b')\n`)
      arena.write('attack.py', `${HEAD}\nkubectl('delete', 'deploy/cart', '-n', 'shop')\n`)
      expect((await arena.apply(report.run)).report.status).toBe('succeeded')
      expect(changed(arena.kubernetes)).toEqual([PATCH])
    })

    test('an environment that differs by then is not the one of the plan', async () => {
      const arena = await makeArena()
      const script = `${HEAD}\nkubectl('label', 'deploy/' + os.environ.get('WHICH', 'web'), '-n', 'shop', 'a=b')\n`
      const { report } = await arena.run(script, { environment: { WHICH: 'cart' } })
      await arena.apply(report.run, { environment: { ...arena.environment, WHICH: 'mail' } })
      expect(changed(arena.kubernetes)).toEqual([PATCH_CART])
    })

    test('another cluster by then: stopped before the script', async () => {
      const arena = await makeArena()
      const { report } = await arena.run(`${HEAD}\nkubectl('label', 'deploy/web', '-n', 'shop', 'a=b')\n`)
      arena.kubernetes.kubeconfig(arena.kubeconfig, { context: 'other', namespace: 'elsewhere' })
      await expect(arena.apply(report.run)).rejects.toMatchObject({ code: 'PLAN_STALE' })
      expect(changed(arena.kubernetes)).toEqual([])
    })
  },
)

test('a script approves itself', { timeout: LONG_MS }, async () => {
  const arena = await makeArena()
  arena.write('raw.py', RAW)
  const script = `${HEAD}
from raw import *
kubectl('label', 'deploy/web', '-n', 'shop', 'a=b')
own = ${JSON.stringify(arena.folder)} + '/own'
won = []
run = os.environ['SRECODEX_RUN']
for root in (own, own + '/state/runs/' + run):
    for name in ('plan.json', 'approved.json', 'continued', 'journal.jsonl', 'run.json', 'script', 'config/config.toml', 'state/trust.json'):
        for mode in ('r', 'a', 'w'):
            try: open(root + '/' + name, mode).close(); won.append((name, mode))
            except OSError: pass
for folder, names, files in os.walk('/'):
    if folder.startswith(('/proc', '/sys', '/usr')): names[:] = []; continue
    for name in files:
        if name in ('plan.json', 'approved.json', 'journal.jsonl', 'run.json'): won.append(folder + '/' + name)
sockets = [f'/run/srecodex/{name}' for name in os.listdir('/run/srecodex')]
for line in open('/proc/net/unix'):
    path = line.split()[-1]
    if 'srecodex' in path and path != os.environ['SRECODEX_SOCKET'] and 'calls' not in path: won.append(path)
for method in ('apply', 'approve', 'plan.approve', 'apply_plan', 'resume', 'begin', 'drain', 'finish', 'close'):
    if 'result' in request(method, {'plan': run}): won.append(method)
for tool in ('srecodex', 'node', 'bin.js'):
    if command(tool, ['apply', run, '--yes'])[0] != {'code': 126}: won.append(tool)
try:
    if subprocess.run(['srecodex', 'apply', run, '--yes']).returncode == 0: won.append('program')
except OSError: pass
print(json.dumps(won))
`
  const { report, stdout } = await arena.run(script)
  expect({ won: JSON.parse(stdout) as unknown, changes: changed(arena.kubernetes) }).toEqual({
    won: [],
    changes: [],
  })
  // The files are there, for whoever may see them.
  expect(readFileSync(arena.runFile(report.run, 'journal.jsonl'), 'utf8')).toContain('label')
})

describe('limits under a burst', { timeout: LONG_MS }, () => {
  const burst = (call: string): string => `${HEAD}
def one(i):
    ${call}
ts = [threading.Thread(target=one, args=(i,)) for i in range(24)]
[t.start() for t in ts]; [t.join() for t in ts]
`
  const LABEL = `kubectl('label', 'deploy/web', '-n', 'shop', '--overwrite', f'n{i}=x')`

  test('max_mutations passes exactly as many', async () => {
    const arena = await makeArena()
    const settings = { 'limits.max_mutations': 5, 'mutations.default': 'allow' }
    const { report } = await arena.run(burst(LABEL), { settings })
    expect(report).toMatchObject({ status: 'refused', error: { code: 'LIMIT_EXCEEDED' } })
    expect(changed(arena.kubernetes)).toHaveLength(5)
  })

  test('max_calls passes exactly as many', async () => {
    const arena = await makeArena()
    const { report } = await arena.run(burst(`subprocess.run(['house', 'show', str(i)])`), {
      settings: { 'limits.max_calls': 7 },
    })
    expect(report).toMatchObject({ status: 'refused', error: { code: 'LIMIT_EXCEEDED' } })
    expect(arena.reached().length).toBeLessThanOrEqual(7)
  })

  test('one call that touches more than may be touched', async () => {
    const arena = await makeArena()
    const script = `${HEAD}\nprint(kubectl('label', 'deploy', '--all', '-n', 'shop', 'a=b'))\n`
    const settings = { 'limits.max_mutations': 2, 'mutations.default': 'allow' }
    const { report } = await arena.run(script, { settings })
    expect(report).toMatchObject({ status: 'refused', error: { code: 'LIMIT_EXCEEDED' } })
    expect(changed(arena.kubernetes)).toEqual([])

    const enough = await arena.run(script, { settings: { ...settings, 'limits.max_mutations': 3 } })
    expect(enough.report.status).toBe('succeeded')
    expect(changed(arena.kubernetes)).toHaveLength(3)
  })
})
