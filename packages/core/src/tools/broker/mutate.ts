/**
 * A mutation on its way: foreseen, answered from what is known, done, or stopped. The order of the questions is the
 * policy:
 *
 *  1. `deny` refuses; an item that left the plan changes nothing more
 *  2. done before: answered from the journal; begun before: settled, and never repeated while it is not known
 *  3. planning records it; `allow` does it
 *  4. an approved plan lists it; it undoes what this run changed; it is a declared fallback
 *  5. anything else is drift: inside an item that item is skipped, outside of one the run stops
 */

import type { BrokerState } from '../broker.ts'
import type { Decision } from '../effects/decision.ts'
import type { PlannedCall } from '../plan.ts'
import { CallError } from '../protocol.ts'
import type { Performed } from './forward.ts'
import type { CallOutcome, KeptOutput, OpenMutation, PastMutation } from './record.ts'

/** What the caller is told without its tool being run. `runs` of a rehearsal that is empty: nothing would happen. */
export interface Answer {
  readonly exitCode: number
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
}

export interface Foreseen extends Answer {
  readonly runs: readonly (readonly string[])[]
  readonly targets: readonly string[]
  readonly incomplete: string | null
  readonly before: Readonly<Record<string, string>>
}

/** One mutation, of a command or of an MCP server. */
export interface Mutation<Result> {
  readonly tool: string
  readonly argv: readonly string[]
  readonly decision: Decision
  readonly item: string | null
  /** What makes another call the same, for its item. */
  readonly identity: string
  /** The same for whichever item; null: it can be no declared fallback, for it reads files. */
  readonly fallbackIdentity: string | null
  /** As far as its words tell. */
  readonly targets: readonly string[]
  undoes(changed: ReadonlySet<string>): boolean
  rehearse(): Promise<Foreseen>
  settle(mutation: OpenMutation): Promise<'done' | 'not-done' | 'unknown'>
  /** @throws {CallError} It did not start. */
  perform(runs: readonly (readonly string[])[], call: string): Promise<Performed>
  answer(answer: Answer): Promise<Result>
  result(performed: Performed): Result
}

const NOTHING = new Uint8Array()
const NO_OUTPUT: KeptOutput = { bytes: 0, kept: Buffer.alloc(0) }

export async function mutate<Result>(state: BrokerState, mutation: Mutation<Result>): Promise<Result> {
  const { mode, items } = state.options
  const { item, identity } = mutation
  if (mode.kind === 'deny') {
    stop(state, mutation, new CallError('REFUSED', 'mutations are denied in this run', { hint: DENY_HINT }))
  }
  if (item !== null && items.isSkipped(item)) throw skipped(mutation)
  const planned = state.allowance?.take(identity) ?? null
  const past = state.attempts.take(identity)
  if (past !== null) {
    const answer = await fromBefore(state, mutation, past)
    if (answer !== null) return mutation.answer(answer)
  }
  if (mode.kind === 'plan') return foresee(state, mutation)
  if (planned !== null) return perform(state, mutation, { planned, runs: planned.runs, fallback: false })
  if (mode.kind === 'allow') return performUnforeseen(state, mutation, false)
  const { fallbackIdentity } = mutation
  if (
    mutation.undoes(state.changed) ||
    (fallbackIdentity !== null && state.allowance!.declares(fallbackIdentity))
  ) {
    return performUnforeseen(state, mutation, true)
  }
  return unplanned(state, mutation)
}

const DENY_HINT = '--mutations plan records them for approval'

/** @returns null where it did not happen, and may be done now. */
async function fromBefore<Result>(
  state: BrokerState,
  mutation: Mutation<Result>,
  past: PastMutation,
): Promise<Answer | null> {
  const { journal, items } = state.options
  const { item } = mutation
  if (past.kind === 'finished') {
    const call = await begin(state, mutation, { runs: [], fallback: false, planned: true, before: {} })
    await journal.ended({
      call,
      ...ENDED_WELL,
      stdout: past.stdout,
      stderr: past.stderr,
      answered: 'journal',
    })
    noteChange(state, mutation)
    return answerAgain(mutation, past)
  }
  if (item !== null && items.isRedone(item)) return null
  const outcome = await mutation.settle(past.mutation)
  if (outcome !== 'unknown' && item !== null) {
    items.mutationEnded(item, past.mutation.call, outcome === 'done' ? 'ok' : 'failed-definite')
  }
  if (outcome === 'not-done') return null
  if (outcome === 'done') {
    const call = await begin(state, mutation, { runs: [], fallback: false, planned: true, before: {} })
    await journal.ended({ call, ...ENDED_WELL, stdout: NO_OUTPUT, stderr: NO_OUTPUT, answered: 'settled' })
    noteChange(state, mutation)
    return { exitCode: 0, stdout: NOTHING, stderr: NOTHING }
  }
  state.attempts.leaveOpen(mutation.identity, past.mutation)
  if (item !== null) {
    items.mutationStarted(item, past.mutation.call)
    items.mutationEnded(item, past.mutation.call, 'unknown')
  }
  const { tool, argv, decision } = mutation
  const error = new CallError(
    'UNKNOWN',
    'this was begun before, and whether it happened cannot be told: it is not done again',
    { hint: 'look at its target; `verify` of `each` lets a script settle such a case by itself' },
  )
  // No policy forbids it, so the run is not a refused one.
  state.counts.refused += 1
  journal.refused({ tool, argv, verb: decision.verb, code: error.code, message: error.message, item })
  throw error
}

/** More than a journal keeps cannot be given again: nobody is to take a missing answer for an empty one. */
function answerAgain<Result>(
  { tool, decision }: Mutation<Result>,
  { stdout, stderr }: Extract<PastMutation, { kind: 'finished' }>,
): Answer {
  if (stdout.kept !== null) return { exitCode: 0, stdout: stdout.kept, stderr: stderr.kept ?? NOTHING }
  const words = `${tool} ${decision.verb} was done by an earlier run; its ${stdout.bytes} bytes of output were not kept`
  return { exitCode: 0, stdout: NOTHING, stderr: Buffer.from(`srecodex: ${words}\n`) }
}

const ENDED_WELL = { exitCode: 0, signal: null, durationMs: 0, class: null, outcome: 'ok' } as const

async function foresee<Result>(state: BrokerState, mutation: Mutation<Result>): Promise<Result> {
  const foreseen = await mutation.rehearse()
  if (foreseen.runs.length === 0) {
    // Nothing would happen, and the script is told why, as it would be in earnest.
    if (foreseen.exitCode !== 0) state.counts.failed += 1
    return mutation.answer(foreseen)
  }
  const planned = plannedCall(mutation, foreseen)
  state.touch(planned)
  state.planned.push(planned)
  for (const target of foreseen.targets) state.plannedTargets.add(target)
  if (foreseen.incomplete !== null) state.incomplete.add(foreseen.incomplete)
  const call = await begin(state, mutation, { ...foreseen, fallback: false, planned: true })
  await state.options.journal.ended({
    call,
    ...ENDED_WELL,
    exitCode: foreseen.exitCode,
    stdout: { bytes: foreseen.stdout.byteLength, kept: Buffer.from(foreseen.stdout) },
    stderr: { bytes: foreseen.stderr.byteLength, kept: Buffer.from(foreseen.stderr) },
    answered: 'rehearsal',
  })
  return mutation.answer(foreseen)
}

async function unplanned<Result>(state: BrokerState, mutation: Mutation<Result>): Promise<Result> {
  const { items, journal } = state.options
  const { item, tool, argv, decision } = mutation
  if (item !== null) {
    items.unplanned(item)
    const error = skipped(mutation)
    journal.refused({ tool, argv, verb: decision.verb, code: error.code, message: error.message, item })
    throw error
  }
  const foreseen = await mutation.rehearse()
  if (foreseen.runs.length === 0) {
    if (foreseen.exitCode !== 0) state.counts.failed += 1
    return mutation.answer(foreseen)
  }
  const wanted = plannedCall(mutation, foreseen)
  const message = `${tool} ${decision.verb} is not in the approved plan`
  journal.refused({ tool, argv, verb: decision.verb, code: 'DRIFTED', message, item })
  if (!(await state.options.onDrift(wanted))) throw new CallError('DRIFTED', `${message}: the run ends here`)
  return perform(state, mutation, { planned: wanted, runs: wanted.runs, fallback: false })
}

/** What a selector or `--all` means is settled first: what it touches counts, and names are what is run. */
async function performUnforeseen<Result>(
  state: BrokerState,
  mutation: Mutation<Result>,
  fallback: boolean,
): Promise<Result> {
  const { target } = mutation.decision
  const isOpen =
    target.kind === 'kubernetes' && target.unresolved.some(why => why === 'selector' || why === 'all')
  if (!isOpen) return perform(state, mutation, { planned: null, runs: [mutation.argv], fallback })
  const foreseen = await mutation.rehearse()
  if (foreseen.runs.length === 0) {
    if (foreseen.exitCode !== 0) state.counts.failed += 1
    return mutation.answer(foreseen)
  }
  const { runs, targets, before } = foreseen
  return perform(state, mutation, { planned: null, runs, fallback, resolved: { targets, before } })
}

interface Doing {
  readonly planned: PlannedCall | null
  readonly runs: readonly (readonly string[])[]
  readonly fallback: boolean
  /** What a rehearsal found just now, of a call that no plan lists. */
  readonly resolved?: Pick<Foreseen, 'targets' | 'before'>
}

async function perform<Result>(
  state: BrokerState,
  mutation: Mutation<Result>,
  doing: Doing,
): Promise<Result> {
  if (state.isEnding()) throw new CallError('SKIPPED', 'the run is ending: nothing new is started')
  const { journal, items } = state.options
  const { item, argv, identity } = mutation
  const known = doing.planned ?? doing.resolved
  const targets = known?.targets ?? mutation.targets
  state.touch({ ...plannedCall(mutation, NO_FORESIGHT), targets })
  return state.mutating(async () => {
    const before = known?.before ?? {}
    const call = await begin(state, mutation, { ...doing, planned: false, before, targets })
    if (item !== null) items.mutationStarted(item, call)
    const giveBack = (): void => {
      if (doing.planned !== null) state.allowance?.giveBack(doing.planned)
    }
    let performed: Performed
    try {
      performed = await mutation.perform(doing.runs, call)
    } catch (error) {
      // A program that could not be started did nothing. Anything else that is thrown leaves the outcome open.
      if (error instanceof CallError) {
        await journal.ended({ call, ...NOT_STARTED })
        if (item !== null) items.mutationEnded(item, call, 'failed-definite')
        giveBack()
      }
      throw error
    }
    const { failure } = performed
    const begun = { call, argv: doing.runs.at(-1) ?? argv, before, item }
    const outcome = await outcomeOf(state, mutation, performed, begun)
    await journal.ended({ call, ...performed, class: failure?.class ?? null, outcome, answered: 'tool' })
    if (item !== null) {
      if (failure !== null) items.callFailed(item, failure.class)
      items.mutationEnded(item, call, outcome)
    }
    if (outcome === 'ok') {
      if (failure !== null) {
        state.counts.failed += 1
        state.attempts.leaveDone(identity)
      }
      noteChange(state, mutation, known?.targets)
      return mutation.result(performed)
    }
    state.counts.failed += 1
    if (outcome !== 'failed-definite') state.attempts.leaveOpen(identity, begun)
    giveBack()
    return mutation.result(performed)
  })
}

/** Classes of failures in which the request may have arrived though no answer did. */
const LATE: ReadonlySet<string> = new Set(['timed out', 'unreachable'])

/** A failure that may have come after the change is looked into at once, while the run can still act on it. */
async function outcomeOf<Result>(
  state: BrokerState,
  mutation: Mutation<Result>,
  { failure, signal }: Performed,
  begun: OpenMutation,
): Promise<CallOutcome> {
  if (failure === null) return 'ok'
  if (signal !== null || state.ending.signal.aborted) return 'unknown'
  if (failure.definite) return 'failed-definite'
  const found = await mutation.settle(begun).catch(() => 'unknown' as const)
  // The server may still be at it: that it is not done now does not mean that it will not be.
  if (found === 'not-done' && LATE.has(failure.class)) return 'failed'
  return ({ done: 'ok', 'not-done': 'failed-definite', unknown: 'failed' } as const)[found]
}

const NOT_STARTED = {
  exitCode: null,
  signal: null,
  durationMs: 0,
  stdout: NO_OUTPUT,
  stderr: NO_OUTPUT,
  class: 'not started',
  outcome: 'failed-definite',
  answered: 'tool',
} as const

const NO_FORESIGHT: Foreseen = {
  exitCode: 0,
  stdout: NOTHING,
  stderr: NOTHING,
  runs: [],
  targets: [],
  incomplete: null,
  before: {},
}

/** An undo that is done takes its target out: twice would lead back to what was undone. */
function noteChange<Result>(
  state: BrokerState,
  mutation: Mutation<Result>,
  targets: readonly string[] = mutation.targets,
): void {
  const undone = mutation.undoes(state.changed)
  for (const target of targets) {
    if (undone) state.changed.delete(target)
    else state.changed.add(target)
  }
}

async function begin<Result>(
  state: BrokerState,
  { tool, argv, decision, targets, item, identity }: Mutation<Result>,
  how: {
    readonly runs: readonly (readonly string[])[]
    readonly fallback: boolean
    readonly planned: PlannedCall | boolean | null
    readonly before: Readonly<Record<string, string>>
    readonly targets?: readonly string[]
  },
): Promise<string> {
  const call = state.newCallId()
  state.counts.mutations += 1
  const planned = typeof how.planned === 'boolean' ? how.planned : false
  await state.options.journal.started({
    call,
    tool,
    argv,
    effect: 'mutate',
    verb: decision.verb,
    targets: how.targets ?? (typeof how.planned === 'object' ? how.planned?.targets : undefined) ?? targets,
    item,
    identity,
    planned,
    fallback: how.fallback,
    before: how.before,
    runs: how.runs,
  })
  return call
}

function plannedCall<Result>(
  { identity, tool, decision, argv, item, targets }: Mutation<Result>,
  { runs, targets: foreseen, before }: Foreseen,
): PlannedCall {
  return {
    identity,
    tool,
    verb: decision.verb,
    argv,
    runs,
    targets: foreseen.length > 0 ? foreseen : targets,
    item,
    before,
  }
}

function skipped<Result>({ tool, decision, item }: Mutation<Result>): CallError {
  return new CallError('SKIPPED', `${tool} ${decision.verb} is not in the approved plan: ${item} is skipped`)
}

function stop<Result>(
  state: BrokerState,
  { tool, argv, decision, item }: Mutation<Result>,
  error: CallError,
): never {
  state.refuse({ tool, argv, verb: decision.verb, item }, error)
}
