/** What a run that goes on from another writes at the start of its own journal. Pure. */

import type { JournalEntry } from './entries.ts'
import type { RunHistory } from './history.ts'

/**
 * In the order in which they are to be appended; the run commits them (its next commit does) before its script
 * starts, else a second resume would read half a history.
 */
export function carryOver(history: RunHistory): JournalEntry[] {
  const carried = { carried: true } as const
  const entries: JournalEntry[] = history.approvals.map(approval => ({ ...approval, ...carried }))
  for (const [name, value] of history.once) entries.push({ kind: 'once', name, value, ...carried })
  for (const argv of history.may) entries.push({ kind: 'may', argv, ...carried })
  for (const row of history.mutations.values()) {
    for (const { call, result } of row) {
      // One that was settled without being made again counts as made.
      entries.push({ ...call, planned: false, ...carried })
      if (result !== null) entries.push({ ...result, ...carried })
    }
  }
  for (const { key, state, class: failure, message, attempt, value } of history.items.values()) {
    if (state === 'pending' || state === 'failed') continue // to be done: the script names them again
    const recorded = value === undefined ? {} : { value }
    entries.push({ kind: 'item', key, state, class: failure, message, attempt, ...recorded, ...carried })
  }
  return entries
}
