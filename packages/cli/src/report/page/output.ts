/** What the run printed, and a search in it. Line numbers are those of the whole stream. */

import { bytes, count, plural } from '../../render/units.ts'
import type { PageData, PageStream } from '../page-data.ts'
import { el, labelled, section } from './dom.ts'

const MAX_HITS = 500

export function output({ output: streams, running, report }: PageData): HTMLElement {
  const search = el('input', { type: 'search', placeholder: 'plain words, in both streams' })
  const said = el('p', { class: 'said', role: 'status' })
  const shown = streams.map(stream => ({
    stream,
    box: el('pre', { tabindex: 0, role: 'region', 'aria-label': stream.name }),
  }))
  const update = (): void => {
    const words = search.value.toLowerCase()
    const hits = shown.reduce((sum, { stream, box }) => sum + fill(box, stream, words), 0)
    said.textContent = words === '' ? '' : `${plural(hits, 'line')} with ${search.value}`
  }
  search.addEventListener('input', update)
  update()
  const hasAny = streams.some(({ parts }) => parts.some(({ lines }) => lines.length > 0))
  return section(
    'output',
    'Output',
    hasAny ? el('div', { class: 'filters' }, labelled('search', 'Search', search, 'wide'), said) : null,
    hasAny
      ? el('p', { class: 'print-only' }, `As much as a page holds. All of it: srecodex output ${report.run}`)
      : null,
    ...shown.map(({ stream, box }) => {
      const isEmpty = stream.parts.every(({ lines }) => lines.length === 0)
      const size = `${plural(stream.totalLines, 'line')}, ${bytes(stream.bytes)}`
      return el(
        'div',
        { class: 'stream' },
        el('h3', {}, stream.name, ' ', el('small', {}, running ? 'so far' : size)),
        isEmpty ? el('p', { class: 'none' }, 'nothing') : box,
        stream.rest === null
          ? null
          : el(
              'p',
              { class: 'quiet' },
              'Not all of it is on this page. The rest: ',
              el('code', {}, stream.rest),
            ),
      )
    }),
  )
}

/** @returns how many lines hold the words. */
function fill(box: HTMLElement, { parts }: PageStream, words: string): number {
  if (words === '') {
    // One text node for each part: thousands of lines cost no more than one.
    box.replaceChildren(...parts.flatMap((part, at) => [...gap(parts, at), `${part.lines.join('\n')}\n`]))
    return 0
  }
  const hits: Node[] = []
  let total = 0
  for (const { firstNumber, lines } of parts) {
    for (const [index, line] of lines.entries()) {
      const at = line.toLowerCase().indexOf(words)
      if (at === -1) continue
      total += 1
      if (total <= MAX_HITS) hits.push(hit(firstNumber + index, line, at, words.length))
    }
  }
  const more = total > MAX_HITS ? [el('div', { class: 'gap' }, `… ${count(total - MAX_HITS)} more`)] : []
  box.replaceChildren(...(total === 0 ? [el('div', { class: 'gap' }, 'no line')] : hits), ...more)
  return total
}

function gap(parts: PageStream['parts'], at: number): Node[] {
  const before = parts[at - 1]
  if (before === undefined) return []
  const lines = parts[at]!.firstNumber - before.firstNumber - before.lines.length
  return lines <= 0 ? [] : [el('div', { class: 'gap' }, `… ${plural(lines, 'line')} not on this page …`)]
}

function hit(number: number, line: string, at: number, length: number): HTMLElement {
  return el(
    'div',
    {},
    el('span', { class: 'number' }, `${number} `),
    line.slice(0, at),
    el('mark', {}, line.slice(at, at + length)),
    line.slice(at + length),
  )
}
