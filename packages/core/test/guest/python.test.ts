import { describe, expect, test } from 'vitest'
import { listening, until, type Listening } from '../tools/listening.ts'
import { GUEST, program, PYTHON, run, SILENT_SUCCESS, start, type Ran } from './running.ts'

function python(text: string, { socketPath }: Partial<Listening> = {}, ...flags: string[]): Promise<Ran> {
  return run([PYTHON, ...flags, program('script.py', text)], { socketPath })
}

describe('import', () => {
  test('loads neither socket nor json, and a plain summary loads no json either', async () => {
    const host = await listening()
    const text = `
import sys
before = set(sys.modules)
import srecodex
print(sorted(set(sys.modules) - before))
srecodex.summary("ünï")
srecodex.progress(1, 2, "x")
print(sorted({"json", "re", "socket", "threading", "asyncio", "typing"} & (set(sys.modules) - before)))
`
    expect(await python(text, host)).toEqual({ ...SILENT_SUCCESS, stdout: "['srecodex']\n[]\n" })
    expect(host.summaries).toEqual(['ünï'])
  })

  test('needs neither site-packages nor environment, and warns of nothing', async () => {
    const host = await listening()
    const text = `
import sys
sys.path.insert(0, ${JSON.stringify(`${GUEST}/python`)})
import srecodex
srecodex.summary("x")
srecodex.artifact("y")
`
    expect(await python(text, host, '-I', '-S', '-B')).toEqual(SILENT_SUCCESS)
    expect(await python(text, host, '-X', 'dev', '-W', 'error', '-b', '-b')).toEqual(SILENT_SUCCESS)
  })
})

test('values that are not text', async () => {
  const host = await listening()
  const text = `
import collections, datetime, srecodex
class Loud(str):
    def __str__(self): return "no"
for value in [{"a": [1, "é", None]}, [], (1, 2), {"when": datetime.date(2026, 1, 2)}, None, 3.5, b"b\\xff", bytearray(b"x"),
              Loud("yes"), ValueError("why"), "half \\udcff \\ud83d\\ude00", collections.OrderedDict(x="y\\udc80")]:
    srecodex.summary(value)
`
  expect(await python(text, host)).toEqual(SILENT_SUCCESS)
  expect(host.summaries).toEqual([
    '{"a":[1,"é",null]}',
    '[]',
    '[1,2]',
    '{"when":"2026-01-02"}',
    'None',
    '3.5',
    'b\uFFFD',
    'x',
    'yes',
    'why',
    'half \uFFFD 😀',
    '{"x":"y\uFFFD"}',
  ])
})

test('progress takes what counts, refuses what does not', async () => {
  const host = await listening({ limits: { progressIntervalMs: 0 } })
  const text = `
import decimal, fractions, time, srecodex
for step in [(0,), (1, 2), (True, None, None), (0.5, 1.0, "ü"), (decimal.Decimal("1.5"), fractions.Fraction(3)), (2**60,)]:
    srecodex.progress(*step); time.sleep(0.02)
for wrong in ["1", None, -1, float("nan"), float("inf"), 10**400, [], 1j]:
    try: srecodex.progress(wrong)
    except srecodex.SrecodexError as error: assert error.code == "INVALID_PARAMS", error
    else: raise AssertionError(wrong)
try: srecodex.artifact(b"x")
except srecodex.SrecodexError as error: print(error)
`
  expect(await python(text, host)).toEqual({
    ...SILENT_SUCCESS,
    stdout: "the name of an artifact is a string, not b'x' (INVALID_PARAMS)\n",
  })
  await until(() => host.progress.length === 6)
  expect(host.progress).toEqual([
    { done: 0, total: null, note: '' },
    { done: 1, total: 2, note: '' },
    { done: 1, total: null, note: 'None' },
    { done: 0.5, total: 1, note: 'ü' },
    { done: 1.5, total: 3, note: '' },
    { done: 2 ** 60, total: null, note: '' },
  ])
})

test('errors are for programs and for people, and survive pickling', async () => {
  const host = await listening()
  const text = `
import pickle, srecodex
try: srecodex.artifact("../x")
except Exception as error:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is srecodex.SrecodexError and str(again) == str(error) and again.hint == error.hint
    print(error.code); print(error)
`
  expect((await python(text, host)).stdout).toBe(
    'INVALID_PARAMS\n' +
      'the name of an artifact has no empty, "." or ".." parts (INVALID_PARAMS)\n' +
      'hint: such as failed/pods.json\n',
  )
})

/** In each of these every caller checks that the answer it got is the answer to what it asked. */
describe('at once', () => {
  const CHECK = `
import os, srecodex
def check(who, times=100):
    for each in range(times):
        name = "%s/%d" % (who, each)
        path = srecodex.artifact(name)
        assert path == os.path.join(os.environ["SRECODEX_ARTIFACTS"], name), (path, name)
        srecodex.progress(each, times, who)
`
  async function expectChecked(text: string, callers: number, ...flags: string[]): Promise<void> {
    const host = await listening({ limits: { maxArtifacts: 1e6 } })
    const path = program('script.py', CHECK + text)
    const env = { SRECODEX_ARTIFACTS: host.artifactsPath }
    expect(await run([PYTHON, ...flags, path], { socketPath: host.socketPath, env })).toEqual(SILENT_SUCCESS)
    expect(host.artifacts.length).toBe(callers * 100)
    expect(host.faults).toEqual([])
  }

  test('50 threads', () =>
    expectChecked(
      `
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(50) as pool: list(pool.map(check, ["t%d" % n for n in range(50)]))
`,
      50,
    ))

  test('50 children of os.fork, whose parent has a connection and goes on', () =>
    expectChecked(
      `
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
check("parent-before")
children = []
for n in range(50):
    child = os.fork()
    if child == 0:
        try: check("child%d" % n)
        except BaseException as error:
            os.write(2, repr(error).encode()); os._exit(1)
        os._exit(0)
    children.append(child)
check("parent")
for child in children: assert os.waitpid(child, 0)[1] == 0
check("parent-after")
`,
      53,
    ))

  test('a fork while 20 threads call, and a fork of a fork', () =>
    expectChecked(
      `
import threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)
threads = [threading.Thread(target=check, args=("t%d" % n,)) for n in range(20)]
for thread in threads: thread.start()
children = []
for n in range(10):
    child = os.fork()
    if child == 0:
        try:
            check("child%d" % n)
            grandchild = os.fork()
            if grandchild == 0:
                check("grandchild%d" % n); os._exit(0)
            os._exit(os.waitpid(grandchild, 0)[1])
        except BaseException as error:
            os.write(2, repr(error).encode()); os._exit(1)
    children.append(child)
for child in children: assert os.waitpid(child, 0)[1] == 0
for thread in threads: thread.join()
`,
      40,
    ))

  test.each(['fork', 'spawn', 'forkserver'])('a multiprocessing pool by %s', method =>
    expectChecked(
      `
import multiprocessing
if __name__ == "__main__":
    srecodex.summary("parent")
    with multiprocessing.get_context("${method}").Pool(4) as pool: pool.map(check, ["p%d" % n for n in range(12)], 1)
`,
      12,
    ),
  )

  test('asyncio, within the loop and in its threads', () =>
    expectChecked(
      `
import asyncio
async def one(n):
    await asyncio.sleep(0)
    if n % 2: check("loop%d" % n)
    else: await asyncio.to_thread(check, "thread%d" % n)
async def main(): await asyncio.gather(*[one(n) for n in range(20)])
asyncio.run(main())
`,
      20,
    ))
})

test('a call that is interrupted leaves no half answer to the next', async () => {
  let slow = 0
  const host = await listening({
    handlers: { summary: () => (++slow === 1 ? new Promise(resolve => setTimeout(resolve, 300)) : null) },
  })
  const text = `
import signal, srecodex
def alarm(*_): raise TimeoutError("mine")
signal.signal(signal.SIGALRM, alarm)
signal.setitimer(signal.ITIMER_REAL, 0.1)
try: srecodex.summary("x")
except TimeoutError as error: print(error)
print(srecodex.artifact("after"))
`
  // TimeoutError is an OSError: what the script raised itself must still not be taken for a lost host.
  expect(await python(text, host)).toEqual({
    ...SILENT_SUCCESS,
    stdout: `mine\n${host.artifactsPath}/after\n`,
  })
})

test('the default timeout of sockets is the script’s own affair', async () => {
  const host = await listening({
    handlers: { summary: () => new Promise(resolve => setTimeout(() => resolve(null), 300)) },
  })
  const text = 'import socket, srecodex\nsocket.setdefaulttimeout(0.05)\nsrecodex.summary("x")\n'
  expect(await python(text, host)).toEqual(SILENT_SUCCESS)
})

test('closing stdout, or ending without a word, loses nothing', async () => {
  const host = await listening()
  const script = start(
    [PYTHON, '-c', 'import os, srecodex\nsrecodex.summary("x")\nsrecodex.progress(1)\nos._exit(3)'],
    {
      socketPath: host.socketPath,
    },
  )
  expect((await script.finished).status).toBe(3)
  await host.channel.close()
  expect(host.summaries).toEqual(['x'])
  expect(host.progress.length).toBe(1)
})
