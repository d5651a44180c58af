/** Faults as JSON, for a server in a process of its own. Pure but for its counters. */

import type { Fault, RequestEntry } from './request-log.ts'

export interface FaultRule {
  /** Absent: any. */
  readonly verb?: string
  readonly resource?: string
  readonly namespace?: string
  readonly name?: string
  readonly dryRun?: boolean
  /** Of the requests that fit: not the first so many. @default 0 */
  readonly after?: number
  /** Of the requests that fit: each n-th. @default 1 */
  readonly every?: number
  /** At most so many times. @default always */
  readonly times?: number
  readonly fault: Fault
}

/** The first rule that strikes decides. */
export function faultsOf(rules: readonly FaultRule[]): (request: RequestEntry) => Fault {
  const counts = rules.map(() => ({ fitted: 0, struck: 0 }))
  return request => {
    for (const [index, rule] of rules.entries()) {
      const count = counts[index]
      if (count === undefined || !fits(rule, request)) continue
      count.fitted++
      const { after = 0, every = 1, times = Number.POSITIVE_INFINITY } = rule
      if (count.fitted <= after || (count.fitted - after) % every !== 0 || count.struck >= times) continue
      count.struck++
      return rule.fault
    }
    return 'ok'
  }
}

function fits(rule: FaultRule, request: RequestEntry): boolean {
  return (['verb', 'resource', 'namespace', 'name', 'dryRun'] as const).every(
    field => rule[field] === undefined || rule[field] === request[field],
  )
}
