/**
 * The durable record of one run: what was approved, what was called, what came of it, how each item ended.
 *
 * One process writes it, once; everyone reads it. A line that was committed is there after a kill or a loss of
 * power; a line that was appended is there after a kill once it was written, which is soon. Truth is what a reader
 * finds: a mutation whose start is there and whose result is not may have happened.
 *
 * It refuses to go on after a write that failed: see `journal/appender.ts` for what is still taken on a full disk.
 */

import type { SrecodexError } from '../errors.ts'
import { Appender } from './journal/appender.ts'
import type { JournalEntry } from './journal/entries.ts'

export type { JournalEntry, RecordedEntry } from './journal/entries.ts'
export { readJournal, streamJournal } from './journal/read.ts'

export interface Journal {
  /** Written soon, in order. What cannot be written is told by `onFailure` and by `close`. */
  append(entry: JournalEntry): void
  /** Resolves once it is durable, and all before it. @throws {SrecodexError} DISK_FULL | STATE_UNWRITABLE */
  commit(entry: JournalEntry): Promise<void>
  /** Makes everything durable first. @throws {SrecodexError} DISK_FULL | STATE_UNWRITABLE: not all was written */
  close(): Promise<void>
}

export interface JournalOptions {
  /**
   * Space that is set aside with the first mutation, for how mutations ended when the disk is full by then.
   * 0: none, and a full disk may take no more at all.
   * @default 524_288
   */
  readonly reserveBytes?: number
  /** Heard once: the run is to be ended, for nothing new can be recorded. @default nobody hears */
  readonly onFailure?: (error: SrecodexError) => void
}

const RESERVE_BYTES = 512 * 1024

/**
 * Creates `path`, which must not exist: a run has one journal, and no two processes write it.
 *
 * @throws {SrecodexError} STATE_UNWRITABLE | DISK_FULL
 */
export function createJournal(path: string, options: JournalOptions = {}): Journal {
  const { reserveBytes = RESERVE_BYTES, onFailure = () => {} } = options
  return new Appender(path, { reserveBytes, onFailure })
}
