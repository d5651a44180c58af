/** The items of one journal, in the order in which they were named: where each stands, and when it was worked on. */

import { redactRows } from '../call-words.ts'
import type { ItemEntry, ItemState, RecordedEntry } from '../journal/entries.ts'
import type { Redactor } from '../redact.ts'

export interface ItemAttempt {
  /** Since the journal was begun. */
  readonly startMs: number
  /** Null: it goes on, or nobody knows when it ended. */
  readonly endMs: number | null
  readonly state: ItemState
}

export interface AccountItem {
  readonly key: string
  readonly state: ItemState
  readonly class: string | null
  readonly message: string | null
  /** Of its `each`, from 1; null: that has none, or it was never started. */
  readonly wave: number | null
  /** Its state is what an earlier run left. */
  readonly carried: boolean
  readonly attempts: readonly ItemAttempt[]
}

interface Told {
  last: ItemEntry
  wave: number | null
  attempts: { startMs: number; endMs: number | null; state: ItemState }[]
}

export async function itemsOf(
  entries: readonly RecordedEntry[],
  begun: number,
  redactor: Redactor,
): Promise<AccountItem[]> {
  const items = new Map<string, Told>()
  for (const entry of entries) {
    if (entry.kind !== 'item' || entry.carried === true) continue // named again where this run has it too
    const told = items.get(entry.key) ?? { last: entry, wave: null, attempts: [] }
    items.set(entry.key, told)
    const at = Math.max(0, Date.parse(entry.at) - begun)
    told.last = entry
    told.wave = entry.wave ?? told.wave
    if (entry.state === 'running') told.attempts.push({ startMs: at, endMs: null, state: 'running' })
    else endAttempt(told, at, entry.state)
  }
  const all = [...items.values()]
  const rows = await redactRows(
    all.map(({ last }) => [last.key, last.class ?? '', last.message ?? '']),
    redactor,
  )
  return all.map(({ last, wave, attempts }, index) => {
    const [key, failure, message] = rows[index] as [string, string, string]
    const isEnded = last.state !== 'pending' && last.state !== 'running'
    return {
      ...{ key, state: last.state, wave, attempts },
      class: last.class === null ? null : failure,
      message: last.message === null ? null : message,
      carried: isEnded && attempts.length === 0,
    }
  })
}

function endAttempt({ attempts }: Told, at: number, state: ItemState): void {
  const open = attempts.at(-1)
  if (open === undefined || open.endMs !== null) return
  open.endMs = at
  open.state = state
}
