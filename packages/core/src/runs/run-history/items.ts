/** The items of one journal, in the order in which they were named: where each stands, and when it was worked on. */

import { redactRows } from '../call-words.ts'
import type { ItemEntry, ItemState } from '../journal/entries.ts'
import type { Redactor } from '../redact.ts'

export interface ItemAttempt {
  /** Since the journal was begun. */
  readonly startMs: number
  /** Null: it goes on, or nobody knows when it ended. */
  readonly endMs: number | null
  readonly state: ItemState
}

export interface ItemHistory {
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

interface ItemEntries {
  last: ItemEntry
  wave: number | null
  readonly attempts: { startMs: number; endMs: number | null; state: ItemState }[]
}

/** Hears the entries of one journal, in their order. */
export class ItemHistories {
  readonly #items = new Map<string, ItemEntries>()

  /** @param at Milliseconds since the journal was begun. */
  hear(entry: ItemEntry, at: number): void {
    if (entry.carried === true) return // named again where this run has it too
    const item = this.#items.get(entry.key) ?? { last: entry, wave: null, attempts: [] }
    this.#items.set(entry.key, item)
    item.last = entry
    item.wave = entry.wave ?? item.wave
    if (entry.state === 'running') item.attempts.push({ startMs: at, endMs: null, state: 'running' })
    else endAttempt(item, at, entry.state)
  }

  async shown(redactor: Redactor): Promise<ItemHistory[]> {
    const all = [...this.#items.values()]
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
}

function endAttempt({ attempts }: ItemEntries, at: number, state: ItemState): void {
  const open = attempts.at(-1)
  if (open === undefined || open.endMs !== null) return
  open.endMs = at
  open.state = state
}
