/**
 * What was looked at is what is done: files, links and folders that change while a call is on its way. The server's
 * log says what arrived.
 */

import { expect, test } from 'vitest'
import { changed, HELD, makeArena, SECRETS, tells } from './arena.ts'

const LONG_MS = 120_000

const MAP = (mark: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'raced', namespace: 'shop' },
    data: { mark },
  })

/** Turns a manifest over, in place and by renames, and its folder with a link, as fast as it can. */
const RACE = `
import json, os, subprocess, threading
planning = os.environ['SRECODEX_PHASE'] == 'plan'
bodies = [${JSON.stringify(MAP('approved'))}, ${JSON.stringify(MAP('smuggled'))}]
os.makedirs('one', exist_ok=True); os.makedirs('two', exist_ok=True)
open('one/x.json', 'w').write(bodies[0]); open('two/x.json', 'w').write(bodies[1])
if not os.path.islink('link'): os.symlink('one', 'link')
stop = False
def swap():
    turn = 0
    while not stop:
        turn ^= 1
        with open('flat.json.new', 'w') as file: file.write(bodies[turn])
        os.rename('flat.json.new', 'flat.json')
        os.symlink(('one', 'two')[turn], 'link.new'); os.rename('link.new', 'link')
open('flat.json', 'w').write(bodies[0])
if planning:
    subprocess.run(['kubectl', 'apply', '-f', 'flat.json'], check=True)
else:
    threading.Thread(target=swap, daemon=True).start()
    codes = [subprocess.run(['kubectl', 'apply', '-f', 'flat.json'], capture_output=True).returncode for _ in range(5)]
    stop = True
    print(codes)
`

test('a manifest that turns over while it is applied', { timeout: LONG_MS }, async () => {
  for (let round = 0; round < 2; round += 1) {
    const arena = await makeArena()
    const { report } = await arena.run(RACE)
    expect(report).toMatchObject({ status: 'planned', plan: { mutations: 1 } })
    await arena.apply(report.run)
    const changes = changed(arena.kubernetes)
    expect(changes.length).toBeLessThanOrEqual(1)
    const arrived = changes.map(() => arena.kubernetes.get('configmaps', 'shop', 'raced'))
    expect(arrived).toMatchObject(changes.map(() => ({ data: { mark: 'approved' } })))
  }
})

test(
  'what a judgement read is what its tool gets: a secret named after it was looked for',
  { timeout: LONG_MS },
  async () => {
    const arena = await makeArena()
    const { stdout, report } = await arena.run(`
import json, os, subprocess, threading
bodies = ['{"apiVersion":"v1","kind":"%s","metadata":{"name":"db","namespace":"shop"}}' % kind for kind in ('ConfigMap', 'Secret')]
stop = False
def swap():
    turn = 0
    while not stop:
        turn ^= 1
        with open('x.new', 'w') as file: file.write(bodies[turn])
        os.rename('x.new', 'x.json')
open('x.json', 'w').write(bodies[0])
threading.Thread(target=swap, daemon=True).start()
out = [subprocess.run(['kubectl', 'get', '-f', 'x.json', '-o', 'yaml'], capture_output=True, text=True) for _ in range(14)]
stop = True
print(json.dumps([[one.returncode, one.stdout, one.stderr] for one in out]))
`)
    expect(tells(stdout, HELD)).toBe(false)
    const codes = (JSON.parse(stdout) as [number][]).map(([code]) => code)
    // Both were met: the one that was refused, and the one that is not there.
    expect(new Set(codes)).toEqual(new Set([1, 126]))
    expect(report.status).toBe('refused')
  },
)

test('links and descriptors in the place of a manifest', { timeout: LONG_MS }, async () => {
  const arena = await makeArena()
  const { stdout } = await arena.run(`
import json, os, subprocess
here = os.getcwd()
secret, kubeconfig = ${JSON.stringify(arena.home)} + '/house-secret', ${JSON.stringify(arena.kubeconfig)}
os.symlink(secret, 'to-secret'); os.symlink(kubeconfig, 'to-kubeconfig'); os.symlink('/run/srecodex/kubeconfig', 'to-copy')
os.symlink('/proc/self/environ', 'to-environ'); os.symlink('loop', 'loop')
os.symlink(os.path.dirname(secret), 'to-home'); os.makedirs('folder'); os.symlink(secret, 'folder/a.yaml'); os.symlink('/etc', 'folder/b')
os.symlink('..', 'folder/c')
out = {}
def call(name, *words, **more):
    try: out[name] = (lambda one: [one.returncode, one.stdout + one.stderr])(subprocess.run(['kubectl', *words], capture_output=True, text=True, timeout=25, **more))
    except subprocess.TimeoutExpired: out[name] = [999, 'timed out']
for name in ('to-secret', 'to-kubeconfig', 'to-copy', 'loop', 'to-home/house-secret', 'to-home/kubeconfig', 'folder'):
    call('apply ' + name, 'apply', '-f', name)
    call('map ' + name, 'create', 'cm', 'x', '-n', 'shop', '--from-file=' + name, '--dry-run=client', '-o', 'yaml')
call('deep', 'apply', '-R', '-f', 'folder')
call('environ', 'create', 'cm', 'x', '-n', 'shop', '--from-file=to-environ', '--dry-run=client', '-o', 'yaml')
call('template', 'get', 'pods', '-n', 'shop', '-o', 'go-template-file=to-kubeconfig')
call('fd', 'apply', '-f', '/dev/fd/0', input='x')
call('proc', 'apply', '-f', '/proc/self/fd/0', input='x')
print(json.dumps(out))
`)
  for (const secret of [...Object.values(SECRETS), HELD]) expect(tells(stdout, secret)).toBe(false)
  const told = JSON.parse(stdout) as Record<string, [number, string]>
  expect(told['fd']?.[0]).toBe(126)
  expect(changed(arena.kubernetes)).toEqual([])
})
