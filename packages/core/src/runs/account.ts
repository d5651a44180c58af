/**
 * What the journal of a run says beyond its calls: each item with its attempts, who approved what and how long that
 * took, and what became of what was planned.
 *
 * Promises: text that is safe to show (`call-words.ts`); of a run that is still going, what is there now. A plan that
 * other runs went on from is told by the last of them, whose journal begins with all that came before.
 *
 * @see streamJournal for what makes it throw STORE_CORRUPT.
 */

import { existsSync } from 'node:fs'
import { itemsOf, type AccountItem } from './account/items.ts'
import { planAccount, type PlanAccount } from './account/plan.ts'
import { redactRows } from './call-words.ts'
import type { ApprovedEntry, RecordedEntry } from './journal/entries.ts'
import { readJournal } from './journal/read.ts'
import { isRehearsal } from './journal/rehearsal.ts'
import { continuedBy, readPlan } from './plan-file.ts'
import { findRun, isOpen, runFolder, type RunFolder, type RunRecord } from './store.ts'
import { redactorOf } from './timeline.ts'

export type { AccountItem } from './account/items.ts'
export type { OutsideCall, PlanAccount, PlannedState } from './account/plan.ts'

export interface AccountApproval {
  readonly by: string
  readonly how: ApprovedEntry['how']
  readonly reason: string | null
  /** Since the journal was begun; null: it was given to an earlier run. */
  readonly offsetMs: number | null
  /** From the plan, or the question, until the approval; null: not known, or nobody was asked. */
  readonly waitedMs: number | null
  /** The script stood still meanwhile. */
  readonly inPlace: boolean
}

export interface RunAccount {
  /** As they were given, safe to show. */
  readonly args: readonly string[]
  /** Its changes were only foreseen: no item of it is done. */
  readonly rehearsed: boolean
  /** From the first entry of the journal to the last. */
  readonly lengthMs: number
  readonly items: readonly AccountItem[]
  readonly approvals: readonly AccountApproval[]
  /** Null: nothing was planned. */
  readonly plan: PlanAccount | null
}

/**
 * @param name an id, a unique prefix, or `last`.
 * @throws {SrecodexError} RUN_NOT_FOUND | RUN_AMBIGUOUS | STORE_CORRUPT | PLAN_STALE: its plan was altered
 */
export async function readAccount(
  stateFolder: string,
  name: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<RunAccount> {
  const record = await findRun(stateFolder, name)
  const folder = runFolder(stateFolder, record.id)
  const redactor = redactorOf(folder, environment)
  const [words] = await redactRows([[record.args]], redactor)
  const args = words![0] as readonly string[]
  const entries = existsSync(folder.journal) ? await readJournal(folder.journal) : []
  const approved = readPlan(folder.approved)
  const plan = approved ?? readPlan(folder.plan)
  const begun = entries.length === 0 ? 0 : Date.parse(entries[0]!.at)
  const approvals = entries
    .filter(entry => entry.kind === 'approved')
    .map(entry => approvalOf(entry, begun, approved === null ? null : Date.parse(approved.createdAt)))
  const said = await redactRows(
    approvals.map(({ by, reason }) => [by, reason ?? '']),
    redactor,
  )
  return {
    args,
    rehearsed: await isRehearsal(entries),
    lengthMs: entries.length === 0 ? 0 : Math.max(0, Date.parse(entries.at(-1)!.at) - begun),
    items: await itemsOf(entries, begun, redactor),
    approvals: approvals.map((approval, index) => {
      const [by, reason] = said[index] as [string, string]
      return { ...approval, by, reason: approval.reason === null ? null : reason }
    }),
    plan:
      plan === null
        ? null
        : await planAccount(plan, {
            ...(approved === null
              ? await told(stateFolder, folder, entries)
              : { toldBy: record.id, entries }),
            isGoing: isOpen(record),
            redactor,
          }),
  }
}

function approvalOf(
  entry: ApprovedEntry & RecordedEntry,
  begun: number,
  plannedAt: number | null,
): AccountApproval {
  const { by, how, reason, carried, at, waitedMs } = entry
  const inPlace = waitedMs !== undefined
  const before = carried === true || plannedAt === null || how === 'policy'
  const sincePlan = before ? null : Math.max(0, Date.parse(at) - plannedAt)
  return {
    ...{ by, how, reason, inPlace },
    offsetMs: carried === true ? null : Math.max(0, Date.parse(at) - begun),
    waitedMs: waitedMs ?? sincePlan,
  }
}

/** The last run of those that went on from it, each from the one before. */
async function told(
  stateFolder: string,
  folder: RunFolder,
  entries: readonly RecordedEntry[],
): Promise<{ readonly toldBy: string | null; readonly entries: readonly RecordedEntry[] }> {
  const seen = new Set<string>()
  let last: RunRecord['id'] | null = null
  for (let next = continuedBy(folder); next !== null && !seen.has(next);) {
    seen.add(next)
    const at = runFolder(stateFolder, next)
    if (!existsSync(at.journal)) break // pruned
    last = next
    next = continuedBy(at)
  }
  if (last === null) return { toldBy: null, entries }
  return { toldBy: last, entries: await readJournal(runFolder(stateFolder, last).journal) }
}
