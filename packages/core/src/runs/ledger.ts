/**
 * The items of one run: what `each` tells of them, what their mutations say, what is told in return.
 *
 * Promises:
 *  - an item's end is durable before it is answered, so what a script saw done stays done;
 *  - the host's word wins: `skipped` where a call of it was not in the plan, `unknown` where a mutation of it has no
 *    certain result;
 *  - it is tried again only where no mutation of it, or of items inside it, was started that did not fail
 *    definitely;
 *  - what an earlier run finished is told as finished, and what it left unknown is verified first.
 *
 * It takes no part in what a call may do: the broker asks `isSkipped`, and tells what became of mutations.
 */

import { SrecodexError } from '../errors.ts'
import type { CallHandler } from '../tools/channel.ts'
import type { CallParams } from '../tools/protocol.ts'
import type { Journal } from './journal.ts'
import type { ItemState, MutationOutcome, ResultEntry } from './journal/entries.ts'
import type { PastMutation, RunHistory } from './journal/history.ts'
import { retryDelayMs } from './ledger/backoff.ts'
import { countItems } from './ledger/counts.ts'
import { createDecisions } from './ledger/decisions.ts'
import { Eaches } from './ledger/eaches.ts'
import type { Item } from './ledger/item.ts'
import { DEFAULT_LEDGER_LIMITS, type LedgerLimits } from './ledger/limits.ts'
import {
  invalid,
  parseOutcome,
  parsePrefix,
  parseRetries,
  parseValue,
  parseVerified,
  parseWave,
  parseWords,
  quoted,
} from './ledger/params.ts'
import { recorded } from './ledger/recorded.ts'
import { Spending } from './ledger/spending.ts'
import type { RunReport } from './report.ts'

export type LedgerMethod = 'each.open' | 'each.add' | 'item.start' | 'item.end' | 'once' | 'once.set' | 'may'

export interface LedgerItem {
  readonly key: string
  readonly state: Exclude<ItemState, 'running'>
  readonly class: string | null
  readonly message: string | null
  /** 0: this run did not start it. */
  readonly attempt: number
  readonly isRunning: boolean
}

export interface Ledger {
  /** What the channel serves. */
  readonly handlers: Readonly<Record<LedgerMethod, CallHandler>>
  /** Full key of a token. @throws {CallError} INVALID_PARAMS: there is no such item. */
  itemKey(token: string): string
  /** A call of it, or of an item around it, was not in the plan: nothing more of it may change anything. */
  isSkipped(key: string): boolean
  /**
   * The script's `verify` said that what an earlier run began is not done: it may be done again. False as soon as
   * a mutation of this very run has no certain result, for `verify` did not speak of that one.
   */
  isRedone(key: string): boolean
  mutationStarted(key: string, call: string): void
  mutationEnded(key: string, call: string, outcome: MutationOutcome): void
  /** A call of it failed, in a class that says more than an exit code. */
  callFailed(key: string, failure: string): void
  unplanned(key: string): void
  /** From now on no item is started. */
  draining(): void
  /** What was decided under that name, by this run or one before, or is now. */
  decide(name: string, value: () => unknown): Promise<unknown>
  /** Fallbacks that the script declared. */
  fallbacks(): readonly (readonly string[])[]
  /**
   * Null where the script opened no `each`. `planned`: nothing was done but what earlier runs did, so every other
   * item is pending, however it ended.
   */
  counts(options: { readonly planned: boolean }): RunReport['items']
  /** In the order in which they were added. */
  items(): IterableIterator<LedgerItem>
}

export interface LedgerOptions {
  readonly journal: Pick<Journal, 'append' | 'commit'>
  /** Of the run that this one goes on from. @default none */
  readonly history?: RunHistory | null
  /**
   * Asks the tool what became of a mutation whose outcome is not known, when its item is started and the script did
   * not verify it. An item of which all are settled is started.
   * @default such an item is left alone
   */
  readonly settle?: (mutation: PastMutation) => Promise<'done' | 'not-done' | 'unknown'>
  readonly limits?: Partial<LedgerLimits>
  /** @default Math.random */
  readonly random?: () => number
}

const MAX_CLASS_CHARS = 100
const MAX_MESSAGE_CHARS = 2000
const ENDING = 'the run is ending'

export function createLedger(options: LedgerOptions): Ledger {
  const { journal, history = null, settle, random = Math.random } = options
  const limits = { ...DEFAULT_LEDGER_LIMITS, ...options.limits }
  const eaches = new Eaches(limits, history)
  const spending = new Spending(limits.maxRecordedBytes, history)
  const decisions = createDecisions({ journal, history, limits, spending })
  let isDraining = false

  const known = (key: string): Item => {
    const item = eaches.byKey(key)
    if (item === null) throw new SrecodexError('INTERNAL', `the ledger has no item ${quoted(key)}`)
    return item
  }

  const openOf = (item: Item): readonly PastMutation[] => history?.items.get(item.key)?.open ?? []

  const open = (params: CallParams): unknown => {
    const { item = null } = params
    const parent = item === null ? null : eaches.byToken(item)
    return { each: eaches.open(parent, parsePrefix(params, limits.maxFullKeyChars)) }
  }

  const add = ({ each, keys }: CallParams): unknown => {
    const { items, created } = eaches.add(each, keys)
    for (const item of created) journal.append(item.entry(undefined))
    return {
      items: items.map(({ token, state, value }) => ({
        token,
        state: state === 'pending' ? 'todo' : state,
        value: value === null ? null : (JSON.parse(value) as unknown),
      })),
    }
  }

  const go = (item: Item, wave: number | null): unknown => {
    eaches.release(item)
    item.start()
    journal.append({ ...item.entry(undefined), ...(wave === null ? {} : { wave }) })
    return { go: true }
  }

  const start = (params: CallParams): unknown => {
    const item = eaches.byToken(params['token'])
    const verified = parseVerified(params)
    const wave = parseWave(params)
    const { state } = item
    if (state === 'unknown') return startUnknown(item, verified, wave)
    if (state === 'running') throw invalid(`the item ${quoted(item.key)} was started already`)
    if (state === 'ok') return { go: false, state, why: 'it is done' }
    if (state === 'skipped') return { go: false, state, why: 'it was not in the approved plan' }
    if (isDraining) return { go: false, state, why: ENDING }
    if (state === 'failed' && !item.mayRetry)
      return { go: false, state, why: 'it failed, and is not tried again' }
    return go(item, wave)
  }

  const startUnknown = async (
    item: Item,
    verified: boolean | null,
    wave: number | null,
  ): Promise<unknown> => {
    const state = 'unknown'
    if (verified === true) {
      item.state = 'ok'
      item.isPast = false
      item.class = null
      item.message = null
      await recorded(journal.commit(item.entry(undefined)))
      return { go: false, state: 'ok', why: 'it was verified: it is done' }
    }
    if (isDraining) return { go: false, state, why: ENDING }
    if (!item.isPast) return { go: false, state, why: 'a mutation of it has no certain result' }
    if (verified === false) {
      item.isRedone = true
      for (const mutation of openOf(item)) journal.append(settled(mutation, 'not-done'))
      return go(item, wave)
    }
    const isSettled = settle !== undefined && (await settleAll(item, settle))
    // Meanwhile the run may have begun to end, or the item been started by another caller.
    if (isDraining) return { go: false, state, why: ENDING }
    if (item.state !== 'unknown') throw invalid(`the item ${quoted(item.key)} was started already`)
    return isSettled
      ? go(item, wave)
      : { go: false, state, why: 'it was begun by an earlier run, and how that ended is not known' }
  }

  const settleAll = async (item: Item, ask: NonNullable<LedgerOptions['settle']>): Promise<boolean> => {
    const mutations = openOf(item)
    for (const mutation of mutations) {
      const answer = await ask(mutation)
      if (answer === 'unknown') return false
      journal.append(settled(mutation, answer))
    }
    return mutations.length > 0
  }

  const end = async (params: CallParams): Promise<unknown> => {
    const item = eaches.byToken(params['token'])
    const outcome = parseOutcome(params)
    const failure = parseWords(params['class'], 'the class of a failure', MAX_CLASS_CHARS)
    const message = parseWords(params['message'], 'the message of a failure', MAX_MESSAGE_CHARS)
    const retries = parseRetries(params)
    const value = outcome === 'ok' ? parseValue(params['value'], limits.maxValueBytes) : null
    if (item.state !== 'running') throw invalid(`the item ${quoted(item.key)} is not running`)
    const state = stateAtEnd(item, outcome)
    if (value !== null && state === 'ok') {
      spending.spend(Buffer.byteLength(value))
      // Asked for again in this run only when an item around it is tried again.
      if (item.parent !== null) item.value = value
    }
    item.state = state
    item.class = state === 'ok' ? null : classOf(failure, item)
    item.message = state === 'ok' ? null : message
    item.mayRetry = state === 'failed' && retries > 0 && item.isUntouched && !isDraining
    await recorded(journal.commit(item.entry(value !== null && state === 'ok' ? params['value'] : undefined)))
    return { state, retryAfterMs: item.mayRetry ? retryDelayMs(item.attempt, random) : null }
  }

  return {
    handlers: {
      'each.open': open,
      'each.add': add,
      'item.start': start,
      'item.end': end,
      ...decisions.handlers,
    },
    itemKey: token => eaches.byToken(token).key,
    isSkipped: key => known(key).isOutside,
    isRedone: key => isRedone(known(key)),
    mutationStarted: (key, call) => known(key).setCall(call, 'started'),
    mutationEnded: (key, call, outcome) => known(key).setCall(call, outcome),
    callFailed: (key, failure) => {
      known(key).callFailure = failure
    },
    unplanned: key => {
      known(key).isUnplanned = true
    },
    draining: () => {
      isDraining = true
    },
    decide: (name, value) => decisions.decide(name, value),
    fallbacks: () => decisions.fallbacks(),
    counts: ({ planned }) => {
      if (!eaches.isOpened) return null
      return countItems(reported(eaches.items(), planned))
    },
    items: () => told(eaches.items()),
  }
}

function isRedone(item: Item): boolean {
  return item.isRedone && !item.has('unknown') && !item.has('failed')
}

/** What was found out about a mutation of an earlier run. */
function settled({ call: { call } }: PastMutation, answer: 'done' | 'not-done'): ResultEntry {
  return {
    kind: 'result',
    call,
    exitCode: answer === 'done' ? 0 : null,
    signal: null,
    durationMs: 0,
    stdoutBytes: 0,
    stderrBytes: 0,
    class: null,
    answered: 'settled',
    outcome: answer === 'done' ? 'ok' : 'failed-definite',
  }
}

/** `exit 1` says that a call failed; why, its tool told. */
function classOf(said: string | null, { callFailure }: Item): string | null {
  return callFailure !== null && said !== null && /^exit \d+$/.test(said) ? callFailure : said
}

/**
 * A script's `failed` cannot say that nothing was done where a mutation of it says otherwise. It says `unknown` where
 * its `verify` could not tell.
 */
function stateAtEnd(
  item: Item,
  outcome: 'ok' | 'failed' | 'unknown',
): 'ok' | 'failed' | 'unknown' | 'skipped' {
  if (item.isOutside) return 'skipped'
  if (item.has('unknown') || item.has('started')) return 'unknown'
  return outcome === 'failed' && item.has('failed') ? 'unknown' : outcome
}

function* reported(
  items: Iterable<Item>,
  planned: boolean,
): Generator<{ key: string; state: LedgerItem['state']; class: string | null }> {
  for (const item of items) {
    const state = planned && !item.isPast ? 'pending' : item.reported
    yield { key: item.key, state, class: item.class }
  }
}

function* told(items: Iterable<Item>): Generator<LedgerItem, undefined> {
  for (const item of items) {
    const { key, reported: state, class: failure, message, attempt } = item
    yield { key, state, class: failure, message, attempt, isRunning: item.state === 'running' }
  }
}
