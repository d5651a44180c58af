/**
 * What a call out of the sandbox costs: a command through its shim beside the same command called as it is, a
 * `tool` beside a bare socket echo, many calls at once, a gigabyte through a shim.
 *
 * Both sides are timed by one script within one run, in turns, so that what else the machine does falls on both.
 */

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runScript } from '@srecodex/core'
import { financeServerToml, withPlace, type Place } from './place.ts'
import { overRounds, ratioOf, timeRounds, type RoundsOptions, type Timing } from './rounds.ts'
import type { Comparison, Target } from './table.ts'

/** Means of one round in milliseconds, by name. */
type Means = Readonly<Record<string, number>>

export async function calls(options: RoundsOptions): Promise<Comparison> {
  return withPlace(async place => {
    const environment = furnish(place)
    const scripts = [place.script('calls.py', PYTHON), place.script('calls.js', JAVASCRIPT)]
    let peakBytes = 0
    const watch = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage().rss)), 20)
    const before = process.memoryUsage().rss
    const timings = await timeRounds(options, async () => {
      const means: [string, number][] = []
      for (const path of scripts) means.push(...Object.entries(await measure(path, place, environment)))
      return means
    }).finally(() => clearInterval(watch))
    return {
      title: `Calls out of the sandbox (Node ${process.version})`,
      timings,
      targets: targetsOf(timings, (peakBytes - before) / 2 ** 30),
    }
  })
}

/** Programs that do next to nothing, and the config that opens them. */
function furnish({ file, environment }: Place): Record<string, string> {
  const bin = file('bin')
  mkdirSync(bin)
  copyFileSync('/bin/true', join(bin, 'bench-true'))
  copyFileSync('/bin/cat', join(bin, 'bench-cat'))
  const config = join(environment.SRECODEX_HOME!, 'config')
  mkdirSync(config, { recursive: true })
  const tool = (name: string): string =>
    `[tools.${name}]\nreads = ["*"]\nconcurrency = 16\nrate = "10000/s"\n`
  const limits = '[limits]\nmax_calls = 1000000\n'
  writeFileSync(
    join(config, 'config.toml'),
    [limits, tool('bench-true'), tool('bench-cat'), financeServerToml()].join('\n'),
  )
  return { ...environment, PATH: `${bin}:${environment.PATH}` }
}

async function measure(path: string, place: Place, environment: Record<string, string>): Promise<Means> {
  const { workspace } = place
  const report = await runScript({ script: { path }, workspace, callerEnvironment: environment })
  if (report.status !== 'succeeded') {
    const stderr = join(environment.SRECODEX_HOME!, 'state', 'runs', report.run, 'stderr')
    throw new Error(`${path} ${report.status}: ${report.error?.message}\n${readFileSync(stderr, 'utf8')}`)
  }
  return JSON.parse(report.summary) as Means
}

function targetsOf(timings: readonly Timing[], grownGiB: number): readonly Target[] {
  const ratio = (name: string, above: string, below: string, most: number): Target => {
    return { name, measured: ratioOf(timings, above, below), unit: 'ratio', most }
  }
  const beside = (what: string, language: string, name: string): Target =>
    ratio(`${language}: ${what} / a socket echo`, `${language}: ${name}`, `${language}: socket echo`, 2)
  return [
    {
      name: 'a brokered command, ms more than the bare one',
      measured: overRounds(timings, 'true through its shim', 'true as it is', (shim, bare) => shim - bare),
      unit: 'ms',
      most: 15,
    },
    ...['python', 'javascript'].flatMap(language => [
      beside('a `tool` round trip', language, 'tool'),
      beside('`artifact`', language, 'artifact'),
    ]),
    ratio('1,000 calls, 16 at once / bare ones', '1,000 through the shim', '1,000 as they are', 6),
    ratio('1 GiB through a shim / `cat | cat`', '1 GiB through the shim', '1 GiB through a pipe', 3),
    { name: 'memory that srecodex grew by, in GiB', measured: grownGiB, unit: 'GiB', most: 0.25 },
  ]
}

const PYTHON = `
import json, os, socket, subprocess, threading, time
from concurrent.futures import ThreadPoolExecutor
from srecodex import artifact, summary, tool

means = {}

def timed(name, times, act):
    began = time.perf_counter()
    for _ in range(times):
        act()
    means.setdefault(name, []).append((time.perf_counter() - began) * 1000 / times)

def call(program):
    subprocess.run([program], check=True, stdin=subprocess.DEVNULL)

# Commands, in turns.
for _ in range(10):
    timed("true as it is", 5, lambda: call("/bin/true"))
    timed("true through its shim", 5, lambda: call("bench-true"))

# Round trips: one connection to an echo of its own, one to srecodex (which makes a folder besides), one through it to an MCP server.
ours, theirs = socket.socketpair()
def echo():
    while True:
        data = theirs.recv(65536)
        if not data: return
        theirs.sendall(data)
if os.fork() == 0:
    ours.close()
    echo()
    os._exit(0)
theirs.close()
request = json.dumps({"team": "t01", "period": "2026-Q3"}).encode()
def echoed():
    ours.sendall(request)
    json.loads(ours.recv(65536))
team = tool("finance", "get_teams")[0]["id"]
budget = lambda: tool("finance", "get_budget", team=team, period="2026-Q3")
budget()
for _ in range(10):
    timed("python: socket echo", 100, echoed)
    timed("python: artifact", 100, lambda: artifact("name"))
    timed("python: tool", 100, budget)
ours.close()

# Many at once.
def many(program):
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(call, [program] * 1000))
timed("1,000 as they are", 1, lambda: many("/bin/true"))
timed("1,000 through the shim", 1, lambda: many("bench-true"))

# A gigabyte.
with open("zeros", "wb") as file:
    file.truncate(2**30)
here = os.path.abspath("zeros")
def stream(program):
    subprocess.run(["bash", "-c", '"$0" "$1" | cat > /dev/null', program, here], check=True)
timed("1 GiB through a pipe", 1, lambda: stream("/bin/cat"))
timed("1 GiB through the shim", 1, lambda: stream("bench-cat"))
os.unlink("zeros")

summary(json.dumps({name: sorted(values)[len(values) // 2] for name, values in means.items()}))
`

const JAVASCRIPT = `
import { fork } from 'node:child_process'
import { createServer, connect } from 'node:net'
import { once as event } from 'node:events'
import { artifact, summary, tool } from 'srecodex'

const means = {}
async function timed(name, times, act) {
  const began = performance.now()
  for (let n = 0; n < times; n++) await act()
  ;(means[name] ??= []).push((performance.now() - began) / times)
}

if (process.argv[2] === 'echo') {
  const server = createServer(socket => socket.pipe(socket)).listen('/tmp/echo', () => process.send('ready'))
  process.on('disconnect', () => process.exit(0))
} else {
  const child = fork(process.argv[1], ['echo'])
  await event(child, 'message')
  const socket = connect('/tmp/echo')
  await event(socket, 'connect')
  const request = JSON.stringify({ team: 't01', period: '2026-Q3' })
  const echoed = async () => {
    socket.write(request)
    const [data] = await event(socket, 'data')
    JSON.parse(data)
  }
  const [{ id: team }] = await tool('finance', 'get_teams')
  const budget = () => tool('finance', 'get_budget', { team, period: '2026-Q3' })
  await budget()
  for (let n = 0; n < 10; n++) {
    await timed('javascript: socket echo', 100, echoed)
    await timed('javascript: artifact', 100, () => artifact('name'))
    await timed('javascript: tool', 100, budget)
  }
  socket.destroy()
  child.disconnect()
  const median = values => values.toSorted((a, b) => a - b)[values.length >> 1]
  await summary(JSON.stringify(Object.fromEntries(Object.entries(means).map(([name, values]) => [name, median(values)]))))
}
`
