/**
 * What a call of a host command does: read, mutate, reveal, refuse.
 *
 * Pure: argv and the operator's policy in, a decision out, by tables that are data. Whatever is not known to be a
 * read is a mutation or refused. The operator's patterns extend the tables: `reveals` before `mutates` before
 * `reads`; they never lift what concerns identity or leaves the workspace, and they let a credential out only by
 * a pattern that spells the whole call.
 */

import { decideAmtool } from './amtool.ts'
import { decideAws } from './aws.ts'
import { decideCurl } from './curl.ts'
import { judge, lookup, Refusal } from './decision.ts'
import type { Call, Decision, Effect, Judgement, ToolPolicy } from './decision.ts'
import { describeBuiltIn } from './describe.ts'
import type { TableRow } from './describe.ts'
import { decideHelm } from './helm.ts'
import { decideHouse } from './house.ts'
import { decideKubectl } from './kubectl.ts'
import { BUILT_IN_TOOLS, type BuiltInTool } from './names.ts'
import { matchesPattern, namesWholeCall } from './patterns.ts'
import { decidePsql } from './psql.ts'

export type { Call, Decision, Effect, ToolPolicy } from './decision.ts'
export type { TableRow } from './describe.ts'

type Decider = (call: Call, policy: ToolPolicy) => Judgement

const DECIDERS: Readonly<Record<BuiltInTool, Decider>> = {
  kubectl: decideKubectl,
  helm: decideHelm,
  aws: decideAws,
  psql: decidePsql,
  amtool: decideAmtool,
  curl: decideCurl,
}

/** Tools with a table of their own. */
export const builtInTools = (): readonly string[] => BUILT_IN_TOOLS

/** The rows of `srecodex tools show`; empty for a tool that has only patterns and none were built in. */
export const describeTable = (tool: string): readonly TableRow[] => describeBuiltIn(tool)

export const decide = (call: Call, policy: ToolPolicy): Decision => {
  const judged = judgeCall(call, policy)
  const { lift, words, ...decision } = judged
  if (call.tool === 'curl') return decision
  const lifted = effectByPatterns(call, policy, judged, words, lift)
  if (lifted === null || lifted === decision.effect) return decision
  const { needs: _needs, ...rest } = decision
  return { ...rest, needs: [], effect: lifted, hint: null, reason: 'a pattern of the operator says so' }
}

const judgeCall = (call: Call, policy: ToolPolicy): Judgement => {
  try {
    refuseOddText(call)
    return (lookup<Decider>(DECIDERS, call.tool) ?? decideHouse)(call, policy)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { lift, verb, hint } = error
    return judge('refuse', verb, error.message, { hint, lift, words: call.argv })
  }
}

/** Node turns a byte that is no UTF-8 into U+FFFD, and the kernel ends a word at NUL: another call would run. */
const refuseOddText = (call: Call): void => {
  for (const word of call.argv) {
    if (word.includes('\0')) throw new Refusal('an argument holds a NUL byte')
    if (word.includes('\uFFFD') || !word.isWellFormed()) throw new Refusal('an argument is not valid UTF-8')
  }
}

const effectByPatterns = (
  call: Call,
  policy: ToolPolicy,
  judged: Judgement,
  words: readonly string[],
  lift: Judgement['lift'],
): Effect | null => {
  if (lift === 'never') return null
  // What shows a credential, or what no table could read, is let through only by the very call.
  const isExact = lift === 'exact'
  const matches = (pattern: string): boolean =>
    isExact
      ? namesWholeCall(pattern) && matchesPattern(pattern, call.argv)
      : matchesPattern(pattern, call.argv) || matchesPattern(pattern, words)
  if (policy.reveals.some(pattern => matchesPattern(pattern, call.argv) || matchesPattern(pattern, words))) {
    return judged.effect === 'refuse' && isExact && !policy.reveals.some(matches) ? null : 'reveal'
  }
  if (policy.mutates.some(matches)) return 'mutate'
  if (policy.reads.some(matches)) return 'read'
  return null
}
