/**
 * What is known of one tool beyond the effect of a call: how to tell two calls apart, rehearse a mutation without
 * making it, find out later whether it happened.
 *
 * Everything here may ask the tool (`AskTool`, reads and dry runs only) and decides nothing: the broker does.
 */

import type { AskTool, ShownFile } from '../calls.ts'
import type { Call, Decision } from '../effects/decision.ts'

export interface Rehearsal {
  /** What the script is told, in the form that it asked for. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /**
   * What apply will run in place of the script's own words, one after another: selectors and `--all` resolved to
   * names, a call for each namespace where one argv can name but one.
   *
   * Empty: nothing would happen (a dry run that fails as a whole, a selector that finds nothing), so the answer
   * stands as it is and nothing is planned. Not empty beside an exit code: a part would happen and a part fail.
   */
  readonly runs: readonly (readonly string[])[]
  /** `shop/deployment/web`, `node/n1`; at least one where anything is run. */
  readonly targets: readonly string[]
  /** Why the script's way from here on may differ once it is real; null: no reason. */
  readonly incomplete: string | null
  /** By target, as JSON: uids, revisions, versions that `settle` compares with later. */
  readonly before: Readonly<Record<string, string>>
}

/** A mutation as the journal keeps it. */
export interface StartedMutation {
  /** Unique over all runs: safe in an argv. */
  readonly call: string
  readonly argv: readonly string[]
  readonly decision: Decision
  readonly before: Readonly<Record<string, string>>
}

export interface FailureKind {
  /**
   * `forbidden`, `not found`, `conflict`, `invalid`, `denied`, `throttled`, `timed out`, `unreachable`,
   * `expired login`, `failed`.
   */
  readonly class: string
  /** The server said that nothing was changed: doing it again is safe. */
  readonly definite: boolean
  /** Worth repeating by itself, after a pause. */
  readonly throttled: boolean
  readonly hint: string | null
}

/**
 * Wherever a decision names no namespace, region or database, it is the one of the operator's context: `located` of
 * `known.ts` fills it in from the tool's identity. What depends on it and does not find it says no.
 */
export interface ToolKnowledge {
  /** Words that are equal exactly where two calls mean the same: order of flags and operands, spelling, sides. */
  canonical(call: Call, decision: Decision): readonly string[]
  /**
   * Contents of a file operand or stdin in a form that is equal where the meaning is. Without the call, which says
   * how they are read, the bytes. @default the bytes
   */
  canonicalBody?(text: string, call?: Call): string
  /** Validates a mutation by the tool's own dry run where it has one. Never mutates. */
  rehearse(
    call: Call,
    decision: Decision,
    ask: AskTool,
    files: readonly ShownFile[],
    stdin: string | null,
  ): Promise<Rehearsal>
  /** A wait for what is only planned (`rollout status`, `wait`): the answer that lets the script go on. */
  awaits?(
    call: Call,
    decision: Decision,
    plannedTargets: ReadonlySet<string>,
  ): { readonly stdout: string } | null
  /** The words that are run: marked so that `settle` can find the call again by its id. */
  marked?(call: Call, id: string): readonly string[]
  /** Did a mutation happen whose result is not known? */
  settle?(mutation: StartedMutation, ask: AskTool): Promise<'done' | 'not-done' | 'unknown'>
  /** It undoes what this run itself changed, and nothing else. */
  undoes?(call: Call, decision: Decision, changed: ReadonlySet<string>): boolean
  /**
   * Of a call that ended with a code other than 0. What a mutation prints on stdout it did: with any of it, no
   * failure is definite.
   */
  failure(exitCode: number | null, stderr: string, stdout?: string): FailureKind
}
