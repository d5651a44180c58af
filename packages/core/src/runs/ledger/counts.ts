/** The items of a report. Pure; also for a run that was killed, from the items of its history. */

import type { RunReport } from '../report.ts'
import type { ItemState } from '../journal/entries.ts'

export interface CountedItem {
  readonly key: string
  readonly state: Exclude<ItemState, 'running'>
  readonly class: string | null
}

/** Not cut. Classes of failure by their count, then by name; keys in the order of the items. */
export function countItems(items: Iterable<CountedItem>): NonNullable<RunReport['items']> {
  const counts = { total: 0, ok: 0, failed: 0, unknown: 0, skipped: 0, pending: 0 }
  const classes = new Map<string, string[]>()
  for (const { key, state, class: failure } of items) {
    counts.total += 1
    counts[state] += 1
    if (state !== 'failed') continue
    const name = failure ?? 'failed'
    const keys = classes.get(name)
    if (keys === undefined) classes.set(name, [key])
    else keys.push(key)
  }
  const failures = [...classes]
    .map(([name, keys]) => ({ class: name, count: keys.length, keys }))
    .sort((a, b) => b.count - a.count || (a.class < b.class ? -1 : 1))
  return { ...counts, failures }
}
