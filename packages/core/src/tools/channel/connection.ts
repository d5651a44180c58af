/**
 * One caller at the socket: its requests in, its answers out.
 *
 * Promises: it reads on only once everything read before is answered, so what a caller sends waits in the
 * caller. Bytes that are not the protocol end it; a call that fails, or that nobody takes, is answered so.
 */

import type { Socket } from 'node:net'
import {
  CallError,
  encodeFailure,
  encodeResult,
  FRAME_TYPE,
  FrameDecoder,
  MAX_JSON_BYTES,
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
  /** False when all connections together now hold too much. */
  account(changeBytes: number): boolean
  reportFault(fault: unknown): void
}

const REQUESTS: ReadonlyMap<number, number> = new Map([[FRAME_TYPE.request, MAX_JSON_BYTES]])

export class Connection {
  readonly #socket: Socket
  readonly #owner: ConnectionOwner
  readonly #decoder = new FrameDecoder(REQUESTS)
  readonly #hangUp = new AbortController()
  #callsInFlight = 0
  #countedBytes = 0
  /** Nothing that it sent counts any more. A socket that merely closed may still have requests in the decoder. */
  #cutOff = false
  #ended = false
  #frameSince = Infinity
  #unsentSince = Infinity

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket
    this.#owner = owner
    // A reset or a broken pipe: 'close' follows, and says all there is to say.
    socket.on('error', () => {})
    socket.on('data', chunk => this.#receive(chunk))
    socket.on('drain', () => this.#proceed())
    socket.on('end', () => this.#heardAll())
    socket.on('close', () => {
      this.#hangUp.abort()
      this.#release()
      this.#owner.leave(this)
    })
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
    } catch (error) {
      frame = encodeFailure(id, this.#failure(error))
    }
    this.#write(frame)
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
    const bytes = this.#decoder.heldBytes + this.#socket.writableLength
    const fits = this.#owner.account(bytes - this.#countedBytes)
    this.#countedBytes = bytes
    if (!fits || this.#socket.writableLength > this.#owner.limits.maxUnsentBytes) this.destroy()
  }

  #release(): void {
    this.#owner.account(-this.#countedBytes)
    this.#countedBytes = 0
  }
}
