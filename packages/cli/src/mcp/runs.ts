/** What becomes of a run once it is there: looked at, applied, resumed, cancelled. */

import { homes, resumeRun, showPlan, showRun, stopRun, watchRun, type RunRecord } from '@srecodex/core'
import { applyNow, askAndApply, attend, OWN_WAIT, standing } from './attend.ts'
import type { Call, Outcome } from './client.ts'
import { reportResult } from './results.ts'
import { refuseLarge } from './run-script.ts'
import type { Input, Session } from './session.ts'
import { withWorkspace } from './with-workspace.ts'

export async function runStatus(session: Session, call: Call, input: Input): Promise<Outcome> {
  const { waitSeconds = 0 } = input as { readonly waitSeconds?: number }
  const { id } = await recordOf(session, input.run)
  const live = session.runs.find(id)
  if (live !== null) return attend(session, call, live, { waitMs: waitSeconds * 1000, owns: false })
  if (waitSeconds > 0)
    await followed(session, id, AbortSignal.any([call.signal, AbortSignal.timeout(waitSeconds * 1000)]))
  return standing(session, id)
}

/** A run of another process: until it ends, or the signal says so. */
async function followed({ terminal }: Session, id: string, signal: AbortSignal): Promise<void> {
  const records = watchRun(homes(terminal.env).state, id, signal)
  try {
    while ((await records.next()).done !== true);
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

export async function applyPlanTool(session: Session, call: Call, input: Input): Promise<Outcome> {
  const { reason = null } = input as { readonly reason?: string }
  const plan = await showPlan(String(input.plan), session.terminal.env)
  const { report } = await recordOf(session, plan.id)
  // The folder that it will write is the one that it was planned in, which may be anybody's.
  return withWorkspace(session, call, plan.bound.workspace, next =>
    // A client that cannot ask in our name asks in its own: the tool says that it changes things.
    next.canAsk ? askAndApply(session, next, report, reason) : applyNow(session, next, plan, reason),
  )
}

export async function resumeRunTool(session: Session, call: Call, input: Input): Promise<Outcome> {
  const { script } = input as { readonly script?: string }
  if (script !== undefined) refuseLarge(script)
  const { id, workspace, report } = await recordOf(session, input.run)
  return withWorkspace(session, call, workspace, async next => {
    const mended = script === undefined ? {} : { script: { text: script, language: report.script.language } }
    const live = session.runs.start(next.canAsk, hooks => resumeRun(id, { ...hooks, ...mended }))
    return attend(session, next, live, OWN_WAIT)
  })
}

export async function cancelRun(session: Session, _call: Call, input: Input): Promise<Outcome> {
  const { id } = await recordOf(session, input.run)
  const live = session.runs.find(id)
  if (live === null) return reportResult((await stopRun(homes(session.terminal.env).state, id)).record.report)
  live.cancel()
  return reportResult(await live.ended)
}

async function recordOf({ terminal }: Session, run: unknown): Promise<RunRecord> {
  return showRun(homes(terminal.env).state, String(run))
}
