/** Bytes of values that a run has recorded: whoever resumes it holds all of them in memory. */

import { CallError } from '../../tools/protocol.ts'
import type { RunHistory } from '../journal/history.ts'

export class Spending {
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number, history: RunHistory | null) {
    this.#maxBytes = maxBytes
    for (const value of history?.once.values() ?? []) this.#bytes += sizeOf(value)
    for (const { value } of history?.items.values() ?? [])
      if (value !== undefined) this.#bytes += sizeOf(value)
  }

  /** @throws {CallError} LIMIT_EXCEEDED */
  spend(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes) {
      throw new CallError(
        'LIMIT_EXCEEDED',
        `the values of a run have at most ${this.#maxBytes} bytes of JSON`,
        {
          hint: 'write results to an artifact, and record no more than their names',
        },
      )
    }
    this.#bytes += bytes
  }
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '')
}
