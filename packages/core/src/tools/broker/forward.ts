/**
 * One start of a tool's program, its output on the way to the script: streamed as it comes, the beginning kept.
 *
 * What a failed call said on stderr is held back until it is clear that the call is not to be repeated.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandPeer, ProgramCall, ProgramOutcome, Programs } from '../calls.ts'
import type { FailureKind, ToolKnowledge } from '../knowledge/knowledge.ts'
import { MAX_KEPT_BYTES, type KeptOutput } from './record.ts'

export interface Performed {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly durationMs: number
  readonly stdout: KeptOutput
  readonly stderr: KeptOutput
  /** Null where it succeeded. */
  readonly failure: FailureKind | null
}

export type ProgramWords = Omit<ProgramCall, 'onOutput'>

const MAX_ATTEMPTS = 5
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 8000

interface ForwardOptions {
  readonly programs: Programs
  readonly knowledge: ToolKnowledge
  readonly peer: CommandPeer
  /** May a failure that says "too many requests" be repeated? For a mutation only where nothing was done. */
  readonly repeats: (failure: FailureKind) => boolean
}

/** @throws {CallError} REFUSED | TOOL_FAILED: it could not start. */
export async function forward(call: ProgramWords, options: ForwardOptions): Promise<Performed> {
  for (let attempt = 1; ; attempt += 1) {
    const once = await forwardOnce(call, options)
    const again =
      once.failure !== null && !once.begun && attempt < MAX_ATTEMPTS && options.repeats(once.failure)
    if (!again || call.signal.aborted) {
      await once.release()
      return once
    }
    // Full jitter: whoever was refused together should not come back together.
    // https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1))
    await sleep(Math.random() * most, undefined, { signal: call.signal }).catch(() => {})
  }
}

interface Once extends Performed {
  /** Something of stdout went out already. */
  readonly begun: boolean
  /** Lets go what was held back. */
  release(): Promise<void>
}

async function forwardOnce(call: ProgramWords, { programs, knowledge, peer }: ForwardOptions): Promise<Once> {
  const stdout = new Keeper()
  const stderr = new Keeper()
  let held: Uint8Array[] | null = []
  let heldBytes = 0
  let begun = false
  const release = async (): Promise<void> => {
    const chunks = held ?? []
    held = null
    for (const chunk of chunks) await peer.write('stderr', chunk)
  }
  const outcome: ProgramOutcome = await programs.run({
    ...call,
    onOutput: async (stream, chunk) => {
      if (stream === 'stdout') {
        stdout.take(chunk)
        begun = true
        await release()
        await peer.write('stdout', chunk)
        return
      }
      stderr.take(chunk)
      if (held === null) {
        await peer.write('stderr', chunk)
        return
      }
      held.push(Uint8Array.from(chunk))
      heldBytes += chunk.byteLength
      if (heldBytes > MAX_KEPT_BYTES) await release()
    },
  })
  const { exitCode, signal, durationMs } = outcome
  const failure = exitCode === 0 ? null : knowledge.failure(exitCode, stderr.beginning(), stdout.beginning())
  return {
    exitCode,
    signal,
    durationMs,
    stdout: stdout.output(),
    stderr: stderr.output(),
    failure,
    begun,
    release,
  }
}

/** Counts a stream and keeps its beginning. */
class Keeper {
  #bytes = 0
  #chunks: Uint8Array[] = []
  #kept = 0

  take(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength
    if (this.#kept >= MAX_KEPT_BYTES) return
    const piece = Uint8Array.from(chunk.subarray(0, MAX_KEPT_BYTES - this.#kept))
    this.#chunks.push(piece)
    this.#kept += piece.byteLength
  }

  beginning(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }

  output(): KeptOutput {
    return { bytes: this.#bytes, kept: this.#bytes > this.#kept ? null : Buffer.concat(this.#chunks) }
  }
}
