/** The calls of the run: an overview to zoom in, filters, and a row for each. */

import { count, duration, plural } from '../../render/units.ts'
import { callDetails, itemDetails } from './details.ts'
import { button, el, section } from './dom.ts'
import { filters } from './filters.ts'
import { grid } from './grid.ts'
import { overview } from './overview.ts'
import { rowElement, since } from './row-elements.ts'
import type { Filter, Row, Rows } from './rows.ts'
import { clamped, isWhole, middleOf, shifted, whole, zoomed, type View } from './view.ts'

/** Of what is seen, by one key. */
const SHIFT = 1 / 4
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
  const { lengthMs } = rows
  let view = whole(lengthMs)
  let shown: readonly Row[] = []

  const said = el('p', { class: 'said', role: 'status' })
  const details = el('div', { class: 'details', role: 'region', 'aria-label': 'selected row', hidden: true })
  const chosen = filters(rows, update)
  const picture = overview(rows, wanted => void zoomTo(wanted))
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
    onKey: event => moves[event.key]?.() ?? false,
  })
  const zoomIn = (): true => zoomTo(zoomed(view, 0.5, aroundActive(), lengthMs))
  const zoomOut = (): true => zoomTo(zoomed(view, 2, middleOf(view), lengthMs))
  const showWhole = (): true => zoomTo(whole(lengthMs))
  const moves: Readonly<Record<string, () => true>> = {
    ...{ '+': zoomIn, '=': zoomIn, '-': zoomOut, '0': showWhole },
    ArrowLeft: () => zoomTo(shifted(view, -SHIFT, lengthMs)),
    ArrowRight: () => zoomTo(shifted(view, SHIFT, lengthMs)),
    Escape: () => {
      table.activate(-1)
      return true
    },
  }

  /** Where the active row is, else the middle of what is seen. */
  function aroundActive(): number {
    const row = shown[table.active]
    const at = row?.kind === 'call' ? rows.data.calls.at[row.at]! : middleOf(view)
    return Math.min(view.toMs, Math.max(view.fromMs, at))
  }

  function zoomTo(wanted: View): true {
    view = clamped(wanted, lengthMs)
    update()
    return true
  }

  function update(): void {
    const { filter, underItems } = chosen.value()
    shown = rows.select(filter, view, underItems)
    said.textContent = words(rows, shown, filter, view)
    table.axis.replaceChildren(...ticks(view))
    picture.draw(view)
    table.show(shown.length)
  }

  function filterBy(some: Partial<Filter>): void {
    chosen.set(some)
    update()
    element.scrollIntoView({ block: 'start' })
    table.element.focus({ preventScroll: true })
  }

  table.element.addEventListener(
    'wheel',
    event => {
      if (!event.ctrlKey && !event.metaKey) return
      event.preventDefault()
      zoomTo(zoomed(view, event.deltaY < 0 ? 0.8 : 1.25, middleOf(view), lengthMs))
    },
    { passive: false },
  )
  document.addEventListener('keydown', event => {
    const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    chosen.focus()
  })

  const buttons = el(
    'div',
    { class: 'buttons' },
    button('Zoom in', zoomIn),
    button('Zoom out', zoomOut),
    button('Whole run', showWhole),
    button('Clear filters', () => filterBy({})),
  )
  const element = section(
    'calls',
    'Calls',
    ...waits(rows),
    retried(rows),
    picture.element,
    chosen.element,
    el('div', { class: 'bar-line' }, said, buttons),
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

/** How many are shown, and why not all. */
function words(rows: Rows, shown: readonly Row[], filter: Filter, view: View): string {
  const calls = shown.reduce((sum, row) => sum + Number(row.kind === 'call'), 0)
  const range = isWhole(view, rows.lengthMs) ? '' : `, from ${since(view.fromMs)} to ${since(view.toMs)}`
  const chosen = filter.items === null ? '' : `, of ${plural(filter.items.size, 'chosen item')}`
  return `${count(calls)} of ${plural(rows.count, 'call')}${chosen}${range}`
}

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
function retried(rows: Rows): HTMLElement | null {
  const keys = rows.data.items.key.filter((_, at) => rows.attempts(at).length > 1).map(key => rows.word(key))
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
