/**
 * How a staged run becomes a process: the one seam at which engines are replaced.
 *
 * Promises: the command starts under the supervisor, which owns its output and ends the whole tree when this
 * process, or the promise's owner, goes away; nothing of this process's environment or descriptors reaches it.
 * A command that fails is a result; a sandbox that cannot be had is an error with its cause.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, constants as files, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { SrecodexError } from '../errors.ts'
import { countKept } from './count.ts'
import { sandboxFailure } from './failure.ts'
import type { ExpectedMount } from './mounts.ts'
import { endSurvivors } from './survivors.ts'
import { decodeWaitStatus } from './wait-status.ts'

/** Descriptors as the supervisor and bubblewrap inherit them. Node numbers them by their place in `stdio`. */
export const DESCRIPTORS = { specification: 6, seccomp: 7, status: 8, info: 9 } as const

/** Limits of each process of the run, by setrlimit. `null`: none. */
export interface ProcessLimits {
  readonly dataBytes: number | null
  readonly processes: number | null
  readonly fileSizeBytes: number
  readonly openFiles: number
  readonly cpuSeconds: number | null
}

export interface LaunchOptions {
  /** Id of the run, which every process of it carries in its environment or its arguments. */
  readonly run: string
  /** What runs under the supervisor: bubblewrap with its arguments and `--`, or nothing without a sandbox. */
  readonly wrapper: readonly string[]
  /** Path of the guest's `init.pl` as the wrapped process sees it. */
  readonly init: string
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Working folder where there is no wrapper to set one. */
  readonly cwd: string
  readonly limits: ProcessLimits
  /** Port on the sandbox's loopback, and the socket inside that the forwarder carries it to. */
  readonly forwarder: { readonly port: number; readonly socket: string } | null
  readonly outputBytes: number
  /** Files that do not exist yet, made 0600. */
  readonly stdoutPath: string
  readonly stderrPath: string
  /** System call filter for bubblewrap; null without a wrapper. */
  readonly seccomp: Buffer | null
  /** What must stand where before the command starts: see `mounts.ts`. */
  readonly mounts: readonly ExpectedMount[]
  /** `cgroup.procs` files that the tree joins. */
  readonly cgroups: readonly string[]
  /** SIGTERM reached the supervisor: somebody asks for the end of this run. It comes within 3 s in any case. */
  readonly onStopRequest?: () => void
}

/** One captured stream. Every byte was counted, `keptBytes` of them are in the file. */
export interface CapturedStream {
  readonly bytes: number
  readonly lines: number
  readonly keptBytes: number
  /** errno of the write that failed (28: disk full), or 0. */
  readonly writeErrno: number
}

export interface ProcessOutcome {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly stdout: CapturedStream
  readonly stderr: CapturedStream
  /** The supervisor was killed, and the tree with it: what was kept was counted afterwards. */
  readonly supervisorLost: boolean
}

export interface RunningProcess {
  /** The supervisor's process id: SIGTERM to it ends the run. */
  readonly pid: number
  /** @throws {SrecodexError} SANDBOX_UNAVAILABLE, INTERPRETER_NOT_FOUND */
  readonly outcome: Promise<ProcessOutcome>
  /** Starts the command. The sandbox is built meanwhile, and holds nothing but its first process before. */
  begin(): void
  /** SIGINT to the script, so that it can flush; SIGKILL to the whole tree after `graceMs`. */
  interrupt(graceMs: number): void
  /** Host process id of the sandbox's first process, once it is known: the root of the tree. */
  rootPid(): number | null
}

const SUPERVISOR = join(import.meta.dirname, 'supervisor.pl')
const PERL = '/usr/bin/perl'
/** Enough for perl and bubblewrap to start, and nothing of the caller's. */
const BARE_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C' }
const MAX_DIAGNOSTICS = 16_384

interface SystemCalls {
  readonly prlimit64: number
  readonly prctl: number
  readonly close: number
  readonly unshare: number
  readonly mount: number
  readonly splice: number
}

/** The system calls that the Perl programs make by number. */
const SYSTEM_CALLS: Readonly<Record<string, SystemCalls>> = {
  x64: { prlimit64: 302, prctl: 157, close: 3, unshare: 272, mount: 165, splice: 275 },
  arm64: { prlimit64: 261, prctl: 167, close: 57, unshare: 97, mount: 40, splice: 76 },
}

export function launch(options: LaunchOptions): RunningProcess {
  const { prctl, unshare, mount, splice } = systemCalls()
  refuseNul(options)
  const outputs = [openOutput(options.stdoutPath), openOutput(options.stderrPath)]
  const tree = options.wrapper.length > 0 ? `namespace:${prctl},${unshare},${mount}` : `none:${prctl}`
  const child = spawn(
    PERL,
    [
      SUPERVISOR,
      String(options.outputBytes),
      String(splice),
      tree,
      options.cgroups.join(','),
      '--',
      ...options.wrapper,
      PERL,
      options.init,
      String(DESCRIPTORS.specification),
      String(DESCRIPTORS.status),
      options.run, // who meets one of these processes can tell whose it is: see survivors.ts
    ],
    {
      cwd: options.wrapper.length > 0 ? '/' : options.cwd,
      env: BARE_ENVIRONMENT,
      // A session of its own: a terminal's Ctrl-C goes to all of its foreground group, and would end bubblewrap
      // where srecodex gives the script the time to flush.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', ...outputs, 'pipe', 'pipe', 'pipe', 'pipe'],
    },
  )
  for (const output of outputs) closeSync(output)
  return supervise(child, options)
}

function openOutput(path: string): number {
  const { O_WRONLY, O_CREAT, O_EXCL } = files // not O_APPEND, which splice(2) refuses
  return openSync(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
}

function supervise(child: ChildProcess, options: LaunchOptions): RunningProcess {
  const pipes = child.stdio as unknown as readonly (Duplex | null)[]
  const control = pipes[3]!
  for (const pipe of pipes) pipe?.on('error', () => {}) // the other end may go first; the outcome tells
  pipes[DESCRIPTORS.seccomp]!.end(options.seccomp ?? '')

  const report = collect(pipes[1]!)
  if (options.onStopRequest)
    pipes[1]!.on('data', chunk => /^stop$/m.test(String(chunk)) && options.onStopRequest?.())
  const diagnostics = collect(pipes[2]!)
  const status = collect(pipes[DESCRIPTORS.status]!)
  const info = collect(pipes[DESCRIPTORS.info]!)
  const rootPid = (): number | null => {
    const pid = /"child-pid":\s*(\d+)/.exec(info())?.[1]
    return pid === undefined ? (options.wrapper.length > 0 ? null : (child.pid ?? null)) : Number(pid)
  }

  let ended = false
  const outcome = new Promise<ProcessOutcome>((resolve, reject) => {
    child.once('error', error =>
      reject(
        new SrecodexError('SANDBOX_UNAVAILABLE', `cannot start the supervisor: ${error.message}`, {
          hint: `install perl (${PERL}), which every Debian, Ubuntu and Fedora offers`,
          details: { cause: 'perl' },
          cause: error,
        }),
      ),
    )
    child.once('exit', (code, signal) => {
      // Killed before it could listen: it was asked to stop all the same.
      if (signal === 'SIGTERM') options.onStopRequest?.()
      // Without a namespace nothing else would end the tree, whose pipes this process waits for.
      if (code !== 0) void endSurvivors(options.run, 0)
    })
    child.once('close', (_code, signal) => {
      ended = true
      const why = signal === null ? '' : `the supervisor was killed by ${signal}\n`
      // A bubblewrap that was killed is gone before its namespace is: for a moment the script goes on, and could
      // plant again what is cleaned up next.
      const root = options.wrapper.length > 0 && !status().includes('\nended ') ? rootPid() : null
      resolve(gone(root).then(() => readOutcome(report(), status(), diagnostics() + why, options)))
    })
  })

  outcome.catch(() => {}) // it may come before anybody waits for it

  return {
    pid: child.pid ?? 0,
    outcome,
    rootPid,
    begin: () => void pipes[DESCRIPTORS.specification]!.end(specification(options)),
    interrupt(graceMs) {
      if (ended) return
      const pid = options.wrapper.length > 0 ? rootPid() : null
      if (pid !== null && graceMs > 0) {
        try {
          process.kill(pid, 'SIGTERM') // init passes it on as SIGINT
        } catch {
          // gone in between: the outcome is on its way
        }
      }
      const timer = setTimeout(() => ended || control.write('k'), pid === null ? 0 : graceMs)
      void outcome.catch(() => {}).finally(() => clearTimeout(timer))
    },
  }
}

/** Returns when the process is no more; a namespace's first process outlives all others of it. */
async function gone(pid: number | null): Promise<void> {
  if (pid === null) return
  for (let attempt = 0; attempt < 5000; attempt++) {
    if (!isRunning(pid)) return
    await sleep(1)
  }
}

function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1))
  } catch {
    return false
  }
}

function collect(stream: Readable): () => string {
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    if (text.length < MAX_DIAGNOSTICS) text += chunk
  })
  return () => text
}

async function readOutcome(
  report: string,
  status: string,
  diagnostics: string,
  options: LaunchOptions,
): Promise<ProcessOutcome> {
  const numbers = (report.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
  const started = status.startsWith('started')
  const failed = /^failed (\d+)$/m.exec(status)
  const moved = /^moved (.*)$/m.exec(status)
  if (moved) {
    throw new SrecodexError(
      'SANDBOX_UNAVAILABLE',
      `${moved[1]} was moved or replaced while the sandbox was made`,
      {
        hint: 'something else writes to this workspace, such as another run: start it again',
        details: { cause: 'workspace-changed', path: moved[1] },
      },
    )
  }
  if (failed) {
    throw new SrecodexError('INTERPRETER_NOT_FOUND', `cannot start ${options.command[0]} in the sandbox`, {
      hint: 'srecodex doctor shows which interpreters it finds',
      details: { errno: Number(failed[1]) },
    })
  }
  if (numbers.length !== 9 || numbers.some(Number.isNaN)) {
    if (started) return lostSupervisor(options)
    throw sandboxFailure(diagnostics + printed(options.stderrPath))
  }
  const captured = (at: number): CapturedStream => ({
    bytes: numbers[at]!,
    lines: numbers[at + 1]!,
    keptBytes: numbers[at + 2]!,
    writeErrno: numbers[at + 3]!,
  })
  const streams = { stdout: captured(0), stderr: captured(4), supervisorLost: false }
  const ended = /^ended (\d+)$/m.exec(status)
  if (!ended) {
    // Killed from outside, or bubblewrap gave up before the script began.
    if (!started && numbers[8] !== 9) throw sandboxFailure(diagnostics + printed(options.stderrPath))
    return { exitCode: null, signal: 'SIGKILL', ...streams }
  }
  return { ...decodeWaitStatus(Number(ended[1])), ...streams }
}

/** Before the script began, what stands on its stderr is bubblewrap's. */
function printed(path: string): string {
  return readFileSync(path, 'utf8').slice(0, MAX_DIAGNOSTICS)
}

/** The supervisor itself was killed: the tree died with it, the counts are gone. */
async function lostSupervisor(options: LaunchOptions): Promise<ProcessOutcome> {
  const [stdout, stderr] = await Promise.all([keptStream(options.stdoutPath), keptStream(options.stderrPath)])
  return { exitCode: null, signal: 'SIGKILL', stdout, stderr, supervisorLost: true }
}

async function keptStream(path: string): Promise<CapturedStream> {
  const kept = await countKept(path)
  return { ...kept, keptBytes: kept.bytes, writeErrno: 0 }
}

/** See `guest/init.pl` for the fields. */
function specification(options: LaunchOptions): string {
  const { limits } = options
  const { prlimit64, prctl, close } = systemCalls()
  const fields = [
    `N${prlimit64},${prctl},${close}`,
    'L4,1', // no core files; and at 1, unlike at 0, no program of the host's core_pattern is handed one either
    `L1,${limits.fileSizeBytes}`,
    `L7,${limits.openFiles}`,
    ...(limits.dataBytes === null ? [] : [`L2,${limits.dataBytes}`]),
    ...(limits.processes === null ? [] : [`L6,${limits.processes}`]),
    ...(limits.cpuSeconds === null ? [] : [`L0,${limits.cpuSeconds}`]),
    ...(options.forwarder === null ? [] : [`F${options.forwarder.port},${options.forwarder.socket}`]),
    ...options.mounts.map(({ path, identity }) => `M${identity ?? ''},${path}`),
    ...Object.entries(options.environment).map(([name, value]) => `E${name}=${value}`),
    ...options.command.map(argument => `A${argument}`),
  ]
  return fields.map(field => `${field}\0`).join('')
}

/** A NUL ends a field: what an argument holds after one would be read as fields of its own, and lift the limits. */
function refuseNul(options: LaunchOptions): void {
  const texts = [...options.command, ...Object.entries(options.environment).flat()]
  if (!texts.some(text => text.includes('\0'))) return
  throw new SrecodexError('REFUSED', 'an argument or a variable of the script holds a NUL byte', {
    hint: 'pass such data in a file of the workspace',
  })
}

function systemCalls(): SystemCalls {
  const numbers = SYSTEM_CALLS[process.arch]
  if (numbers === undefined || process.platform !== 'linux') {
    throw new SrecodexError(
      'SANDBOX_UNAVAILABLE',
      `srecodex cannot isolate scripts on ${process.platform} ${process.arch}`,
      {
        hint: 'run it on x86-64 or arm64 Linux',
        details: { cause: 'platform' },
      },
    )
  }
  return numbers
}
