/**
 * Jobs that are killed again and again: a life is one `apply` or `resume`, and each ends by itself or by a SIGKILL to
 * one of its processes.
 */

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Cluster } from './cluster.ts'

const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))

/**
 * Srecodex itself as soon as it has started a sandbox for a change: before that sandbox can have tied itself to its
 * parent's life.
 */
export const STARTING = 'starting'

/** Which process a kill strikes; `shim` is what the script takes for kubectl, `supervisor` what owns its sandbox. */
export const VICTIMS = ['srecodex', 'supervisor', 'script', 'kubectl', 'shim'] as const
export type Victim = (typeof VICTIMS)[number]

export interface Kill {
  readonly victim: Victim | typeof STARTING
  readonly after: Promise<unknown>
  /** @default 'SIGKILL' */
  readonly signal?: NodeJS.Signals
}

export interface Life {
  /** Null: it was killed. */
  readonly exitCode: number | null
  // oxlint-disable-next-line typescript/no-explicit-any -- null where it was killed
  readonly report: any
  readonly stderr: string
}

/** Far more than a job takes; one that waits for what never comes is told with its processes. */
const LIFE_MS = 240_000

/**
 * Starts the built CLI and kills what `next` says until it says null or the life is over.
 *
 * @param onKill Hears of each kill that found its victim.
 */
export async function live(
  { workspace, home, srecodexHome }: Cluster,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  next: () => Kill | null,
  onKill: () => void,
): Promise<Life> {
  const child = spawn(process.execPath, [BIN, ...args, '--json'], {
    cwd: workspace,
    env: { HOME: home, SRECODEX_HOME: srecodexHome, LANG: 'C.UTF-8', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  let isOver = false
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => {
      isOver = true
      resolve(code)
    })
  })
  const killAll = async (): Promise<void> => {
    const chosen = next()
    if (chosen === null) return
    await Promise.race([ended, chosen.after])
    if (await strike(child.pid!, chosen, () => isOver)) onKill()
    if (!isOver) await killAll()
  }
  const outlived = setTimeout(() => {
    stderr += `\nno end after ${LIFE_MS / 1000} s:\n${processesOf(child.pid!)}`
    child.kill('SIGKILL')
  }, LIFE_MS)
  await killAll()
  const exitCode = await ended
  clearTimeout(outlived)
  if (stderr.includes('no end after')) throw new Error(`srecodex ${args.join(' ')}: ${stderr}`)
  const report = stdout === '' ? null : JSON.parse(stdout)
  return { exitCode, report, stderr }
}

/** Waits for a victim of that kind, as one that is not there cannot be killed. */
async function strike(
  srecodex: number,
  { victim, signal = 'SIGKILL' }: Kill,
  isOver: () => boolean,
): Promise<boolean> {
  if (victim === STARTING) {
    while (!isOver() && !isStarting(srecodex)) await new Promise(resolve => setImmediate(resolve))
    return !isOver() && send(srecodex, signal)
  }
  const deadline = performance.now() + 3000
  while (!isOver() && performance.now() < deadline) {
    const found = victim === 'srecodex' ? [srecodex] : descendantsOf(srecodex).filter(pid => isA(pid, victim))
    // The one that began last is the one that is busy.
    const pid = found.at(-1)
    if (pid !== undefined && send(pid, signal)) return true
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  return false
}

const CHANGES = ['restart', 'annotate']

function isStarting(srecodex: number): boolean {
  return descendantsOf(srecodex).some(pid => {
    const argv = read(`/proc/${pid}/cmdline`).split('\0')
    return argv.includes('--die-with-parent') && CHANGES.some(word => argv.includes(word))
  })
}

function isA(pid: number, victim: Victim): boolean {
  const program = programOf(pid)
  const argv = read(`/proc/${pid}/cmdline`).split('\0')
  switch (victim) {
    case 'srecodex':
      return false
    case 'supervisor':
      return program.includes('/perl') && argv[1]?.endsWith('/supervisor.pl') === true
    case 'script':
      return /\/python3[.\d]*$/.test(program) && argv.some(word => word.endsWith('.py'))
    case 'kubectl':
      return program.endsWith('/kubectl')
    case 'shim':
      return program.includes('/perl') && argv[1]?.endsWith('/kubectl') === true
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}

/** Children of children too, by their ids. */
function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : ''
    if (stat !== '') parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
  }
  const descends = (one: number): boolean => {
    const parent = parents.get(one)
    return parent !== undefined && (parent === pid || descends(parent))
  }
  return [...parents.keys()].filter(descends).sort((a, b) => a - b)
}

/** A line for each process below it: id, parent, what it waits in, words. */
function processesOf(srecodex: number): string {
  return [srecodex, ...descendantsOf(srecodex)]
    .map(pid => {
      const stat = read(`/proc/${pid}/stat`)
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const words = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 200)
      return `${pid} < ${parent} ${state} ${read(`/proc/${pid}/wchan`)} ${words}`
    })
    .join('\n')
}

function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
  } catch {
    return ''
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
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
