/** A plan as people and agents may see it: the same changes in as many targets, in words without secrets. */

import type { Plan } from '../tools/plan.ts'
import { redactRows, type Words } from './call-words.ts'
import type { Redactor } from './redact.ts'

/** What only srecodex needs is left out: what is run in the place of a call, and what was there before. */
export async function shownPlan(plan: Plan, redactor: Redactor): Promise<Plan> {
  const calls = await redactRows<Words>(
    plan.calls.map(({ verb, item, argv, targets }) => [verb, item ?? '', argv, ...targets]),
    redactor,
  )
  const may = await redactRows<Words>(
    plan.may.map(({ argv }) => [argv]),
    redactor,
  )
  const [incomplete = []] = await redactRows<Words>([plan.incomplete], redactor)
  const [[args = []] = []] = await redactRows<Words>([[plan.bound.args]], redactor)
  return {
    ...plan,
    bound: { ...plan.bound, args: args as string[] },
    calls: plan.calls.map((call, index) => {
      const [verb, item, argv, ...targets] = calls[index] as [string, string, string[], ...string[]]
      return { ...call, verb, item: call.item === null ? null : item, argv, targets, runs: [], before: {} }
    }),
    may: plan.may.map((call, index) => ({ ...call, argv: may[index]![0] as string[] })),
    incomplete: incomplete as string[],
  }
}
