/**
 * What a command prints, on its way to the caller.
 *
 * Promises: bytes of both streams leave in the order in which they were written, uncopied: a chunk is not to be
 * changed once it was handed over. Of what waits for the caller the socket holds a few frames, and the writer the
 * rest, for its `write` settles only when there is room for more, or nobody there any more. A writer that waits
 * for nothing else still lets timers and other connections have their turn.
 */

import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { encodeHeader, FRAME_TYPE, MAX_PAYLOAD_BYTES } from '../protocol.ts'

const FRAME_BYTES = MAX_PAYLOAD_BYTES.stdout
/** Handed to the socket together, and with this much unsent no more is. Every command of a run may hold it. */
const BATCH_BYTES = 2 * FRAME_BYTES
/** What a write costs beside its bytes: also a great many tiny ones are soon enough. */
const WRITE_BYTES = 512
/** A caller that reads at full speed may take this much without the loop coming round. */
const BYTES_IN_A_ROW = 1024 * 1024

const FULL_HEADERS = {
  stdout: encodeHeader(FRAME_TYPE.stdout, FRAME_BYTES),
  stderr: encodeHeader(FRAME_TYPE.stderr, FRAME_BYTES),
}

export class CommandOutput {
  readonly #socket: Socket
  readonly #account: () => void
  #last: Promise<void> = Promise.resolve()
  #begun = false
  #bytesInARow = 0
  #unsentSince = Infinity
  /** Handed to the socket, and not taken by the kernel yet. */
  #unsentBytes = 0
  /** Ends the wait for the caller. A promise to race with would remember every wait that there ever was. */
  #wake: (() => void) | null = null
  #isGone = false

  /** @param account Called whenever what the socket holds has changed. */
  constructor(socket: Socket, account: () => void) {
    this.#socket = socket
    this.#account = account
  }

  /** The caller has been sent output, and is asked for no more input. */
  get begun(): boolean {
    return this.#begun
  }

  /** Since when the caller takes nothing; `Infinity` where nothing waits for it. */
  get unsentSince(): number {
    return this.#unsentSince
  }

  write(stream: 'stdout' | 'stderr', chunk: Uint8Array): Promise<void> {
    this.#begun = true
    return (this.#last = this.#last.then(() => this.#send(stream, chunk)))
  }

  /** The last frame, after everything that was written. Settles when the kernel has it. */
  end(frame: Uint8Array): Promise<void> {
    return (this.#last = this.#last.then(() => {
      if (this.#isGone) return
      return this.#sent(frame.byteLength + WRITE_BYTES, 0, done => this.#socket.end(frame, done))
    }))
  }

  /** Nobody is there any more: every `write` settles. */
  hangUp(): void {
    this.#isGone = true
    this.#wake?.()
  }

  async #send(stream: 'stdout' | 'stderr', chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength && !this.#isGone; at += BATCH_BYTES) {
      const batch = chunk.subarray(at, at + BATCH_BYTES)
      await this.#sent(batch.byteLength + WRITE_BYTES, BATCH_BYTES, done => this.#frame(stream, batch, done))
      this.#bytesInARow += batch.byteLength
      if (this.#bytesInARow < BYTES_IN_A_ROW) continue
      this.#bytesInARow = 0
      await nextTurn()
    }
  }

  #frame(stream: 'stdout' | 'stderr', batch: Uint8Array, done: () => void): void {
    this.#socket.cork()
    for (let at = 0; at < batch.byteLength; at += FRAME_BYTES) {
      const slice = batch.subarray(at, at + FRAME_BYTES)
      const isFull = slice.byteLength === FRAME_BYTES
      const isLast = at + FRAME_BYTES >= batch.byteLength
      this.#socket.write(isFull ? FULL_HEADERS[stream] : encodeHeader(FRAME_TYPE[stream], slice.byteLength))
      this.#socket.write(slice, isLast ? done : undefined)
    }
    this.#socket.uncork()
  }

  async #sent(bytes: number, maxUnsentBytes: number, send: (done: () => void) => void): Promise<void> {
    if (this.#unsentBytes === 0) this.#unsentSince = performance.now()
    this.#unsentBytes += bytes
    send(() => {
      this.#unsentBytes -= bytes
      this.#unsentSince = this.#unsentBytes === 0 ? Infinity : performance.now()
      this.#account()
      this.#wake?.()
    })
    this.#account()
    while (this.#unsentBytes > maxUnsentBytes && !this.#isGone) {
      await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }
}
