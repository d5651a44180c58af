/** Scripts that would hold srecodex up, fill it, or never end: it lives, others are served, the run ends in its time. */

import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { makeArena, type Arena, type Ran, type RunWords } from './arena.ts'
import { RAW } from './raw.ts'

const LONG_MS = 120_000

interface Borne extends Ran {
  readonly seconds: number
  /** How long nothing else of this process had its turn. */
  readonly heldUpMs: number
  readonly grownMb: number
}

async function bear(arena: Arena, script: string, options: RunWords = {}): Promise<Borne> {
  arena.write('raw.py', RAW)
  const begun = performance.now()
  const memory = process.memoryUsage().rss
  let [last, heldUpMs] = [begun, 0]
  const watch = setInterval(() => {
    heldUpMs = Math.max(heldUpMs, performance.now() - last - 50)
    last = performance.now()
  }, 50)
  const ran = await arena.run(`from raw import *\nimport subprocess, threading, time\n${script}`, options)
  clearInterval(watch)
  heldUpMs = Math.max(heldUpMs, performance.now() - last - 50)
  const seconds = (performance.now() - begun) / 1000
  return { ...ran, seconds, heldUpMs, grownMb: (process.memoryUsage().rss - memory) / 1e6 }
}

const HELD_UP_MS = 5000

test('a glob of many stars over a name that nearly fits', { timeout: LONG_MS }, async () => {
  const arena = await makeArena()
  const { report, heldUpMs, stdout } = await bear(
    arena,
    `
os.makedirs('many')
for i in range(50): open('many/' + 'a' * (200 + i), 'w').close()
print(subprocess.run(['kubectl', 'apply', '-f', 'many/' + '*a' * 12 + 'b'], capture_output=True).returncode)
open('many/fits.yaml', 'w').write('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"globbed","namespace":"shop"}}')
print(subprocess.run(['kubectl', 'apply', '-f', 'many/f?t[a-s].y*l', '--dry-run=server'], capture_output=True, text=True).stdout)
`,
  )
  expect({ status: report.status, stdout }).toEqual({
    status: 'succeeded',
    stdout: '1\nconfigmap/globbed created (server dry run)\n\n',
  })
  expect(heldUpMs).toBeLessThan(HELD_UP_MS)
})

test("a word that nearly fits the operator's pattern of many stars", { timeout: LONG_MS }, async () => {
  const arena = await makeArena()
  const { report, heldUpMs } = await bear(arena, `command('house', ['a' * 100000])`)
  expect(report.status).toBe('planned')
  expect(heldUpMs).toBeLessThan(HELD_UP_MS)
})

test('a schema of its own whose pattern backtracks', { timeout: LONG_MS }, async () => {
  const arena = await makeArena()
  const { stdout, heldUpMs } = await bear(
    arena,
    `
os.makedirs('dotcodex/skills/slow/scripts')
open('dotcodex/skills/slow/SKILL.md', 'w').write('''---
name: S
description: x
tags: [x]
intent: Use this when x
entry: scripts/x.py
inputs: {"type":"object","properties":{"s":{"type":"string","pattern":"^(a+)+$"}}}
---
x
''')
open('dotcodex/skills/slow/scripts/x.py', 'w').write('print("{}")')
for text in ('aaa', 'a' * 40 + '!'): print('result' in request('skill', {'id': 'slow', 'inputs': {'s': text}}))
`,
    { skillFolders: [`${arena.workspace}/dotcodex/skills`] },
  )
  // Folders that are not there when a run begins are not served at all.
  expect(['True\nFalse\n', 'False\nFalse\n']).toContain(stdout)
  expect(heldUpMs).toBeLessThan(HELD_UP_MS)
})

test('skills that are FIFOs, endless or huge', { timeout: LONG_MS }, async () => {
  const arena = await makeArena()
  const { stdout, heldUpMs, grownMb } = await bear(
    arena,
    `
for i in range(8):
    os.makedirs(f'dotcodex/skills/f{i}'); os.mkfifo(f'dotcodex/skills/f{i}/SKILL.md')
os.makedirs('dotcodex/skills/big'); open('dotcodex/skills/big/SKILL.md', 'w').truncate(1 << 30)
os.makedirs('dotcodex/skills/zero'); os.symlink('/dev/zero', 'dotcodex/skills/zero/SKILL.md')
print('error' in request('skill', {'id': 'f1', 'inputs': {}}), command('house', ['show'])[0])
`,
    { skillFolders: [`${arena.workspace}/dotcodex/skills`] },
  )
  expect(stdout).toBe("True {'code': 0}\n")
  expect(heldUpMs).toBeLessThan(HELD_UP_MS)
  expect(grownMb).toBeLessThan(500)
})

test('calls of two megabytes each fill neither memory nor disk', { timeout: LONG_MS }, async () => {
  const arena = await makeArena()
  const { report, grownMb } = await bear(
    arena,
    `
big = 'x' * (2040 * 1024)
def go():
    for i in range(12): command('house', ['put', big], link=connect(60))
ts = [threading.Thread(target=go) for _ in range(3)]
[t.start() for t in ts]; [t.join() for t in ts]
`,
  )
  expect(report).toMatchObject({ status: 'refused', error: { message: expect.stringContaining('32 MiB') } })
  expect(grownMb).toBeLessThan(900)
  const kept = Number(execFileSync('du', ['-sm', `${arena.folder}/own`], { encoding: 'utf8' }).split('\t')[0])
  expect(kept).toBeLessThan(300)
})

test('nested beyond any stack, in every place that takes JSON', { timeout: LONG_MS }, async () => {
  const arena = await makeArena()
  const { report, stdout } = await bear(
    arena,
    `
sys = __import__('sys'); sys.setrecursionlimit(10 ** 6)
each = request('each.open', {})['result']['each']
items = request('each.add', {'each': each, 'keys': ['a', 'b', 'c']})['result']['items']
for depth, item in zip((2000, 8000, 400000), items):
    deep = '[' * depth + ']' * depth
    request('item.start', {'token': item['token']})
    for name, params in (('tool', '{"server":"x","name":"y","arguments":{"a":%s}}'), ('once.set', '{"name":"d","value":%s}'), ('skill', '{"id":"a","inputs":{"a":%s}}'),
                         ('summary', '{"text":%s}'), ('may', '{"argv":%s}'), ('each.add', '{"each":1,"keys":%s}'), ('item.start', '{"token":%s}'),
                         ('item.end', '{"token":"' + item['token'] + '","outcome":"ok","value":%s}')):
        link = connect(); link.sendall(frame(1, '{"v":1,"id":1,"method":"%s","params":%s}' % (name, params % deep)))
        try: receive(link)
        except (EOFError, OSError): pass
print(command('house', ['show'])[0])
`,
  )
  expect({ status: report.status, stdout }).toEqual({ status: report.status, stdout: "{'code': 0}\n" })
  expect(['succeeded', 'failed']).toContain(report.status)
})

test('500 connections with half a frame each: others are served', { timeout: LONG_MS }, async () => {
  const arena = await makeArena()
  const { stdout, report } = await bear(
    arena,
    `
halves = []
for i in range(500):
    try: link = connect(5); link.sendall(struct.pack('>BI', (1, 16)[i % 2], 900000) + b'{"v":1'); halves.append(link)
    except OSError: pass
print(len(halves) > 400, command('house', ['show'])[0])
`,
  )
  expect({ stdout, status: report.status }).toEqual({ stdout: "True {'code': 0}\n", status: 'succeeded' })
})

test(
  'a thousand commands at once, and a tool that never ends: the run ends in its time',
  { timeout: LONG_MS },
  async () => {
    const arena = await makeArena()
    const { report, seconds } = await bear(
      arena,
      `
links = []
for i in range(1000):
    try:
        link = connect(5); link.sendall(frame(16, {'v': 1, 'tool': 'house', 'argv': ['slow'], 'cwd': WS, 'item': None, 'stdin': False})); links.append(link)
    except OSError: pass
time.sleep(600)
`,
      { settings: { 'scripts.execution_timeout': 5 } },
    )
    expect(report.status).toBe('timed-out')
    expect(seconds).toBeLessThan(40)
  },
)

test('output that nobody reads, and input that never ends', { timeout: LONG_MS }, async () => {
  const arena = await makeArena()
  const { report, seconds, grownMb } = await bear(
    arena,
    `
links = []
for i in range(8):
    link = connect(5); link.sendall(frame(16, {'v': 1, 'tool': 'house', 'argv': ['bomb'], 'cwd': WS, 'item': None, 'stdin': False})); links.append(link)
def feed():
    link = connect(60); link.sendall(frame(16, {'v': 1, 'tool': 'kubectl', 'argv': ['apply', '-f', '-'], 'cwd': WS, 'item': None, 'stdin': True}))
    receive(link)
    try:
        while True: link.sendall(frame(18, b'x' * 65536))
    except OSError: pass
ts = [threading.Thread(target=feed, daemon=True) for _ in range(4)]
[t.start() for t in ts]
time.sleep(600)
`,
    { settings: { 'scripts.execution_timeout': 8 } },
  )
  expect(report.status).toBe('timed-out')
  expect(seconds).toBeLessThan(45)
  expect(grownMb).toBeLessThan(700)
  const kept = Number(execFileSync('du', ['-sm', `${arena.folder}/own`], { encoding: 'utf8' }).split('\t')[0])
  expect(kept).toBeLessThan(50)
})
