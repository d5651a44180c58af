/**
 * One input of a command, written to a file of the run as it arrives.
 *
 * Promises: the file is new, has mode 0600, and is gone after `remove`, whatever was under way; no more of it is
 * in memory than the piece that is being written.
 */

import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rm, type FileHandle } from 'node:fs/promises'

export interface SpooledFile {
  readonly spool: string
  readonly bytes: number
  readonly sha256: string
}

export class Spool {
  readonly #path: string
  readonly #digest = createHash('sha256')
  #file: FileHandle | null = null
  #bytes = 0
  /** One step after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
  }

  /** Settles when it is written. */
  append(piece: Uint8Array): Promise<void> {
    this.#bytes += piece.byteLength
    return this.#then(async () => {
      const file = (this.#file ??= await this.#create())
      this.#digest.update(piece)
      for (let at = 0; at < piece.byteLength;) at += (await file.write(piece, at)).bytesWritten
    })
  }

  /** Once. Also an empty input has a file. */
  finish(): Promise<SpooledFile> {
    return this.#then(async () => {
      this.#file ??= await this.#create()
      await this.#close()
      return { spool: this.#path, bytes: this.#bytes, sha256: this.#digest.digest('hex') }
    })
  }

  remove(): Promise<void> {
    return this.#then(async () => {
      await this.#close()
      await rm(this.#path, { force: true })
    })
  }

  #create(): Promise<FileHandle> {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
    return open(this.#path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.close()
  }

  #then<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#last.then(step)
    this.#last = done.catch(() => {})
    return done
  }
}
