/** What a run called, one line each: when, how long, what it does, how it ended, the words. */

import { commandText, type TimelineEntry } from '@srecodex/core'
import { paint, type Terminal } from '../terminal.ts'
import { clip, flow, widthOf } from './layout.ts'
import { plain } from './plan.ts'
import { count, duration } from './units.ts'

type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'dim'
type CallEntry = Extract<TimelineEntry, { kind: 'call' }>

const LEGEND = [
  ...['r read', 'M change', 'p change foreseen', 'u undoes', 'x refused', '! not in the plan'],
  '= end of an item',
]
const WHEN_COLUMNS = 8
const TOOK_COLUMNS = 8
const ENDED_COLUMNS = 14

export function timelineHead(terminal: Terminal): string {
  return flow(LEGEND, ' · ', terminal.outColumns)
    .map(line => `${paint.out('dim', line)}\n`)
    .join('')
}

/** @param isOpen the run goes on: what has no result yet may have one soon. */
export function timelineLine(entry: TimelineEntry, isOpen: boolean, terminal: Terminal): string {
  const took = entry.kind === 'call' && entry.durationMs !== null ? duration(entry.durationMs) : ''
  const [mark, markColour] = markOf(entry)
  const [ended, endedColour] = endOf(entry, isOpen)
  const line = [
    `+${since(entry.offsetMs)}`.padStart(WHEN_COLUMNS),
    took.padStart(TOOK_COLUMNS),
    paint.out(markColour, mark),
    paint.out(endedColour, column(ended, ENDED_COLUMNS)),
    plain(wordsOf(entry)),
  ].join(' ')
  return `${clip(line, terminal.outColumns)}\n`
}

/** What an approved plan does not list ends the run, or skips the item. */
function isUnplanned(code: string): boolean {
  return code === 'DRIFTED' || code === 'SKIPPED'
}

/** One unit, so that a column of them can be compared. */
function since(ms: number): string {
  return ms < 3_600_000 ? `${(ms / 1000).toFixed(2)}s` : `${count(Math.round(ms / 1000))}s`
}

function markOf(entry: TimelineEntry): readonly [string, Colour] {
  switch (entry.kind) {
    case 'call':
      if (entry.effect === 'read') return ['r', 'dim']
      if (entry.planned) return ['p', 'yellow']
      return entry.undo ? ['u', 'cyan'] : ['M', 'yellow']
    case 'refused':
      return [isUnplanned(entry.code) ? '!' : 'x', 'red']
    case 'item':
      return ['=', entry.state === 'ok' ? 'green' : 'red']
  }
}

function endOf(entry: TimelineEntry, isOpen: boolean): readonly [string, Colour] {
  switch (entry.kind) {
    case 'call':
      return endOfCall(entry, isOpen)
    case 'refused':
      return [isUnplanned(entry.code) ? 'not planned' : 'refused', 'red']
    case 'item':
      if (entry.rehearsed) return [`${entry.state}, rehearsal`, entry.state === 'ok' ? 'cyan' : 'red']
      return [entry.state, entry.state === 'ok' ? 'green' : 'red']
  }
}

/** A failure is told by its class, and by whom where that was not the tool itself. */
function endOfCall(call: CallEntry, isOpen: boolean): readonly [string, Colour] {
  const { answered, exitCode, signal } = call
  if (answered === null) return isOpen ? ['…', 'cyan'] : ['no result', 'red']
  if (exitCode === 0) return [`0 ${answered}`, answered === 'tool' ? 'green' : 'cyan']
  const how = call.class ?? signal ?? `exit ${exitCode}`
  return [answered === 'tool' ? how : `${how}, ${answered}`, 'red']
}

function wordsOf(entry: TimelineEntry): string {
  const ofItem = entry.item === null ? '' : `  [${entry.item}]`
  switch (entry.kind) {
    case 'call':
      return `${commandText(entry.tool, entry.argv)}${ofItem}`
    case 'refused':
      return `${commandText(entry.tool, entry.argv)}: ${entry.message}${ofItem}`
    case 'item':
      return [entry.item, entry.class, entry.message].filter(part => part !== null).join(': ')
  }
}

function column(text: string, columns: number): string {
  const cut = clip(plain(text), columns)
  return `${cut}${' '.repeat(Math.max(0, columns - widthOf(cut)))}`
}
