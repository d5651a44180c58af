/** The controls that choose which calls are listed: each shown where the run has something to choose from. */

import { ENDS, KINDS, type End, type Kind } from '../page-data.ts'
import { el, labelled } from './dom.ts'
import { NO_FILTER, type Filter, type Rows } from './rows.ts'
import { END_LOOKS, KIND_WORDS } from './tones.ts'

export interface Choice {
  readonly filter: Filter
  /** Calls stand under their items. */
  readonly underItems: boolean
}

export interface Filters {
  readonly element: HTMLElement
  value(): Choice
  /** What is not named is not filtered. Nobody is told: whoever sets it knows. */
  set(filter: Partial<Filter>): void
  focus(): void
}

export function filters(rows: Rows, onChange: () => void): Filters {
  const { calls, items } = rows.data
  const text = el('input', {
    type: 'search',
    placeholder: 'words of a call, target or class',
    'aria-keyshortcuts': '/',
  })
  const item = el('input', { type: 'search', placeholder: 'part of its key' })
  const tool = select(rows.tools().map(one => [one, one]))
  const kind = select(present(KINDS, calls.kind).map(one => [one, KIND_WORDS[one]]))
  const end = select(present(ENDS, calls.end).map(one => [one, END_LOOKS[one].word]))
  const wave = select(rows.waves().map(one => [String(one), String(one)]))
  const underItems = el('input', { type: 'checkbox' })
  const hasItems = items.key.length > 0
  /** No control of its own: another part of the page names them. */
  let chosen: Filter['items'] = null

  for (const control of [text, item, tool, kind, end, wave, underItems])
    control.addEventListener('input', onChange)

  return {
    element: el(
      'div',
      { class: 'filters', role: 'group', 'aria-label': 'filters' },
      labelled('by-text', 'Text', text, 'wide'),
      ...(hasItems ? [labelled('by-item', 'Item', item)] : []),
      labelled('by-tool', 'Tool', tool),
      labelled('by-effect', 'Effect', kind),
      labelled('by-end', 'Ended', end),
      ...(rows.waves().length > 0 ? [labelled('by-wave', 'Wave', wave)] : []),
      ...(hasItems ? [labelled('under-items', 'Under their items', underItems, 'check')] : []),
    ),
    value: () => ({
      filter: {
        text: text.value.trim().toLowerCase(),
        item: item.value.trim().toLowerCase(),
        tool: tool.value,
        kind: kind.value as Kind | '',
        end: end.value as End | '',
        wave: Number(wave.value),
        items: chosen,
      },
      underItems: underItems.checked,
    }),
    set: some => {
      const filter: Filter = { ...NO_FILTER, ...some }
      text.value = filter.text
      item.value = filter.item
      tool.value = filter.tool
      kind.value = filter.kind
      end.value = filter.end
      wave.value = filter.wave === 0 ? '' : String(filter.wave)
      chosen = filter.items
      // An item that called nothing has no row but its own.
      if (chosen !== null) underItems.checked = true
    },
    focus: () => text.focus(),
  }
}

/** Of a closed set, what stands in a column. */
function present<Name extends string>(names: readonly Name[], column: readonly number[]): Name[] {
  const places = new Set(column)
  return names.filter((_, place) => places.has(place))
}

/** One of them, or, without a value, all. */
function select(options: readonly (readonly [value: string, text: string])[]): HTMLSelectElement {
  return el(
    'select',
    {},
    ...[['', 'all'] as const, ...options].map(([value, text]) => el('option', { value }, text)),
  )
}
