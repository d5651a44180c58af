/** What a run's folder says of it beyond its report: what it waits for, who approved it, which run went on from it. */

import { existsSync } from 'node:fs'
import { SrecodexError } from '../errors.ts'
import type { Plan } from '../tools/plan.ts'
import { redactRows } from './call-words.ts'
import type { ApprovedEntry, ItemEntry } from './journal/entries.ts'
import { streamJournal } from './journal/read.ts'
import { isRehearsal } from './journal/rehearsal.ts'
import { countItems } from './ledger/counts.ts'
import { continuedBy, readPlan } from './plan-file.ts'
import type { RunReport } from './report.ts'
import { isOpen, runFolder, type RunFolder, type RunRecord } from './store.ts'
import { redactorOf } from './timeline.ts'

export interface RunDetails {
  /** What it may do once somebody approves; null: nothing, or another run took it on. */
  readonly plan: Plan | null
  readonly approvals: readonly {
    readonly by: string
    readonly how: ApprovedEntry['how']
    readonly reason: string | null
    /** ISO 8601; null: it was given to an earlier run, and this one goes on under it. */
    readonly at: string | null
  }[]
  /** The one run that went on from this one. */
  readonly continuedBy: string | null
  /** As `RunReport`, with every key; of a run that is going, as it stands now. */
  readonly items: RunReport['items']
  readonly unknownItems: readonly string[]
  readonly skippedItems: readonly string[]
  /** Why not all of this could be told. */
  readonly problem: string | null
}

const NOTHING: RunDetails = {
  plan: null,
  approvals: [],
  continuedBy: null,
  items: null,
  unknownItems: [],
  skippedItems: [],
  problem: null,
}

export async function readDetails(
  stateFolder: string,
  record: RunRecord,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<RunDetails> {
  const folder = runFolder(stateFolder, record.id)
  const next = continuedBy(folder)
  try {
    const waits = next === null && (record.report.status === 'planned' || record.report.status === 'drifted')
    const plan = waits ? readPlan(folder.plan) : null
    const told = existsSync(folder.journal) ? await tell(folder, record, environment) : NOTHING
    return { ...told, plan, continuedBy: next }
  } catch (error) {
    if (!(error instanceof SrecodexError)) throw error
    return { ...NOTHING, continuedBy: next, problem: error.message }
  }
}

async function tell(
  folder: RunFolder,
  record: RunRecord,
  environment: NodeJS.ProcessEnv,
): Promise<Pick<RunDetails, Exclude<keyof RunDetails, 'plan' | 'continuedBy'>>> {
  const approvals: RunDetails['approvals'][number][] = []
  const entries = new Map<string, ItemEntry>()
  for await (const entry of streamJournal(folder.journal)) {
    if (entry.kind === 'approved') {
      const { by, how, reason, carried } = entry
      approvals.push({ by, how, reason, at: carried === true ? null : entry.at })
    }
    if (entry.kind === 'item' && entry.carried !== true) entries.set(entry.key, entry)
  }
  const items = await shown([...entries.values()], folder, environment)
  const keysOf = (state: string): string[] => items.filter(item => item.state === state).map(({ key }) => key)
  // What was only rehearsed is still to be done.
  const isPlan = record.mutations === 'plan' && (await isRehearsal(streamJournal(folder.journal)))
  return {
    approvals,
    items:
      items.length === 0 ? null : countItems(items.map(item => ({ ...item, state: stateOf(item, isPlan) }))),
    unknownItems: isPlan ? [] : keysOf('unknown'),
    skippedItems: isPlan ? [] : keysOf('skipped'),
    problem: null,
  }
}

function stateOf({ state }: ItemEntry, isPlan: boolean): Exclude<ItemEntry['state'], 'running'> {
  return isPlan || state === 'running' ? 'pending' : state
}

async function shown(
  items: readonly ItemEntry[],
  folder: RunFolder,
  environment: NodeJS.ProcessEnv,
): Promise<ItemEntry[]> {
  const rows = await redactRows(
    items.map(({ key, class: failure }) => [key, failure ?? '']),
    redactorOf(folder, environment),
  )
  return items.map((item, index) => {
    const [key, failure] = rows[index] as [string, string]
    return { ...item, key, class: item.class === null ? null : failure }
  })
}

/** A report says what could be done when its run ended; whoever reads it later is told what can be done now. */
export function asOfNow(stateFolder: string, record: RunRecord): RunRecord {
  const next = nextNow(runFolder(stateFolder, record.id), record)
  return next === record.report.next ? record : { ...record, report: { ...record.report, next } }
}

function nextNow(folder: RunFolder, record: RunRecord): string | null {
  if (isOpen(record)) return `srecodex runs watch ${record.id}`
  const { next, plan } = record.report
  const by = continuedBy(folder)
  if (by !== null) return `srecodex runs show ${by}`
  if (plan === null || next === null) return next
  return isExpired(folder) ? null : next
}

function isExpired(folder: RunFolder): boolean {
  try {
    const plan = readPlan(folder.plan)
    return plan === null || Date.parse(plan.expiresAt) <= Date.now()
  } catch {
    return true // altered: it cannot be applied either
  }
}
