/** Names and values, those without a value left out. */

import { el } from './dom.ts'

export type Fact = readonly [name: string, value: string | Node]

export function facts(list: readonly Fact[]): HTMLElement {
  return el(
    'dl',
    { class: 'facts' },
    ...list.flatMap(([name, value]) => (value === '' ? [] : [el('dt', {}, name), el('dd', {}, value)])),
  )
}
