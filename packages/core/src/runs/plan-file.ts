/** A run's plan on the disk: written once, read by whoever approves it, used by one run. */

import { readFileSync, writeFileSync } from 'node:fs'
import { SrecodexError } from '../errors.ts'
import { isWhole, type Plan } from '../tools/plan.ts'
import { findRun, readRecord, runFolder, storeError, type RunFolder, type RunRecord } from './store.ts'

/** @throws {SrecodexError} DISK_FULL | STATE_UNWRITABLE */
export function writePlan(path: string, plan: Plan): void {
  try {
    writeFileSync(path, `${JSON.stringify(plan)}\n`, { mode: 0o600, flag: 'wx', flush: true })
  } catch (error) {
    throw storeError(path, error)
  }
}

/** @returns null where there is none. @throws {SrecodexError} PLAN_STALE: it is not what was written. */
export function readPlan(path: string): Plan | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  const plan = parse(text)
  if (plan !== null && isWhole(plan)) return plan
  throw new SrecodexError('PLAN_STALE', 'the plan on the disk is not what was planned', {
    hint: 'run the script again',
    details: { path },
  })
}

function parse(text: string): Plan | null {
  try {
    return JSON.parse(text) as Plan
  } catch {
    return null
  }
}

/**
 * The plan of a run, by its id, a unique prefix, or `last`.
 *
 * @throws {SrecodexError} RUN_NOT_FOUND | RUN_AMBIGUOUS | PLAN_NOT_FOUND | PLAN_STALE
 */
export async function findPlan(
  stateFolder: string,
  name: string,
): Promise<{ record: RunRecord; plan: Plan }> {
  const record = await findRun(stateFolder, name)
  const { status } = record.report
  const plan =
    status === 'planned' || status === 'drifted' ? readPlan(runFolder(stateFolder, record.id).plan) : null
  if (plan !== null) {
    // Whoever approves a run by its id must not be given what another one wants.
    if (plan.id === record.id && plan.bound.script === record.report.script.sha256) return { record, plan }
    throw new SrecodexError('PLAN_STALE', `the plan in ${record.id} was made for something else`, {
      hint: 'run the script again',
      details: { run: record.id },
    })
  }
  throw new SrecodexError(
    'PLAN_NOT_FOUND',
    `run ${record.id} has no plan: it ${STATES[status] ?? 'has ended'}`,
    {
      hint: record.report.next ?? 'srecodex runs list shows which runs are planned',
      details: { run: record.id },
    },
  )
}

const STATES: Readonly<Record<string, string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  running: 'is still running',
  waiting: 'is still running',
  refused: 'was refused',
  'timed-out': 'timed out',
  cancelled: 'was cancelled',
  interrupted: 'was interrupted',
}

/**
 * Makes one run the only one that goes on from another: a plan is used once, and nothing is resumed twice at a time.
 *
 * @param by a run whose record is durable already: so whoever is told of it finds it.
 * @throws {SrecodexError} PLAN_STALE
 */
export async function claimContinuation(stateFolder: string, from: RunFolder, by: string): Promise<void> {
  try {
    writeFileSync(from.continued, by, { mode: 0o600, flag: 'wx', flush: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw storeError(from.continued, error)
    throw await taken(stateFolder, from.id)
  }
}

/** @returns the id of the run that went on from another; null: none did. */
export function continuedBy(from: RunFolder): string | null {
  try {
    return readFileSync(from.continued, 'utf8')
  } catch {
    return null
  }
}

/**
 * A run that was ended before it had taken over what an earlier one did knows half of it, and its script was not
 * started: the earlier one is gone on from.
 *
 * @throws {SrecodexError} RUN_NOT_RESUMABLE
 */
export async function refuseUnbegun(stateFolder: string, run: string): Promise<void> {
  const from = (await readRecord(stateFolder, run))?.report.parent ?? null
  const origin = from === null ? null : await readRecord(stateFolder, from)
  if (origin === null || hasTakenOver(stateFolder, run, origin.id)) return
  throw new SrecodexError('RUN_NOT_RESUMABLE', `run ${run} was ended before it began: it changed nothing`, {
    hint: goOnFrom(origin),
    details: { run },
  })
}

export function hasTakenOver(stateFolder: string, run: string, from: string): boolean {
  return continuedBy(runFolder(stateFolder, from)) === run
}

/** The command that goes on from a run that something would have gone on from. */
export function goOnFrom({ id, report: { status } }: RunRecord): string {
  return `srecodex ${status === 'planned' || status === 'drifted' ? 'apply' : 'resume'} ${id}`
}

async function taken(stateFolder: string, run: string): Promise<SrecodexError> {
  const by = continuedBy(runFolder(stateFolder, run)) ?? ''
  const claimer = await readRecord(stateFolder, by)
  const hint = claimer?.report.next ?? `srecodex runs show ${by}`
  return new SrecodexError(
    'PLAN_STALE',
    `run ${by} went on from ${run} already (${claimer?.report.status ?? 'gone'})`,
    {
      hint,
      details: { run, by },
    },
  )
}
