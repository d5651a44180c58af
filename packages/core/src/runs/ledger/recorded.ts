/** A commit that a script waits for. */

import { SrecodexError } from '../../errors.ts'
import { CallError } from '../../tools/protocol.ts'

/** @throws {CallError} INTERNAL: the journal cannot be written; its owner was told as well. */
export async function recorded(commit: Promise<void>): Promise<void> {
  try {
    await commit
  } catch (error) {
    if (!(error instanceof SrecodexError)) throw error
    throw new CallError('INTERNAL', error.message, error.hint === null ? {} : { hint: error.hint })
  }
}
