/**
 * Space that is set aside beside a journal, so that a disk that fills up while mutations are in flight still holds
 * how they ended. As real bytes: a hole reserves nothing.
 */

import { open, rm } from 'node:fs/promises'

export class Reserve {
  readonly #path: string
  readonly #bytes: number
  #tried = false

  constructor(path: string, bytes: number) {
    this.#path = path
    this.#bytes = bytes
  }

  /** Once. @throws what the disk says */
  async hold(): Promise<void> {
    if (this.#tried || this.#bytes === 0) return
    this.#tried = true
    const file = await open(this.#path, 'w', 0o600)
    try {
      await file.writeFile(Buffer.alloc(this.#bytes))
    } finally {
      await file.close()
    }
  }

  /** Never throws: what cannot be removed frees nothing, and the next write says so. */
  async release(): Promise<void> {
    if (this.#tried) await rm(this.#path, { force: true }).catch(() => {})
  }
}
