/**
 * The one writer of a journal file.
 *
 * Promises: lines are whole and in the order in which they were given; `seq` has no gap; a commit resolves once its
 * line, and every line before it, is on the disk. What comes together shares one write and one fdatasync, and what
 * comes during a sync shares the next.
 *
 * A write that fails takes back its part of a line. On a full disk the reserve goes to how things ended: committed
 * `result`, `item` and `end`; everything else is refused from then on. A sync that fails is final: the kernel may
 * have dropped the pages, and a second sync would say that all is well
 * (https://wiki.postgresql.org/wiki/Fsync_Errors).
 */

import { close, constants, fdatasync, ftruncate, openSync, write } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { SrecodexError } from '../../errors.ts'
import { storeError } from '../store.ts'
import { MAX_LINE_BYTES, type JournalEntry } from './entries.ts'
import { Reserve } from './reserve.ts'

const writeTo = promisify(write)
const syncData = promisify(fdatasync)
const truncateTo = promisify(ftruncate)
const closeFile = promisify(close)

const MAX_BATCH_BYTES = 4 * 1024 * 1024

/** What may still be said when only the reserve is left. */
const ENDINGS: ReadonlySet<JournalEntry['kind']> = new Set(['result', 'item', 'end'])

interface Waiting {
  resolve(): void
  reject(error: SrecodexError): void
}

interface Line {
  readonly kind: JournalEntry['kind']
  readonly startsMutation: boolean
  readonly at: string
  /** JSON without its opening brace: the stamp goes before it once its number is known. */
  readonly rest: string
  /** Null: appended only. */
  readonly waiting: Waiting | null
}

export interface AppenderOptions {
  readonly reserveBytes: number
  readonly onFailure: (error: SrecodexError) => void
}

export class Appender {
  readonly #path: string
  readonly #fd: number
  readonly #reserve: Reserve
  readonly #onFailure: (error: SrecodexError) => void
  #queue: Line[] = []
  #seq = 0
  #wholeBytes = 0
  #isFolderSynced = false
  #isSynced = true
  /** Only the reserve is left. */
  #scarce: SrecodexError | null = null
  #failure: SrecodexError | null = null
  #writing: Promise<void> | null = null
  #closing: Promise<void> | null = null

  constructor(path: string, { reserveBytes, onFailure }: AppenderOptions) {
    this.#path = path
    this.#reserve = new Reserve(`${path}.reserve`, reserveBytes)
    this.#onFailure = error => {
      try {
        onFailure(error)
      } catch {
        // Whoever cannot even hear of it is told by every commit, and by `close`.
      }
    }
    try {
      const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL
      this.#fd = openSync(path, flags, 0o600)
    } catch (error) {
      throw this.#inWords(error)
    }
  }

  append(entry: JournalEntry): void {
    if (this.#closing !== null) throw closed(this.#path)
    if (this.#failure === null) this.#enqueue(this.#line(entry, null))
  }

  commit(entry: JournalEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closing !== null) reject(closed(this.#path))
      else if (this.#failure !== null) reject(this.#failure)
      else this.#enqueue(this.#line(entry, { resolve, reject }))
    })
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  #line(entry: JournalEntry, waiting: Waiting | null): Line {
    const rest = JSON.stringify(entry).slice(1)
    if (Buffer.byteLength(rest) > MAX_LINE_BYTES - 128) {
      throw new SrecodexError('LIMIT_EXCEEDED', `an entry of the journal has ${rest.length} characters`, {
        details: { limit: MAX_LINE_BYTES },
      })
    }
    const startsMutation = entry.kind === 'call' && entry.effect === 'mutate' && waiting !== null
    return { kind: entry.kind, startsMutation, at: new Date().toISOString(), rest, waiting }
  }

  #enqueue(line: Line): void {
    this.#queue.push(line)
    this.#writing ??= this.#drain()
  }

  async #drain(): Promise<void> {
    // All that is given in this turn of the loop comes along.
    await new Promise(resolve => setImmediate(resolve))
    while (this.#queue.length > 0) {
      if (this.#failure === null) await this.#write(this.#takeBatch())
      else this.#refuse(this.#queue.splice(0), this.#failure)
    }
    this.#writing = null
  }

  #takeBatch(): Line[] {
    let chars = 0
    let count = 0
    while (count < this.#queue.length && chars < MAX_BATCH_BYTES) {
      chars += this.#queue[count]!.rest.length
      count += 1
    }
    return this.#queue.splice(0, count)
  }

  async #write(batch: readonly Line[]): Promise<void> {
    const lines = this.#scarce === null ? batch : this.#onlyEndings(batch, this.#scarce)
    if (lines.length === 0) return
    const waiting = lines.flatMap(line => line.waiting ?? [])
    const text = lines.map(({ at, rest }, i) => `{"seq":${this.#seq + 1 + i},"at":"${at}",${rest}\n`).join('')
    const bytes = Buffer.from(text)
    try {
      if (this.#scarce === null && lines.some(line => line.startsMutation)) await this.#reserve.hold()
      for (let at = 0; at < bytes.length;) at += (await writeTo(this.#fd, bytes, at)).bytesWritten
    } catch (error) {
      await this.#cannotWrite(lines, error)
      return
    }
    this.#seq += lines.length
    this.#wholeBytes += bytes.length
    this.#isSynced = false
    if (waiting.length === 0) return
    try {
      await this.#sync()
    } catch (error) {
      this.#fail(lines, this.#inWords(error))
      return
    }
    for (const committer of waiting) committer.resolve()
  }

  async #sync(): Promise<void> {
    await Promise.all([syncData(this.#fd), this.#isFolderSynced ? null : syncFolder(dirname(this.#path))])
    this.#isFolderSynced = true
    this.#isSynced = true
  }

  async #cannotWrite(lines: readonly Line[], cause: unknown): Promise<void> {
    const error = this.#inWords(cause)
    try {
      await truncateTo(this.#fd, this.#wholeBytes)
    } catch {
      // Half a line stays, as the last: readers drop it, and nothing follows it.
      this.#fail(lines, error)
      return
    }
    if (error.code !== 'DISK_FULL' || this.#scarce !== null) {
      this.#fail(lines, error)
      return
    }
    this.#scarce = error
    await this.#reserve.release()
    this.#onFailure(error)
    await this.#write(lines)
  }

  #onlyEndings(lines: readonly Line[], error: SrecodexError): Line[] {
    const isEnding = ({ kind, waiting }: Line): boolean => waiting !== null && ENDINGS.has(kind)
    this.#refuse(
      lines.filter(line => !isEnding(line)),
      error,
    )
    return lines.filter(isEnding)
  }

  #fail(lines: readonly Line[], error: SrecodexError): void {
    const isNews = this.#scarce === null
    this.#failure = error
    this.#refuse(lines, error)
    if (isNews) this.#onFailure(error)
  }

  #refuse(lines: readonly Line[], error: SrecodexError): void {
    for (const { waiting } of lines) waiting?.reject(error)
  }

  async #close(): Promise<void> {
    while (this.#writing !== null) await this.#writing
    try {
      if (this.#failure === null && !this.#isSynced) await this.#sync()
    } catch (error) {
      this.#failure = this.#inWords(error)
    } finally {
      await this.#reserve.release()
      await closeFile(this.#fd)
    }
    const failure = this.#failure ?? this.#scarce
    if (failure !== null) throw failure
  }

  #inWords(cause: unknown): SrecodexError {
    const error = storeError(this.#path, cause)
    if (error instanceof SrecodexError) return error
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
    return new SrecodexError('STATE_UNWRITABLE', `the journal ${this.#path} cannot be written (${code})`, {
      hint: 'see whether the disk is in order; SRECODEX_HOME moves the store to another one',
      details: { path: this.#path },
      cause,
    })
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function closed(path: string): SrecodexError {
  return new SrecodexError('INTERNAL', `the journal ${path} is closed`)
}
