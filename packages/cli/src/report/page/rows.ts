/** Rows of calls and items: which there are, which a filter leaves, how they are grouped. Pure. */

import { unpackAttempts, type PageAttempt } from '../attempts.ts'
import { ENDS, ITEM_STATES, KINDS, type End, type Kind, type PageData } from '../page-data.ts'
import type { View } from './view.ts'

export interface Filter {
  /** Lower case; empty: all. */
  readonly text: string
  readonly item: string
  readonly tool: string
  readonly kind: Kind | ''
  readonly end: End | ''
  /** 0: all. */
  readonly wave: number
  /** Places of items; null: all. */
  readonly items: ReadonlySet<number> | null
}

export const NO_FILTER: Filter = { text: '', item: '', tool: '', kind: '', end: '', wave: 0, items: null }

/** `call`, or `item` with the place of an item; -1: the calls of no item. */
export type Row = { readonly kind: 'call' | 'item'; readonly at: number }

const TROUBLE: ReadonlySet<End> = new Set(['failed', 'unknown', 'refused', 'not planned', 'no result'])

export class Rows {
  readonly data: PageData
  readonly count: number
  /** Of the whole run; at least 1. */
  readonly lengthMs: number
  readonly #haystacks: readonly string[]
  readonly #itemOfWord: ReadonlyMap<number, number>
  readonly #attempts: readonly (readonly PageAttempt[])[]

  constructor(data: PageData) {
    this.data = data
    const { calls, items } = data
    this.count = calls.at.length
    this.#attempts = items.attempts.map(unpackAttempts)
    let last = data.lengthMs
    for (let at = 0; at < this.count; at += 1) last = Math.max(last, this.endMs(at))
    this.lengthMs = Math.max(1, last)
    this.#haystacks = calls.text.map((text, at) =>
      [text, calls.targets[at]!, calls.how[at]!, calls.item[at]!, calls.verb[at]!]
        .map(place => this.word(place))
        .join('\n')
        .toLowerCase(),
    )
    this.#itemOfWord = new Map(items.key.map((word, at) => [word, at]))
  }

  word(place: number): string {
    return place === -1 ? '' : this.data.words[place]!
  }

  kind(at: number): Kind {
    return KINDS[this.data.calls.kind[at]!]!
  }

  end(at: number): End {
    return ENDS[this.data.calls.end[at]!]!
  }

  isTrouble(at: number): boolean {
    return TROUBLE.has(this.end(at))
  }

  /** What has no end reaches to the end of what is known. */
  endMs(at: number): number {
    const { calls, lengthMs } = this.data
    const took = calls.tookMs[at]!
    if (took !== -1) return calls.at[at]! + took
    return this.kind(at) === 'refused' ? calls.at[at]! : Math.max(calls.at[at]!, lengthMs)
  }

  itemState(at: number): (typeof ITEM_STATES)[number] {
    return ITEM_STATES[this.data.items.state[at]!]!
  }

  attempts(at: number): readonly PageAttempt[] {
    return this.#attempts[at]!
  }

  /** Place of the item that a call was made for; -1: none. */
  itemOf(at: number): number {
    const word = this.data.calls.item[at]!
    return word === -1 ? -1 : (this.#itemOfWord.get(word) ?? -1)
  }

  tools(): string[] {
    return [...new Set(this.data.calls.tool)].map(place => this.word(place)).sort()
  }

  waves(): number[] {
    return [...new Set(this.data.items.wave)].filter(wave => wave > 0).sort((a, b) => a - b)
  }

  select(filter: Filter, view: View, grouped: boolean): Row[] {
    const calls: number[] = []
    for (let at = 0; at < this.count; at += 1) if (this.#matches(at, filter, view)) calls.push(at)
    return grouped ? this.#grouped(calls, filter, view) : calls.map(at => ({ kind: 'call', at }))
  }

  #matches(at: number, filter: Filter, { fromMs, toMs }: View): boolean {
    const { calls, items } = this.data
    if (calls.at[at]! > toMs || this.endMs(at) < fromMs) return false
    if (filter.kind !== '' && this.kind(at) !== filter.kind) return false
    if (filter.end !== '' && this.end(at) !== filter.end) return false
    if (filter.tool !== '' && this.word(calls.tool[at]!) !== filter.tool) return false
    if (filter.item !== '' && !this.word(calls.item[at]!).toLowerCase().includes(filter.item)) return false
    if (filter.wave !== 0 && items.wave[this.itemOf(at)] !== filter.wave) return false
    if (filter.items !== null && !filter.items.has(this.itemOf(at))) return false
    return filter.text === '' || this.#haystacks[at]!.includes(filter.text)
  }

  /** Under each item its calls; where nothing asks for calls alone, also items that have none. */
  #grouped(calls: readonly number[], filter: Filter, view: View): Row[] {
    const byItem = new Map<number, number[]>()
    for (const at of calls) {
      const item = this.itemOf(at)
      const list = byItem.get(item)
      if (list === undefined) byItem.set(item, [at])
      else list.push(at)
    }
    const rows: Row[] = []
    for (let item = 0; item < this.data.items.key.length; item += 1) {
      const own = byItem.get(item)
      if (own === undefined && !this.#itemMatches(item, filter, view)) continue
      rows.push({ kind: 'item', at: item })
      for (const at of own ?? []) rows.push({ kind: 'call', at })
    }
    const rest = byItem.get(-1) ?? []
    if (rest.length > 0)
      rows.push({ kind: 'item', at: -1 }, ...rest.map(at => ({ kind: 'call' as const, at })))
    return rows
  }

  #itemMatches(item: number, filter: Filter, { fromMs, toMs }: View): boolean {
    const { items } = this.data
    if (filter.kind !== '' || filter.end !== '' || filter.tool !== '') return false
    if (filter.wave !== 0 && items.wave[item] !== filter.wave) return false
    if (filter.items !== null && !filter.items.has(item)) return false
    const attempts = this.attempts(item)
    const [first] = attempts
    const endMs = attempts.at(-1)?.endMs ?? null
    if (first === undefined ? fromMs > 0 : first.startMs > toMs || (endMs !== null && endMs < fromMs))
      return false
    const key = this.word(items.key[item]!).toLowerCase()
    if (filter.item !== '' && !key.includes(filter.item)) return false
    const said = `${key}\n${this.word(items.class[item]!)}\n${this.word(items.message[item]!)}`.toLowerCase()
    return filter.text === '' || said.includes(filter.text)
  }
}

/** Where one wave after another was worked on: only those that do not run into each other are bands. */
export function waveBands(
  rows: Rows,
): { readonly wave: number; readonly fromMs: number; readonly toMs: number }[] {
  const bands = new Map<number, { wave: number; fromMs: number; toMs: number }>()
  for (const [at, wave] of rows.data.items.wave.entries()) {
    const attempts = rows.attempts(at)
    if (wave === 0 || attempts.length === 0) continue
    const band = bands.get(wave) ?? { wave, fromMs: Infinity, toMs: 0 }
    bands.set(wave, band)
    for (const { startMs, endMs } of attempts) {
      band.fromMs = Math.min(band.fromMs, startMs)
      band.toMs = Math.max(band.toMs, endMs ?? startMs)
    }
  }
  const sorted = [...bands.values()].sort((a, b) => a.wave - b.wave)
  return sorted.every((band, at) => at === 0 || sorted[at - 1]!.toMs <= band.fromMs) ? sorted : []
}
