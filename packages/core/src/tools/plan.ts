/**
 * A plan: the mutations that a script would make, with their exact targets, bound to what it was made for.
 *
 * Pure. A plan allows what it lists and nothing else, each entry once; the order in which a script comes to them
 * is of no meaning. Whether a plan may still be used is asked before anything of it is done.
 */

import { createHash } from 'node:crypto'
import type { ToolIdentity } from './calls.ts'

/** One mutation as it was foreseen. */
export interface PlannedCall {
  /** Equal for calls that mean the same: see `callIdentity`. */
  readonly identity: string
  /** `kubectl`, or `mcp:SERVER`. */
  readonly tool: string
  readonly verb: string
  /** The script's own words. */
  readonly argv: readonly string[]
  /** What is run in their place, in order: selectors resolved to names. */
  readonly runs: readonly (readonly string[])[]
  /** `shop/deployment/web` */
  readonly targets: readonly string[]
  /** Key of the item that it belongs to. */
  readonly item: string | null
  /** What was there before, to tell later whether it happened. */
  readonly before: Readonly<Record<string, string>>
}

/** A mutation that a script declared as its fallback. */
export interface DeclaredCall {
  /** As `callIdentity` gives it without an item. */
  readonly identity: string
  readonly tool: string
  readonly argv: readonly string[]
}

/** What a plan is bound to. */
export interface PlanBinding {
  readonly script: string
  readonly args: readonly string[]
  readonly workspace: string
  readonly tools: readonly ToolIdentity[]
}

export interface Plan {
  readonly version: 1
  /** Id of the run that made it. */
  readonly id: string
  /** ISO 8601. */
  readonly createdAt: string
  readonly expiresAt: string
  readonly bound: PlanBinding
  readonly calls: readonly PlannedCall[]
  readonly may: readonly DeclaredCall[]
  /** Why more, or other, mutations may follow; empty: the script ran to its end as it would in earnest. */
  readonly incomplete: readonly string[]
  /** Over everything above: what an approval is given for. */
  readonly sha256: string
}

/** What makes two mutations the same: what they do, to whom, with which contents, for which item. */
export function callIdentity(parts: {
  readonly tool: string
  readonly canonical: readonly string[]
  /** Of stdin and of each file that it reads, in the order of their names. */
  readonly bodies: readonly (readonly [name: string, sha256: string])[]
  readonly item: string | null
}): string {
  const { tool, canonical, bodies, item } = parts
  return sha256(JSON.stringify([tool, canonical, bodies, item]))
}

export function makePlan(parts: Omit<Plan, 'version' | 'sha256'>): Plan {
  const unsigned = { version: 1 as const, ...parts }
  return { ...unsigned, sha256: planDigest(unsigned) }
}

/** False where what stands on the disk is not what was approved. */
export function isWhole(plan: Plan): boolean {
  const { sha256: digest, ...unsigned } = plan
  return plan.version === 1 && digest === planDigest(unsigned)
}

function planDigest(unsigned: Omit<Plan, 'sha256'>): string {
  const { version, id, createdAt, expiresAt, bound, calls, may, incomplete } = unsigned
  return sha256(JSON.stringify([version, id, createdAt, expiresAt, bound, calls, may, incomplete]))
}

/** The first thing in which a tool is not what the plan was made for; null: none. */
export function movedIdentity(planned: ToolIdentity, now: ToolIdentity): string | null {
  const names = new Set([...Object.keys(planned.fields), ...Object.keys(now.fields)])
  for (const name of [...names].sort()) {
    const [was, is] = [planned.fields[name], now.fields[name]]
    if (was !== is) return `${now.tool}: ${name} was ${was ?? '(none)'} and is ${is ?? '(none)'}`
  }
  return null
}

/** What an approved plan still allows. */
export class Allowance {
  readonly #left = new Map<string, PlannedCall[]>()
  readonly #may: ReadonlySet<string>

  constructor(plan: Pick<Plan, 'calls' | 'may'>) {
    for (const call of plan.calls) {
      const same = this.#left.get(call.identity)
      if (same === undefined) this.#left.set(call.identity, [call])
      else same.push(call)
    }
    this.#may = new Set(plan.may.map(({ identity }) => identity))
  }

  /** Each planned call is given once. */
  take(identity: string): PlannedCall | null {
    return this.#left.get(identity)?.shift() ?? null
  }

  /** It did not happen, or nobody knows yet: it may be asked for again. */
  giveBack(call: PlannedCall): void {
    this.#left.get(call.identity)?.unshift(call)
  }

  /** Declared fallbacks are not used up: a script may have to fall back for more than one of its items. */
  declares(identityWithoutItem: string): boolean {
    return this.#may.has(identityWithoutItem)
  }

  /** Planned, and not come to yet. */
  left(): PlannedCall[] {
    return [...this.#left.values()].flat()
  }
}

export interface PlanCount {
  readonly tool: string
  readonly verb: string
  readonly calls: number
  readonly targets: number
}

/** By tool and verb, the most first: what an approver reads. */
export function countPlan(calls: readonly PlannedCall[]): PlanCount[] {
  const counts = new Map<string, { tool: string; verb: string; calls: number; targets: number }>()
  for (const { tool, verb, targets } of calls) {
    const key = `${tool} ${verb}`
    const count = counts.get(key) ?? { tool, verb, calls: 0, targets: 0 }
    counts.set(key, { ...count, calls: count.calls + 1, targets: count.targets + targets.length })
  }
  return [...counts.values()].sort((a, b) => b.targets - a.targets || (a.verb < b.verb ? -1 : 1))
}

/** Each call counts for at least one: the blast radius is what it touches, not how often a script asks. */
export function blastRadius(calls: readonly PlannedCall[]): number {
  return calls.reduce((sum, { targets }) => sum + Math.max(1, targets.length), 0)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
