/** The runs that are kept: found, followed, ended. */

import { setTimeout as sleep } from 'node:timers/promises'
import { recoverInterrupted } from './cleanup.ts'
import { asOfNow } from './as-of-now.ts'
import { findRun, isAlive, isOpen, readRecord, readRecords, type RunRecord } from './store.ts'

/** Newest first, each as it stands: a run whose srecodex was killed is `interrupted`. */
export async function listRuns(stateFolder: string): Promise<RunRecord[]> {
  await recoverInterrupted(stateFolder)
  return (await readRecords(stateFolder)).map(record => asOfNow(stateFolder, record))
}

/**
 * @param name an id, a unique prefix, or `last`.
 * @throws {SrecodexError} RUN_NOT_FOUND | RUN_AMBIGUOUS
 */
export async function showRun(stateFolder: string, name: string): Promise<RunRecord> {
  await recoverInterrupted(stateFolder)
  return asOfNow(stateFolder, await findRun(stateFolder, name))
}

export interface StopResult {
  readonly record: RunRecord
  /** False where the run had already ended. */
  readonly stopped: boolean
}

/** How long a stopped run may take to write its report: the script's grace, then the supervisor's. */
const STOP_WAIT_MS = 10_000
const POLL_MS = 50

/**
 * Ends a run of any process of this user, and waits for its report.
 *
 * @throws {SrecodexError} RUN_NOT_FOUND | RUN_AMBIGUOUS
 */
export async function stopRun(stateFolder: string, name: string): Promise<StopResult> {
  let record = await showRun(stateFolder, name)
  let stopped = false
  for (let waited = 0; waited < STOP_WAIT_MS && isOpen(record); waited += POLL_MS) {
    // A run that has just begun has no supervisor yet; one whose supervisor is gone is writing its report.
    if (!stopped && record.supervisor !== null && isAlive(record.supervisor)) {
      stopped = ask(record.supervisor.pid)
    }
    await sleep(POLL_MS)
    record = (await readRecord(stateFolder, record.id)) ?? record
  }
  return { record, stopped }
}

function ask(supervisor: number): boolean {
  try {
    process.kill(supervisor, 'SIGTERM')
    return true
  } catch {
    return false // it ended in between
  }
}

/** Yields the record whenever it changes, the last time when the run has ended. */
export async function* watchRun(
  stateFolder: string,
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<RunRecord> {
  let record = await showRun(stateFolder, name)
  yield record
  while (isOpen(record)) {
    await sleep(4 * POLL_MS, undefined, { signal })
    const found = await readRecord(stateFolder, record.id)
    const next = found === null ? record : asOfNow(stateFolder, found)
    if (JSON.stringify(next) !== JSON.stringify(record)) yield next
    record = next
  }
}
