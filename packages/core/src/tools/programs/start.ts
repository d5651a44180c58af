/**
 * One start of a program in its sandbox.
 *
 * Promises: what it prints is read only as fast as it is taken; the outcome comes once both streams have ended and
 * the sandbox is gone, with every process in it; what could not start at all is an error and not an exit code.
 */

import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { ProgramOutcome } from '../calls.ts'
import { CallError } from '../protocol.ts'
import type { LaunchedProgram, Launcher } from './launcher.ts'
import { toldEnding } from './outcome.ts'
import { openReader, type Channel } from './pipes.ts'

/** bubblewrap's report, as a file: no stream to wait for, and nothing that the tool inherits. The launcher's number. */
export const STATUS_FD = 3

/** Between asking a program to end and ending it. */
const GRACE_MS = 2000
const POLL_MS = 5
const MAX_COMPLAINT = 4096

export interface StartOptions {
  readonly launcher: Launcher
  /** bubblewrap with its arguments, the program with its own. */
  readonly command: readonly string[]
  /** Of the tool. bubblewrap gets the same: what is in its own can be read inside. */
  readonly environment: Readonly<Record<string, string>>
  /** Host path; null: /dev/null. */
  readonly stdin: string | null
  readonly channel: Channel
  readonly signal: AbortSignal
  /** What is said on stderr, and nothing else, where a mount was not in its place; see `verify-mounts.ts`. */
  readonly refusal: string | null
  /** See `outcome.ts`. */
  readonly ownCodesOnly: boolean
  onOutput(stream: 'stdout' | 'stderr', chunk: Uint8Array): Promise<void> | void
}

/** @throws {CallError} TOOL_FAILED: the sandbox, or the program in it, cannot start. */
export async function startProgram(options: StartOptions): Promise<ProgramOutcome> {
  const startedMs = performance.now()
  const { program, stdout, stderr } = launch(options)
  const sent: NodeJS.Signals[] = []
  const ended = program.ended.then(end => {
    if (end.signal !== null) endFirstProcess(options)
    return end
  })
  const stopEnding = endWhenAborted(program, options, sent)
  const complaint = heldComplaint(options)
  const pump = async (reader: Socket, stream: 'stdout' | 'stderr'): Promise<number> => {
    let bytes = 0
    for await (const chunk of reader as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (stream === 'stderr') await complaint.take(chunk)
      else await options.onOutput(stream, chunk)
    }
    return bytes
  }
  const [end, out, err] = await Promise.allSettled([ended, pump(stdout, 'stdout'), pump(stderr, 'stderr')])
  stopEnding()
  try {
    if (end.status === 'rejected') throw cannotStart((end.reason as Error).message)
    if (out.status === 'rejected') throw out.reason
    if (err.status === 'rejected') throw err.reason
    if (end.value.signal === null && !hasBegun(options.channel.statusPath))
      throw cannotStart(complaint.text())
    if (options.refusal !== null && complaint.text() === options.refusal) throw workspaceChanged()
    await complaint.release()
    return {
      ...toldEnding(end.value, { ownOnly: options.ownCodesOnly, sent }),
      durationMs: Math.round(performance.now() - startedMs),
      stdoutBytes: out.value,
      stderrBytes: err.value,
    }
  } finally {
    if (out.status === 'fulfilled' && err.status === 'fulfilled') options.channel.giveBack()
  }
}

function launch(options: StartOptions): {
  readonly program: LaunchedProgram
  readonly stdout: Socket
  readonly stderr: Socket
} {
  const { command, environment, channel } = options
  const streams: Socket[] = []
  try {
    const { stdout, stderr } = channel
    const [out, err] = [stdout, stderr].map(path => {
      const stream = openReader(path)
      streams.push(stream)
      return stream
    })
    const paths = { stdin: options.stdin ?? '/dev/null', stdout, stderr, status: channel.statusPath }
    const program = options.launcher.start({ command, environment, paths })
    program.ended.catch(() => discard(streams)) // nobody ever writes to them
    return { program, stdout: out!, stderr: err! }
  } catch (error) {
    discard(streams)
    throw cannotStart((error as Error).message)
  }
}

function discard(streams: readonly Socket[]): void {
  for (const stream of streams) stream.destroy()
}

/**
 * bubblewrap says why it cannot start a program on the stream that the program's own errors take, so what looks
 * like that is held until it is known who spoke.
 */
function heldComplaint(options: StartOptions): {
  take(chunk: Buffer): Promise<void>
  text(): string
  release(): Promise<void>
} {
  let held: Buffer[] = []
  let heldBytes = 0
  let holding: boolean | null = null
  const release = async (): Promise<void> => {
    const chunks = held
    held = []
    for (const chunk of chunks) await options.onOutput('stderr', chunk)
  }
  return {
    take: async chunk => {
      holding ??= chunk.subarray(0, 7).toString('latin1') === 'bwrap: '
      held.push(chunk)
      heldBytes += chunk.length
      holding &&= heldBytes < MAX_COMPLAINT
      if (!holding) await release()
    },
    text: () => Buffer.concat(held).toString('utf8').trim(),
    release,
  }
}

/** bubblewrap tells the exit code only of a program that it did start. */
function hasBegun(statusPath: string): boolean {
  return reportOf(statusPath).includes('"exit-code"')
}

function reportOf(statusPath: string): string {
  try {
    return readFileSync(statusPath, 'utf8')
  } catch {
    return ''
  }
}

function cannotStart(why: string): CallError {
  const said = why.replace(/^bwrap: /, '').slice(0, 500)
  return new CallError(
    'TOOL_FAILED',
    `the tool cannot start in its sandbox: ${said || 'no reason was given'}`,
    {
      hint: 'srecodex doctor tries each tool and says what it lacks',
    },
  )
}

export function workspaceChanged(): CallError {
  return new CallError('TOOL_FAILED', 'the workspace changed while the sandbox of the tool was made', {
    hint: 'something writes to it that exchanges folders for links: start the call again',
  })
}

/** bubblewrap forwards no signal: the program is told by its own process id, and what stays is ended with it. */
function endWhenAborted(program: LaunchedProgram, options: StartOptions, sent: NodeJS.Signals[]): () => void {
  let timer: NodeJS.Timeout | null = null
  const kill = (): void => {
    sent.push('SIGKILL')
    program.kill('SIGKILL')
  }
  const end = (waitedMs = 0): void => {
    const first = firstProcess(options)
    if (first === null && waitedMs < GRACE_MS) {
      timer = setTimeout(() => end(waitedMs + POLL_MS), POLL_MS)
      return
    }
    const programs = first === null ? [] : childrenOf(first)
    if (programs.length === 0) return kill()
    sent.push('SIGTERM')
    for (const pid of programs) signalProcess(pid, 'SIGTERM')
    timer = setTimeout(kill, GRACE_MS)
  }
  const onAbort = (): void => end()
  if (options.signal.aborted) end()
  else options.signal.addEventListener('abort', onAbort, { once: true })
  return () => {
    options.signal.removeEventListener('abort', onAbort)
    if (timer !== null) clearTimeout(timer)
  }
}

/**
 * The sandbox's first process ties its life to bubblewrap's only once bubblewrap has told it to go on. Where
 * bubblewrap is killed before that, it waits for the word for ever, and keeps both streams open.
 */
function endFirstProcess(options: StartOptions): void {
  const first = firstProcess(options)
  if (first !== null && isOfSandbox(first)) signalProcess(first, 'SIGKILL')
}

/** Null: bubblewrap has not told of it yet. */
function firstProcess({ channel }: StartOptions): number | null {
  const told = /"child-pid": *(\d+)/.exec(reportOf(channel.statusPath))?.[1]
  return told === undefined ? null : Number(told)
}

/** The first process keeps bubblewrap's words. Another that has its id by now does not have them. */
function isOfSandbox(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('\0--json-status-fd\0')
  } catch {
    return false
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // it has just ended
  }
}
