/**
 * One caller at the socket: its requests in, its answers out; or, where it begins with a command, the door to a
 * session of its own.
 *
 * Promises: it reads on only once everything read before is answered, so what a caller sends waits in the
 * caller. Bytes that are not the protocol end it; a call that fails, or that nobody takes, is answered so.
 */

import type { Socket } from 'node:net'
import {
  boundsOf,
  CallError,
  encodeFailure,
  encodeResult,
  FRAME_TYPE,
  FrameDecoder,
  parseRequest,
  type CallParams,
  type CallRequest,
} from '../protocol.ts'
import type { ChannelLimits } from './limits.ts'

export interface CallContext {
  /** Aborted when the caller hangs up or the channel closes: its answer goes nowhere. */
  readonly signal: AbortSignal
}

/** Gives the JSON result of one call, or throws a `CallError` with words for the script. */
export type CallHandler = (params: CallParams, context: CallContext) => unknown

/** What a connection needs of the channel that it belongs to. */
export interface ConnectionOwner {
  readonly limits: ChannelLimits
  readonly handlers: ReadonlyMap<string, CallHandler>
  /** Asks for one call of `takeTurn`. */
  wantsTurn(connection: Connection): void
  leave(connection: Connection): void
  /** Null where no commands are taken. It keeps the socket, which is paused, and what is left in the decoder. */
  readonly startCommand: ((socket: Socket, decoder: FrameDecoder, payload: Buffer) => void) | null
  /** Of all connections. */
  readonly unsentBytes: number
  /** False when all connections together now hold too much. */
  account(changeBytes: number, unsentChangeBytes: number): boolean
  reportFault(fault: unknown): void
}

const REQUESTS = boundsOf('request')
const FIRST = boundsOf('request', 'command')

const SMALL_ANSWER_BYTES = 4096

export class Connection {
  readonly #socket: Socket
  readonly #owner: ConnectionOwner
  readonly #decoder: FrameDecoder
  readonly #hangUp = new AbortController()
  #callsInFlight = 0
  #countedBytes = 0
  #countedUnsentBytes = 0
  /** Nothing that it sent counts any more. A socket that merely closed may still have requests in the decoder. */
  #cutOff = false
  #ended = false
  #frameSince = Infinity
  #unsentSince = Infinity

  readonly #listeners: readonly (readonly [string, (chunk: Buffer) => void])[] = [
    ['data', chunk => this.#receive(chunk)],
    ['drain', () => this.#proceed()],
    ['end', () => this.#heardAll()],
    ['close', () => this.#closed()],
  ]

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket
    this.#owner = owner
    this.#decoder = new FrameDecoder(owner.startCommand === null ? REQUESTS : FIRST)
    // A reset or a broken pipe: 'close' follows, and says all there is to say.
    socket.on('error', () => {})
    for (const [event, listener] of this.#listeners) socket.on(event, listener)
  }

  /** When the frame or the answer that is under way began; `Infinity` where none is. */
  get stalledSince(): number {
    return Math.min(this.#frameSince, this.#unsentSince)
  }

  /** Answers one request. */
  takeTurn(): void {
    if (this.#cutOff || !this.#mayAnswer()) return
    let frame
    try {
      frame = this.#decoder.read()
      if (frame !== null) {
        this.#frameSince = Infinity
        if (frame.type === FRAME_TYPE.command) {
          this.#handOver(frame.payload)
          return
        }
        this.#decoder.expect(REQUESTS)
        this.#answer(parseRequest(frame.payload))
      }
    } catch (error) {
      this.#refuse(error)
    }
    this.#account()
    if (frame === null) this.#listenOn()
    else this.#proceed()
  }

  destroy(): void {
    this.#cutOff = true
    this.#hangUp.abort()
    this.#socket.destroy()
    this.#release()
  }

  /** A caller that hung up before its command began does not want it. */
  #handOver(payload: Buffer): void {
    const { startCommand } = this.#owner
    if (this.#ended || this.#socket.destroyed || startCommand === null) {
      this.destroy()
      return
    }
    this.#cutOff = true
    for (const [event, listener] of this.#listeners) this.#socket.off(event, listener)
    this.#closed()
    startCommand(this.#socket, this.#decoder, payload)
  }

  #closed(): void {
    this.#hangUp.abort()
    this.#release()
    this.#owner.leave(this)
  }

  #receive(chunk: Buffer): void {
    this.#socket.pause()
    this.#decoder.write(chunk)
    this.#account()
    this.#proceed()
  }

  #proceed(): void {
    if (!this.#cutOff && this.#socket.isPaused() && this.#mayAnswer()) this.#owner.wantsTurn(this)
  }

  /** Not while the caller leaves its answers unread, nor while enough of its calls are worked on. */
  #mayAnswer(): boolean {
    return !this.#socket.writableNeedDrain && this.#callsInFlight < this.#owner.limits.maxCallsAtOnce
  }

  /** All that came is answered. The clock of a frame in parts runs from its first byte, however it dribbles. */
  #listenOn(): void {
    if (this.#ended) {
      this.#leave()
      return
    }
    if (this.#decoder.partial) this.#frameSince = Math.min(this.#frameSince, performance.now())
    this.#socket.resume()
  }

  #answer(request: CallRequest): void {
    const { id, method, params } = request
    const handler = this.#owner.handlers.get(method)
    if (handler === undefined) {
      const message = `srecodex has no method ${JSON.stringify(method.slice(0, 80))}`
      const hint = `methods: ${[...this.#owner.handlers.keys()].join(', ')}`
      this.#send(id, new CallError('UNKNOWN_METHOD', message, { hint }))
      return
    }
    let result: unknown
    try {
      result = handler(params, { signal: this.#hangUp.signal })
    } catch (error) {
      this.#send(id, this.#failure(error))
      return
    }
    if (result instanceof Promise) void this.#answerLater(id, result)
    else this.#send(id, result)
  }

  async #answerLater(id: CallRequest['id'], pending: Promise<unknown>): Promise<void> {
    this.#callsInFlight += 1
    let result: unknown
    try {
      result = await pending
    } catch (error) {
      result = this.#failure(error)
    }
    this.#callsInFlight -= 1
    this.#send(id, result)
    this.#proceed()
  }

  #failure(error: unknown): CallError {
    if (error instanceof CallError) return error
    this.#owner.reportFault(error)
    return new CallError('INTERNAL', 'srecodex failed at this call', {
      hint: 'the fault is in srecodex, not in the script; the run goes on',
    })
  }

  #send(id: CallRequest['id'], result: unknown): void {
    if (id === null || this.#socket.destroyed || this.#socket.writableEnded) return
    let frame: Buffer
    try {
      frame = result instanceof CallError ? encodeFailure(id, result) : encodeResult(id, result)
      if (!(result instanceof CallError)) this.#fit(frame)
    } catch (error) {
      frame = encodeFailure(id, this.#failure(error))
    }
    this.#write(frame)
  }

  /** Large answers wait in this process. @throws {CallError} TOO_LARGE */
  #fit(frame: Buffer): void {
    const { unsentBytes, limits } = this.#owner
    // An answer that is taken at once waits for nobody, and a small one is no smaller as a failure.
    if (unsentBytes + frame.length <= limits.maxUnsentBytes || frame.length <= SMALL_ANSWER_BYTES) return
    const message = `the answer has ${frame.length} bytes, and ${unsentBytes} of other answers are not read yet`
    throw new CallError('TOO_LARGE', message, { hint: 'ask for less at once, and read what comes' })
  }

  /** After bytes that are not the protocol nothing that follows has a meaning; a mere bad request does no harm. */
  #refuse(error: unknown): void {
    const failure = this.#failure(error)
    const goesOn = failure.id !== null
    if (!this.#socket.writableEnded) this.#write(encodeFailure(failure.id, failure))
    if (goesOn) return
    this.#cutOff = true
    this.#socket.end(() => this.destroy())
    this.#unsentSince = Math.min(this.#unsentSince, performance.now())
  }

  #write(frame: Buffer): void {
    if (this.#socket.writableLength === 0) this.#unsentSince = performance.now()
    this.#socket.write(frame, () => {
      if (this.#socket.writableLength === 0 && !this.#cutOff) this.#unsentSince = Infinity
      this.#account()
    })
    this.#account()
  }

  /**
   * The end of what a caller sends is a hang-up: it keeps its side open for as long as it wants an answer. It is
   * heard while the connection is paused as well, before the last requests had their turn.
   */
  #heardAll(): void {
    this.#ended = true
    this.#hangUp.abort()
    if (this.#socket.isPaused()) this.#proceed()
    else this.#leave()
  }

  #leave(): void {
    if (this.#decoder.partial) this.destroy()
    else this.#socket.end()
  }

  #account(): void {
    if (this.#socket.destroyed) return
    const unsentBytes = this.#socket.writableLength
    const bytes = this.#decoder.heldBytes + unsentBytes
    const fits = this.#owner.account(bytes - this.#countedBytes, unsentBytes - this.#countedUnsentBytes)
    this.#countedBytes = bytes
    this.#countedUnsentBytes = unsentBytes
    if (!fits) this.destroy()
  }

  #release(): void {
    this.#owner.account(-this.#countedBytes, -this.#countedUnsentBytes)
    this.#countedBytes = 0
    this.#countedUnsentBytes = 0
  }
}
