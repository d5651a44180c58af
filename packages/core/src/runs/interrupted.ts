/** The report of a run whose srecodex was killed, from the journal that it left. */

import { dirname } from 'node:path'
import { readJournal, type RecordedEntry } from './journal.ts'
import { cutItems } from './calls-outcome.ts'
import { outcomeOf } from './journal/entries.ts'
import { historyOf } from './journal/history.ts'
import { countItems } from './ledger/counts.ts'
import { goOnFrom, hasTakenOver } from './plan-file.ts'
import type { RunReport } from './report.ts'
import { readRecord, type RunFolder, type RunRecord } from './store.ts'

/** As far as the journal can be read: what is torn there is told by whoever resumes the run. */
export async function interruptedReport(
  folder: RunFolder,
  { report, mutations }: RunRecord,
): Promise<RunReport> {
  const stateFolder = dirname(dirname(folder.path))
  const origin = report.parent === null ? null : await readRecord(stateFolder, report.parent)
  if (origin !== null && !hasTakenOver(stateFolder, folder.id, origin.id)) {
    return { ...report, next: goOnFrom(origin), error: neverBegan(report) }
  }
  let entries: readonly RecordedEntry[]
  try {
    entries = await readJournal(folder.journal)
  } catch {
    return report
  }
  const history = historyOf(entries)
  const own = [...history.items.values()].filter(item => item.own)
  const calls = countCalls(entries)
  const unknown = [...history.mutations.values()].flat().filter(({ outcome }) => outcome !== 'ok').length
  const isPlan = mutations === 'plan'
  // What it took over is its own now: whoever goes on, goes on from it.
  const resumable = origin !== null || (!isPlan && (calls.mutations > 0 || own.length > 0))
  return {
    ...report,
    items: own.length === 0 ? null : cutItems(countItems(isPlan ? own.map(pending) : own)),
    calls: { ...report.calls, ...calls },
    next: resumable ? `srecodex resume ${folder.id}` : report.next,
    error:
      report.error === null || !resumable
        ? report.error
        : {
            ...report.error,
            hint:
              unknown === 0
                ? 'resume goes on from what is done'
                : `of ${unknown} change${unknown === 1 ? '' : 's'} the outcome was lost: resume settles that first, and does nothing twice`,
          },
  }
}

function neverBegan({ error }: RunReport): RunReport['error'] {
  if (error === null) return null
  return {
    ...error,
    message: 'srecodex was killed before the script began',
    hint: 'nothing was changed by it',
  }
}

function pending<Item extends { readonly state: string }>(item: Item): Item & { readonly state: 'pending' } {
  return { ...item, state: 'pending' }
}

function countCalls(entries: readonly RecordedEntry[]): Omit<RunReport['calls'], 'enforced'> {
  const counts = { total: 0, reads: 0, mutations: 0, failed: 0, refused: 0 }
  for (const entry of entries) {
    if (entry.kind === 'refused') counts.refused += 1
    if (entry.kind === 'call' && entry.carried !== true) {
      counts.total += 1
      counts[entry.effect === 'read' ? 'reads' : 'mutations'] += 1
    }
    if (entry.kind === 'result' && entry.carried !== true && outcomeOf(entry) !== 'ok') counts.failed += 1
  }
  return counts
}
