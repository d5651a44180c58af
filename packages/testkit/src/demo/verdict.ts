/**
 * Compares what the summary says with what the generator wrote.
 *
 * It reads the text that came back, not a side channel: a count that the summary lost or cut is a difference.
 */
import type { WriteLogResult } from './log.ts'

export interface Verdict {
  readonly matched: number
  readonly types: number
  /** What differs, a line each; empty when all counts match. */
  readonly differences: readonly string[]
}

export interface SummaryCounts {
  readonly lines: number | null
  readonly errors: number | null
  readonly types: Readonly<Record<string, number>>
}

const TITLE = /: ([\d,]+) lines, ([\d,]+) errors of \d+ types/
/** Count, two spaces, the type, two spaces, the first time seen. */
const ROW = /^ *([\d,]+) {2}(\S.*?) {2,}(?=[\d-]*T?\d\d:\d\d )/gm

export function parseSummary(text: string): SummaryCounts {
  const title = TITLE.exec(text)
  const types: Record<string, number> = {}
  for (const [, count, type] of text.matchAll(ROW)) types[type!] = toNumber(count!)
  return { lines: title && toNumber(title[1]!), errors: title && toNumber(title[2]!), types }
}

export function judge(counts: SummaryCounts, truth: WriteLogResult): Verdict {
  const differences: string[] = []
  const compare = (what: string, found: number | null | undefined, written: number) => {
    if (found === written) return true
    differences.push(`${what}: the summary says ${found ?? 'nothing'}, the generator wrote ${written}`)
    return false
  }
  const total = Object.values(truth.errors).reduce((sum, count) => sum + count, 0)
  compare('lines', counts.lines, truth.lines)
  compare('errors', counts.errors, total)
  let matched = 0
  for (const [type, written] of Object.entries(truth.errors)) {
    if (compare(type, counts.types[type], written)) matched += 1
  }
  for (const type of Object.keys(counts.types)) {
    if (!(type in truth.errors)) differences.push(`${type}: the generator wrote no such error`)
  }
  return { matched, types: Object.keys(truth.errors).length, differences }
}

function toNumber(digits: string): number {
  return Number(digits.replaceAll(',', ''))
}
