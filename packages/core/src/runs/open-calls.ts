/**
 * The calls of a run, opened by the first of them: most scripts make none, and what judges and does them is half of
 * srecodex.
 *
 * A run that goes on from another opens them before its script starts: who its tools act as is asked first.
 */

import type { CommandHandler } from '../tools/calls.ts'
import type { CallHandler } from '../tools/channel.ts'
import { shimNames } from '../tools/programs/names.ts'
import { NO_CALLS, type CallsOutcome } from './calls-outcome.ts'
import type { RunCalls, SurroundingsOfCalls } from './calls.ts'
import type { RunOptions } from './options.ts'
import type { RunFolder } from './store.ts'

/** Methods of the channel beyond what a run merely reports. */
const METHODS = [
  'each.open',
  'each.add',
  'item.start',
  'item.end',
  'once',
  'once.set',
  'may',
  'skill',
  'tool',
] as const

/** @throws {SrecodexError} PLAN_STALE | STORE_CORRUPT | STATE_UNWRITABLE | DISK_FULL */
export async function openCalls(
  options: RunOptions,
  folder: RunFolder,
  around: SurroundingsOfCalls,
): Promise<RunCalls> {
  if (options.continues === null) return new DeferredCalls(options, folder, around)
  const { openCallsNow } = await import('./calls.ts')
  return openCallsNow(options, folder, around)
}

class DeferredCalls implements RunCalls {
  readonly phase: 'plan' | 'apply'
  readonly tools: readonly string[]
  readonly handlers: Readonly<Record<string, CallHandler>>
  readonly #options: RunOptions
  readonly #folder: RunFolder
  readonly #around: SurroundingsOfCalls
  #opening: Promise<RunCalls> | null = null
  #opened: RunCalls | null = null
  #isDraining = false
  #stop: () => void = () => {}
  #wait: (waiting: boolean) => void = () => {}

  constructor(options: RunOptions, folder: RunFolder, around: SurroundingsOfCalls) {
    this.#options = options
    this.#folder = folder
    this.#around = around
    const { config, callerEnvironment = process.env } = options
    this.phase = config.mutations.default === 'plan' ? 'plan' : 'apply'
    this.tools =
      around.prepared.forTools === null
        ? []
        : shimNames({
            configured: Object.keys(config.tools),
            workspace: around.prepared.workspace,
            path: callerEnvironment.PATH,
          })
    // Once open, a call is handed on in the same turn: what is answered at once is answered in order.
    this.handlers = Object.fromEntries(
      METHODS.map((method): [string, CallHandler] => [
        method,
        (params, context) =>
          this.#opened === null
            ? this.#open().then(calls => calls.handlers[method]!(params, context))
            : this.#opened.handlers[method]!(params, context),
      ]),
    )
  }

  readonly commands: CommandHandler = async (call, peer) => (await this.#open()).commands(call, peer)

  #open(): Promise<RunCalls> {
    this.#opening ??= this.#openNow()
    return this.#opening
  }

  async #openNow(): Promise<RunCalls> {
    const { openCallsNow } = await import('./calls.ts')
    const calls = await openCallsNow(this.#options, this.#folder, this.#around)
    calls.onStop(() => this.#stop())
    calls.onWait(waiting => this.#wait(waiting))
    try {
      await calls.begin()
    } catch (error) {
      await calls.close()
      throw error
    }
    if (this.#isDraining) void calls.drain()
    this.#opened = calls
    return calls
  }

  begin(): Promise<void> {
    return Promise.resolve()
  }

  onStop(stop: () => void): void {
    this.#stop = stop
  }

  onWait(wait: (waiting: boolean) => void): void {
    this.#wait = wait
  }

  async drain(): Promise<void> {
    this.#isDraining = true
    // Where they could not be opened nothing is in flight; `finish` tells why.
    await (await this.#opening?.catch(() => null))?.drain()
  }

  async finish(ended: Parameters<RunCalls['finish']>[0]): Promise<CallsOutcome> {
    return (await this.#opening)?.finish(ended) ?? NO_CALLS
  }

  async close(): Promise<void> {
    await (await this.#opening?.catch(() => null))?.close()
  }
}
