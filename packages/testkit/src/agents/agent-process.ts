/**
 * One agent program, from its start to the end of all that it started.
 *
 * Promises: past its deadline it is killed with everything that belongs to it; when it has ended, what it left behind
 * has a while to go by itself, is then killed, and told. To belong is to be in its session, or to have an environment
 * that names its own folder: agents give their servers groups of their own, and these give sessions to their children.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface AgentProcessOptions {
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Of this agent alone; its environment names it, as that of a temporary folder for one. */
  readonly folder: string
  /** Of the whole job. */
  readonly timeoutMs: number
  /** What has lost its client may take this long to interrupt a run and go. @default 15_000 */
  readonly graceMs?: number
}

export interface AgentProcess {
  /** Strikes the program alone, as a crash would: what it has started is left to notice. */
  readonly kill: () => void
  readonly ended: Promise<AgentProcessResult>
}

export interface AgentProcessResult {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly timedOut: boolean
  readonly stdout: string
  readonly stderr: string
  /** Command lines of what it had started and did not end; they were killed. */
  readonly outlived: readonly string[]
}

/** @throws {Error} There is no such program. */
export async function startAgentProcess({
  program,
  args,
  cwd,
  env,
  folder,
  timeoutMs,
  graceMs = 15_000,
}: AgentProcessOptions): Promise<AgentProcess> {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const exited = new Promise<Pick<AgentProcessResult, 'exitCode' | 'signal'>>(resolve => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }))
  })
  const closed = new Promise(resolve => void child.once('close', resolve))
  await once(child, 'spawn')
  const own = { session: child.pid!, folder }
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    killMembers(own)
  }, timeoutMs)
  // A session of its own hears nothing of the end of ours.
  const onExit = (): void => void killMembers(own)
  process.once('exit', onExit)
  const ended = exited.then(async end => {
    clearTimeout(timer)
    const outlived = await swept(own, graceMs)
    // What is not known as its own may hold the pipes for longer than anybody should wait.
    await Promise.race([closed, sleep(1000)])
    process.off('exit', onExit)
    return { ...end, timedOut, stdout, stderr, outlived }
  })
  return { kill: () => void child.kill('SIGKILL'), ended }
}

interface Own {
  readonly session: number
  readonly folder: string
}

/** What is killed is gone by then, or hangs in the kernel. */
const GONE_MS = 5000

/** Waits for the rest to go by itself, then ends it. @returns What did not go. */
async function swept(own: Own, graceMs: number): Promise<string[]> {
  if (await isEmptied(own, graceMs, membersOf)) return []
  const outlived = membersOf(own).map(({ command }) => command)
  // More than once: what is killed may just have started another.
  await isEmptied(own, GONE_MS, killMembers)
  return outlived
}

async function isEmptied(
  own: Own,
  withinMs: number,
  look: (own: Own) => readonly Member[],
): Promise<boolean> {
  const deadline = performance.now() + withinMs
  while (look(own).length > 0) {
    if (performance.now() > deadline) return false
    await sleep(50)
  }
  return true
}

interface Member {
  readonly pid: number
  readonly command: string
}

function killMembers(own: Own): readonly Member[] {
  const members = membersOf(own)
  for (const { pid } of members) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  return members
}

function membersOf({ session, folder }: Own): readonly Member[] {
  return readdirSync('/proc').flatMap(entry => {
    const pid = Number(entry)
    if (!Number.isInteger(pid) || pid === process.pid) return []
    const stat = read(pid, 'stat')
    const [state, , , itsSession] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (stat === '' || state === 'Z') return []
    if (Number(itsSession) !== session && !read(pid, 'environ').includes(folder)) return []
    return [{ pid, command: read(pid, 'cmdline').replaceAll('\0', ' ').trim() }]
  })
}

/** Empty of what has ended, or is not ours to look at. */
function read(pid: number, file: 'stat' | 'environ' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}
