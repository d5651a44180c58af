/** A plan as a person reads it in a client's question: how much, on what, as whom. Pure and bounded. */

import { countPlan, type Plan } from '@srecodex/core'
import { plain } from '../render/plan.ts'
import { count } from '../render/units.ts'
import { cut } from './words.ts'

const SHOWN_TARGETS = 6
const SHOWN_KINDS = 6
const MAX_LINE_CHARS = 300
const MAX_CHARS = 2000

export function planQuestion(plan: Plan, kind: 'plan' | 'drift'): string {
  const changes = countPlan(plan.calls)
  const shown = changes.slice(0, SHOWN_KINDS)
  const lines = [
    kind === 'plan'
      ? 'Make these changes?'
      : 'The script wants a change that its plan does not list. Make it, and go on?',
    ...shown.map(({ tool, verb, targets }) => {
      return `${count(Math.max(1, targets))} × ${tool} ${verb}: ${targetsOf(plan, tool, verb)}`
    }),
    ...(changes.length > shown.length ? [`… ${changes.length - shown.length} more kinds of change`] : []),
    ...plan.bound.tools.map(({ tool, summary }) => `${tool} as ${summary}`),
    ...plan.may.slice(0, SHOWN_KINDS).map(({ tool, argv }) => `may also: ${[tool, ...argv].join(' ')}`),
    ...plan.incomplete.slice(0, 2).map(why => `more may follow: ${why}`),
    `plan ${plan.id}`,
  ]
  return cut(lines.map(line => cut(plain(line), MAX_LINE_CHARS)).join('\n'), MAX_CHARS)
}

function targetsOf(plan: Plan, tool: string, verb: string): string {
  const targets = plan.calls
    .filter(call => call.tool === tool && call.verb === verb)
    .flatMap(call => call.targets)
    .sort()
  const shown = targets.slice(0, SHOWN_TARGETS).join(', ')
  return targets.length > SHOWN_TARGETS ? `${shown}, … ${targets.length - SHOWN_TARGETS} more` : shown
}
