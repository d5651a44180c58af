/** The selected row in full. */

import { duration } from '../../render/units.ts'
import { button, el } from './dom.ts'
import { facts, type Fact } from './facts.ts'
import { endWords, itemWords, since } from './row-elements.ts'
import type { Filter, Rows } from './rows.ts'
import { ITEM_LOOKS, KIND_WORDS } from './tones.ts'

type FilterBy = (filter: Partial<Filter>) => void

export function callDetails(rows: Rows, at: number, filterBy: FilterBy): HTMLElement {
  const { calls } = rows.data
  const took = calls.tookMs[at]!
  const item = rows.word(calls.item[at]!)
  const how = rows.word(calls.how[at]!)
  const ended = endWords(rows, at)
  const list: Fact[] = [
    ['call', el('code', {}, rows.word(calls.text[at]!))],
    ['effect', `${KIND_WORDS[rows.kind(at)]}: ${rows.word(calls.verb[at]!)}`],
    ['targets', rows.word(calls.targets[at]!)],
    ['item', item],
    ['ended', how === '' || how === ended ? ended : `${ended}: ${how}`],
    ['began', `${since(calls.at[at]!)} into the run`],
    ['took', took === -1 ? 'not known' : duration(took)],
  ]
  return el(
    'div',
    {},
    facts(list),
    el(
      'div',
      { class: 'buttons' },
      item === '' ? null : button('All calls of this item', () => filterBy({ item: item.toLowerCase() })),
      button('All calls that ended so', () => filterBy({ end: rows.end(at) })),
    ),
  )
}

export function itemDetails(rows: Rows, at: number, filterBy: FilterBy): HTMLElement {
  if (at === -1) return el('p', {}, 'Calls that no item made.')
  const { items } = rows.data
  const key = rows.word(items.key[at]!)
  const list: Fact[] = [
    ['item', el('code', {}, itemWords(rows, at))],
    ['state', ITEM_LOOKS[rows.itemState(at)].word],
    ['wave', items.wave[at] === 0 ? '' : String(items.wave[at])],
  ]
  for (const [index, { startMs, endMs, state }] of rows.attempts(at).entries()) {
    const until = endMs === null ? 'no end' : `took ${duration(endMs - startMs)}`
    list.push([`attempt ${index + 1}`, `${since(startMs)} into the run, ${until}: ${ITEM_LOOKS[state].word}`])
  }
  return el(
    'div',
    {},
    facts(list),
    el(
      'div',
      { class: 'buttons' },
      button('Its calls alone', () => filterBy({ item: key.toLowerCase() })),
    ),
  )
}
