/** A grid of which only the rows in sight are there. Its active row is told to readers of screens, and followed. */

import { el } from './dom.ts'

const BEYOND = 8

export interface Grid {
  readonly element: HTMLElement
  readonly axis: HTMLElement
  show(count: number): void
  refresh(): void
  /** -1: none. */
  readonly active: number
  activate(index: number): void
}

export interface GridOptions {
  readonly label: string
  readonly columns: readonly (readonly [name: string, title: string])[]
  readonly row: (index: number) => HTMLElement
  readonly onActive: (index: number) => void
  /** @returns true: the key is taken. */
  readonly onKey: (event: KeyboardEvent) => boolean
}

export function grid({ label, columns, row, onActive, onKey }: GridOptions): Grid {
  const axis = el('div', { class: 'cell track axis', role: 'columnheader', 'aria-label': 'time' })
  const head = el(
    'div',
    { class: 'row head', role: 'row', 'aria-rowindex': 1 },
    ...columns.map(([name, title]) => el('div', { class: `cell ${name}`, role: 'columnheader' }, title)),
    axis,
  )
  const body = el('div', { class: 'body', role: 'rowgroup' })
  const element = el(
    'div',
    {
      class: 'grid',
      role: 'grid',
      tabindex: 0,
      'aria-label': label,
      'aria-keyshortcuts': 'ArrowUp ArrowDown Plus Minus 0',
    },
    el('div', { class: 'head-group', role: 'rowgroup' }, head),
    body,
  )
  let count = 0
  let active = -1
  let rowHeight = 0

  /** Rows are taller where the window is narrow. */
  const height = (): number => {
    const told = parseFloat(getComputedStyle(element).getPropertyValue('--row-height'))
    return Number.isFinite(told) && told > 0 ? told : 26
  }
  const render = (): void => {
    rowHeight = height()
    body.style.height = `${count * rowHeight}px`
    const first = Math.max(0, Math.floor(element.scrollTop / rowHeight) - BEYOND)
    const last = Math.min(count, Math.ceil((element.scrollTop + element.clientHeight) / rowHeight) + BEYOND)
    const made: HTMLElement[] = []
    for (let index = first; index < last; index += 1) {
      const one = row(index)
      one.style.transform = `translateY(${index * rowHeight}px)`
      if (index === active) one.setAttribute('aria-selected', 'true')
      made.push(one)
    }
    body.replaceChildren(...made)
    element.setAttribute('aria-rowcount', String(count + 1))
    if (active >= first && active < last) element.setAttribute('aria-activedescendant', `row-${active}`)
    else element.removeAttribute('aria-activedescendant')
  }
  const activate = (index: number): void => {
    active = index
    if (index !== -1) {
      const top = index * rowHeight
      const room = element.clientHeight - head.clientHeight
      if (top < element.scrollTop) element.scrollTop = top
      else if (top + rowHeight > element.scrollTop + room) element.scrollTop = top + rowHeight - room
    }
    render()
    onActive(index)
  }
  let isDue = false
  element.addEventListener(
    'scroll',
    () => {
      if (isDue) return
      isDue = true
      requestAnimationFrame(() => {
        isDue = false
        render()
      })
    },
    { passive: true },
  )
  new ResizeObserver(render).observe(element)
  body.addEventListener('click', event => {
    const hit = (event.target as Element).closest('.row')
    if (hit !== null) activate(Number(hit.id.slice('row-'.length)))
  })
  element.addEventListener('keydown', event => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const page = Math.max(1, Math.floor(element.clientHeight / rowHeight) - 2)
    const steps: Readonly<Record<string, number>> = {
      ...{ ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page },
      ...{ Home: 0, End: count - 1 },
    }
    const next = steps[event.key]
    if (next !== undefined && count > 0) activate(Math.min(count - 1, Math.max(0, next)))
    else if (!onKey(event)) return
    event.preventDefault()
  })
  return {
    ...{ element, axis, activate },
    refresh: render,
    get active() {
      return active
    },
    show: next => {
      count = next
      active = -1
      element.scrollTop = 0
      render()
      onActive(-1)
    },
  }
}
