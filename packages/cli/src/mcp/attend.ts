/** A call that waits for a run: what it hears meanwhile, what it asks, and what it returns when one of them ends. */

import {
  applyPlan,
  homes,
  isOpen,
  openProgress,
  readRunHistory,
  showPlan,
  showRun,
  type Plan,
  type RunReport,
} from '@srecodex/core'
import { planQuestion } from './approval.ts'
import type { Answer, Call, Outcome } from './client.ts'
import type { LiveRun } from './live-runs.ts'
import { DEFAULT_WAIT_SECONDS } from './limits.ts'
import { startProgress } from './progress.ts'
import { reportResult } from './results.ts'
import type { Session } from './session.ts'
import { count, duration, plural } from '../render/units.ts'

export interface Waiting {
  readonly waitMs: number
  /** Whether giving up the call ends the run: where the call only looks on, it does not. */
  readonly owns: boolean
}

/** Returns when the run ends, after `waitMs`, or, before the run goes on, with a question to the client. */
export async function attend(session: Session, call: Call, run: LiveRun, waiting: Waiting): Promise<Outcome> {
  const id = await run.started
  const { state } = homes(session.terminal.env)
  const reader = openProgress(state, id)
  const stopProgress = startProgress(call, run, () => reader.read())
  const left = new AbortController()
  const given = onAbort(call.signal, left.signal)
  try {
    const event = await Promise.race([
      run.ended.then(report => ({ kind: 'ended', report }) as const),
      given.then(() => ({ kind: 'given-up' }) as const),
      after(waiting.waitMs, left.signal).then(() => ({ kind: 'waited' }) as const),
      ...(call.canAsk
        ? [run.nextQuestion(left.signal).then(question => ({ kind: 'question', question }) as const)]
        : []),
    ])
    switch (event.kind) {
      case 'ended':
        return await conclude(session, call, event.report)
      case 'given-up':
        if (!waiting.owns) return await standing(session, id)
        run.cancel()
        return reportResult(await run.ended)
      case 'waited':
        return await standing(session, id)
      case 'question':
        stopProgress()
        return await call.ask(planQuestion(event.question.plan, 'drift'), (next, answer) => {
          event.question.settle(answer === 'yes')
          return attend(session, next, run, waiting)
        })
    }
  } finally {
    left.abort()
    stopProgress()
  }
}

/** A run that ended. What it plans is asked for in place where somebody can be asked. */
async function conclude(session: Session, call: Call, report: RunReport): Promise<Outcome> {
  if (report.artifacts.length > 0) session.artifactsChanged()
  if (report.status !== 'planned' || !call.canAsk) return reportResult(report)
  return askAndApply(session, call, report, null)
}

/** @param reason why the client wants it; kept with the run. */
export async function askAndApply(
  session: Session,
  call: Call,
  report: RunReport,
  reason: string | null,
): Promise<Outcome> {
  const plan = await showPlan(report.run, session.terminal.env)
  return call.ask(planQuestion(plan, 'plan'), (next, answer) =>
    answer === 'yes'
      ? applyNow(session, next, plan, reason)
      : Promise.resolve(reportResult(withoutConsent(report, answer))),
  )
}

export async function applyNow(
  session: Session,
  call: Call,
  plan: Plan,
  reason: string | null,
): Promise<Outcome> {
  const run = session.runs.start(call.canAsk, hooks =>
    applyPlan(plan.id, { ...hooks, how: 'client', ...(reason === null ? {} : { reason }) }),
  )
  return attend(session, call, run, OWN_WAIT)
}

export const OWN_WAIT: Waiting = { waitMs: DEFAULT_WAIT_SECONDS * 1000, owns: true }

/** A model that is told to try again would try again. */
function withoutConsent(report: RunReport, answer: Exclude<Answer, 'yes'>): RunReport {
  const said =
    answer === 'no'
      ? 'nothing was changed: the client’s answer was no. Do not apply this plan unless a person asks for it'
      : 'nothing was changed: nobody answered. The plan waits; do not ask again by yourself'
  return {
    ...report,
    notices: [said, ...report.notices],
    next: `a person runs: srecodex apply ${report.run}`,
  }
}

/** How a run stands that has not ended. */
export async function standing(session: Session, id: string): Promise<Outcome> {
  const { env } = session.terminal
  const { state } = homes(env)
  const record = await showRun(state, id)
  const { report } = record
  if (!isOpen(record)) return reportResult(report)
  const durationMs = Date.now() - Date.parse(record.startedAt)
  const { itemCounts: items } = await readRunHistory(state, record, env)
  const { calls } = await openProgress(state, id).read()
  const parts = [
    ...(items === null ? [] : [`${count(items.total - items.pending)} of ${plural(items.total, 'item')}`]),
    ...(items === null || items.failed === 0 ? [] : [`${count(items.failed)} failed`]),
    ...(calls.total === 0 ? [] : [plural(calls.total, 'call')]),
  ]
  // Its numbers, not its note: a summary holds no word of a script that was not searched for secrets.
  const progress = session.runs.find(id)?.progress ?? null
  const done =
    progress === null || progress.total === null
      ? []
      : [`${count(progress.done)} of ${count(progress.total)} done`]
  const told = [`It goes on, for ${duration(durationMs)} now`, ...done, ...parts].join(', ')
  return reportResult({ ...report, summary: `${told}.`, durationMs, items })
}

/** Never resolves where the other one is first. */
function onAbort(signal: AbortSignal, left: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true, signal: left })
  })
}

function after(ms: number, left: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms)
    left.addEventListener('abort', () => clearTimeout(timer), { once: true })
  })
}
