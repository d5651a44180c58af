/**
 * Results as clients hand them to a model: bounded whatever a run said, and the same words in `content` and in
 * `structuredContent`, since each client drops one of the two. Pure.
 */

import { SrecodexError, type RunReport } from '@srecodex/core'
import type { CallToolResult } from '@modelcontextprotocol/server'
import { bytes, count, duration, plural } from '../render/units.ts'
import { MAX_ERROR_CHARS, MAX_RESULT_CHARS } from './limits.ts'
import { cut, cutList, inToolWords, longest } from './words.ts'

export function result(text: string, structured: Readonly<Record<string, unknown>>): CallToolResult {
  return { content: [{ type: 'text', text }], structuredContent: { ...structured } }
}

export function fits(one: CallToolResult, chars: number = MAX_RESULT_CHARS): boolean {
  return JSON.stringify(one).length <= chars
}

/** How much of lists and of long words is shown, the most first. */
const BOUNDS = [
  { list: 5, chars: 80, long: 400 },
  { list: 3, chars: 80, long: 300 },
  { list: 3, chars: 60, long: 200 },
  { list: 2, chars: 40, long: 160 },
  { list: 1, chars: 40, long: 120 },
] as const

/** Lists are cut first, the summary last. */
export function reportResult(report: RunReport): CallToolResult {
  const told = { ...report, next: report.next === null ? null : inToolWords(report.next) }
  for (const bound of BOUNDS) {
    const whole = written(bounded(told, bound))
    if (fits(whole)) return whole
  }
  const least = bounded(told, BOUNDS.at(-1)!)
  const more = `\n… the rest: read_output {"run":"${report.run}"}`
  const summary = longest(report.summary, part => fits(written({ ...least, summary: part + more })))
  return written({ ...least, summary: summary + more })
}

function written(report: RunReport): CallToolResult {
  const { summary, next } = report
  const parts = [summary, statusLine(report), next === null ? '' : `next: ${next}`]
  return result(parts.filter(part => part !== '').join('\n\n'), { ...report })
}

function statusLine(report: RunReport): string {
  const { status, run, durationMs, items, calls, output, error, notices } = report
  const printed = output.stdout.bytes + output.stderr.bytes
  const facts = [
    `${status}: run ${run}`,
    ...(durationMs === 0 ? [] : [duration(durationMs)]),
    ...(items === null ? [] : [`${count(items.ok)} of ${plural(items.total, 'item')} ok`]),
    ...(items === null || items.failed === 0 ? [] : [`${count(items.failed)} failed`]),
    ...(items === null || items.unknown === 0 ? [] : [`${count(items.unknown)} unknown`]),
    ...(calls.total === 0 ? [] : [`${plural(calls.total, 'call')}, ${count(calls.mutations)} changing`]),
    ...(printed === 0 ? [] : [`${bytes(printed)} printed, kept on disk`]),
  ]
  const lines = [
    facts.join(' · '),
    ...(error === null ? [] : [`error ${error.code}: ${error.message}`]),
    ...(error?.hint ? [`hint: ${error.hint}`] : []),
    ...notices.map(notice => `note: ${notice}`),
  ]
  return lines.join('\n')
}

/** Every string of a report has an end, also those that are short as a rule. */
function bounded(report: RunReport, { list, chars, long }: (typeof BOUNDS)[number]): RunReport {
  const { script, items, plan, artifacts, sandbox, notices, error } = report
  return {
    ...report,
    signal: report.signal === null ? null : cut(report.signal, chars),
    script: { ...script, name: cut(script.name, chars) },
    items: items === null ? null : { ...items, failures: cutFailures(items.failures, list, chars) },
    plan:
      plan === null
        ? null
        : {
            ...plan,
            targets: cutList(plan.targets, list, chars),
            preview: cutList(plan.preview, list, chars),
            may: cutList(plan.may, list, chars),
          },
    artifacts: cutCounted(artifacts, list, chars),
    sandbox: { ...sandbox, network: cut(sandbox.network, chars) },
    notices: cutList(notices, list, 2 * chars),
    error:
      error === null
        ? null
        : {
            ...error,
            message: cut(error.message, long),
            hint: error.hint === null ? null : cut(inToolWords(error.hint), long),
          },
  }
}

type Failures = NonNullable<RunReport['items']>['failures']

function cutFailures(failures: Failures, most: number, chars: number): Failures {
  const shown = failures.slice(0, most).map(({ class: name, count: number, keys }) => ({
    class: cut(name, chars),
    count: number,
    keys: cutList(keys, Math.min(most, 3), chars),
  }))
  const rest = failures.slice(most)
  if (rest.length === 0) return shown
  const hidden = hiddenIn(rest.map(({ class: name }) => name))
  const number = rest.reduce((sum, failure) => sum + failure.count, 0)
  return [...shown, { class: `… ${hidden} more`, count: number, keys: [] }]
}

function cutCounted(artifacts: RunReport['artifacts'], most: number, chars: number): RunReport['artifacts'] {
  const shown = artifacts.slice(0, most).map(one => ({ ...one, name: cut(one.name, chars) }))
  const rest = artifacts.slice(most)
  if (rest.length === 0) return shown
  const size = rest.reduce((sum, one) => sum + one.bytes, 0)
  return [...shown, { name: `… ${hiddenIn(rest.map(({ name }) => name))} more`, bytes: size }]
}

/** The last of a list that was cut before stands for several. */
function hiddenIn(names: readonly string[]): number {
  return names.reduce((sum, name) => sum + Number(/^… (\d+) more$/.exec(name)?.[1] ?? 1), 0)
}

/** Code, message, hint. No `structuredContent`: it would not be what the tool's schema says. */
export function errorResult(error: unknown): CallToolResult {
  const { code, message, hint } = known(error)
  const shown = hint === null ? '' : `\nhint: ${cut(inToolWords(hint), 250)}`
  const wrap = (part: string): CallToolResult => ({
    content: [{ type: 'text', text: `error[${code}]: ${part}${shown}` }],
    isError: true,
  })
  return wrap(longest(message, part => fits(wrap(part), MAX_ERROR_CHARS)))
}

function known(error: unknown): { code: string; message: string; hint: string | null } {
  if (error instanceof SrecodexError) {
    const { code, message, hint, details } = error
    const problems = (details.problems ?? []) as readonly {
      readonly message: string
      readonly hint?: string
    }[]
    if (problems.length === 0) return { code, message, hint }
    const told = problems.map(problem => problem.message).join('; ')
    return { code, message: told, hint: hint ?? problems[0]?.hint ?? null }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'INTERNAL', message: `a fault of srecodex: ${message}`, hint: null }
}
