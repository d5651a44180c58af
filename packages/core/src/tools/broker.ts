/**
 * What becomes of a script's calls: judged, limited, planned or done, recorded.
 *
 * Promises:
 *  - a mutation happens only under `allow`, or because an approved plan lists it, its script declared it as a
 *    fallback, or it undoes what this very run changed; it is durable in the journal before it happens;
 *  - a mutation that the run before finished is answered from its journal; one whose outcome is not known is looked
 *    up, and where that does not settle it, is refused rather than repeated;
 *  - once the run is ending no new call starts, and mutations in flight finish and are recorded.
 * Refuses: what the tables refuse, credentials, and anything past the limits.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { Attempts } from './broker/attempts.ts'
import { callIds } from './broker/call-id.ts'
import { commandHandler, declaredCall, settleCommand } from './broker/command.ts'
import { mcpHandler } from './broker/mcp-call.ts'
import type { CallJournal, ItemStates, OpenMutation, PastMutations } from './broker/record.ts'
import type { CommandHandler, Programs, ToolIdentity } from './calls.ts'
import type { CallHandler } from './channel.ts'
import type { McpServers } from './mcp.ts'
import { Allowance, blastRadius, type DeclaredCall, type Plan, type PlannedCall } from './plan.ts'
import { CallError } from './protocol.ts'

/** What becomes of a mutation. */
export type MutationMode =
  | { readonly kind: 'plan' }
  | { readonly kind: 'apply'; readonly plan: Plan }
  | { readonly kind: 'allow' }
  | { readonly kind: 'deny' }

export interface BrokerOptions {
  readonly mode: MutationMode
  readonly programs: Programs
  readonly servers: McpServers
  readonly journal: CallJournal
  readonly items: ItemStates
  readonly past: PastMutations
  readonly maxCalls: number
  readonly maxMutations: number
  readonly workspace: string
  /** As the script sees it. */
  readonly tmp: string
  /**
   * A mutation outside of any item that the plan does not list. It is held meanwhile: true lets it go on, as if
   * it had been planned.
   */
  onDrift(wanted: PlannedCall): Promise<boolean>
  /** A limit on calls or mutations is reached: the run is to be ended. */
  onLimit(limit: 'max_calls' | 'max_mutations', detail: string): void
}

export interface CallCounts {
  readonly total: number
  readonly reads: number
  readonly mutations: number
  readonly failed: number
  readonly refused: number
}

export interface Broker {
  readonly command: CommandHandler
  readonly tool: CallHandler
  /** Declares a fallback. */
  readonly may: CallHandler
  /** What was foreseen so far, and why more may come. */
  foreseen(): {
    readonly calls: readonly PlannedCall[]
    readonly may: readonly DeclaredCall[]
    readonly incomplete: readonly string[]
  }
  /** Tools that were called, as whom. */
  identities(): Promise<ToolIdentity[]>
  counts(): CallCounts
  /** Mutations of which nobody knows whether they happened. */
  unknown(): number
  /** Did a command happen whose result was lost? Asks its tool. */
  settle(mutation: OpenMutation & { readonly tool: string }): Promise<'done' | 'not-done' | 'unknown'>
  /** The first refusal in words; null: there was none. */
  refusal(): { readonly message: string; readonly hint: string | null } | null
  /** No new call starts; returns once mutations in flight are recorded, or after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

export function openBroker(options: BrokerOptions): Broker {
  const state = new BrokerState(options)
  return {
    command: commandHandler(state),
    tool: mcpHandler(state),
    may: params => state.declare(params),
    foreseen: () => ({
      calls: state.planned,
      may: [...state.declared.values()],
      incomplete: [...state.incomplete],
    }),
    identities: () => state.identities(),
    counts: () => ({ ...state.counts }),
    unknown: () => state.attempts.unknownLeft(),
    settle: mutation => settleCommand(state, mutation),
    refusal: () => state.refusal,
    drain: graceMs => state.drain(graceMs),
  }
}

/** What the calls of one run share. */
export class BrokerState {
  readonly options: BrokerOptions
  readonly newCallId = callIds()
  readonly attempts: Attempts
  readonly allowance: Allowance | null
  readonly planned: PlannedCall[] = []
  readonly plannedTargets = new Set<string>()
  readonly declared = new Map<string, DeclaredCall>()
  readonly incomplete = new Set<string>()
  /** Targets that this run has changed. */
  readonly changed = new Set<string>()
  readonly counts = { total: 0, reads: 0, mutations: 0, failed: 0, refused: 0 }
  /** Aborted when nothing may go on, mutations included. */
  readonly ending = new AbortController()
  refusal: ReturnType<Broker['refusal']> = null
  #draining = false
  #mutating = 0
  #touched = 0
  #wordBytes = 0
  readonly #tools = new Set<string>()

  constructor(options: BrokerOptions) {
    this.options = options
    this.allowance = options.mode.kind === 'apply' ? new Allowance(options.mode.plan) : null
    this.attempts = new Attempts(options.past)
  }

  /** Counts a call in, before anything else is known of it. @throws {CallError} SKIPPED | REFUSED | LIMIT_EXCEEDED */
  admit(argv: readonly string[]): void {
    if (this.#draining) throw new CallError('SKIPPED', 'the run is ending: nothing new is started')
    this.counts.total += 1
    const { maxCalls } = this.options
    if (this.counts.total > maxCalls) this.#exceeded('max_calls', `more than ${maxCalls} calls`)
    this.#spend(argv)
  }

  /** Journal and plan keep the words of every call: their bytes are bounded as their number is. */
  #spend(argv: readonly string[]): void {
    const bytes = argv.reduce((sum, word) => sum + Buffer.byteLength(word), 0)
    if (this.#wordBytes + bytes > MAX_WORD_BYTES) {
      const message = `the words of all calls have more than ${MAX_WORD_BYTES / 2 ** 20} MiB`
      this.counts.refused += 1
      this.refusal ??= { message, hint: null }
      throw new CallError('LIMIT_EXCEEDED', message, {
        hint: 'hand over what is large in files, or on stdin',
      })
    }
    this.#wordBytes += bytes
  }

  /** Counts what a mutation touches towards the blast radius. @throws {CallError} REFUSED */
  touch(call: PlannedCall): void {
    this.#touched += blastRadius([call])
    const { maxMutations } = this.options
    if (this.#touched > maxMutations) {
      this.#exceeded('max_mutations', `${this.#touched} mutations, and ${maxMutations} are allowed`)
    }
  }

  #exceeded(limit: 'max_calls' | 'max_mutations', detail: string): never {
    this.options.onLimit(limit, detail)
    throw new CallError('REFUSED', `the run makes ${detail}`, {
      hint: `${limit} in [limits] of the operator's config sets it`,
    })
  }

  isEnding(): boolean {
    return this.#draining
  }

  used(tool: string): void {
    this.#tools.add(tool)
  }

  async identities(): Promise<ToolIdentity[]> {
    const { programs, servers } = this.options
    const asked = [...this.#tools]
      .sort()
      .map(tool =>
        tool.startsWith('mcp:') ? servers.identity(tool.slice('mcp:'.length)) : programs.identity(tool),
      )
    return Promise.all(asked)
  }

  refuse(
    call: { tool: string; argv: readonly string[]; verb: string; item: string | null },
    error: CallError,
  ): never {
    this.counts.refused += 1
    const { tool, argv, verb, item } = call
    const what = [tool, verb].filter(word => word !== '').join(' ')
    this.refusal ??= { message: `${what}: ${error.message}`, hint: error.hint }
    this.options.journal.refused({ tool, argv, verb, code: error.code, message: error.message, item })
    throw error
  }

  /** Keeps `drain` waiting until a mutation is recorded. */
  async mutating<Result>(act: () => Promise<Result>): Promise<Result> {
    this.#mutating += 1
    try {
      return await act()
    } finally {
      this.#mutating -= 1
    }
  }

  async drain(graceMs: number): Promise<void> {
    this.#draining = true
    const until = performance.now() + graceMs
    while (this.#mutating > 0 && performance.now() < until) await sleep(10)
    this.ending.abort()
    // What was cut off is recorded as well: as not known.
    const last = performance.now() + 5000
    while (this.#mutating > 0 && performance.now() < last) await sleep(10)
  }

  async declare({ argv }: Readonly<Record<string, unknown>>): Promise<null> {
    if (!Array.isArray(argv) || argv.length < 2 || argv.some(word => typeof word !== 'string')) {
      throw new CallError('INVALID_PARAMS', 'a fallback is a tool with its arguments, all of them texts')
    }
    if (this.declared.size >= MAX_DECLARED) {
      throw new CallError('LIMIT_EXCEEDED', `a run declares at most ${MAX_DECLARED} fallbacks`)
    }
    this.#spend(argv as string[])
    const [tool = '', ...words] = argv as string[]
    // In an apply this declares nothing more: what counts is what the approved plan shows.
    const declared = await declaredCall(this, tool, words)
    this.used(tool)
    this.declared.set(declared.identity, declared)
    return null
  }
}

const MAX_DECLARED = 1000
/** Control characters make six of one, and a plan tells words twice: half of what a string may hold. */
const MAX_WORD_BYTES = 32 * 2 ** 20
