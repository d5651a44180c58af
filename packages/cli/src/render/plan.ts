/** A plan as whoever approves it reads it: how much, of what, on whom, as whom, and what may come besides. */

import { countPlan, type Plan } from '@srecodex/core'
import { paint, type Terminal } from '../terminal.ts'
import { wrap } from './layout.ts'
import { count, duration, plural } from './units.ts'

/** First and last targets of each kind that are shown. */
const SHOWN_ENDS = 3

/** @param most the blast radius that is allowed; null: it is not told. */
export function renderPlan(
  plan: Plan,
  most: number | null,
  terminal: Terminal,
  stream: keyof typeof paint = 'err',
): string {
  const painted = paint[stream]
  const changes = countPlan(plan.calls)
  const total = changes.reduce((sum, { targets }) => sum + Math.max(1, targets), 0)
  const lifeMs = Date.parse(plan.expiresAt) - Date.now()
  const lines = [
    painted('bold', `Plan ${plan.id}`),
    `  ${plural(total, 'change')}${most === null ? '' : ` of at most ${count(most)}`} · ${life(lifeMs)}`,
    ...plan.bound.tools.map(({ tool, summary }) => `  ${tool} as ${plain(summary)}`),
    '',
    ...changes.flatMap(({ tool, verb, targets }) => [
      `  ${painted('yellow', `${count(Math.max(1, targets))} × ${plain(`${tool} ${verb}`)}`)}`,
      ...ends(targetsOf(plan, tool, verb)).map(line => `      ${line}`),
    ]),
    ...plan.may.map(({ tool, argv }) => `  may also: ${plain([tool, ...argv].join(' '))}`),
    ...plan.incomplete.map(why => painted('yellow', `  not complete: ${plain(why)}`)),
  ]
  const wrapped = lines.flatMap(line =>
    line === '' ? [''] : indented(line, stream === 'err' ? terminal.columns : terminal.outColumns),
  )
  return `${wrapped.join('\n')}\n`
}

function life(ms: number): string {
  return ms > 0 ? `good for ${duration(ms)}` : 'expired: run the script again'
}

/**
 * In the script's order. Items came side by side, in any: theirs is that of their names, so that one plan always reads
 * alike.
 */
function targetsOf(plan: Plan, tool: string, verb: string): string[] {
  const calls = plan.calls.filter(call => call.tool === tool && call.verb === verb)
  const first = ({ targets }: Plan['calls'][number]): string => targets[0] ?? ''
  const shown = calls.every(({ item }) => item !== null)
    ? calls.toSorted((one, other) => (first(one) < first(other) ? -1 : first(one) > first(other) ? 1 : 0))
    : calls
  return shown.flatMap(call => call.targets)
}

function ends(targets: readonly string[]): string[] {
  const shown = targets.map(plain)
  const hidden = shown.length - 2 * SHOWN_ENDS
  if (hidden <= 1) return shown
  return [...shown.slice(0, SHOWN_ENDS), `… ${count(hidden)} more`, ...shown.slice(-SHOWN_ENDS)]
}

function indented(line: string, columns: number): string[] {
  const indent = /^ */.exec(line)![0]
  return wrap(line.slice(indent.length), columns - indent.length).map(part => `${indent}${part}`)
}

/** Names are the script's, or a server's, own words: they must not draw on the terminal. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}
