/**
 * A plan against what a journal says of it: which of the planned changes are done, and what was done, or wanted,
 * besides. Equal changes cannot be told apart, so those that are done are counted off first, as the broker does.
 */

import type { Plan, PlannedCall } from '../../tools/plan.ts'
import { redactRows } from '../call-words.ts'
import {
  outcomeOf,
  type CallEntry,
  type MutationOutcome,
  type RecordedEntry,
  type RefusedEntry,
  type ResultEntry,
} from '../journal/entries.ts'
import { historyOf, type PastMutation } from '../journal/history.ts'
import type { Redactor } from '../redact.ts'

/**
 * `waiting`: nobody approved the plan yet. `done-before`: by a run that this one goes on from. `failed`: the tool
 * failed, and may have changed something; `failed-definite`: it changed nothing. `unknown`: it was started, and how
 * it ended is not known. `going`: the same, of a run that still goes on.
 */
export type PlannedState =
  | 'waiting'
  | 'done'
  | 'done-before'
  | 'not-done'
  | 'going'
  | MutationOutcomeBut<'ok'>
type MutationOutcomeBut<Left> = Exclude<MutationOutcome, Left>

interface Words {
  readonly tool: string
  readonly argv: readonly string[]
  readonly verb: string
  readonly targets: readonly string[]
  readonly item: string | null
}

export interface PlannedOutcome extends Words {
  readonly state: PlannedState
}

export interface OutsideCall extends Words {
  /** `approved`: asked for, and given, while the script stood still. `skipped`: its item was left out. */
  readonly how: 'approved' | 'undo' | 'refused' | 'skipped'
  /** Null: it was not started. */
  readonly state: PlannedState | null
}

export interface PlanAccount {
  /** Id of the run that made it. */
  readonly id: string
  readonly createdAt: string
  readonly expiresAt: string
  /** The run that tells what became of it; null: nobody went on from it. */
  readonly toldBy: string | null
  readonly tools: readonly { readonly tool: string; readonly summary: string }[]
  readonly calls: readonly PlannedOutcome[]
  /** Changes that it does not list. */
  readonly outside: readonly OutsideCall[]
  readonly may: readonly { readonly tool: string; readonly argv: readonly string[] }[]
  readonly incomplete: readonly string[]
}

export interface Telling {
  readonly toldBy: string | null
  readonly entries: readonly RecordedEntry[]
  readonly isGoing: boolean
  readonly redactor: Redactor
}

export async function planAccount(plan: Plan, telling: Telling): Promise<PlanAccount> {
  const { entries, toldBy, redactor } = telling
  const { calls, outside } = compare(plan, telling)
  const shown = async <Row extends Words>(rows: readonly Row[]): Promise<Row[]> => {
    const words = await redactRows(
      rows.map(({ tool, argv, verb, targets, item }) => [tool, argv, verb, targets, item ?? '']),
      redactor,
    )
    return rows.map((row, index) => {
      const [tool, argv, verb, targets, item] = words[index] as [string, string[], string, string[], string]
      return { ...row, tool, argv, verb, targets, item: row.item === null ? null : item }
    })
  }
  const refused = toldBy === null ? [] : entries.filter(entry => entry.kind === 'refused')
  const may = await redactRows(
    plan.may.map(({ tool, argv }) => [tool, argv]),
    redactor,
  )
  const [lines] = await redactRows(
    [[plan.incomplete, plan.bound.tools.map(({ tool }) => tool), plan.bound.tools.map(one => one.summary)]],
    redactor,
  )
  const [incomplete, tools, summaries] = lines as [string[], string[], string[]]
  return {
    ...{ id: plan.id, createdAt: plan.createdAt, expiresAt: plan.expiresAt, toldBy, incomplete },
    tools: tools.map((tool, index) => ({ tool, summary: summaries[index]! })),
    calls: await shown(calls),
    outside: await shown([...outside, ...unanswered(refused.flatMap(unplanned), outside)]),
    may: may.map(row => ({ tool: row[0] as string, argv: row[1] as string[] })),
  }
}

function compare(
  plan: Plan,
  { toldBy, entries, isGoing }: Telling,
): { readonly calls: readonly PlannedOutcome[]; readonly outside: readonly OutsideCall[] } {
  if (toldBy === null) return { calls: plan.calls.map(call => withState(call, 'waiting')), outside: [] }
  const { mutations } = historyOf(entries)
  const failed = definiteFailures(entries)
  const taken = new Map<string, number>()
  const calls = plan.calls.map(call => {
    const at = taken.get(call.identity) ?? 0
    const past = mutations.get(call.identity)?.[at]
    if (past !== undefined) {
      taken.set(call.identity, at + 1)
      return withState(call, stateOf(past, isGoing))
    }
    const left = failed.get(call.identity) ?? 0
    failed.set(call.identity, left - 1)
    return withState(call, left > 0 ? 'failed-definite' : 'not-done')
  })
  const beyond = [...mutations].flatMap(([identity, row]) => row.slice(taken.get(identity) ?? 0))
  return {
    calls,
    outside: beyond.map(past => ({
      ...wordsOf(past.call),
      how: past.call.undo ? ('undo' as const) : ('approved' as const),
      state: stateOf(past, isGoing),
    })),
  }
}

function stateOf({ call, result, outcome }: PastMutation, isGoing: boolean): PlannedState {
  if (outcome === 'ok') return call.carried === true ? 'done-before' : 'done'
  return result === null && isGoing ? 'going' : outcome
}

/** By identity, how many calls of this journal failed without a trace. */
function definiteFailures(entries: readonly RecordedEntry[]): Map<string, number> {
  const identities = new Map<string, string>()
  const failed = new Map<string, number>()
  for (const entry of entries) {
    if (entry.kind === 'call' && entry.effect === 'mutate') identities.set(entry.call, entry.identity)
    if (entry.kind !== 'result' || !isDefinite(entry)) continue
    const identity = identities.get(entry.call)
    if (identity !== undefined) failed.set(identity, (failed.get(identity) ?? 0) + 1)
  }
  return failed
}

function isDefinite(result: ResultEntry): boolean {
  return result.answered === 'tool' && outcomeOf(result) === 'failed-definite'
}

function unplanned({ tool, argv, verb, item, code }: RefusedEntry): OutsideCall[] {
  if (code !== 'DRIFTED' && code !== 'SKIPPED') return []
  const how = code === 'SKIPPED' ? 'skipped' : 'refused'
  return [{ tool, argv, verb, targets: [], item, how, state: null }]
}

/** One that was asked for, and allowed, is told by the call that was made then. */
function unanswered(refused: readonly OutsideCall[], made: readonly OutsideCall[]): OutsideCall[] {
  const wordsFor = ({ tool, argv, item }: OutsideCall): string => JSON.stringify([tool, argv, item])
  const left = made.filter(({ how }) => how === 'approved').map(wordsFor)
  return refused.filter(call => {
    const at = call.how === 'refused' ? left.indexOf(wordsFor(call)) : -1
    if (at !== -1) left.splice(at, 1)
    return at === -1
  })
}

function withState(call: PlannedCall, state: PlannedState): PlannedOutcome {
  return { ...wordsOf(call), state }
}

function wordsOf({ tool, argv, verb, targets, item }: PlannedCall | CallEntry): Words {
  return { tool, argv, verb, targets, item }
}
