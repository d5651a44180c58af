/** `srecodex apply` and `srecodex resume`: going on from a run. */

import { homes, resumeRun, showPlan, showRun, type RunReport } from '@srecodex/core'
import { applyAttended, ask, attend, conclude, mayAsk, tell, type AttendFlags } from '../attend.ts'
import { renderNotice } from '../render/error.ts'
import { givenPath } from '../render/path.ts'
import type { Terminal } from '../terminal.ts'

/** Waiting for approval, as `run` ends where nobody can be asked. */
const PLANNED = 3

export async function apply(
  terminal: Terminal,
  name: string,
  flags: AttendFlags & { readonly reason?: string },
): Promise<number> {
  const plan = await showPlan(name, terminal.env)
  const { report } = await showRun(homes(terminal.env).state, plan.id)
  if (flags.yes !== true) {
    if (!mayAsk(terminal, flags)) {
      terminal.err(
        renderNotice(`nobody can be asked here: srecodex apply ${plan.id} --yes approves the plan`),
      )
      return declined(terminal, flags, report)
    }
    if (!(await ask(terminal, plan, 'Apply it?'))) return declined(terminal, flags, report)
  }
  const applied = await applyAttended(terminal, report.script.name, flags, plan.id, {
    how: flags.yes === true ? 'command' : 'terminal',
    ...(flags.reason === undefined ? {} : { reason: flags.reason }),
  })
  return tell(terminal, flags, applied)
}

function declined(terminal: Terminal, flags: AttendFlags, report: RunReport): number {
  if (flags.json) terminal.out(`${JSON.stringify(report)}\n`)
  return PLANNED
}

export async function resume(
  terminal: Terminal,
  name: string,
  flags: AttendFlags & { readonly script?: string },
): Promise<number> {
  const { id, report } = await showRun(homes(terminal.env).state, name)
  const script = flags.script === undefined ? {} : { script: { path: givenPath(flags.script, terminal) } }
  const shown = flags.script ?? report.script.name
  const resumed = await attend(terminal, shown, flags, attended => resumeRun(id, { ...attended, ...script }))
  return conclude(terminal, shown, flags, resumed)
}
