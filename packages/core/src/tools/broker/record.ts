/**
 * What the broker tells of each call, and what it asks about earlier ones. The room of runs keeps it.
 *
 * A mutation is durable before it happens: whoever implements this must not resolve `started` earlier.
 */

import type { StartedMutation } from '../knowledge/knowledge.ts'

export interface StartedCall {
  /** Unique over all runs. */
  readonly call: string
  /** `kubectl`, or `mcp:SERVER`. */
  readonly tool: string
  readonly argv: readonly string[]
  readonly effect: 'read' | 'mutate'
  readonly verb: string
  readonly targets: readonly string[]
  /** Key of the item that it is made for. */
  readonly item: string | null
  /** Empty for a read. */
  readonly identity: string
  /** Foreseen only: nothing is changed by it. */
  readonly planned: boolean
  /** It undoes, or falls back from, what this run did. */
  readonly fallback: boolean
  /** What was there before. */
  readonly before: Readonly<Record<string, string>>
  /** What is run in place of `argv`. */
  readonly runs: readonly (readonly string[])[]
}

/** Bytes of one stream, kept where they are few. */
export interface KeptOutput {
  readonly bytes: number
  /** Null where there were more than `MAX_KEPT_BYTES`. */
  readonly kept: Buffer | null
}

export const MAX_KEPT_BYTES = 64 * 1024

/**
 * - `failed-definite`: nothing was changed, for certain.
 * - `failed`: it said that it failed, which says nothing about what it had done by then.
 * - `unknown`: it was cut off.
 * - `ok` beside an exit code other than 0: the answer was lost, and the server was found changed.
 */
export type CallOutcome = 'ok' | 'failed-definite' | 'failed' | 'unknown'

export interface EndedCall {
  readonly call: string
  readonly exitCode: number | null
  readonly signal: string | null
  readonly durationMs: number
  readonly stdout: KeptOutput
  readonly stderr: KeptOutput
  /** Class of the failure; null: none. */
  readonly class: string | null
  readonly outcome: CallOutcome
  /**
   * Who answered: the tool; a rehearsal in planning; the journal of the run that this one goes on from; or the
   * state of the server, asked after an answer was lost.
   */
  readonly answered: 'tool' | 'rehearsal' | 'journal' | 'settled'
}

export interface RefusedCall {
  readonly tool: string
  readonly argv: readonly string[]
  readonly verb: string
  readonly code: string
  readonly message: string
  readonly item: string | null
}

export interface CallJournal {
  /** Resolves once a mutation that is not merely planned is durable; at once for anything else. */
  started(call: StartedCall): Promise<void>
  /** Durable for a mutation when it resolves. */
  ended(call: EndedCall): Promise<void>
  refused(call: RefusedCall): void
}

/** Begun, and nobody knows whether it happened. What it does, the call that asks for it again says. */
export interface OpenMutation extends Omit<StartedMutation, 'decision'> {
  /** Key of the item that it was made for. */
  readonly item: string | null
}

/** A mutation of the run that this one goes on from. */
export type PastMutation =
  | { readonly kind: 'finished'; readonly stdout: KeptOutput; readonly stderr: KeptOutput }
  | { readonly kind: 'unknown'; readonly mutation: OpenMutation }

export interface PastMutations {
  /** The next one of that identity, finished ones first; each is given once. */
  take(identity: string): PastMutation | null
  /** Those of unknown outcome, outside of any item, that nobody came back to. */
  unknownLeft(): number
}

/** What the broker needs to know of the items of a run, and tells of their mutations. */
export interface ItemStates {
  /** Full key of a token. @throws {CallError} INVALID_PARAMS: there is no such item. */
  itemKey(token: string): string
  /** True once a call of it was not in the plan: nothing more of it may change anything. */
  isSkipped(key: string): boolean
  /** The script verified that what was begun for it is not done: it may be done again. */
  isRedone(key: string): boolean
  mutationStarted(key: string, call: string): void
  mutationEnded(key: string, call: string, outcome: CallOutcome): void
  /** A call of it failed, in a class that says more than an exit code. */
  callFailed(key: string, failure: string): void
  unplanned(key: string): void
}
