/** One item of a run: its state, its attempts, and what became of its mutations. */

import type { ItemEntry, ItemState, MutationOutcome } from '../journal/entries.ts'
import type { PastItem } from '../journal/history.ts'

type CallState = 'started' | MutationOutcome

export class Item {
  readonly key: string
  readonly token: string
  readonly parent: Item | null
  state: ItemState
  attempt = 0
  class: string | null = null
  message: string | null = null
  /** Class of the last call of this attempt that failed. */
  callFailure: string | null = null
  /** JSON of its value; null: none. Kept only where this run may be asked for it. */
  value: string | null = null
  /** It failed, and may be started again. */
  mayRetry = false
  /** A call of it was not in the approved plan. */
  isUnplanned = false
  /** The script looked, and what was begun in a run before is not done. */
  isRedone = false
  /** Its state is what a run before left. */
  isPast: boolean
  /** An `each` of this attempt of its parent has it; otherwise the next one may take it over. */
  isClaimed = true
  /** Numbers of the eaches that its present attempt opened. */
  readonly eaches: number[] = []
  /** Mutations of it, and of the items below it, that may have changed something. */
  #changes = 0
  #calls: Map<string, CallState> | null = null

  constructor(key: string, token: string, parent: Item | null, past: PastItem | null) {
    this.key = key
    this.token = token
    this.parent = parent
    const isKept = past?.state === 'ok' || past?.state === 'skipped' || past?.state === 'unknown'
    this.isPast = isKept
    this.state = isKept ? past.state : 'pending'
    if (!isKept) return
    this.class = past.class
    this.message = past.message
    if (past.value !== undefined) this.value = JSON.stringify(past.value)
  }

  /** What the report says of it now. */
  get reported(): Exclude<ItemState, 'running'> {
    if (this.state !== 'running') return this.state
    if (this.isOutside) return 'skipped'
    return this.has('started') || this.has('unknown') || this.has('failed') ? 'unknown' : 'pending'
  }

  /** It, or an item that it belongs to, is not in the plan. */
  get isOutside(): boolean {
    return this.isUnplanned || (this.parent?.isOutside ?? false)
  }

  /** No mutation of it, or below it, was started that did not fail definitely. */
  get isUntouched(): boolean {
    return this.#changes === 0
  }

  has(state: CallState): boolean {
    for (const known of this.#calls?.values() ?? []) if (known === state) return true
    return false
  }

  setCall(call: string, state: CallState): void {
    this.#calls ??= new Map()
    const before = this.#calls.get(call)
    this.#calls.set(call, state)
    const change = Number(mayHaveChanged(state)) - Number(before !== undefined && mayHaveChanged(before))
    if (change !== 0) this.#count(change)
  }

  start(): void {
    this.state = 'running'
    this.attempt += 1
    this.mayRetry = false
    this.isPast = false
    this.class = null
    this.message = null
    this.callFailure = null
  }

  #count(change: number): void {
    this.#changes += change
    if (this.parent !== null) this.parent.#count(change)
  }

  entry(value: unknown): ItemEntry {
    const { key, state, class: failure, message, attempt } = this
    return {
      kind: 'item',
      key,
      state,
      class: failure,
      message,
      attempt,
      ...(value === undefined ? {} : { value }),
    }
  }
}

function mayHaveChanged(state: CallState): boolean {
  return state !== 'failed-definite'
}
