/** A call, checked against the schema of its tool and handed on. What it throws becomes an error that is bounded. */

import { inputFaults, nearest, SrecodexError } from '@srecodex/core'
import type { Call, Outcome } from './client.ts'
import { INPUTS, TOOL_NAMES, type ToolName } from './definitions.ts'
import { readOutputTool } from './output.ts'
import { errorResult } from './results.ts'
import { runScriptTool } from './run-script.ts'
import { applyPlanTool, cancelRun, resumeRunTool, runStatus } from './runs.ts'
import type { Input, Session } from './session.ts'
import { findSkillsTool, readSkillTool } from './skills.ts'
import { cut } from './words.ts'

type Tool = (session: Session, call: Call, input: Input) => Promise<Outcome>

const TOOLS: Readonly<Record<ToolName, Tool>> = {
  find_skills: findSkillsTool,
  read_skill: readSkillTool,
  run_script: runScriptTool,
  run_status: runStatus,
  apply_plan: applyPlanTool,
  resume_run: resumeRunTool,
  cancel_run: cancelRun,
  read_output: readOutputTool,
}

export async function dispatch(session: Session, call: Call, input: Input): Promise<Outcome> {
  return guarded(session, async () => {
    const name = TOOL_NAMES.find(one => one === call.tool)
    if (name === undefined) throw unknownTool(call.tool)
    const faults = await inputFaults(INPUTS[name], input)
    if (faults.length > 0) {
      const told = faults.map(({ input: at, message }) =>
        at === '' ? message : `\`${cut(at, 60)}\` ${message}`,
      )
      throw new SrecodexError('USAGE', `${name}: ${told.join('; ')}`, {
        hint: `it takes ${Object.keys(INPUTS[name].properties).join(', ')}`,
      })
    }
    return TOOLS[name](session, call, input)
  })
}

/** Whatever goes wrong is told to the client; what is a fault of srecodex is told on stderr too. */
export async function guarded(session: Session, act: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof SrecodexError)) {
      session.terminal.err(
        `srecodex mcp: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      )
    }
    return errorResult(error)
  }
}

function unknownTool(name: string): SrecodexError {
  const meant = nearest(name.slice(0, 100), TOOL_NAMES)
  return new SrecodexError('USAGE', `there is no tool \`${cut(name, 80)}\``, {
    hint: meant === undefined ? `there are ${TOOL_NAMES.join(', ')}` : `did you mean ${meant}?`,
  })
}
