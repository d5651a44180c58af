/**
 * What a run's journal says about what is done, what is not, and what nobody knows. Pure.
 *
 * It covers the runs before as well: each resuming run begins its journal with what it took over (`carryOver`), so
 * only the journal of the direct parent is ever read. What was merely planned is not done: of a planning run only
 * decisions (`once`, `may`) and what it had carried itself count.
 */

import type {
  ApprovedEntry,
  BeginEntry,
  CallEntry,
  ItemEntry,
  ItemState,
  MutationOutcome,
  RecordedEntry,
  ResultEntry,
} from './entries.ts'
import { Attempts } from './attempts.ts'
import { streamJournal } from './read.ts'

export interface PastMutation {
  /** `occurrence` is its place among equals: those that are done first. */
  readonly call: CallEntry
  /** Null: it was started, and nobody knows how it ended. */
  readonly result: ResultEntry | null
  /** Never `failed-definite`: what changed nothing is no past. */
  readonly outcome: MutationOutcome
}

export interface PastItem {
  readonly key: string
  /** `ok` and `skipped` are final; `failed` and `pending` are to be done; `unknown` is to be verified first. */
  readonly state: Exclude<ItemState, 'running'>
  readonly class: string | null
  readonly message: string | null
  readonly attempt: number
  /** Undefined: none was recorded. */
  readonly value?: unknown
  /** The run itself had it, not only a run before. */
  readonly own: boolean
  /** Mutations of it whose outcome is not certain. */
  readonly open: readonly PastMutation[]
}

export interface RunHistory {
  /** Null where the run was killed before it was written. */
  readonly begin: BeginEntry | null
  /** Null: it was killed. */
  readonly status: string | null
  readonly approvals: readonly ApprovedEntry[]
  readonly items: ReadonlyMap<string, PastItem>
  /** By identity; `mutations.get(identity)?.[occurrence - 1]`. */
  readonly mutations: ReadonlyMap<string, readonly PastMutation[]>
  readonly once: ReadonlyMap<string, unknown>
  readonly may: readonly (readonly string[])[]
}

/** @throws {SrecodexError} STORE_CORRUPT */
export async function loadHistory(path: string): Promise<RunHistory> {
  const telling = new Telling()
  for await (const entry of streamJournal(path)) telling.hear(entry)
  return telling.history()
}

export function historyOf(entries: Iterable<RecordedEntry>): RunHistory {
  const telling = new Telling()
  for (const entry of entries) telling.hear(entry)
  return telling.history()
}

interface ToldItem {
  entry: ItemEntry | null
  own: boolean
}

class Telling {
  #begin: BeginEntry | null = null
  #status: string | null = null
  readonly #approvals: ApprovedEntry[] = []
  readonly #items = new Map<string, ToldItem>()
  readonly #attempts = new Map<string, Attempts>()
  readonly #calls = new Map<string, ReturnType<Attempts['begin']>>()
  readonly #once = new Map<string, unknown>()
  readonly #may = new Map<string, readonly string[]>()

  hear(entry: RecordedEntry): void {
    switch (entry.kind) {
      case 'begin':
        this.#begin = bare(entry)
        break
      case 'approved':
        this.#approvals.push(bare(entry))
        break
      case 'call':
        if (entry.effect === 'mutate') this.#calls.set(entry.call, this.#attemptsOf(entry).begin(bare(entry)))
        break
      case 'result':
        this.#result(bare(entry))
        break
      case 'item':
        this.#item(bare(entry))
        break
      case 'once':
        if (!this.#once.has(entry.name)) this.#once.set(entry.name, entry.value)
        break
      case 'may':
        this.#may.set(JSON.stringify(entry.argv), entry.argv)
        break
      case 'end':
        this.#status = entry.status
        break
      case 'refused':
        break
    }
  }

  #attemptsOf({ identity }: CallEntry): Attempts {
    const attempts = this.#attempts.get(identity) ?? new Attempts()
    this.#attempts.set(identity, attempts)
    return attempts
  }

  #result(entry: ResultEntry): void {
    const attempt = this.#calls.get(entry.call)
    if (attempt !== undefined) this.#attemptsOf(attempt.call).end(attempt, entry)
  }

  #item(entry: ItemEntry): void {
    const told = this.#items.get(entry.key) ?? { entry: null, own: false }
    this.#items.set(entry.key, told)
    if (entry.carried !== true) told.own = true
    // Nothing that was planned happened, and what is final stays as it was first told, with its value.
    const counts = entry.carried === true || this.#begin?.phase !== 'plan'
    if (counts && told.entry?.state !== 'ok' && told.entry?.state !== 'skipped') told.entry = entry
  }

  history(): RunHistory {
    const mutations = new Map<string, readonly PastMutation[]>()
    const open = new Map<string, PastMutation[]>()
    for (const [identity, attempts] of this.#attempts) {
      const row = attempts.row().map(({ call, result, outcome }, i): PastMutation => {
        return { call: { ...call, occurrence: i + 1 }, result, outcome }
      })
      if (row.length > 0) mutations.set(identity, row)
      for (const mutation of row) {
        const { item } = mutation.call
        if (item === null || mutation.outcome === 'ok') continue
        const ofItem = open.get(item)
        if (ofItem === undefined) open.set(item, [mutation])
        else ofItem.push(mutation)
        if (!this.#items.has(item)) {
          this.#items.set(item, { entry: null, own: mutation.call.carried !== true })
        }
      }
    }
    const changing = new Set<string>()
    for (const { call } of this.#calls.values()) if (call.item !== null) changing.add(call.item)
    return {
      begin: this.#begin,
      status: this.#status,
      approvals: this.#approvals,
      items: new Map(
        [...this.#items].map(([key, told]) => [
          key,
          pastItem(key, told, open.get(key) ?? [], changing.has(key)),
        ]),
      ),
      mutations,
      once: this.#once,
      may: [...this.#may.values()],
    }
  }
}

function pastItem(key: string, told: ToldItem, open: readonly PastMutation[], hasCalls: boolean): PastItem {
  const { entry, own } = told
  const words = { class: entry?.class ?? null, message: entry?.message ?? null, attempt: entry?.attempt ?? 0 }
  const isFinal = entry?.state === 'ok' || entry?.state === 'skipped'
  if (isFinal) {
    const value = entry.value === undefined ? {} : { value: entry.value }
    return { key, state: entry.state, ...words, ...value, own, open: [] }
  }
  if (open.length > 0) return { key, state: 'unknown', ...words, own, open }
  // It was unknown because of calls that are all settled by now; without any, its state is all there is.
  const isSettled = entry?.state === 'unknown' && hasCalls
  const state = entry === null || entry.state === 'running' || isSettled ? 'pending' : entry.state
  return { key, state, ...words, own, open }
}

/** Without the stamp, which belongs to the line and not to what it says. */
function bare<Entry extends RecordedEntry>(entry: Entry): Omit<Entry, 'seq' | 'at'> {
  const { seq: _seq, at: _at, ...rest } = entry
  return rest
}
