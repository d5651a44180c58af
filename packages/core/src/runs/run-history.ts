/**
 * What a run's folder says of it beyond its report and its calls: each item with its attempts, who approved what and
 * how long that took, what it waits for or what became of what was planned, and which run went on from it.
 *
 * Promises: one pass over the journal, flat memory but for the items and for the changes of a planned run; text that
 * is safe to show (`call-words.ts`); of a running one, what is there now; of one whose journal or plan is damaged, why
 * it cannot be told. A plan that other runs went on from is told by the last of them, whose journal begins with all
 * that came before.
 */

import { existsSync } from 'node:fs'
import { SrecodexError } from '../errors.ts'
import type { Plan } from '../tools/plan.ts'
import { redactRows } from './call-words.ts'
import type { RecordedEntry } from './journal/entries.ts'
import { streamJournal } from './journal/read.ts'
import { isRehearsal } from './journal/rehearsal.ts'
import { countItems } from './ledger/counts.ts'
import { continuedBy, readPlan } from './plan-file.ts'
import type { Redactor } from './redact.ts'
import type { RunReport } from './report.ts'
import { approvalsOf, type Approval, type ApprovedLine } from './run-history/approvals.ts'
import { ItemHistories, type ItemHistory } from './run-history/items.ts'
import { planHistory, PlanEntries, type PlanHistory, type PlanSource } from './run-history/plan.ts'
import { shownPlan } from './shown-plan.ts'
import { isOpen, readRecord, runFolder, type RunFolder, type RunRecord } from './store.ts'
import { redactorOf } from './timeline.ts'

export type { Approval } from './run-history/approvals.ts'
export type { ItemHistory } from './run-history/items.ts'
export type { OutsideCall, PlanHistory, PlannedState } from './run-history/plan.ts'

export interface ShownHistory {
  /** As they were given, safe to show. */
  readonly args: readonly string[]
  /** Its changes were only foreseen: no item of it is done. */
  readonly rehearsed: boolean
  /** From the first entry of the journal to the last. */
  readonly lengthMs: number
  readonly items: readonly ItemHistory[]
  /** As `RunReport`, with every key; of a running one, as it stands now. What was rehearsed is pending. */
  readonly itemCounts: RunReport['items']
  readonly approvals: readonly Approval[]
  /** Null: nothing was planned. */
  readonly plan: PlanHistory | null
  /** What it may do once somebody approves, as `showPlan` gives it; null: nothing, or another run took it on. */
  readonly waiting: Plan | null
  /** The one run that went on from this one. */
  readonly continuedBy: string | null
  /** Why not all of this could be told. */
  readonly problem: string | null
}

type Source = Omit<PlanSource, 'redactor'>

const NOTHING = {
  ...{ rehearsed: false, lengthMs: 0, items: [], itemCounts: null, approvals: [] },
  ...{ plan: null, waiting: null, problem: null },
} as const

/** @param environment its secrets are taken out. */
export async function readRunHistory(
  stateFolder: string,
  record: RunRecord,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<ShownHistory> {
  const folder = runFolder(stateFolder, record.id)
  const redactor = redactorOf(folder, environment)
  const [words] = await redactRows([[record.args]], redactor)
  const known = { args: words![0] as readonly string[], continuedBy: continuedBy(folder) }
  try {
    return { ...(await tell(stateFolder, record, redactor)), ...known }
  } catch (error) {
    if (!(error instanceof SrecodexError)) throw error
    return { ...NOTHING, ...known, problem: error.message }
  }
}

/** @throws {SrecodexError} STORE_CORRUPT | PLAN_STALE: its plan was altered */
async function tell(
  stateFolder: string,
  record: RunRecord,
  redactor: Redactor,
): Promise<Omit<ShownHistory, 'args' | 'continuedBy'>> {
  const folder = runFolder(stateFolder, record.id)
  const approved = readPlan(folder.approved)
  const plan = approved ?? readPlan(folder.plan)
  const own = await readOwn(folder, approved !== null)
  const items = await own.items.shown(redactor)
  const { status } = record.report
  const waits = continuedBy(folder) === null && (status === 'planned' || status === 'drifted')
  const waiting = waits ? readPlan(folder.plan) : null
  return {
    ...{ rehearsed: own.rehearsed, lengthMs: own.lengthMs, items },
    itemCounts: countsOf(items, own.rehearsed),
    approvals: await approvalsOf(
      own.approved,
      { begunAt: own.begunAt, plannedAt: approved === null ? null : Date.parse(approved.createdAt) },
      redactor,
    ),
    ...(plan === null
      ? { plan: null, problem: null }
      : await tellPlan(plan, redactor, () =>
          approved === null
            ? continuation(stateFolder, folder)
            : { continuedBy: record.id, entries: own.changes.all, running: isOpen(record) },
        )),
    waiting: waiting === null ? null : await shownPlan(waiting, redactor),
  }
}

/** What another run cannot tell is no reason not to tell what this one can. */
async function tellPlan(
  plan: Plan,
  redactor: Redactor,
  source: () => Source | Promise<Source>,
): Promise<Pick<ShownHistory, 'plan' | 'problem'>> {
  try {
    return { plan: await planHistory(plan, { ...(await source()), redactor }), problem: null }
  } catch (error) {
    if (!(error instanceof SrecodexError)) throw error
    return { plan: null, problem: `what became of its plan is not known: ${error.message}` }
  }
}

interface OwnJournal {
  readonly begunAt: number
  readonly lengthMs: number
  readonly rehearsed: boolean
  readonly items: ItemHistories
  readonly approved: readonly ApprovedLine[]
  /** Empty: nobody asked for them. */
  readonly changes: PlanEntries
}

async function readOwn(folder: RunFolder, hasPlan: boolean): Promise<OwnJournal> {
  const approved: ApprovedLine[] = []
  const changes = new PlanEntries()
  /** What tells a rehearsal. */
  const signs: RecordedEntry[] = []
  const items = new ItemHistories()
  let begunAt: number | null = null
  let lengthMs = 0
  const entries = existsSync(folder.journal) ? streamJournal(folder.journal) : [] // it called nothing
  for await (const entry of entries) {
    const at = Date.parse(entry.at)
    begunAt ??= at
    lengthMs = Math.max(0, at - begunAt)
    if (entry.kind === 'item') items.hear(entry, lengthMs)
    if (entry.kind === 'approved') approved.push(entry)
    if (signs.length < 2 && (entry.kind === 'begin' || isForeseen(entry))) signs.push(entry)
    if (hasPlan) changes.hear(entry)
  }
  const rehearsed = await isRehearsal(signs)
  return { begunAt: begunAt ?? 0, lengthMs, rehearsed, items, approved, changes }
}

function isForeseen(entry: RecordedEntry): boolean {
  return entry.kind === 'call' && entry.planned && entry.carried !== true
}

function countsOf(items: readonly ItemHistory[], rehearsed: boolean): RunReport['items'] {
  if (items.length === 0) return null
  return countItems(
    items.map(item => ({
      ...item,
      state: rehearsed || item.state === 'running' ? 'pending' : item.state,
    })),
  )
}

/** The last run of those that went on from it, each from the one before. */
async function continuation(stateFolder: string, folder: RunFolder): Promise<Source> {
  const seen = new Set<string>()
  let last: string | null = null
  for (let next = continuedBy(folder); next !== null && !seen.has(next);) {
    seen.add(next)
    const at = runFolder(stateFolder, next)
    if (!existsSync(at.journal)) break // pruned
    last = next
    next = continuedBy(at)
  }
  const changes = new PlanEntries()
  if (last === null) return { continuedBy: null, entries: [], running: false }
  for await (const entry of streamJournal(runFolder(stateFolder, last).journal)) changes.hear(entry)
  const record = await readRecord(stateFolder, last)
  return { continuedBy: last, entries: changes.all, running: record !== null && isOpen(record) }
}
