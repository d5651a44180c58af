/**
 * What a journal says, line by line. Types only.
 *
 * A journal is private (0600) and says things as they are: argv and output may hold secrets of the script's making.
 * Whoever shows any of it (a report, a timeline, a search) redacts it first.
 */

import type { CallOutcome } from '../../tools/broker/record.ts'

interface Carried {
  /** Of an earlier run: written by `carryOver` at the start of this one's journal. */
  readonly carried?: true
}

export interface BeginEntry {
  readonly kind: 'begin'
  readonly run: string
  readonly parent: string | null
  readonly phase: 'plan' | 'apply'
  readonly scriptSha256: string
  readonly args: readonly string[]
}

export interface ApprovedEntry extends Carried {
  readonly kind: 'approved'
  readonly plan: string
  readonly by: string
  readonly how: 'terminal' | 'command' | 'client' | 'policy'
  readonly reason: string | null
  /** How long the script stood still until it was given; absent: it was given before the script began. */
  readonly waitedMs?: number
}

/** A call begins. A mutation that is not merely planned is durable before it happens. */
export interface CallEntry extends Carried {
  readonly kind: 'call'
  /** Unique over all runs. */
  readonly call: string
  readonly tool: string
  readonly argv: readonly string[]
  readonly effect: 'read' | 'mutate'
  readonly verb: string
  readonly targets: readonly string[]
  /** Full key of the item that it is made for. */
  readonly item: string | null
  /** What makes two calls the same one: SHA-256 in hex. Empty for a read. */
  readonly identity: string
  /** Which one among equals, from 1. */
  readonly occurrence: number
  /** Foreseen, or answered from what is known: the call itself changes nothing, so it is never unknown. */
  readonly planned: boolean
  /** It undoes, or falls back from, what this run did. */
  readonly undo: boolean
  readonly before: Readonly<Record<string, string>>
  /** What was run in its place, in order; null: `argv` itself. */
  readonly ran: readonly (readonly string[])[] | null
}

/** Text, or what is not UTF-8. */
export type KeptBytes = string | { readonly base64: string }

export type MutationOutcome = CallOutcome

export interface ResultEntry extends Carried {
  readonly kind: 'result'
  readonly call: string
  readonly exitCode: number | null
  readonly signal: string | null
  readonly durationMs: number
  readonly stdoutBytes: number
  readonly stderrBytes: number
  /** Of mutations only. */
  readonly stdout?: KeptBytes
  readonly stderr?: KeptBytes
  /** There was more than is kept. */
  readonly cut?: true
  /** Class of the failure. */
  readonly class: string | null
  readonly answered: 'tool' | 'rehearsal' | 'journal' | 'settled'
  /** @default `ok` for exit code 0, `unknown` for a signal, else `failed` */
  readonly outcome?: MutationOutcome
}

export interface RefusedEntry {
  readonly kind: 'refused'
  readonly tool: string
  readonly argv: readonly string[]
  readonly verb: string
  readonly code: string
  readonly message: string
  readonly item: string | null
}

export type ItemState = 'pending' | 'running' | 'ok' | 'failed' | 'unknown' | 'skipped'

export interface ItemEntry extends Carried {
  readonly kind: 'item'
  readonly key: string
  readonly state: ItemState
  readonly class: string | null
  readonly message: string | null
  /** 0: not started. */
  readonly attempt: number
  /** With `running`: which wave of its `each` it is in, from 1; absent: its `each` has none. */
  readonly wave?: number
  /** JSON, of `ok` only. */
  readonly value?: unknown
}

export interface OnceEntry extends Carried {
  readonly kind: 'once'
  readonly name: string
  readonly value: unknown
}

export interface MayEntry extends Carried {
  readonly kind: 'may'
  readonly argv: readonly string[]
}

export interface EndEntry {
  readonly kind: 'end'
  readonly status: string
}

export type JournalEntry =
  | BeginEntry
  | ApprovedEntry
  | CallEntry
  | ResultEntry
  | RefusedEntry
  | ItemEntry
  | OnceEntry
  | MayEntry
  | EndEntry

/** What the journal adds. `seq` counts from 1 without a gap. */
export interface Stamp {
  readonly seq: number
  /** ISO 8601, UTC. */
  readonly at: string
}

export type RecordedEntry = JournalEntry & Stamp

const KINDS: ReadonlySet<string> = new Set<JournalEntry['kind']>([
  'begin',
  'approved',
  'call',
  'result',
  'refused',
  'item',
  'once',
  'may',
  'end',
])

/** A later version may write more kinds; whoever reads leaves those out. */
export function isKnownKind(kind: string): kind is JournalEntry['kind'] {
  return KINDS.has(kind)
}

/** Bound of one line, for writer and reader: a command's frame of 2 MiB, escaped, fits. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024

export function outcomeOf(result: ResultEntry): MutationOutcome {
  if (result.outcome !== undefined) return result.outcome
  if (result.exitCode === 0) return 'ok'
  return result.exitCode === null ? 'unknown' : 'failed'
}
