/** What the resilience tests stand on: a place of their own, the built CLI, and eyes for what is left behind. */

import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { RunReport } from '../../src/runs/report.ts'

const BIN = join(import.meta.dirname, '..', '..', '..', 'cli', 'dist', 'bin.js')

export interface Place {
  readonly folder: string
  readonly workspace: string
  /** `SRECODEX_HOME`. */
  readonly home: string
  readonly state: string
  /** Nothing but PATH, HOME and SRECODEX_HOME: no secret of the machine's is redacted from what a test reads. */
  readonly environment: Readonly<Record<string, string>>
  /** Writes a file of the workspace, with its folders. */
  file(name: string, text: string | Buffer): string
}

/** A workspace and a store that go when the test ends. */
export function place(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'srecodex-resilience-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [workspace, home] = [join(folder, 'workspace'), join(folder, 'home')]
  mkdirSync(workspace)
  mkdirSync(home)
  return {
    folder,
    workspace,
    home,
    state: join(home, 'state'),
    environment: {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: process.env.HOME ?? '/root',
      SRECODEX_HOME: home,
    },
    file(name, text) {
      const path = join(workspace, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
      return path
    },
  }
}

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

export interface Cli {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

export interface CliOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly stdin?: string | Buffer
  /** A process group of its own, as a shell with job control gives each command. @default false */
  readonly group?: boolean
  readonly uid?: number
}

/** Starts the built `srecodex`. */
export function cli(at: Place, args: readonly string[], options: CliOptions = {}): Cli {
  if (!existsSync(BIN)) throw new Error(`build the CLI first: there is no ${BIN}`)
  const stdio: StdioOptions = [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: options.cwd ?? at.workspace,
    env: { ...at.environment, ...options.environment },
    detached: options.group ?? false,
    stdio,
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  child.stdin?.on('error', () => {})
  if (options.stdin !== undefined) child.stdin?.end(options.stdin)
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  ended.catch(() => {})
  return { child, ended }
}

/** As `runs list --json` and `runs show --json` print a run. */
export interface ShownRun extends RunReport {
  readonly id: string
  readonly scriptPath: string | null
}

export async function listedRuns(at: Place): Promise<ShownRun[]> {
  const { code, stdout, stderr } = await cli(at, ['runs', 'list', '--json', '--limit', '1000']).ended
  if (code !== 0) throw new Error(`runs list ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as ShownRun[]
}

/** Processes that carry the text in their command line or environment, zombies aside. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => Number.isInteger(pid) && pid !== process.pid && isRunning(pid))
    .filter(pid => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`].some(path => read(path).includes(text)))
}

/** Children of children too, zombies aside. */
export function descendantsOf(pid: number): number[] {
  const parents = new Map(
    readdirSync('/proc')
      .map(Number)
      .filter(candidate => Number.isInteger(candidate) && isRunning(candidate))
      .map(candidate => [candidate, Number(statOf(candidate)[1])] as const),
  )
  const descends = (child: number): boolean => {
    const parent = parents.get(child)
    return parent !== undefined && (parent === pid || descends(parent))
  }
  return [...parents.keys()].filter(descends)
}

export function isRunning(pid: number): boolean {
  const state = statOf(pid)[0]
  return state !== undefined && state !== 'Z' && state !== 'X'
}

export function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
}

/** The fields of /proc/PID/stat after the name. */
function statOf(pid: number): string[] {
  const stat = read(`/proc/${pid}/stat`)
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** Control groups of runs, of this id or of any, that still exist. */
export function controlGroups(id = ''): string[] {
  const roots = read('/proc/self/cgroup')
    .split('\n')
    .flatMap(line => {
      const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
      return [...controllers.split(','), controllers].map(name => join('/sys/fs/cgroup', name, path))
    })
  return [...new Set(roots)].flatMap(root => {
    try {
      return readdirSync(root)
        .filter(name => name.startsWith(`srecodex-${id}`))
        .map(name => join(root, name))
    } catch {
      return []
    }
  })
}

/** Mount points of this process at or below the folder. */
export function mountsBelow(folder: string): string[] {
  return read('/proc/self/mountinfo')
    .split('\n')
    .map(line => line.split(' ')[4] ?? '')
    .filter(point => point === folder || point.startsWith(`${folder}/`))
}

export function liveMarkers(at: Place): string[] {
  return existsSync(join(at.state, 'live')) ? readdirSync(join(at.state, 'live')) : []
}

export function runIds(at: Place): string[] {
  return existsSync(join(at.state, 'runs')) ? readdirSync(join(at.state, 'runs')).sort() : []
}

/** The record as it is on disk, or null where there is none. Throws where it is torn. */
export function recordOf(at: Place, id: string): { readonly report: RunReport } | null {
  const path = join(at.state, 'runs', id, 'run.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { report: RunReport }) : null
}

export async function until(condition: () => boolean, what: string, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
