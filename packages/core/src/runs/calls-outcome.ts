/** What the calls and items of a run came to, and what that makes of its report. Pure. */

import type { SrecodexError } from '../errors.ts'
import type { CallCounts } from '../tools/broker.ts'
import { blastRadius, countPlan, type Plan } from '../tools/plan.ts'
import type { Verdict } from './finish.ts'
import type { RunReport, RunStatus } from './report.ts'

export interface CallsOutcome {
  readonly counts: CallCounts
  /** Uncut; null where the script had none. */
  readonly items: RunReport['items']
  /** What waits for approval. */
  readonly plan: Plan | null
  /** Where an approved plan ended: the mutation that it did not list, in words. */
  readonly drift: string | null
  /** The first refusal, in words. */
  readonly refusal: { readonly message: string; readonly hint: string | null } | null
  readonly limit: { readonly limit: string; readonly detail: string } | null
  /** Mutations that were begun, and nobody knows whether they happened. */
  readonly unknown: number
  /** The journal could not be written any more, so the run was ended. */
  readonly fault: SrecodexError | null
  /** Something was changed, or may have been, or an item is unfinished: there is something to go on with. */
  readonly resumable: boolean
}

/** Of a script that called nothing. */
export const NO_CALLS: CallsOutcome = {
  counts: { total: 0, reads: 0, mutations: 0, failed: 0, refused: 0 },
  items: null,
  plan: null,
  drift: null,
  refusal: null,
  limit: null,
  unknown: 0,
  fault: null,
  resumable: false,
}

const MAX_LISTED = 5
const MAX_KEYS = 3
const MAX_ITEM_CHARS = 80
const MAX_MESSAGE_CHARS = 400

/** The most specific cause first; a script that ended well in spite of a refusal did not do what it says. */
export function verdictOfCalls(calls: CallsOutcome, script: Verdict): Verdict {
  if (calls.fault !== null) {
    const { code, message, hint } = calls.fault
    return { status: 'failed', error: { code, message: `the run was ended: ${message}`, hint, stream: null } }
  }
  if (calls.limit !== null) {
    return refused('LIMIT_EXCEEDED', `the run was ended: ${calls.limit.detail}`, {
      hint: `${calls.limit.limit} in [limits] of the operator's config sets it`,
    })
  }
  if (calls.drift !== null) {
    return {
      status: 'drifted',
      error: {
        code: 'DRIFTED',
        message: `the run was ended before a change that its plan does not list: ${oneLine(calls.drift)}`,
        hint: 'the new plan holds it: approving that goes on from here, and nothing is done twice',
        stream: null,
      },
    }
  }
  if (script.status === 'timed-out' || script.status === 'cancelled') return script
  if (calls.refusal !== null) return refused('CALL_REFUSED', oneLine(calls.refusal.message), calls.refusal)
  if (calls.plan !== null) return { status: 'planned', error: null }
  if (script.status !== 'succeeded') return script
  const { items, unknown } = calls
  const words = [
    ...(items !== null && items.failed > 0 ? [`${items.failed} of ${items.total} items failed`] : []),
    ...(items !== null && items.unknown > 0
      ? [`the outcome of ${items.unknown === 1 ? 'an item' : `${items.unknown} items`} is not known`]
      : []),
    ...((items === null || items.unknown === 0) && unknown > 0
      ? [`the outcome of ${unknown === 1 ? 'a change' : `${unknown} changes`} is not known`]
      : []),
  ]
  if (words.length === 0) return script
  const code = items !== null && items.failed + items.unknown > 0 ? 'ITEMS_FAILED' : 'OUTCOME_UNKNOWN'
  return { status: 'failed', error: { code, message: words.join(', '), hint: null, stream: null } }
}

function refused(code: string, message: string, { hint }: { hint: string | null }): Verdict {
  return { status: 'refused', error: { code, message, hint, stream: null } }
}

export function nextOfCalls(run: string, status: RunStatus, calls: CallsOutcome): string | null {
  if (status === 'planned' || (status === 'drifted' && calls.plan !== null)) return `srecodex apply ${run}`
  return status !== 'succeeded' && calls.resumable ? `srecodex resume ${run}` : null
}

/** A rehearsal's own words speak of what did not happen, so they do not stand alone. */
export function plannedSummary({ plan }: CallsOutcome, said: string): string {
  if (plan === null) return said
  const counts = countPlan(plan.calls).map(
    ({ tool, verb, targets }) => `${cutText(`${tool} ${verb}`)} × ${targets}`,
  )
  const what = counts.slice(0, MAX_LISTED).join(', ')
  const more = counts.length > MAX_LISTED ? `, … ${counts.length - MAX_LISTED} more kinds` : ''
  const why = plan.incomplete
    .slice(0, 2)
    .map(one => oneLine(one))
    .join('; ')
  const open = why === '' ? '' : `\nmore may follow: ${why}`
  const words = said === '' ? '' : `\nthe script would say:\n${said}`
  return `Nothing was changed yet. It waits for approval: ${what}${more}${open}${words}`
}

export function planInReport(plan: Plan): NonNullable<RunReport['plan']> {
  const targets = plan.calls.flatMap(call => call.targets).sort()
  return {
    id: plan.id,
    complete: plan.incomplete.length === 0,
    mutations: blastRadius(plan.calls),
    targets: cutTexts(targets),
    preview: cutTexts(plan.calls.map(({ tool, argv }) => [tool, ...argv].join(' '))),
    may: cutTexts(plan.may.map(({ tool, argv }) => [tool, ...argv].join(' '))),
  }
}

export function cutItems(items: RunReport['items']): RunReport['items'] {
  if (items === null) return null
  const shown = items.failures.slice(0, MAX_LISTED).map(({ class: name, count, keys }) => ({
    class: cutText(name),
    count,
    keys:
      keys.length <= MAX_KEYS
        ? keys.map(cutText)
        : [...keys.slice(0, MAX_KEYS).map(cutText), `… ${keys.length - MAX_KEYS} more`],
  }))
  const rest = items.failures.slice(MAX_LISTED)
  if (rest.length === 0) return { ...items, failures: shown }
  const count = rest.reduce((sum, failure) => sum + failure.count, 0)
  return { ...items, failures: [...shown, { class: `… ${rest.length} more`, count, keys: [] }] }
}

function cutTexts(texts: readonly string[]): string[] {
  const shown = texts.slice(0, MAX_LISTED).map(cutText)
  return texts.length <= MAX_LISTED ? shown : [...shown, `… ${texts.length - MAX_LISTED} more`]
}

function cutText(text: string): string {
  return oneLine(text, MAX_ITEM_CHARS)
}

/** Without controls, and bounded: targets and arguments are the script's own words. */
function oneLine(text: string, maxChars: number = MAX_MESSAGE_CHARS): string {
  const line = text.slice(0, 2 * maxChars).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
  return line.length <= maxChars ? line : `${line.slice(0, maxChars - 1)}…`
}
