/** Calls and items as columns, each word once. Bounded: a script chooses how many there are, and how long. */

import { commandText, type ItemHistory, type TimelineEntry } from '@srecodex/core'
import { plain } from '../render/plan.ts'
import { packAttempts } from './attempts.ts'
import {
  ENDS,
  ITEM_STATES,
  KINDS,
  type CallColumns,
  type End,
  type ItemColumns,
  type Kind,
} from './page-data.ts'

export const MAX_ROWS = 50_000
const MAX_WORD_CHARS = 2000
/** Of all words together; what comes after it is cut short. */
const MAX_CHARS = 8 * 1024 * 1024
const SHORT_WORD_CHARS = 120

type CallRow = Exclude<TimelineEntry, { kind: 'item' }>
type Mutable<Columns> = {
  -readonly [Name in keyof Columns]: Columns[Name] extends readonly (infer One)[] ? One[] : never
}

/** Words, each once, told by its place. */
export class Words {
  readonly all: string[] = []
  readonly #places = new Map<string, number>()
  #chars = 0

  place(word: string | null): number {
    if (word === null || word === '') return -1
    const shown = cut(plain(word), this.#chars < MAX_CHARS ? MAX_WORD_CHARS : SHORT_WORD_CHARS)
    const known = this.#places.get(shown)
    if (known !== undefined) return known
    this.#chars += shown.length
    this.#places.set(shown, this.all.length)
    return this.all.push(shown) - 1
  }
}

export class CallRows {
  readonly columns: Mutable<CallColumns>
  leftOut = 0
  readonly #words: Words
  readonly #running: boolean

  constructor(words: Words, running: boolean) {
    this.#words = words
    this.#running = running
    const lists = { kind: [], end: [], at: [], tookMs: [], how: [], tool: [], verb: [], item: [] }
    this.columns = { ...lists, text: [], targets: [] }
  }

  add(row: CallRow): void {
    const { columns, length } = this
    if (length >= MAX_ROWS) {
      this.leftOut += 1
      return
    }
    const place = (word: string | null): number => this.#words.place(word)
    columns.kind.push(KINDS.indexOf(kindOf(row)))
    columns.end.push(ENDS.indexOf(endOf(row, this.#running)))
    columns.at.push(Math.round(row.offsetMs))
    columns.tookMs.push(row.kind === 'call' && row.durationMs !== null ? Math.round(row.durationMs) : -1)
    columns.how.push(place(howOf(row)))
    columns.tool.push(place(row.tool))
    columns.verb.push(place(row.verb))
    columns.item.push(place(row.item))
    columns.text.push(place(commandText(row.tool, row.argv)))
    columns.targets.push(place(row.kind === 'call' ? row.targets.join(', ') : null))
  }

  get length(): number {
    return this.columns.at.length
  }
}

export function itemColumns(items: readonly ItemHistory[], words: Words): ItemColumns {
  const shown = items.slice(0, MAX_ROWS)
  return {
    key: shown.map(({ key }) => words.place(key)),
    state: shown.map(({ state }) => ITEM_STATES.indexOf(state)),
    class: shown.map(item => words.place(item.class)),
    message: shown.map(({ message }) => words.place(message)),
    wave: shown.map(({ wave }) => wave ?? 0),
    carried: shown.map(({ carried }) => Number(carried)),
    attempts: shown.map(({ attempts }) => packAttempts(attempts)),
  }
}

function kindOf(row: CallRow): Kind {
  if (row.kind === 'refused') return 'refused'
  if (row.effect === 'read') return 'read'
  if (row.planned) return 'foreseen'
  return row.undo ? 'undo' : 'change'
}

function endOf(row: CallRow, running: boolean): End {
  // What an approved plan does not list ends the run, or skips the item.
  if (row.kind === 'refused')
    return row.code === 'DRIFTED' || row.code === 'SKIPPED' ? 'not planned' : 'refused'
  if (row.answered === null) return running ? 'running' : 'no result'
  if (row.outcome === 'unknown') return 'unknown'
  if (row.exitCode !== 0) return 'failed'
  if (row.answered === 'tool') return 'ok'
  return row.answered === 'rehearsal' ? 'rehearsed' : 'known'
}

function howOf(row: CallRow): string | null {
  if (row.kind === 'refused') return row.message
  if (row.answered === null || row.exitCode === 0) return null
  return row.class ?? row.signal ?? `exit ${row.exitCode}`
}

function cut(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars).replace(/[\ud800-\udbff]$/, '')}…`
}
