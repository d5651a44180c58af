/**
 * One command of a script: the call in, what it reads, what it prints, how it ends.
 *
 * Promises: a handler that was started runs until it settles, whatever the caller does, and its caller hears of
 * the end only after everything that was printed. Anything that was not asked for cuts the caller off, and so
 * does a file that stops arriving; stdin may take its time, and output waits for whoever reads it. Input files
 * are gone before the caller hears of the end.
 *
 * Invariant: nobody but the caller is kept waiting by what the caller does.
 */

import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CommandCall, CommandExit, CommandHandler } from '../calls.ts'
import { boundsOf, CallError, type FrameDecoder } from '../protocol.ts'
import { describeFailure, encodeExit, parseCommand } from './command-frames.ts'
import { CommandInput, type SpoolFolder } from './command-input.ts'
import { CommandOutput } from './command-output.ts'
import type { ChannelLimits } from './limits.ts'

/** What a session needs of the channel that it belongs to. */
export interface SessionOwner {
  readonly limits: ChannelLimits
  readonly handler: CommandHandler
  readonly spools: SpoolFolder
  /** False when all connections together now hold too much. */
  account(changeBytes: number): boolean
  /** False once the commands have had enough of this turn of the loop: the rest waits for the next. */
  mayGoOn(): boolean
  /** The caller is gone and the handler has settled. */
  leave(session: CommandSession): void
  reportFault(fault: unknown): void
}

const INPUT = boundsOf('piece', 'end')
/** The shell's code for what was found and not run. */
const REFUSED: CommandExit = { exitCode: 126, signal: null }

export class CommandSession {
  readonly #socket: Socket
  readonly #decoder: FrameDecoder
  readonly #owner: SessionOwner
  readonly #input: CommandInput
  readonly #output: CommandOutput
  readonly #interrupt = new AbortController()
  #call: CommandCall | null = null
  /** Of the call, which lives for as long as its handler. */
  #callBytes = 0
  #countedBytes = 0
  #settled = false
  #gone = false
  #consuming = false
  /** Since when the input that is awaited stands still. */
  #quietSince = Infinity
  #frameSince = Infinity

  /** @param decoder Has given the command frame, and holds what came after it. The socket is paused. */
  constructor(socket: Socket, decoder: FrameDecoder, owner: SessionOwner) {
    this.#socket = socket
    this.#decoder = decoder
    this.#owner = owner
    decoder.expect(INPUT)
    const output = new CommandOutput(socket, () => this.#account())
    this.#output = output
    this.#input = new CommandInput(owner.limits, owner.spools, {
      send: frame => {
        this.#quietSince = performance.now()
        socket.write(frame)
      },
      get hasOutput() {
        return output.begun
      },
    })
    socket.on('data', chunk => this.#receive(chunk))
    // The end of what a caller sends is a hang-up: it keeps its side open for as long as its command runs.
    socket.on('end', () => this.destroy())
    socket.on('close', () => this.destroy())
  }

  /** When the input that is awaited, or a frame of it, last came to a stand; `Infinity` where none does. */
  get stalledSince(): number {
    if (this.#consuming || this.#deaf) return Infinity
    const path = this.#input.awaited
    const quietSince = path === null || path === '-' ? Infinity : this.#quietSince
    return Math.min(quietSince, this.#frameSince)
  }

  get unsentSince(): number {
    return this.#output.unsentSince
  }

  get settled(): boolean {
    return this.#settled
  }

  /** Runs the command, or tells the caller why not. */
  start(payload: Buffer, refusal: CallError | null): void {
    try {
      if (refusal !== null) throw refusal
      this.#call = parseCommand(payload)
    } catch (error) {
      void this.#end(this.#failure(error), null)
      this.#socket.resume()
      return
    }
    this.#callBytes = payload.length
    this.#account()
    if (this.#decoder.heldBytes > 0) this.destroy()
    if (this.#gone) {
      this.#settle()
      return
    }
    this.#socket.resume()
    void this.#run(this.#call)
  }

  /** The run is over: the command hears of it, and may still say how it ended. */
  interrupt(): void {
    if (this.#settled) return
    this.#interrupt.abort()
    this.#input.abandon()
  }

  /** Hangs up. */
  destroy(): void {
    if (this.#gone) return
    this.#gone = true
    this.interrupt()
    this.#output.hangUp()
    this.#socket.destroy()
    this.#account()
    this.#leave()
  }

  /** Removes its files although its handler has not settled. */
  async abandon(): Promise<void> {
    this.destroy()
    await this.#input.close()
  }

  async #run(call: CommandCall): Promise<void> {
    const { signal } = this.#interrupt
    const peer = {
      signal,
      read: (path: string) => this.#input.read(path),
      write: (stream: 'stdout' | 'stderr', chunk: Uint8Array) =>
        this.#settled ? Promise.resolve() : this.#output.write(stream, chunk),
    }
    let failure: CallError | null = null
    let exit: Buffer | null = null
    try {
      exit = encodeExit(await this.#owner.handler(call, peer))
    } catch (error) {
      failure = this.#failure(error)
    }
    await this.#end(failure, exit)
  }

  async #end(failure: CallError | null, exit: Buffer | null): Promise<void> {
    this.#settled = true
    try {
      await this.#input.close()
    } catch (error) {
      this.#owner.reportFault(error)
    }
    if (failure !== null) void this.#output.write('stderr', describeFailure(failure))
    this.#settle()
    await this.#output.end(exit ?? encodeExit(REFUSED))
    // Who is still sending input would lose the end of its command to a failed write.
    if (!this.#gone) setTimeout(() => this.destroy(), this.#owner.limits.drainTimeoutMs).unref()
  }

  #failure(error: unknown): CallError {
    if (error instanceof CallError) return error
    this.#owner.reportFault(error)
    return new CallError('INTERNAL', 'srecodex failed at this command', {
      hint: 'the fault is in srecodex, not in the script; the run goes on',
    })
  }

  /** A caller that still hands over input when its command is over, or was interrupted, has not heard of that yet. */
  get #deaf(): boolean {
    return this.#settled || this.#interrupt.signal.aborted
  }

  #receive(chunk: Buffer): void {
    if (this.#deaf) return
    this.#socket.pause()
    this.#decoder.write(chunk)
    this.#account()
    void this.#consume()
  }

  /** Until all that came is on disk nothing more is listened to. */
  async #consume(): Promise<void> {
    this.#consuming = true
    try {
      for (let frame = this.#decoder.read(); frame !== null; frame = this.#decoder.read()) {
        this.#frameSince = Infinity
        const pending = this.#input.take(frame)
        if (pending !== null) await pending
        if (!this.#owner.mayGoOn()) await nextTurn()
        if (this.#deaf) break
      }
      await this.#input.flush()
    } catch (error) {
      if (!(error instanceof CallError)) this.#owner.reportFault(error)
      this.destroy()
    }
    this.#consuming = false
    this.#account()
    this.#quietSince = performance.now()
    if (this.#decoder.partial) this.#frameSince = Math.min(this.#frameSince, this.#quietSince)
    this.#socket.resume()
  }

  #account(): void {
    const socketBytes = this.#gone
      ? 0
      : this.#decoder.heldBytes + this.#input.heldBytes + this.#socket.writableLength
    const bytes = this.#callBytes + socketBytes
    const fits = this.#owner.account(bytes - this.#countedBytes)
    this.#countedBytes = bytes
    if (!fits) this.destroy()
  }

  #settle(): void {
    this.#settled = true
    this.#callBytes = 0
    this.#account()
    this.#leave()
  }

  #leave(): void {
    if (this.#gone && this.#settled) this.#owner.leave(this)
  }
}
