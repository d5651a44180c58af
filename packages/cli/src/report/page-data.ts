/**
 * What the page of a run is given: all of it safe to show, in columns, so that ten thousand calls stay small.
 *
 * Types and closed sets only: the page in the browser and the command that makes it share this file.
 */

import type { Approval, OutsideCall, PlannedState, RunReport } from '@srecodex/core'

/** What a call is. */
export const KINDS = ['read', 'change', 'foreseen', 'undo', 'refused'] as const
export type Kind = (typeof KINDS)[number]

/** How a call ended. `known`: it was answered from what an earlier run did. */
export const ENDS = [
  ...(['ok', 'rehearsed', 'known', 'failed', 'unknown', 'refused', 'not planned'] as const),
  ...(['running', 'no result'] as const),
] as const
export type End = (typeof ENDS)[number]

export const ITEM_STATES = ['ok', 'failed', 'unknown', 'skipped', 'pending', 'running'] as const
export type ShownItemState = (typeof ITEM_STATES)[number]

/** One row of each column is one call. Words are places in `words`; -1: none. */
export interface CallColumns {
  /** Places in `KINDS` and `ENDS`. */
  readonly kind: readonly number[]
  readonly end: readonly number[]
  /** Milliseconds since the journal was begun. */
  readonly at: readonly number[]
  /** -1: not known. */
  readonly tookMs: readonly number[]
  /** Class of the failure, signal or exit code. */
  readonly how: readonly number[]
  readonly tool: readonly number[]
  readonly verb: readonly number[]
  readonly item: readonly number[]
  readonly text: readonly number[]
  readonly targets: readonly number[]
}

export interface ItemColumns {
  readonly key: readonly number[]
  /** Places in `ITEM_STATES`. */
  readonly state: readonly number[]
  readonly class: readonly number[]
  readonly message: readonly number[]
  /** 0: none. */
  readonly wave: readonly number[]
  /** 1: an earlier run left it so. */
  readonly carried: readonly number[]
  /** See `packAttempts`. */
  readonly attempts: readonly (readonly number[])[]
}

export interface PagePlannedCall {
  readonly text: string
  readonly targets: string
  readonly item: string | null
  readonly state: PlannedState
}

export interface PageOutsideCall {
  readonly text: string
  readonly item: string | null
  readonly how: OutsideCall['how']
  readonly state: PlannedState | null
}

export interface PagePlan {
  readonly id: string
  readonly expiresAt: string
  readonly continuedBy: PageRun | null
  readonly tools: readonly string[]
  readonly calls: readonly PagePlannedCall[]
  readonly outside: readonly PageOutsideCall[]
  readonly may: readonly string[]
  readonly incomplete: readonly string[]
}

/** Another run. */
export interface PageRun {
  readonly id: string
  /** Of its page, where it has one. */
  readonly href: string | null
}

export interface OutputPart {
  readonly firstNumber: number
  readonly lines: readonly string[]
}

export interface PageStream {
  readonly name: 'stdout' | 'stderr'
  readonly bytes: number
  readonly totalLines: number
  /** The beginning and, where not all of it is here, the end. */
  readonly parts: readonly OutputPart[]
  /** The command that prints what is not here; null: all is here. */
  readonly rest: string | null
}

export interface PageArtifact {
  readonly name: string
  readonly bytes: number
  readonly path: string
  /** Null: a browser might run what is in it, so it is named and not linked. */
  readonly href: string | null
}

export interface PageData {
  readonly madeAt: string
  readonly startedAt: string
  /** The run goes on. */
  readonly running: boolean
  readonly script: string
  readonly args: readonly string[]
  readonly workspace: string
  readonly mutations: string
  readonly folder: string
  readonly report: RunReport
  /** Of the run, or of its calls where they say more. */
  readonly lengthMs: number
  readonly rehearsed: boolean
  readonly approvals: readonly Approval[]
  readonly parent: PageRun | null
  readonly continuedBy: PageRun | null
  readonly plan: PagePlan | null
  readonly words: readonly string[]
  readonly calls: CallColumns
  /** Calls that are not on the page. */
  readonly callsLeftOut: number
  readonly items: ItemColumns
  readonly itemsLeftOut: number
  readonly output: readonly PageStream[]
  readonly artifacts: readonly PageArtifact[]
  /** Why not all of this could be told. */
  readonly problems: readonly string[]
}
