/** One row of the calls, as elements. The bar is a picture of what the row says in words. */

import { duration } from '../../render/units.ts'
import { el, mark } from './dom.ts'
import type { Row, Rows } from './rows.ts'
import { END_LOOKS, ITEM_LOOKS, KIND_WORDS, type Look } from './tones.ts'
import type { View } from './view.ts'

export function rowElement(rows: Rows, row: Row, index: number, view: View): HTMLElement {
  const cells = row.kind === 'call' ? callCells(rows, row.at, view) : itemCells(rows, row.at, view)
  return el(
    'div',
    { class: `row of-${row.kind}`, role: 'row', id: `row-${index}`, 'aria-rowindex': index + 2 },
    ...cells,
  )
}

/** One unit, so that a column of them can be compared. */
export function since(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 600_000 ? 2 : 0)} s`
}

export function endWords(rows: Rows, at: number): string {
  const how = rows.end(at) === 'failed' ? rows.word(rows.data.calls.how[at]!) : ''
  return how === '' ? END_LOOKS[rows.end(at)].word : how
}

function callCells(rows: Rows, at: number, view: View): HTMLElement[] {
  const { calls } = rows.data
  const look = END_LOOKS[rows.end(at)]
  const item = rows.word(calls.item[at]!)
  const took = calls.tookMs[at]!
  const kind = rows.kind(at)
  const shape =
    look.tone === 'bad' ? 'bad' : kind === 'read' ? 'read' : kind === 'foreseen' ? 'foreseen' : 'change'
  return [
    cell('when', since(calls.at[at]!)),
    cell('took', took === -1 ? '' : duration(took)),
    cell('end', mark(look.mark, look.tone), endWords(rows, at)),
    cell('kind', KIND_WORDS[kind]),
    cell('what', rows.word(calls.text[at]!)),
    cell('item', item),
    track([{ fromMs: calls.at[at]!, toMs: rows.endMs(at), shape }], view),
  ]
}

function itemCells(rows: Rows, at: number, view: View): HTMLElement[] {
  if (at === -1) return [cell('title', 'calls of no item')]
  const { items, rehearsed } = rows.data
  const look = ITEM_LOOKS[rows.itemState(at)]
  const attempts = rows.attempts(at)
  const spans = attempts.map(({ startMs, endMs, state }) => ({
    ...{ fromMs: startMs, toMs: endMs ?? rows.lengthMs },
    shape: ITEM_LOOKS[state].tone === 'bad' ? 'item bad' : 'item',
  }))
  const first = attempts[0]?.startMs
  const last = attempts.at(-1)?.endMs ?? null
  const took = first === undefined || last === null ? '' : duration(last - first)
  return [
    cell('when', first === undefined ? '' : since(first)),
    cell('took', took),
    cell('end', mark(look.mark, look.tone), stateWords(look, rehearsed, items.carried[at] === 1)),
    cell('kind', 'item'),
    cell('what', itemWords(rows, at)),
    cell('item', notes(attempts.length, items.wave[at]!)),
    track(spans, view),
  ]
}

function stateWords({ word }: Look, rehearsed: boolean, carried: boolean): string {
  if (carried) return `${word}, before`
  return rehearsed && word !== 'pending' ? `${word}, rehearsal` : word
}

export function itemWords(rows: Rows, at: number): string {
  const { items } = rows.data
  return [items.key[at]!, items.class[at]!, items.message[at]!]
    .map(place => rows.word(place))
    .filter(word => word !== '')
    .join(': ')
}

function notes(attempts: number, wave: number): string {
  const parts = [...(wave > 0 ? [`wave ${wave}`] : []), ...(attempts > 1 ? [`${attempts} attempts`] : [])]
  return parts.join(', ')
}

function cell(name: string, ...children: readonly (Node | string)[]): HTMLElement {
  const [first] = children
  const title = typeof first === 'string' && first.length > 12 ? { title: first } : {}
  return el('div', { class: `cell ${name}`, role: 'gridcell', ...title }, ...children)
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
  readonly shape: string
}

function track(spans: readonly Span[], { fromMs, toMs }: View): HTMLElement {
  const box = el('div', { class: 'cell track', role: 'gridcell', 'aria-hidden': 'true' })
  const share = (ms: number): number => Math.min(100, Math.max(0, ((ms - fromMs) / (toMs - fromMs)) * 100))
  for (const span of spans) {
    if (span.toMs < fromMs || span.fromMs > toMs) continue
    const bar = el('span', { class: `bar ${span.shape}` })
    bar.style.left = `${share(span.fromMs)}%`
    bar.style.width = `${share(span.toMs) - share(span.fromMs)}%`
    box.append(bar)
  }
  return box
}
