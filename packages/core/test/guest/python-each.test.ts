/** `each` in Python, against a real channel with a ledger of the test's own. */

import { describe, expect, test } from 'vitest'
import { CallError } from '../../src/tools/protocol.ts'
import { listening, temporaryFolder } from '../tools/listening.ts'
import { ledgerHost, type LedgerHost, type LedgerRules } from './ledger.ts'
import { program, PYTHON, run, SILENT_SUCCESS, type Ran } from './running.ts'

async function python(
  text: string,
  rules: LedgerRules = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Ran & { readonly ledger: LedgerHost }> {
  const ledger = ledgerHost(rules)
  const { socketPath } = await listening({ handlers: ledger.handlers })
  const path = program(
    'script.py',
    `import asyncio, os, subprocess, sys, threading, time, srecodex\nfrom srecodex import each\n${text}`,
  )
  return { ...(await run([PYTHON, '-W', 'error', path], { socketPath, env })), ledger }
}

const states = (ledger: LedgerHost): Record<string, unknown> =>
  Object.fromEntries(ledger.of('item.end').map(({ token, outcome }) => [String(token), outcome]))

describe('the ledger', () => {
  test('hears of each item, its attempts, its value and its failure', async () => {
    const { stdout, ledger } = await python(`
def fn(name):
    if name == "tool": raise srecodex.ToolError("TOOL_FAILED", "no such team")
    if name == "exit": subprocess.run("echo first >&2; echo ' last line ' >&2; exit 7", shell=True, check=True, capture_output=True)
    if name == "signal": subprocess.run(["bash", "-c", "kill -9 $$"], check=True)
    if name == "long": raise ValueError("x" * 600)
    if name == "big": return "x" * 70_000
    if name == "set": return {1}
    if name == "json": return {"é": [1.5, None]}
done = each(["tool", "exit", "signal", "long", "big", "set", "json", "none"], fn, at_once=1)
print([item.key for item in done.ok], [item.key for item in done.failed], bool(done.unknown))
print(done.ok[2].value, len(done.ok[0].value), done.failed[0].error.message)
print(done.summary())`)
    expect(stdout.split('\n')).toEqual([
      "['big', 'set', 'json', 'none'] ['tool', 'exit', 'signal', 'long'] False",
      "{'é': [1.5, None]} 70000 no such team",
      '4 ok, 4 failed (TOOL_FAILED: tool; exit 7: exit; signal SIGKILL: signal; 1 more classes)',
      '',
    ])
    expect(ledger.calls.slice(0, 3)).toEqual([
      ['each.open', { item: null, prefix: '' }],
      ['each.add', { each: 1, keys: ['tool', 'exit', 'signal', 'long', 'big', 'set', 'json', 'none'] }],
      ['item.start', { token: 'tool' }],
    ])
    const failed = (token: string, kind: string, message: string): unknown => ({
      token,
      outcome: 'failed',
      class: kind,
      message,
      retries: 0,
    })
    const ok = (token: string, value: object = {}): unknown => ({
      token,
      outcome: 'ok',
      class: '',
      message: '',
      retries: 0,
      ...value,
    })
    expect(ledger.of('item.end')).toEqual([
      failed('tool', 'TOOL_FAILED', 'no such team'),
      failed('exit', 'exit 7', 'last line'),
      failed('signal', 'signal SIGKILL', expect.stringContaining('SIGKILL') as unknown as string),
      failed('long', 'ValueError', 'x'.repeat(500)),
      ok('big'),
      ok('set'),
      ok('json', { value: { é: [1.5, null] } }),
      ok('none'),
    ])
  })

  test('5,000 items are added in chunks, and done at once', async () => {
    const { stdout, ledger } = await python('print(each(range(5000), lambda n: None, at_once=50).summary())')
    expect(stdout).toBe('5000 ok\n')
    expect(ledger.of('each.add').map(({ keys }) => (keys as string[]).length)).toEqual([2000, 2000, 1000])
    expect(new Set(ledger.of('item.end').map(({ token }) => token)).size).toBe(5000)
  })

  test('what an earlier run finished is not done again; what it left open is verified first', async () => {
    const known = {
      done: { state: 'ok', value: 'from before' },
      skip: { state: 'skipped' },
      yes: { state: 'unknown' },
      no: { state: 'unknown' },
      none: { state: 'unknown' },
      broken: { state: 'unknown' },
    }
    const text = `
ran = []
def verify(key):
    if key == "broken": raise OSError("unreachable")
    return {"yes": True, "no": key in ran, "none": None}.get(key, True)
done = each(["done", "skip", "yes", "no", "none", "broken", "new"], ran.append, verify=VERIFY, at_once=1)
print(ran, {item.key: item.state for item in done.items}, done.ok[0].value)
print(done.summary())`
    const verified = await python(text.replace('VERIFY', 'verify'), { known })
    expect(verified.stdout.split('\n')).toEqual([
      `['no', 'new'] {'done': 'ok', 'skip': 'skipped', 'yes': 'ok', 'no': 'ok', 'none': 'unknown', 'broken': 'unknown', 'new': 'ok'} from before`,
      '4 ok, 2 unknown (UNKNOWN: none; OSError: broken), 1 skipped',
      '',
    ])
    expect(verified.ledger.of('item.start')).toEqual([
      { token: 'yes', verified: true },
      { token: 'no', verified: false },
      { token: 'none', verified: null },
      { token: 'broken', verified: null },
      { token: 'new' },
    ])
    const blind = await python(text.replace('VERIFY', 'None'), { known })
    expect(blind.stdout).toMatch(/^\['new'\]/)
    expect(blind.ledger.of('item.start').slice(0, 4)).toEqual(
      ['yes', 'no', 'none', 'broken'].map(token => ({ token, verified: null })),
    )
  })

  test('the host has the last word', async () => {
    const { stdout, ledger } = await python(
      `
def fn(key):
    if key == "refused": raise srecodex.Skipped("SKIPPED", "not in the plan")
done = each(["out", "lost", "refused", "fine"], fn)
print({item.key: (item.state, type(item.error).__name__) for item in done.items})`,
      { skipped: ['out'], overrules: { lost: 'unknown', refused: 'skipped' } },
    )
    expect(stdout).toBe(
      "{'out': ('skipped', 'Skipped'), 'lost': ('unknown', 'SrecodexError'), 'refused': ('skipped', 'Skipped'), 'fine': ('ok', 'NoneType')}\n",
    )
    expect(states(ledger)).toEqual({ lost: 'ok', refused: 'failed', fine: 'ok' })
  })

  test('retries: as many as are left, after the pause that is granted', async () => {
    const { stdout, ledger } = await python(
      `
tries = []
def fn(key):
    tries.append(time.monotonic())
    if len(tries) < 3: raise OSError("again")
done = each(["a"], fn, retries=5)
print(done.summary(), len(tries), 0.19 < tries[1] - tries[0] < 2, done.ok[0].error)
print(each(["b"], lambda key: 1 / 0, retries=2).summary())`,
      { pausesMs: [200, 1, 1] },
    )
    expect(stdout).toBe('1 ok 3 True None\n1 failed (ZeroDivisionError: b)\n')
    expect(ledger.of('item.end').map(({ token, retries }) => [token, retries])).toEqual([
      ['a', 5],
      ['a', 4],
      ['a', 0],
      ['b', 2],
      ['b', 1],
    ])
    expect(ledger.of('item.start').length).toBe(5)
  })

  test('an error of the ledger ends it', async () => {
    const host = ledgerHost()
    const handlers = {
      ...host.handlers,
      'item.end': () => {
        throw new CallError('INTERNAL', 'the disk is full')
      },
    }
    const { socketPath } = await listening({ handlers })
    const text = `
import srecodex
ran = []
try: srecodex.each(range(50), ran.append, at_once=2)
except srecodex.SrecodexError as error: print(error.code, len(ran) <= 2)`
    expect((await run([PYTHON, program('script.py', text)], { socketPath })).stdout).toBe('INTERNAL True\n')
  })
})

test('nothing starts before everything is right', async () => {
  const { stdout, ledger } = await python(`
ran = []
for wrong in [dict(items=["a", "b", "a"]), dict(items=[""]), dict(items=["x" * 201]), dict(items=["a\\nb"]),
              dict(at_once=0), dict(at_once=True), dict(retries=-1), dict(max_failures="x%"), dict(max_failures="101%"),
              dict(max_failures=1.5), dict(waves=["5"]), dict(waves=[-1])]:
    try: each(wrong.pop("items", ["a"]), ran.append, **wrong)
    except srecodex.SrecodexError as error: print(error.code)
    else: print("taken", wrong)
try: each(["a", "a"], ran.append)
except srecodex.SrecodexError as error: print(error)
print(list(ran), each([], ran.append).summary(), each((n for n in "ab"), ran.append, key=lambda one: one * 200).summary())`)
  expect(stdout).toBe(
    `${'INVALID_PARAMS\n'.repeat(12)}two items have the key 'a' (INVALID_PARAMS)\nhint: give each(..., key=...) what tells them apart\n[] 0 ok 2 ok\n`,
  )
  expect(ledger.of('each.open').length).toBe(2)
})

describe('waves', () => {
  const TRACK = `
import collections
log = []
def fn(n):
    log.append(("fn", n)); time.sleep(0.02)
def sizes():
    # Runs of fn between runs of verify.
    out = []
    for what, n in log: 
        if out and out[-1][0] == what: out[-1][1] += 1
        else: out.append([what, 1])
    return [(what, count) for what, count in out]
`
  test.each([
    ['[1, 5, "100%"]', [1, 5, 6]],
    ['["25%", "50%", "25%"]', [3, 6, 3]],
    ['[1]', [1, 11]],
    ['["1%", 20]', [1, 11]],
    ['None', [12]],
  ])('%s of 12', async (waves, expected) => {
    const { stdout, ledger } = await python(`${TRACK}
def verify(n): log.append(("verify", n)); return True
print(each(range(12), fn, waves=${waves}, verify=verify).summary(), sizes())`)
    const sizes = expected.flatMap(size => [`('fn', ${size})`, `('verify', ${size})`]).join(', ')
    expect(stdout).toBe(`12 ok [${sizes}]\n`)
    expect(Object.values(states(ledger))).toEqual(Array.from({ length: 12 }, () => 'ok'))
  })

  test('verify has the last word at the end of its wave, and too many failures end it all', async () => {
    const { stdout, ledger } = await python(`
def verify(n):
    if n == 3: raise OSError("gone")
    return {1: False, 2: None}.get(n, True)
done = each(range(12), lambda n: n, waves=[5, "100%"], max_failures=2, verify=verify)
print(done.summary(), done.failed[0].error.message)
print([item.key for item in done.pending])`)
    expect(stdout.split('\n')).toEqual([
      '2 ok, 1 failed (not verified: 1), 2 unknown (not verified: 2; OSError: 3), 7 pending verify says that it is not done',
      "['5', '6', '7', '8', '9', '10', '11']",
      '',
    ])
    expect(states(ledger)).toEqual({ 0: 'ok', 1: 'failed', 2: 'unknown', 3: 'unknown', 4: 'ok' })
  })

  test('stop after the one in which an item failed, unless told otherwise', async () => {
    const { stdout } = await python(`
def fn(n):
    if n == 1: raise OSError("gone")
print(each(range(4), fn, waves=[2, 2]).summary())`)
    expect(stdout).toBe('1 ok, 1 failed (OSError: 1), 2 pending\n')
  })

  test('in planning nothing is verified and nothing waits', async () => {
    const { stdout, ledger } = await python(
      `${TRACK}
both = threading.Barrier(12, timeout=10)
print(each(range(12), lambda n: both.wait(), at_once=12, waves=[1, 5, "100%"], verify=lambda n: 1 / 0).summary())`,
      {},
      { SRECODEX_PHASE: 'plan' },
    )
    expect(stdout).toBe('12 ok\n')
    expect(Object.values(states(ledger))).toEqual(Array.from({ length: 12 }, () => 'ok'))
  })

  test.each([
    ['0', 1],
    ['2', 3],
    ['"10%"', 3],
    ['None', 20],
  ])('max_failures=%s of 20 starts %d', async (most, started) => {
    const { stdout } = await python(
      `done = each(range(20), lambda n: 1 / 0, at_once=1, max_failures=${most}); print(len(done.failed), len(done.pending))`,
    )
    expect(stdout).toBe(`${started} ${20 - started}\n`)
  })
})

describe('at once', () => {
  test('as many as asked for, no more', async () => {
    const { stdout } = await python(`
lock = threading.Lock(); now = most = 0
def fn(n):
    global now, most
    with lock: now += 1; most = max(most, now)
    time.sleep(0.05)
    with lock: now -= 1
each(range(40), fn); print(most)
most = 0; each(range(40), fn, at_once=20); print(most)`)
    expect(stdout).toBe('8\n20\n')
  })

  test('a coroutine function runs in the loop it is called in, and without one too', async () => {
    const { stdout, stderr } = await python(`
import functools
async def fn(n, extra=0):
    global now, most
    now += 1; most = max(most, now); loops.add(id(asyncio.get_running_loop()))
    await asyncio.sleep(0.05)
    now -= 1
    if n == 3: raise ValueError("three")
    return n
async def verify(n): await asyncio.sleep(0); return n != 5
async def main():
    ticks = asyncio.ensure_future(tick())
    done = await each(range(40), fn, at_once=10, verify=verify)
    ticks.cancel()
    print(done.summary(), most, loops == {id(asyncio.get_running_loop())}, count > 5)
    print((await each(range(3), functools.partial(fn, extra=1), key="p{}".format)).summary())
    print((await each(range(3), lambda n: None, key="q{}".format, verify=verify)).summary())
async def tick():
    global count
    while True: count += 1; await asyncio.sleep(0.01)
now = most = count = 0; loops = set()
asyncio.run(main())
now = most = 0
print(each(range(20), fn, key="r{}".format, verify=verify).summary(), most)
print(each(range(4), lambda n: fn(n), key="s{}".format).summary())
class Callable:
    async def __call__(self, n): return n
print([item.value for item in each(range(3), Callable(), key="t{}".format).ok])`)
    expect([stderr, stdout.split('\n')]).toEqual([
      '',
      [
        '38 ok, 2 failed (ValueError: 3; not verified: 5) 10 True True',
        '3 ok',
        '3 ok',
        '18 ok, 2 failed (ValueError: r3; not verified: r5) 8',
        '3 ok, 1 failed (ValueError: s3)',
        '[0, 1, 2]',
        '',
      ],
    ])
  })

  test('an awaited one that is cancelled ends with what is under way', async () => {
    const { stdout, stderr, ledger } = await python(`
async def fn(n): await asyncio.sleep(30)
async def main():
    try: await asyncio.wait_for(each(range(20), fn, at_once=3), 0.3)
    except asyncio.TimeoutError: print("cancelled")
asyncio.run(main())`)
    expect([stderr, stdout]).toEqual(['', 'cancelled\n'])
    expect(ledger.of('item.end').map(({ outcome, class: kind }) => [outcome, kind])).toEqual(
      Array.from({ length: 3 }, () => ['failed', 'CancelledError']),
    )
  })

  test.each([
    ['SystemExit', 'sys.exit(3)', 3],
    ['KeyboardInterrupt', 'raise KeyboardInterrupt', -2],
  ])('%s in an item ends the others and the script', async (name, raise, status) => {
    for (const [define, call] of [
      ['def', 'each'],
      ['async def', 'each'],
      ['async def', 'asyncio.run(main())#'],
    ]) {
      const ran = await python(`
import signal; signal.signal(signal.SIGINT, signal.default_int_handler)
started = []
async def main(): return await each(range(20), fn, at_once=2)
${define} fn(n):
    started.append(n)
    if n == 1: ${raise}
try: ${call}(range(20), fn, at_once=2)
finally: print(len(started) < 10)`)
      expect([ran.stdout, ran.status ?? ran.signal]).toEqual(['True\n', status === 3 ? 3 : 'SIGINT'])
      expect(ran.ledger.of('item.end').filter(({ class: kind }) => kind === name).length).toBe(1)
    }
  })

  test('an interrupt from outside ends it once the items under way have ended', async () => {
    const { stdout, ledger } = await python(`
import signal
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
started = []
def fn(n): started.append(n); time.sleep(0.6)
try: each(range(20), fn, at_once=2)
except KeyboardInterrupt: print("interrupted", len(started))`)
    expect(stdout).toBe('interrupted 2\n')
    expect(ledger.of('item.end').length).toBe(2)
  })
})

describe('the item', () => {
  const CHILD = `["sh", "-c", "printf %s \\"$SRECODEX_ITEM\\""]`

  test('is known to what it calls: programs however started, tools, skills, tasks', async () => {
    const { stdout, stderr, ledger } = await python(
      `
CHILD = ${CHILD}
def out(path):
    with open(path) as file: return file.read()
async def by_asyncio(shell):
    if shell: process = await asyncio.create_subprocess_shell('printf %s "$SRECODEX_ITEM"', stdout=subprocess.PIPE)
    else: process = await asyncio.create_subprocess_exec(*CHILD, stdout=subprocess.PIPE)
    return (await process.communicate())[0].decode()
def system(command):
    path = os.path.join(os.environ["FOLDER"], str(threading.get_ident()))
    assert os.system(command + " > " + path) == 0
    return out(path)
def popen(command):
    with os.popen(command) as pipe: return pipe.read()
def positional():
    with subprocess.Popen(CHILD, -1, None, None, subprocess.PIPE, None, None, True, False, None, {}) as child: return child.stdout.read().decode()
def spawn(name):
    path = os.path.join(os.environ["FOLDER"], name)
    pid = os.posix_spawn("/bin/sh", CHILD, {}, file_actions=[(os.POSIX_SPAWN_OPEN, 1, path, os.O_WRONLY | os.O_CREAT, 0o600)])
    os.waitpid(pid, 0)
    return out(path)
ways = {
    "run": lambda: subprocess.run(CHILD, capture_output=True, text=True).stdout,
    "env": lambda: subprocess.check_output(CHILD, env={"PATH": os.environ["PATH"], "SRECODEX_ITEM": "old"}, text=True),
    "bytes": lambda: subprocess.check_output(CHILD, env={b"PATH": os.environb[b"PATH"], b"SRECODEX_ITEM": b"old"}, text=True),
    "positional": positional,
    "shell": lambda: subprocess.check_output('printf %s "$SRECODEX_ITEM"', shell=True, text=True),
    "os.popen": lambda: popen('printf %s "$SRECODEX_ITEM"'),
    "os.system": lambda: system('printf %s "$SRECODEX_ITEM"'),
    "spawn": lambda: spawn("spawn"),
    "exec": lambda: by_asyncio(False),
    "sh": lambda: by_asyncio(True),
    "to_thread": lambda: in_thread(),
}
async def in_thread(): return await asyncio.get_running_loop().run_in_executor(None, __import__("contextvars").copy_context().run, lambda: subprocess.check_output(CHILD, text=True))
done = each(ways, lambda way: ways[way](), at_once=8)
srecodex.may("values", *[item.value for item in done.items])
async def afn(way): return await by_asyncio(False)
srecodex.may("async", *[item.value for item in each(range(20), afn, at_once=20).items])
assert subprocess.check_output(CHILD) == b"" and "SRECODEX_ITEM" not in os.environ and done.summary() == "11 ok", done`,
      {},
      { FOLDER: temporaryFolder() },
    )
    expect([stdout, stderr]).toEqual(['', ''])
    const [values, inLoop] = ledger.of('may').map(({ argv }) => (argv as string[]).slice(1).map(ledger.keyOf))
    expect(values).toEqual([
      ...[
        'run',
        'env',
        'bytes',
        'positional',
        'shell',
        'os.popen',
        'os.system',
        'spawn',
        'exec',
        'sh',
        'to_thread',
      ],
    ])
    expect(inLoop).toEqual(Array.from({ length: 20 }, (_, n) => String(n)))
  })

  test('an each inside an item, and one in a child process, belong to it', async () => {
    const child = program('child.py', 'import srecodex\nsrecodex.each(["leaf"], lambda _: None)')
    const { stdout, stderr, ledger } = await python(
      `
def inner(name): subprocess.run([sys.executable, "${child}"], check=True)
def outer(name): return each(["x", "y"], inner, at_once=2).summary()
print([item.value for item in each(["a", "b"], outer).ok])
async def deep(n): return (await each([1], afn, key=lambda one: "%s-%s" % (n, one))).summary()
async def afn(n): return n
print(len(each(range(30), deep, at_once=30).ok))`,
      {},
      { SRECODEX_PREFIX: 'skill#1/', SRECODEX_ITEM: 'parent' },
    )
    expect([stderr, stdout]).toEqual(['', "['2 ok', '2 ok']\n30\n"])
    const opened = ledger.of('each.open')
    expect(opened[0]).toEqual({ item: 'parent', prefix: 'skill#1/' })
    const parents = opened.slice(1, 7).map(({ item }) => ledger.keyOf(item))
    expect(parents.sort()).toEqual(['a', 'b', 'x', 'x', 'y', 'y'])
  })
})

test('run by hand it works without a ledger, and tries nothing again', async () => {
  const text = `
import srecodex
tries = []
def fn(n): tries.append(n); return 1 / (n - 2)
done = srecodex.each(range(5), fn, waves=[1, "100%"], retries=3, max_failures="50%", verify=lambda n: n != 4)
print(done.summary(), len(tries), done)`
  expect(await run([PYTHON, '-W', 'error', program('script.py', text)])).toEqual({
    ...SILENT_SUCCESS,
    stdout:
      '3 ok, 2 failed (ZeroDivisionError: 2; not verified: 4) 5 <Items 3 ok, 2 failed (ZeroDivisionError: 2; not verified: 4)>\n',
  })
})
