/** What a report says of the next step, as it stands by now: runs end, go on in others, and plans expire. */

import { continuedBy, readPlan } from './plan-file.ts'
import { isOpen, runFolder, type RunFolder, type RunRecord } from './store.ts'

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
