/** What is printed in the place of the rows to walk through: the first rows, and how many there are. */

import { count, duration, plural } from '../../render/units.ts'
import { el } from './dom.ts'
import { endWords, since } from './row-elements.ts'
import type { Rows } from './rows.ts'
import { END_LOOKS, KIND_WORDS } from './tones.ts'

const MAX_PRINTED = 200
const TITLES = ['began', 'took', 'ended', 'effect', 'call', 'item']

export function printed(rows: Rows): HTMLElement {
  const { calls } = rows.data
  const shown = Math.min(MAX_PRINTED, rows.count)
  const body = el('tbody')
  for (let at = 0; at < shown; at += 1) {
    const took = calls.tookMs[at]!
    const cells = [
      since(calls.at[at]!),
      took === -1 ? '' : duration(took),
      `${END_LOOKS[rows.end(at)].mark} ${endWords(rows, at)}`,
      KIND_WORDS[rows.kind(at)],
      rows.word(calls.text[at]!),
      rows.word(calls.item[at]!),
    ]
    body.append(el('tr', {}, ...cells.map(text => el('td', {}, text))))
  }
  const words =
    shown === rows.count
      ? `All ${plural(shown, 'call')}.`
      : `The first ${shown} of ${count(rows.count)} calls.`
  return el(
    'section',
    { id: 'printed', class: 'print-only' },
    el('h2', {}, 'Calls'),
    el('p', {}, words),
    el('table', {}, el('thead', {}, el('tr', {}, ...TITLES.map(title => el('th', {}, title)))), body),
  )
}
