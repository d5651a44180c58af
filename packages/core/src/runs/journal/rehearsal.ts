/**
 * Whether a journal tells of a rehearsal: whether a run is a plan is known at its first change, and a script that
 * makes none has done its job by then.
 */

import type { RecordedEntry } from './entries.ts'

export async function isRehearsal(
  entries: AsyncIterable<RecordedEntry> | Iterable<RecordedEntry>,
): Promise<boolean> {
  for await (const entry of entries) {
    if (entry.kind === 'begin' && entry.phase !== 'plan') return false
    if (entry.kind === 'call' && entry.planned && entry.carried !== true) return true
  }
  return false
}
