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
 * it ended is not known. `running`: the same, of a run that still goes on.
 */
export type PlannedState =
  | 'waiting'
  | 'done'
  | 'done-before'
  | 'not-done'
  | 'running'
  | Exclude<MutationOutcome, 'ok'>

interface CallFields {
  readonly tool: string
  readonly argv: readonly string[]
  readonly targets: readonly string[]
  readonly item: string | null
}

export interface PlannedOutcome extends CallFields {
  readonly state: PlannedState
}

export interface OutsideCall extends CallFields {
  /** `approved`: asked for, and given, while the script stood still. `skipped`: its item was left out. */
  readonly how: 'approved' | 'undo' | 'refused' | 'skipped'
  /** Null: it was not started. */
  readonly state: PlannedState | null
}

export interface PlanHistory {
  /** Id of the run that made it. */
  readonly id: string
  /** ISO 8601: nobody can approve it later. */
  readonly expiresAt: string
  /** The last run that went on from it, whose journal tells what became of it; null: none did. */
  readonly continuedBy: string | null
  readonly tools: readonly { readonly tool: string; readonly summary: string }[]
  readonly calls: readonly PlannedOutcome[]
  /** Changes that it does not list. */
  readonly outside: readonly OutsideCall[]
  readonly may: readonly { readonly tool: string; readonly argv: readonly string[] }[]
  readonly incomplete: readonly string[]
}

export interface PlanSource {
  readonly continuedBy: string | null
  /** See `PlanEntries`: of the run that went on from it. */
  readonly entries: readonly RecordedEntry[]
  /** That run goes on. */
  readonly running: boolean
  readonly redactor: Redactor
}

/** What a journal says of changes, so that the reads of a long one are not held. */
export class PlanEntries {
  readonly all: RecordedEntry[] = []
  readonly #changes = new Set<string>()

  hear(entry: RecordedEntry): void {
    if (entry.kind === 'call' && entry.effect === 'mutate') this.#changes.add(entry.call)
    else if (entry.kind !== 'refused' && !(entry.kind === 'result' && this.#changes.has(entry.call))) return
    this.all.push(entry)
  }
}

export async function planHistory(plan: Plan, source: PlanSource): Promise<PlanHistory> {
  const { entries, continuedBy, redactor } = source
  const { calls, outside } = compare(plan, source)
  const shown = async <Row extends CallFields>(rows: readonly Row[]): Promise<Row[]> => {
    const words = await redactRows(
      rows.map(({ tool, argv, targets, item }) => [tool, argv, targets, item ?? '']),
      redactor,
    )
    return rows.map((row, index) => {
      const [tool, argv, targets, item] = words[index] as [string, string[], string[], string]
      return { ...row, tool, argv, targets, item: row.item === null ? null : item }
    })
  }
  const refused = continuedBy === null ? [] : entries.filter(entry => entry.kind === 'refused')
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
    ...{ id: plan.id, expiresAt: plan.expiresAt, continuedBy, incomplete },
    tools: tools.map((tool, index) => ({ tool, summary: summaries[index]! })),
    calls: await shown(calls),
    outside: await shown([...outside, ...unanswered(refused.flatMap(unplanned), outside)]),
    may: may.map(row => ({ tool: row[0] as string, argv: row[1] as string[] })),
  }
}

function compare(
  plan: Plan,
  { continuedBy, entries, running }: PlanSource,
): { readonly calls: readonly PlannedOutcome[]; readonly outside: readonly OutsideCall[] } {
  if (continuedBy === null) return { calls: plan.calls.map(call => withState(call, 'waiting')), outside: [] }
  const { mutations } = historyOf(entries)
  const failed = definiteFailures(entries)
  const taken = new Map<string, number>()
  const calls = plan.calls.map(call => {
    const at = taken.get(call.identity) ?? 0
    const past = mutations.get(call.identity)?.[at]
    if (past !== undefined) {
      taken.set(call.identity, at + 1)
      return withState(call, stateOf(past, running))
    }
    const left = failed.get(call.identity) ?? 0
    failed.set(call.identity, left - 1)
    return withState(call, left > 0 ? 'failed-definite' : 'not-done')
  })
  const beyond = [...mutations].flatMap(([identity, row]) => row.slice(taken.get(identity) ?? 0))
  return {
    calls,
    outside: beyond.map(past => ({
      ...fieldsOf(past.call),
      how: past.call.undo ? ('undo' as const) : ('approved' as const),
      state: stateOf(past, running),
    })),
  }
}

function stateOf({ call, result, outcome }: PastMutation, running: boolean): PlannedState {
  if (outcome === 'ok') return call.carried === true ? 'done-before' : 'done'
  return result === null && running ? 'running' : outcome
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

function unplanned({ tool, argv, item, code }: RefusedEntry): OutsideCall[] {
  if (code !== 'DRIFTED' && code !== 'SKIPPED') return []
  const how = code === 'SKIPPED' ? 'skipped' : 'refused'
  return [{ tool, argv, targets: [], item, how, state: null }]
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
  return { ...fieldsOf(call), state }
}

function fieldsOf({ tool, argv, targets, item }: PlannedCall | CallEntry): CallFields {
  return { tool, argv, targets, item }
}
