/**
 * What a command reads of its caller: stdin, files and folders, one at a time, each asked for once.
 *
 * Promises: nothing is taken that was not asked for; contents go to spool files, bounded for the command and for
 * the channel, and every file is gone after `close`.
 */

import type { CapturedInput } from '../calls.ts'
import { CallError, FRAME_TYPE, type Frame } from '../protocol.ts'
import { encodeWant, MAX_PATH_BYTES, parseEnd } from './command-frames.ts'
import type { ChannelLimits } from './limits.ts'
import { Spool } from './spool.ts'

/** What the commands of one channel share. */
export interface SpoolFolder {
  /** A path that nothing else of this channel has. */
  nextPath(): string
  /** False when the commands together now spool too much. */
  account(changeBytes: number): boolean
}

/** The caller, as far as its input goes. */
export interface InputSource {
  send(frame: Buffer): void
  /** Input comes before output: a caller that prints no longer looks for wants. */
  readonly hasOutput: boolean
}

interface Want {
  readonly path: string
  /** Null once no more is kept: what still comes is passed over, so that the caller gets to hear why. */
  spool: Spool | null
  bytes: number
  /** Taken, while what came before is written. */
  pieces: Buffer[]
  waitingBytes: number
  writing: Promise<void> | null
  writingBytes: number
  readonly answer: PromiseWithResolvers<CapturedInput>
  readonly over: PromiseWithResolvers<void>
}

/** As much waits while as much is written: every command of a run may hold it. */
const MAX_WAITING_BYTES = 128 * 1024
/** What a piece costs beside its bytes. */
const PIECE_BYTES = 128

export class CommandInput {
  readonly #limits: ChannelLimits
  readonly #folder: SpoolFolder
  readonly #source: InputSource
  readonly #answers = new Map<string, Promise<CapturedInput>>()
  readonly #spools: Spool[] = []
  #last: Promise<void> = Promise.resolve()
  #want: Want | null = null
  #spooledBytes = 0
  #closed = false

  constructor(limits: ChannelLimits, folder: SpoolFolder, source: InputSource) {
    this.#limits = limits
    this.#folder = folder
    this.#source = source
  }

  /** The path whose contents are awaited. */
  get awaited(): string | null {
    return this.#want?.path ?? null
  }

  /** In memory, on the way to the disk. */
  get heldBytes(): number {
    return this.#want === null ? 0 : this.#want.waitingBytes + this.#want.writingBytes
  }

  /** @throws {CallError} TOO_LARGE | LIMIT_EXCEEDED | DISCONNECTED */
  read(path: string): Promise<CapturedInput> {
    const known = this.#answers.get(path)
    if (known !== undefined) return known
    const answer = this.#ask(path)
    // Whoever asked hears of it; whoever asks again hears of it again.
    answer.catch(() => {})
    this.#answers.set(path, answer)
    return answer
  }

  /**
   * Gives a promise only where the next frame has to wait.
   *
   * @throws {CallError} The caller does not keep to the protocol.
   */
  take({ type, payload }: Frame): Promise<void> | null {
    const want = this.#want
    if (want === null) throw new CallError('PROTOCOL', 'nobody asked for this')
    return type === FRAME_TYPE.piece ? this.#collect(want, payload) : this.#finish(want, payload)
  }

  /** Begins to write what was taken, all together however small its pieces are. Settles when there is room. */
  async flush(): Promise<void> {
    const want = this.#want
    if (want === null) return
    this.#write(want)
    while (want.writing !== null && want.waitingBytes > MAX_WAITING_BYTES) await want.writing
  }

  /** Who waits for an answer waits no longer. */
  abandon(): void {
    this.#closed = true
    const want = this.#want
    this.#want = null
    if (want === null) return
    drop(want)
    want.answer.reject(disconnected())
    want.over.resolve()
  }

  /** Removes every file. */
  async close(): Promise<void> {
    this.abandon()
    await Promise.all(this.#spools.map(spool => spool.remove()))
    this.#folder.account(-this.#spooledBytes)
    this.#spooledBytes = 0
  }

  async #ask(path: string): Promise<CapturedInput> {
    if (path !== '-' && !path.startsWith('/')) throw new Error(`${JSON.stringify(path)} is not absolute`)
    if (Buffer.byteLength(path) > MAX_PATH_BYTES) return { kind: 'failed', error: 'ENAMETOOLONG' }
    const before = this.#last
    const over = Promise.withResolvers<void>()
    this.#last = over.promise
    await before
    if (this.#closed) throw disconnected()
    if (this.#source.hasOutput) {
      over.resolve()
      throw new Error(`${JSON.stringify(path)} is asked for after the first output`)
    }
    const spool = new Spool(this.#folder.nextPath())
    this.#spools.push(spool)
    const answer = Promise.withResolvers<CapturedInput>()
    const nothing = { bytes: 0, pieces: [], waitingBytes: 0, writing: null, writingBytes: 0 }
    this.#want = { path, spool, answer, over, ...nothing }
    this.#source.send(encodeWant(path))
    return answer.promise
  }

  #collect(want: Want, piece: Buffer): Promise<void> | null {
    if (want.spool === null) return null
    if (this.#spooledBytes + piece.length > this.#limits.maxSpoolBytes) {
      return this.#refuse(want, tooLarge(want.path, this.#limits.maxSpoolBytes))
    }
    if (!this.#folder.account(piece.length)) {
      this.#folder.account(-piece.length)
      return this.#refuse(want, tooMuchAtOnce(this.#limits.maxSpoolBytesAtOnce))
    }
    this.#spooledBytes += piece.length
    want.bytes += piece.length
    want.waitingBytes += piece.length + PIECE_BYTES
    want.pieces.push(piece)
    return null
  }

  #write(want: Want): void {
    if (want.spool === null || want.writing !== null || want.pieces.length === 0) return
    const bytes = Buffer.concat(want.pieces)
    want.pieces = []
    want.waitingBytes = 0
    want.writingBytes = bytes.length
    want.writing = want.spool
      .append(bytes)
      .catch((error: unknown) => this.#refuse(want, error))
      .finally(() => {
        want.writing = null
        want.writingBytes = 0
        this.#write(want)
      })
  }

  async #finish(want: Want, payload: Buffer): Promise<void> {
    const end = parseEnd(payload)
    this.#write(want)
    while (want.writing !== null) await want.writing
    if (end.kind === 'folder' && want.bytes > 0) {
      throw new CallError('PROTOCOL', 'a folder has no contents of its own')
    }
    if (want.spool !== null) {
      if (end.kind === 'file') {
        await want.spool.finish().then(
          file => want.answer.resolve({ kind: 'file', ...file }),
          (error: unknown) => want.answer.reject(error),
        )
      } else {
        await this.#forget(want, want.spool)
        want.answer.resolve(end)
      }
    }
    if (this.#want === want) this.#want = null
    want.over.resolve()
  }

  async #refuse(want: Want, why: unknown): Promise<void> {
    want.answer.reject(why)
    const spool = drop(want)
    if (spool !== null) await this.#forget(want, spool)
  }

  async #forget(want: Want, spool: Spool): Promise<void> {
    // A failure to remove it shows again when the command is over.
    await spool.remove().catch(() => {})
    // What `close` counted off is not counted off again.
    const bytes = Math.min(want.bytes, this.#spooledBytes)
    this.#spooledBytes -= bytes
    this.#folder.account(-bytes)
  }
}

/** Keeps nothing more of it: what is written afterwards would be there for ever. */
function drop(want: Want): Spool | null {
  const { spool } = want
  want.spool = null
  want.pieces = []
  want.waitingBytes = 0
  return spool
}

const disconnected = (): CallError => new CallError('DISCONNECTED', 'the caller of the command is gone')

function tooLarge(path: string, maxBytes: number): CallError {
  const name = path === '-' ? 'stdin' : path
  return new CallError('TOO_LARGE', `a command takes at most ${maxBytes} bytes of input: ${name} has more`, {
    hint: 'split it, and call the command once for each part',
  })
}

function tooMuchAtOnce(maxBytes: number): CallError {
  return new CallError('LIMIT_EXCEEDED', `the commands of a run hold at most ${maxBytes} bytes of input`, {
    hint: 'call fewer commands with large input at once',
  })
}
