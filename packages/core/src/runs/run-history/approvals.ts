/** Who approved what, how, and how long that took. */

import { redactRows } from '../call-words.ts'
import type { ApprovedEntry, RecordedEntry } from '../journal/entries.ts'
import type { Redactor } from '../redact.ts'

export type ApprovedLine = ApprovedEntry & RecordedEntry

export interface Approval {
  readonly by: string
  readonly how: ApprovedEntry['how']
  readonly reason: string | null
  /** ISO 8601; null: it was given to an earlier run, and this one goes on under it. */
  readonly at: string | null
  /** Since the journal was begun; null: as above. */
  readonly offsetMs: number | null
  /** From the plan, or the question, until the approval; null: not known, or nobody was asked. */
  readonly waitedMs: number | null
  /** The script stood still meanwhile. */
  readonly inPlace: boolean
}

export interface Begun {
  readonly begunAt: number
  /** Null: no plan was approved. */
  readonly plannedAt: number | null
}

export async function approvalsOf(
  entries: readonly ApprovedLine[],
  begun: Begun,
  redactor: Redactor,
): Promise<Approval[]> {
  const said = await redactRows(
    entries.map(({ by, reason }) => [by, reason ?? '']),
    redactor,
  )
  return entries.map((entry, index) => {
    const [by, reason] = said[index] as [string, string]
    return { ...approvalOf(entry, begun), by, reason: entry.reason === null ? null : reason }
  })
}

function approvalOf(entry: ApprovedLine, { begunAt, plannedAt }: Begun): Omit<Approval, 'by' | 'reason'> {
  const { how, waitedMs } = entry
  const isCarried = entry.carried === true
  const at = Date.parse(entry.at)
  const wasAsked = !isCarried && plannedAt !== null && how !== 'policy'
  return {
    ...{ how, at: isCarried ? null : entry.at, inPlace: waitedMs !== undefined },
    offsetMs: isCarried ? null : Math.max(0, at - begunAt),
    waitedMs: waitedMs ?? (wasAsked ? Math.max(0, at - plannedAt) : null),
  }
}
