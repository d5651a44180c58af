/** `tool`, `skill`, `once`, `may` in Python, against a real channel. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CallError } from '../../src/tools/protocol.ts'
import type { CallHandler } from '../../src/tools/channel.ts'
import { listening, temporaryFolder } from '../tools/listening.ts'
import { ledgerHost } from './ledger.ts'
import { program, PYTHON, run, SILENT_SUCCESS, start, type Ran } from './running.ts'

async function python(
  text: string,
  handlers: Readonly<Record<string, CallHandler>>,
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const { socketPath } = await listening({ handlers })
  return run([PYTHON, '-W', 'error', program('script.py', text)], { socketPath, env })
}

const later = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

describe('tool', () => {
  test('gives the value of the result, and takes any JSON', async () => {
    const asked: unknown[] = []
    const tool: CallHandler = params => {
      asked.push(params)
      return { value: (params['arguments'] as Record<string, unknown>)['give'] ?? null }
    }
    const text = `
import srecodex
for value in [{"a": [1, None, "é\\udcff"]}, "text", 7, 1.5, None, True, "x" * 900_000]:
    got = srecodex.tool("finance", "get", give=value, server="s", name="n")
    assert got == value or "\\udcff" in str(value), got
srecodex.tool("finance", "none")`
    expect(await python(text, { tool }, { SRECODEX_ITEM: 'mine' })).toEqual(SILENT_SUCCESS)
    expect(asked[1]).toEqual({
      server: 'finance',
      name: 'get',
      arguments: { give: 'text', server: 's', name: 'n' },
      item: 'mine',
    })
    expect(asked.at(-1)).toEqual({ server: 'finance', name: 'none', arguments: {}, item: 'mine' })
  })

  test('what the tool, the policy or the plan says no to is the exception that says so', async () => {
    const tool: CallHandler = ({ name }) => {
      throw new CallError(String(name), 'why', { hint: 'do' })
    }
    const text = `
import asyncio, pickle, srecodex
for code in ["TOOL_FAILED", "REFUSED", "SKIPPED", "LIMIT_EXCEEDED"]:
    for call in [lambda: srecodex.tool("s", code), lambda: asyncio.run(srecodex.atool("s", code))]:
        try: call()
        except srecodex.SrecodexError as error:
            again = pickle.loads(pickle.dumps(error))
            assert type(again) is type(error) and isinstance(again, srecodex.SrecodexError)
            print(type(error).__name__, error.code, error.message, error.hint)
for wrong in [{1, 2}, float("nan"), object()]:
    try: srecodex.tool("s", "n", x=wrong)
    except srecodex.SrecodexError as error: print(error.code)
try: srecodex.tool("s", "n", x="x" * 1_100_000)
except srecodex.SrecodexError as error: print(error.code)`
    expect((await python(text, { tool })).stdout.split('\n')).toEqual([
      ...[
        'ToolError TOOL_FAILED',
        'ToolError REFUSED',
        'Skipped SKIPPED',
        'SrecodexError LIMIT_EXCEEDED',
      ].flatMap(words => [`${words} why do`, `${words} why do`]),
      ...['INVALID_PARAMS', 'INVALID_PARAMS', 'INVALID_PARAMS', 'TOO_LARGE', ''],
    ])
  })

  test('64 at once by gather, more wait, and each gets its own answer', async () => {
    let [now, most] = [0, 0]
    const tool: CallHandler = async params => {
      most = Math.max(most, (now += 1))
      await later(50)
      now -= 1
      const { team } = params['arguments'] as { team: number }
      return { value: Array.from({ length: 10 }, (_, line) => ({ team, line, text: 'x'.repeat(200) })) }
    }
    const text = `
import asyncio, time, srecodex
async def get_expenses(team): return await srecodex.atool("finance", "expenses", team=team)
async def main():
    teams = range(200)
    expenses = await asyncio.gather(*[get_expenses(t) for t in teams])
    assert all(line["team"] == t for t, lines in zip(teams, expenses) for line in lines)
    srecodex.summary(f"{sum(map(len, expenses))} line items")
asyncio.run(main())
asyncio.run(main())  # another loop`
    expect(await python(text, { tool })).toEqual(SILENT_SUCCESS)
    expect(most).toBe(64)
  })

  test('the loop goes on meanwhile; a cancelled call hangs up, and the next one gets its own answer', async () => {
    let hungUp = 0
    const tool: CallHandler = async (params, { signal }) => {
      signal.addEventListener('abort', () => (hungUp += 1))
      await later(Number((params['arguments'] as Record<string, unknown>)['ms']))
      return { value: params['name'] }
    }
    const text = `
import asyncio, signal, srecodex
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
async def main():
    ticks = 0
    slow = asyncio.ensure_future(srecodex.atool("s", "slow", ms=300))
    while not slow.done():
        await asyncio.sleep(0.01); ticks += 1
    assert ticks > 10 and slow.result() == "slow", ticks
    try: await asyncio.wait_for(srecodex.atool("s", "lost", ms=500), 0.1)
    except asyncio.TimeoutError: print("cancelled")
    print(await srecodex.atool("s", "next", ms=0), srecodex.tool("s", "sync", ms=0))
    print(await srecodex.atool("s", "big", ms=0, x="x" * 1_000_000))
asyncio.run(main())`
    expect(await python(text, { tool })).toEqual({ ...SILENT_SUCCESS, stdout: 'cancelled\nnext sync\nbig\n' })
    expect(hungUp).toBeGreaterThan(0)
  })
})

describe('skill', () => {
  /** A payload that is this Python text; what it is told is in `told`. */
  function payload(text: string, timeoutMs: number | null = null): { skill: CallHandler; asked: unknown[] } {
    const path = program('payload.py', `import json, os, sys\n${text}`)
    const asked: unknown[] = []
    let count = 0
    const skill: CallHandler = params => {
      asked.push(params)
      return { command: [PYTHON, path], prefix: `k8s/x#${(count += 1)}/`, timeoutMs }
    }
    return { skill, asked }
  }

  test('gets its inputs, its prefix and its item, and gives one object', async () => {
    const { skill, asked } = payload(`
print("log line", file=sys.stderr)
inputs = json.load(sys.stdin)
print(json.dumps({"got": inputs["names"][:2], "n": len(inputs["big"]), "prefix": os.environ["SRECODEX_PREFIX"], "item": os.environ.get("SRECODEX_ITEM")}))`)
    const text = `
import asyncio, srecodex
print(srecodex.skill("k8s/x", names=["a", "é"], big="b" * 900_000))
print(asyncio.run(srecodex.askill("k8s/x", names=[], big="")))
print([item.value["item"] for item in srecodex.each(["i"], lambda item: srecodex.skill("k8s/x", names=[], big="")).ok])`
    const ledger = ledgerHost()
    const { status, stdout, stderr } = await python(text, { ...ledger.handlers, skill })
    expect([status, stderr, stdout]).toEqual([
      0,
      'log line\n'.repeat(3),
      "{'got': ['a', 'é'], 'n': 900000, 'prefix': 'k8s/x#1/', 'item': None}\n" +
        "{'got': [], 'n': 0, 'prefix': 'k8s/x#2/', 'item': None}\n" +
        String.raw`['t1\'"$(x)\\ i']` +
        '\n',
    ])
    expect(ledger.keyOf((asked[2] as Record<string, unknown>)['item'])).toBe('i')
    expect((asked[1] as Record<string, unknown>)['inputs']).toEqual({ names: [], big: '' })
  })

  test.each([
    ['sys.exit("no rights\\n")', 'SKILL_FAILED', 'skill k8s/x ended with exit code 1: no rights'],
    ['os.kill(os.getpid(), 9)', 'SKILL_FAILED', 'skill k8s/x ended with signal SIGKILL'],
    ['pass', 'SKILL_OUTPUT', 'skill k8s/x printed nothing, and not one JSON object'],
    ['print([1])', 'SKILL_OUTPUT', "skill k8s/x printed '[1]', and not one JSON object"],
    ['print("{}\\n{}")', 'SKILL_OUTPUT', String.raw`skill k8s/x printed '{}\n{}', and not one JSON object`],
    [
      'print("x" * 3000000)',
      'SKILL_OUTPUT',
      `skill k8s/x printed '${'x'.repeat(199)}…', and not one JSON object`,
    ],
  ])('%s is a SkillError', async (text, code, message) => {
    const { skill } = payload(text)
    const script = `
import srecodex
try: srecodex.skill("k8s/x", a=1)
except srecodex.SkillError as error: print(error.code); print(error.message)`
    expect((await python(script, { skill })).stdout).toBe(`${code}\n${message}\n`)
  })

  test('what the host says no to is a SkillError too', async () => {
    const skill: CallHandler = ({ id }) => {
      throw new CallError(String(id), 'why', { hint: 'do' })
    }
    const text = `
import asyncio, srecodex
for code in ["SKILL_UNKNOWN", "SKILL_INPUTS", "REFUSED", "SKIPPED"]:
    try: asyncio.run(srecodex.askill(code))
    except srecodex.SrecodexError as error: print(type(error).__name__, error.code)`
    expect((await python(text, { skill })).stdout).toBe(
      'SkillError SKILL_UNKNOWN\nSkillError SKILL_INPUTS\nSkillError REFUSED\nSkipped SKIPPED\n',
    )
  })

  /** Starts a child that stays, and leaves its number in a file. */
  function staying(timeoutMs: number | null = null): { skill: CallHandler; pidPath: string } {
    const pidPath = join(temporaryFolder(), 'pid')
    const { skill } = payload(
      `
import subprocess
child = subprocess.Popen(["sleep", "60"])
with open("${pidPath}.new", "w") as file: file.write(str(child.pid))
os.rename("${pidPath}.new", "${pidPath}")
child.wait()`,
      timeoutMs,
    )
    return { skill, pidPath }
  }

  test('past its time it is killed with all that it started', async () => {
    const { skill, pidPath } = staying(3000)
    const text = `
import srecodex
try: srecodex.skill("k8s/x")
except srecodex.SkillError as error: print(error.code, error.message)`
    const { stdout } = await python(text, { skill })
    expect(stdout).toBe('SKILL_TIMED_OUT skill k8s/x took longer than 3 s\n')
    expect(await isGone(pidPath)).toBe(true)
  })

  test.each([
    ['cancelled', 'asyncio.run(cancelled())'],
    ['interrupted', 'interrupted(lambda: srecodex.skill("k8s/x"))'],
    ['interrupted', 'interrupted(lambda: srecodex.each([1], lambda _: srecodex.skill("k8s/x")))'],
  ])('%s, it is killed with all that it started: %s', async (what, call) => {
    const { skill, pidPath } = staying()
    const text = `
import asyncio, os, signal, threading, time, srecodex
signal.signal(signal.SIGINT, signal.default_int_handler)
def started(): return os.path.exists("${pidPath}")
async def cancelled():
    task = asyncio.ensure_future(srecodex.askill("k8s/x"))
    while not started(): await asyncio.sleep(0.02)
    task.cancel()
    try: await task
    except asyncio.CancelledError: print("cancelled")
def interrupt():
    while not started(): time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGINT)
def interrupted(call):
    threading.Thread(target=interrupt).start()
    try: call()
    except KeyboardInterrupt: print("interrupted")
${call}`
    const { stdout } = await python(text, { skill, ...ledgerHost().handlers })
    expect(stdout).toBe(`${what}\n`)
    expect(await isGone(pidPath)).toBe(true)
  })

  test('what it leaves in the background is not waited for', async () => {
    const { skill } = payload('import subprocess\nsubprocess.Popen(["sleep", "20"])\nprint("{}", flush=True)')
    const began = performance.now()
    expect((await python('import srecodex\nprint(srecodex.skill("k8s/x"))', { skill })).stdout).toBe('{}\n')
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})

/** A zombie is gone. */
async function isGone(pidPath: string): Promise<boolean> {
  const stat = `/proc/${readFileSync(pidPath, 'utf8')}/stat`
  for (let tries = 0; tries < 200; tries += 1) {
    if (!existsSync(stat) || / Z /.test(readFileSync(stat, 'utf8'))) return true
    await later(20)
  }
  return false
}

describe('once and may', () => {
  test('a value is decided once, and is JSON', async () => {
    const ledger = ledgerHost()
    const text = `
import srecodex
calls = []
def decide(): calls.append(1); return (1, "é", {"a": None})
print(srecodex.once("x", decide), srecodex.once("x", decide), len(calls))
srecodex.may("kubectl", "rollout", "undo", "deployment/wéb")
for wrong in [lambda: srecodex.once("y", lambda: {1}), lambda: srecodex.once("", int), lambda: srecodex.may()]:
    try: wrong()
    except srecodex.SrecodexError as error: print(error.code)
print(srecodex.once("y", lambda: None), srecodex.once("y", lambda: 1))`
    const { stdout, stderr } = await python(text, ledger.handlers, { SRECODEX_PREFIX: 'k8s/x#1/' })
    expect([stderr, stdout]).toEqual([
      '',
      "[1, 'é', {'a': None}] [1, 'é', {'a': None}] 1\nINVALID_PARAMS\nINVALID_PARAMS\nINVALID_PARAMS\nNone None\n",
    ])
    expect(ledger.of('once')[0]).toEqual({ name: 'k8s/x#1/x' })
    expect(ledger.of('may')).toEqual([{ argv: ['kubectl', 'rollout', 'undo', 'deployment/wéb'] }])
  })

  test('a function that fails decides nothing', async () => {
    const ledger = ledgerHost()
    const text = `
import srecodex
try: srecodex.once("x", lambda: 1 / 0)
except ZeroDivisionError: print(srecodex.once("x", lambda: 5))`
    expect((await python(text, ledger.handlers)).stdout).toBe('5\n')
  })
})

test('run by hand, what can be done is done, and the rest says how', async () => {
  const text = `
import asyncio, srecodex
print(srecodex.once("x", lambda: (1, 2)), srecodex.once("x", lambda: 3), srecodex.may("kubectl", "delete"))
for call in [lambda: srecodex.tool("s", "n"), lambda: srecodex.skill("i"), lambda: asyncio.run(srecodex.atool("s", "n")), lambda: asyncio.run(srecodex.askill("i"))]:
    try: call()
    except srecodex.SrecodexError as error: print(error.code, error.hint)`
  expect(await run([PYTHON, '-W', 'error', program('script.py', text)])).toEqual({
    ...SILENT_SUCCESS,
    stdout: `[1, 2] [1, 2] None\n${'OUTSIDE srecodex run SCRIPT\n'.repeat(4)}`,
  })
})

test('the names are there for whoever looks, and the parts are loaded when they are used', async () => {
  const text = `
import sys, srecodex
assert set(srecodex.__all__) <= set(dir(srecodex))
print([name for name in sys.modules if name.startswith("srecodex.")])
from srecodex import each, skill, once
from srecodex import *
assert all(globals()[name] is getattr(srecodex, name) for name in srecodex.__all__)
assert all(getattr(srecodex, name).__doc__ for name in srecodex.__all__)
try: srecodex.nothing
except AttributeError as error: print(error)
try: from srecodex import nothing
except ImportError: print("ImportError")`
  expect((await run([PYTHON, '-W', 'error', program('script.py', text)])).stdout).toBe(
    "[]\nmodule 'srecodex' has no attribute 'nothing'\nImportError\n",
  )
})

test('a fork has its own connections and threads', async () => {
  const tool: CallHandler = params => ({ value: params['name'] })
  const text = `
import asyncio, os, sys, warnings, srecodex
warnings.simplefilter("ignore", DeprecationWarning)
async def main(who): return await asyncio.gather(*[srecodex.atool("s", "%s%d" % (who, n)) for n in range(30)])
def check(who): assert asyncio.run(main(who)) == ["%s%d" % (who, n) for n in range(30)]
check("parent")
child = os.fork()
if child == 0:
    try: check("child")
    except BaseException as error: os.write(2, repr(error).encode())
    os._exit(0)
check("again")
os.waitpid(child, 0)`
  expect(await python(text, { tool })).toEqual(SILENT_SUCCESS)
})

test('an end of the script under way ends the calls', async () => {
  const tool: CallHandler = () => later(60_000)
  const { socketPath } = await listening({ handlers: { tool } })
  const text = `
import asyncio, srecodex
async def main():
    task = asyncio.ensure_future(srecodex.atool("s", "n"))
    await asyncio.sleep(0.2)
asyncio.run(main())
print("ended")`
  const script = start([PYTHON, '-W', 'error', program('script.py', text)], { socketPath })
  script.write('')
  expect(await script.finished).toEqual({ ...SILENT_SUCCESS, stdout: 'ended\n' })
})
