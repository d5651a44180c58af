/** The time line: an overview to zoom in, filters, and a row for each call. */

import { count, duration, plural } from '../../render/units.ts'
import { ENDS, KINDS, type End, type Kind } from '../page-data.ts'
import { callDetails, itemDetails } from './details.ts'
import { button, el, labelled, section } from './dom.ts'
import { grid } from './grid.ts'
import { overview, zoomed } from './overview.ts'
import { rowElement, since } from './row-elements.ts'
import { NO_FILTER, type Filter, type Row, type Rows, type View } from './rows.ts'
import { END_LOOKS, KIND_WORDS } from './tones.ts'

/** Less than this no zoom shows. */
const MIN_VIEW_MS = 2
const TICKS = 4
const MAX_KEYS = 5

const COLUMNS = [
  ['when', 'began'],
  ['took', 'took'],
  ['end', 'ended'],
  ['kind', 'effect'],
  ['what', 'call'],
  ['item', 'item'],
] as const

export interface Waterfall {
  readonly element: HTMLElement
  /** Shows what other parts of the page speak of. */
  filterBy(filter: Partial<Filter>): void
}

export function waterfall(rows: Rows): Waterfall {
  const whole: View = { fromMs: 0, toMs: rows.lengthMs }
  const hasItems = rows.data.items.key.length > 0
  let filter: Filter = NO_FILTER
  let view = whole
  let shown: readonly Row[] = []

  const said = el('p', { class: 'said', role: 'status' })
  const details = el('div', { class: 'details', role: 'region', 'aria-label': 'selected row', hidden: true })
  const text = el('input', {
    type: 'search',
    placeholder: 'words of a call, target or class',
    'aria-keyshortcuts': '/',
  })
  const item = el('input', { type: 'search', placeholder: 'part of its key' })
  const tool = select(['', ...rows.tools()].map(one => [one, one === '' ? 'all' : one]))
  const kind = select([['', 'all'], ...KINDS.filter(has('kind')).map(one => [one, KIND_WORDS[one]] as const)])
  const end = select([
    ['', 'all'],
    ...ENDS.filter(has('end')).map(one => [one, END_LOOKS[one].word] as const),
  ])
  const wave = select([['0', 'all'], ...rows.waves().map(one => [String(one), String(one)] as const)])
  const byItem = el('input', { type: 'checkbox' })

  function has(column: 'kind' | 'end'): (name: string) => boolean {
    const places = new Set(rows.data.calls[column])
    const names: readonly string[] = column === 'kind' ? KINDS : ENDS
    return name => places.has(names.indexOf(name))
  }

  const table = grid({
    label: 'calls in the order in which they began',
    columns: COLUMNS,
    row: index => rowElement(rows, shown[index]!, index, view),
    onActive: index => {
      const row = index === -1 ? undefined : shown[index]
      details.hidden = row === undefined
      if (row === undefined) return details.replaceChildren()
      details.replaceChildren(
        row.kind === 'call' ? callDetails(rows, row.at, filterBy) : itemDetails(rows, row.at, filterBy),
      )
    },
    onKey: event => {
      const span = view.toMs - view.fromMs
      switch (event.key) {
        case '+':
        case '=':
          return zoomTo(zoomed(view, 0.5, middle()))
        case '-':
          return zoomTo(zoomed(view, 2))
        case '0':
          return zoomTo(whole)
        case 'ArrowLeft':
          return zoomTo({ fromMs: view.fromMs - span / 4, toMs: view.toMs - span / 4 })
        case 'ArrowRight':
          return zoomTo({ fromMs: view.fromMs + span / 4, toMs: view.toMs + span / 4 })
        case 'Escape':
          table.activate(-1)
          return true
        default:
          return false
      }
    },
  })
  const picture = overview(rows, wanted => void zoomTo(wanted))

  /** Where the active row is, else the middle of what is seen. */
  function middle(): number {
    const row = shown[table.active]
    const at = row?.kind === 'call' ? rows.data.calls.at[row.at]! : (view.fromMs + view.toMs) / 2
    return Math.min(view.toMs, Math.max(view.fromMs, at))
  }

  function zoomTo(wanted: View): true {
    const span = Math.min(rows.lengthMs, Math.max(MIN_VIEW_MS, wanted.toMs - wanted.fromMs))
    const fromMs = Math.min(rows.lengthMs - span, Math.max(0, wanted.fromMs))
    view = { fromMs, toMs: fromMs + span }
    update()
    return true
  }

  function update(): void {
    shown = rows.select(filter, view, byItem.checked)
    const calls = shown.reduce((sum, row) => sum + Number(row.kind === 'call'), 0)
    const isWhole = view.toMs - view.fromMs >= rows.lengthMs
    const range = isWhole ? '' : `, from ${since(view.fromMs)} to ${since(view.toMs)}`
    const chosen = filter.items === null ? '' : `, of ${plural(filter.items.size, 'chosen item')}`
    said.textContent = `${count(calls)} of ${plural(rows.count, 'call')}${chosen}${range}`
    table.axis.replaceChildren(...ticks(view))
    picture.draw(view)
    table.show(shown.length)
  }

  function filterBy(some: Partial<Filter>): void {
    filter = { ...NO_FILTER, ...some }
    text.value = filter.text
    item.value = filter.item
    tool.value = filter.tool
    kind.value = filter.kind
    end.value = filter.end
    wave.value = String(filter.wave)
    // An item that called nothing has no row but its own.
    if (filter.items !== null) byItem.checked = true
    update()
    element.scrollIntoView({ block: 'start' })
    table.element.focus({ preventScroll: true })
  }

  const read = (): void => {
    filter = {
      ...filter,
      text: text.value.trim().toLowerCase(),
      item: item.value.trim().toLowerCase(),
      tool: tool.value,
      kind: kind.value as Kind | '',
      end: end.value as End | '',
      wave: Number(wave.value),
    }
    update()
  }
  for (const control of [text, item, tool, kind, end, wave, byItem]) control.addEventListener('input', read)
  table.element.addEventListener(
    'wheel',
    event => {
      if (!event.ctrlKey && !event.metaKey) return
      event.preventDefault()
      zoomTo(zoomed(view, event.deltaY < 0 ? 0.8 : 1.25))
    },
    { passive: false },
  )
  document.addEventListener('keydown', event => {
    const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    text.focus()
  })

  const element = section(
    'calls',
    'Calls',
    ...waits(rows),
    retried(rows),
    picture.element,
    el(
      'div',
      { class: 'filters', role: 'group', 'aria-label': 'filters' },
      labelled('by-text', 'Text', text, 'wide'),
      ...(hasItems ? [labelled('by-item', 'Item', item)] : []),
      labelled('by-tool', 'Tool', tool),
      labelled('by-effect', 'Effect', kind),
      labelled('by-end', 'Ended', end),
      ...(rows.waves().length > 0 ? [labelled('by-wave', 'Wave', wave)] : []),
      ...(hasItems ? [labelled('under-items', 'Under their items', byItem, 'check')] : []),
    ),
    el(
      'div',
      { class: 'bar-line' },
      said,
      el(
        'div',
        { class: 'buttons' },
        button('Zoom in', () => zoomTo(zoomed(view, 0.5, middle()))),
        button('Zoom out', () => zoomTo(zoomed(view, 2))),
        button('Whole run', () => zoomTo(whole)),
        button('Clear filters', () => filterBy({})),
      ),
    ),
    table.element,
    details,
    el('p', { class: 'help' }, HELP),
  )
  update()
  return { element, filterBy }
}

const HELP =
  'Drag over the picture, or turn the wheel on it, to zoom; a double click shows the whole run. In the table: arrow ' +
  'keys, Page Up, Page Down, Home and End move; + and − zoom, ← and → shift, 0 shows the whole run; Esc leaves a row; ' +
  '/ goes to the filter.'

/** How long people let it wait, which is no time of the script's. */
function waits({ data }: Rows): HTMLElement[] {
  return data.approvals.flatMap(({ by, waitedMs, inPlace, offsetMs }) => {
    if (waitedMs === null) return []
    const at =
      inPlace && offsetMs !== null ? `, ${since(offsetMs - waitedMs)} into the run` : ', before it began'
    return [el('p', { class: 'wait-line' }, `Waited ${duration(waitedMs)} for the approval by ${by}${at}.`)]
  })
}

/** A failure that got well leaves no other trace. */
function retried({ data }: Rows): HTMLElement | null {
  const keys: string[] = []
  for (const [at, attempts] of data.items.attempts.entries())
    if (attempts.length > 3) keys.push(data.words[data.items.key[at]!] ?? '')
  if (keys.length === 0) return null
  const more = keys.length > MAX_KEYS ? ` and ${count(keys.length - MAX_KEYS)} more` : ''
  return el(
    'p',
    {},
    `Tried more than once: ${plural(keys.length, 'item')} (${keys.slice(0, MAX_KEYS).join(', ')}${more}).`,
  )
}

function ticks({ fromMs, toMs }: View): HTMLElement[] {
  return Array.from({ length: TICKS }, (_, index) => {
    const tick = el('span', { class: 'tick' }, since(fromMs + ((toMs - fromMs) * index) / TICKS))
    tick.style.left = `${(index / TICKS) * 100}%`
    return tick
  })
}

function select(options: readonly (readonly [value: string, text: string])[]): HTMLSelectElement {
  return el('select', {}, ...options.map(([value, text]) => el('option', { value }, text)))
}
