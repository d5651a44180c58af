/** `run_script`: a client may tighten what the operator allows, and loosen nothing. */

import { runScript, SrecodexError, type Problem, type ScriptLanguage } from '@srecodex/core'
import { loadConfig } from '../config.ts'
import { skillFolders } from '../skill-folders.ts'
import { attend, OWN_WAIT } from './attend.ts'
import type { Call, Outcome } from './client.ts'
import { MAX_SCRIPT_BYTES, MAX_SUMMARY_CHARS } from './limits.ts'
import type { Input, Session } from './session.ts'
import { withWorkspace } from './with-workspace.ts'

const MUTATIONS = ['deny', 'plan', 'allow'] as const
type Mutations = (typeof MUTATIONS)[number]

interface ScriptInput {
  readonly script: string
  readonly language: ScriptLanguage
  readonly args?: readonly string[]
  readonly workspace?: string
  readonly timeoutSeconds?: number
  readonly waitSeconds?: number
  readonly mutations?: Mutations
}

export async function runScriptTool(session: Session, call: Call, input: Input): Promise<Outcome> {
  const given = input as unknown as ScriptInput
  refuseLarge(given.script)
  return withWorkspace(session, call, given.workspace ?? '.', (next, workspace) =>
    run(session, next, given, workspace),
  )
}

async function run(session: Session, call: Call, given: ScriptInput, workspace: string): Promise<Outcome> {
  const { terminal } = session
  const { script, language, args = [], waitSeconds } = given
  const settings = await settingsOf(given, workspace, terminal.env)
  const { config } = await load(workspace, settings, terminal.env)
  const folders = skillFolders(session.skillsDir, terminal)
  const live = session.runs.start(call.canAsk, hooks =>
    runScript({
      ...hooks,
      script: { text: script, language },
      config,
      settings,
      args,
      workspace,
      skillFolders: folders,
    }),
  )
  const waitMs = waitSeconds === undefined ? OWN_WAIT.waitMs : waitSeconds * 1000
  return attend(session, call, live, { waitMs, owns: true })
}

export function refuseLarge(script: string): void {
  const size = Buffer.byteLength(script)
  if (size <= MAX_SCRIPT_BYTES) return
  throw new SrecodexError('SCRIPT_TOO_LARGE', `the script has ${size} bytes, more than ${MAX_SCRIPT_BYTES}`, {
    hint: 'put data into a file of the workspace and let the script read it',
    details: { path: null },
  })
}

/** By dotted key, as they would stand in a config file: what apply and resume run the script under again. */
async function settingsOf(
  given: ScriptInput,
  workspace: string,
  env: NodeJS.ProcessEnv,
): Promise<Record<string, unknown>> {
  const { config } = await loadConfig({ workspace, env })
  const { mutations, timeoutSeconds } = given
  if (mutations !== undefined) refuseLooser(mutations, config.mutations)
  return {
    'summary.max_chars': Math.min(config.summary.maxChars, MAX_SUMMARY_CHARS),
    ...(mutations === undefined ? {} : { 'mutations.default': mutations }),
    ...(timeoutSeconds === undefined ? {} : { 'scripts.execution_timeout': timeoutSeconds }),
  }
}

function refuseLooser(
  wanted: Mutations,
  operator: { readonly default: Mutations; readonly clientsMayAllow: boolean },
): void {
  const mayAllow = operator.clientsMayAllow || operator.default === 'allow'
  const most = operator.default === 'deny' && !operator.clientsMayAllow ? 'deny' : mayAllow ? 'allow' : 'plan'
  if (MUTATIONS.indexOf(wanted) <= MUTATIONS.indexOf(most)) return
  throw new SrecodexError(
    'REFUSED',
    `\`mutations\` is ${wanted}, and the operator lets clients say at most ${most}`,
    {
      hint:
        most === 'deny' ? 'leave it out: nothing may be changed here' : 'leave it out: changes become a plan',
      details: { key: 'mutations.clients_may_allow' },
    },
  )
}

/** Who said `timeoutSeconds` does not know `scripts.execution_timeout`. */
async function load(workspace: string, settings: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv) {
  try {
    return await loadConfig({ workspace, env, flags: settings })
  } catch (error) {
    if (!(error instanceof SrecodexError) || error.code !== 'CONFIG_INVALID') throw error
    const problems = (error.details.problems ?? []) as readonly Problem[]
    const own = problems.find(({ message }) => message.startsWith('`scripts.execution_timeout`'))
    if (own === undefined) throw error
    const message = own.message
      .replace('`scripts.execution_timeout`', '`timeoutSeconds`')
      .replace(', given as a flag,', '')
    throw new SrecodexError('USAGE', message, {
      hint: 'give it less time, or leave it out',
      cause: error,
    })
  }
}
