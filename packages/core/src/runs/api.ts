/** The door for programs: one call loads the config, runs the script, and keeps the store tidy. */

import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { homes } from '../config/paths.ts'
import { loadConfig } from '../config/load.ts'
import { SrecodexError } from '../errors.ts'
import { BUILT_IN_TOOLS } from '../tools/effects/names.ts'
import type { Plan } from '../tools/plan.ts'
import { recoverInterrupted } from './cleanup.ts'
import type { Approval, Continuation, RunEvent, RunOptions, RunScriptOptions } from './options.ts'
import { continuedBy, findPlan, readPlan } from './plan-file.ts'
import { pruneWhenDue } from './prune.ts'
import type { RunReport } from './report.ts'
import { runPrepared } from './run-script.ts'
import { shownPlan } from './shown-plan.ts'
import type { KeptScript, ScriptSource } from './stage.ts'
import { findRun, isOpen, runFolder, type RunRecord } from './store.ts'
import { redactorOf } from './timeline.ts'

/**
 * Runs one script inside the sandbox and returns its report.
 *
 * A script that exits non-zero, times out, or is cancelled is a result, not an error.
 *
 * @throws {SrecodexError} CONFIG_INVALID | WORKSPACE_INVALID | SCRIPT_NOT_FOUND | SCRIPT_UNREADABLE |
 *   SCRIPT_EMPTY | SCRIPT_TOO_LARGE | EXTENSION_REFUSED | INTERPRETER_NOT_FOUND | SANDBOX_UNAVAILABLE |
 *   REFUSED | DISK_FULL | STATE_UNWRITABLE
 */
export async function runScript(options: RunScriptOptions): Promise<RunReport> {
  const { config: given, settings = {}, ...rest } = options
  const environment = options.callerEnvironment ?? process.env
  const config =
    given ??
    (
      await loadConfig({
        workspace: options.workspace ?? process.cwd(),
        env: environment,
        flags: settings,
        builtInTools: BUILT_IN_TOOLS,
      })
    ).config
  const home = homes(environment)
  return runAndTidy({
    ...rest,
    settings,
    continues: null,
    config,
    stateFolder: home.state,
    cacheFolder: home.cache,
    ownFolders: [home.config, home.state, home.cache],
  })
}

async function runAndTidy(options: RunOptions): Promise<RunReport> {
  const { stateFolder, config } = options
  const report = await runPrepared(options)
  // What cannot be pruned today is pruned another day; the report of this run is not lost over it.
  await pruneWhenDue(stateFolder, { keepDays: config.runs.keepDays, maxBytes: config.runs.maxBytes }).catch(
    () => {},
  )
  return report
}

export interface ContinueOptions {
  /** @default process.env */
  readonly callerEnvironment?: NodeJS.ProcessEnv
  readonly signal?: AbortSignal
  readonly onEvent?: (event: RunEvent) => void
  readonly approveDrift?: (plan: Plan) => Promise<boolean>
}

export interface ApplyOptions extends ContinueOptions {
  readonly how: Approval['how']
  readonly reason?: string
}

/**
 * Runs the script of a plan again, allowed to make the mutations that the plan lists and no others.
 *
 * @param name id of the planned or drifted run, a unique prefix, or `last`.
 * @throws {SrecodexError} RUN_NOT_FOUND | RUN_AMBIGUOUS | PLAN_NOT_FOUND | PLAN_STALE, and what `runScript` throws
 */
export async function applyPlan(name: string, options: ApplyOptions): Promise<RunReport> {
  const { state } = homes(options.callerEnvironment ?? process.env)
  await recoverInterrupted(state)
  const { record, plan } = await findPlan(state, name)
  refuseStale(state, record, plan)
  const approval = { by: userInfo().username, how: options.how, reason: options.reason ?? null }
  return continueRun(record, { parent: record.id, plan, approval }, options)
}

/** The plan of a run as it waits for approval, without secrets. @throws {SrecodexError} as `applyPlan` does. */
export async function showPlan(name: string, environment: NodeJS.ProcessEnv = process.env): Promise<Plan> {
  const { state } = homes(environment)
  await recoverInterrupted(state)
  const { record, plan } = await findPlan(state, name)
  return shownPlan(plan, redactorOf(runFolder(state, record.id), environment))
}

/**
 * Goes on with a run that did not finish: what it did is answered from its journal, the rest is done under the
 * approval that it had. With another script, what differs is planned anew.
 *
 * @throws {SrecodexError} RUN_NOT_FOUND | RUN_AMBIGUOUS | RUN_NOT_RESUMABLE | PLAN_STALE, and what `runScript` throws
 */
export async function resumeRun(
  name: string,
  options: ContinueOptions & { readonly script?: ScriptSource } = {},
): Promise<RunReport> {
  const { state } = homes(options.callerEnvironment ?? process.env)
  await recoverInterrupted(state)
  const record = await findRun(state, name)
  refuseFinished(record)
  const approved = options.script === undefined ? readPlan(runFolder(state, record.id).approved) : null
  return continueRun(record, { parent: record.id, plan: approved, approval: null }, options)
}

function refuseStale(state: string, record: RunRecord, plan: Plan): void {
  const stale = (message: string, hint = 'run the script again'): SrecodexError =>
    new SrecodexError('PLAN_STALE', message, { hint, details: { run: record.id } })
  const by = continuedBy(runFolder(state, record.id))
  if (by !== null) throw stale(`the plan of ${record.id} was used by run ${by}`, `srecodex runs show ${by}`)
  if (plan.id !== record.id || plan.bound.script !== record.report.script.sha256) {
    throw stale(`the plan in ${record.id} was made for something else`)
  }
  if (Date.parse(plan.expiresAt) <= Date.now())
    throw stale(`the plan of ${record.id} expired at ${plan.expiresAt}`)
}

function refuseFinished(record: RunRecord): void {
  const { status, next } = record.report
  const refuse = (message: string, hint: string | null): SrecodexError =>
    new SrecodexError('RUN_NOT_RESUMABLE', message, {
      ...(hint === null ? {} : { hint }),
      details: { run: record.id },
    })
  if (isOpen(record)) throw refuse(`run ${record.id} is still running`, `srecodex runs watch ${record.id}`)
  if (status === 'succeeded') throw refuse(`run ${record.id} succeeded: nothing is left to do`, null)
  if (status === 'planned' || status === 'drifted') throw refuse(`run ${record.id} waits for approval`, next)
}

async function continueRun(
  record: RunRecord,
  continues: Continuation,
  options: ContinueOptions & { readonly script?: ScriptSource },
): Promise<RunReport> {
  const environment = options.callerEnvironment ?? process.env
  const home = homes(environment)
  const { workspace, settings } = record
  const { config } = await loadConfig({
    workspace,
    env: environment,
    flags: settings,
    builtInTools: BUILT_IN_TOOLS,
  })
  const folder = runFolder(home.state, record.id)
  const { approveDrift } = options
  return runAndTidy({
    script: options.script ?? keptScript(record, folder.script),
    config,
    settings,
    continues,
    args: record.args,
    workspace,
    environment: readEnvironment(folder.environment),
    callerEnvironment: environment,
    skillFolders: record.skillFolders,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    ...(approveDrift === undefined
      ? {}
      : { approveDrift: async plan => approveDrift(await shownPlan(plan, redactorOf(folder, environment))) }),
    stateFolder: home.state,
    cacheFolder: home.cache,
    ownFolders: [home.config, home.state, home.cache],
  })
}

function keptScript(record: RunRecord, kept: string): KeptScript {
  const { name, language, sha256 } = record.report.script
  return { kept, name, language, sha256, path: record.scriptPath }
}

function readEnvironment(path: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {} // it had none
    throw error
  }
}
