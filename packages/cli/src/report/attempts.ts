/** Attempts at an item as a row of numbers, three to each: a page has tens of thousands. Pure. */

import type { ItemHistory } from '@srecodex/core'
import { ITEM_STATES, type ShownItemState } from './page-data.ts'

export interface PageAttempt {
  readonly startMs: number
  /** Null: it goes on, or nobody knows when it ended. */
  readonly endMs: number | null
  readonly state: ShownItemState
}

export function packAttempts(attempts: ItemHistory['attempts']): number[] {
  return attempts.flatMap(({ startMs, endMs, state }) => [startMs, endMs ?? -1, ITEM_STATES.indexOf(state)])
}

/** One whose end nobody knows was over when the next began. */
export function unpackAttempts(packed: readonly number[]): PageAttempt[] {
  const attempts: PageAttempt[] = []
  for (let at = 0; at < packed.length; at += 3) {
    const [startMs = 0, endMs = -1, state = 0, nextMs = null] = packed.slice(at, at + 4)
    attempts.push({ startMs, endMs: endMs === -1 ? nextMs : endMs, state: ITEM_STATES[state]! })
  }
  return attempts
}
