/**
 * What a run called, and what came of it, in the order in which it happened.
 *
 * Promises: text that is safe to show (`call-words.ts`); flat memory but for calls that are open at one time and
 * those that began after them; of a run that is still going, what is there now. What an earlier run did is told by
 * that run's own timeline.
 *
 * @see streamJournal for what makes it throw STORE_CORRUPT.
 */

import { existsSync, readFileSync } from 'node:fs'
import { commandText, redactRows, type Words } from './call-words.ts'
import type { CallEntry, ItemEntry, MutationOutcome, RecordedEntry, ResultEntry } from './journal/entries.ts'
import { outcomeOf } from './journal/entries.ts'
import { streamJournal } from './journal/read.ts'
import { isRehearsal } from './journal/rehearsal.ts'
import { createRedactor, type Redactor } from './redact.ts'
import { findRun, runFolder, type RunFolder } from './store.ts'

interface EntryFields {
  /** Of the journal: where the entry stands in it. */
  readonly line: number
  /** Since the run's journal was begun. */
  readonly offsetMs: number
  /** Key of the item that it is about. */
  readonly item: string | null
}

interface Called extends EntryFields {
  readonly tool: string
  readonly argv: readonly string[]
  readonly verb: string
}

export interface TimelineCall extends Called {
  readonly kind: 'call'
  readonly effect: 'read' | 'mutate'
  readonly targets: readonly string[]
  /** Foreseen, or answered from what is known: the call itself changed nothing. */
  readonly planned: boolean
  /** It undoes, or falls back from, what the run did. */
  readonly undo: boolean
  /** Null in all of these: it has no result; it goes on, or nobody knows how it ended. */
  readonly durationMs: number | null
  readonly exitCode: number | null
  readonly signal: string | null
  readonly class: string | null
  readonly outcome: MutationOutcome | null
  readonly answered: 'tool' | 'rehearsal' | 'journal' | 'settled' | null
}

export interface TimelineRefusal extends Called {
  readonly kind: 'refused'
  readonly code: string
  readonly message: string
}

/** The end of an item, or of one attempt at it. */
export interface TimelineItem extends EntryFields {
  readonly kind: 'item'
  readonly item: string
  readonly state: 'ok' | 'failed' | 'unknown' | 'skipped'
  /** In planning: nothing was done for it. */
  readonly rehearsed: boolean
  readonly class: string | null
  readonly message: string | null
  readonly attempt: number
}

export type TimelineEntry = TimelineCall | TimelineRefusal | TimelineItem

export interface TimelineOptions {
  /** Its secrets are taken out. @default process.env */
  readonly callerEnvironment?: NodeJS.ProcessEnv
}

/** Rows that are redacted together. */
const BATCH = 256

/**
 * @param name an id, a unique prefix, or `last`.
 * @throws {SrecodexError} RUN_NOT_FOUND | RUN_AMBIGUOUS | STORE_CORRUPT
 */
export async function* readTimeline(
  stateFolder: string,
  name: string,
  options: TimelineOptions = {},
): AsyncGenerator<TimelineEntry, void, undefined> {
  const { id } = await findRun(stateFolder, name)
  const folder = runFolder(stateFolder, id)
  if (!existsSync(folder.journal)) return // it ended before its script began
  const redactor = redactorOf(folder, options.callerEnvironment ?? process.env)
  let batch: TimelineEntry[] = []
  const rehearsed = await isRehearsal(streamJournal(folder.journal))
  for await (const entry of timelineOf(streamJournal(folder.journal), rehearsed)) {
    batch.push(entry)
    if (batch.length < BATCH) continue
    yield* await redacted(batch, redactor)
    batch = []
  }
  yield* await redacted(batch, redactor)
}

/**
 * The entries of a journal as a timeline: calls where they began, each with its result.
 *
 * @param rehearsed see `isRehearsal`.
 */
export async function* timelineOf(
  entries: AsyncIterable<RecordedEntry> | Iterable<RecordedEntry>,
  rehearsed = false,
): AsyncGenerator<TimelineEntry, void, undefined> {
  let begun: number | null = null
  const queue: (TimelineEntry | { readonly open: CallEntry & EntryFields })[] = []
  const open = new Map<string, { at: number }>()
  let taken = 0
  for await (const entry of entries) {
    const at = Date.parse(entry.at)
    begun ??= at
    if ('carried' in entry && entry.carried) continue
    const fields = { line: entry.seq, offsetMs: Math.max(0, at - begun) }
    if (entry.kind === 'call') {
      open.set(entry.call, { at: taken + queue.length })
      queue.push({ open: { ...entry, ...fields } })
    } else if (entry.kind === 'result') {
      const place = open.get(entry.call)
      const held = place === undefined ? undefined : queue[place.at - taken]
      if (place === undefined || held === undefined || !('open' in held)) continue // of a call that was carried over
      open.delete(entry.call)
      queue[place.at - taken] = ended(held.open, entry)
    } else {
      const one = otherEntry(entry, fields, rehearsed)
      if (one !== null) queue.push(one)
    }
    let ready = 0
    while (ready < queue.length && !('open' in queue[ready]!)) ready += 1
    // Not one by one: the head of a long queue is dear to take off.
    if (ready === queue.length || ready >= BATCH) {
      for (const one of queue.splice(0, ready)) if (!('open' in one)) yield one
      taken += ready
    }
  }
  for (const one of queue) yield 'open' in one ? ended(one.open, null) : one
}

function ended(call: CallEntry & EntryFields, result: ResultEntry | null): TimelineCall {
  const { line, offsetMs, item, tool, argv, verb, effect, targets, planned, undo } = call
  return {
    kind: 'call',
    ...{ line, offsetMs, item, tool, argv, verb, effect, targets, planned, undo },
    durationMs: result?.durationMs ?? null,
    exitCode: result?.exitCode ?? null,
    signal: result?.signal ?? null,
    class: result?.class ?? null,
    outcome: result === null ? null : outcomeOf(result),
    answered: result?.answered ?? null,
  }
}

function otherEntry(
  entry: RecordedEntry,
  fields: Omit<EntryFields, 'item'>,
  rehearsed: boolean,
): TimelineEntry | null {
  switch (entry.kind) {
    case 'refused': {
      const { kind, tool, argv, verb, code, message, item } = entry
      return { kind, ...fields, item, tool, argv, verb, code, message }
    }
    case 'item':
      return isEnd(entry) ? { ...itemEnd(entry, fields), rehearsed } : null
    case 'begin':
    case 'approved':
    case 'call':
    case 'result':
    case 'once':
    case 'may':
    case 'end':
      return null
  }
}

function isEnd({ state }: ItemEntry): boolean {
  return state !== 'pending' && state !== 'running'
}

function itemEnd(entry: ItemEntry, fields: Omit<EntryFields, 'item'>): Omit<TimelineItem, 'rehearsed'> {
  const { key, class: failure, message, attempt } = entry
  const state = entry.state as TimelineItem['state']
  return { kind: 'item', ...fields, item: key, state, class: failure, message, attempt }
}

async function redacted(entries: readonly TimelineEntry[], redactor: Redactor): Promise<TimelineEntry[]> {
  const rows = await redactRows(entries.map(wordsOf), redactor)
  return entries.map((entry, index) => withWords(entry, rows[index]!))
}

function wordsOf(entry: TimelineEntry): Words {
  const item = entry.item ?? ''
  switch (entry.kind) {
    case 'call':
      return [item, entry.tool, entry.argv, entry.verb, entry.targets, entry.class ?? '']
    case 'refused':
      return [item, entry.tool, entry.argv, entry.verb, entry.message]
    case 'item':
      return [item, entry.class ?? '', entry.message ?? '']
  }
}

/** As `wordsOf` laid them out. */
function withWords(entry: TimelineEntry, words: Words): TimelineEntry {
  const text = (index: number): string => words[index] as string
  const list = (index: number): readonly string[] => words[index] as readonly string[]
  const orNull = (was: string | null, index: number): string | null => (was === null ? null : text(index))
  const item = orNull(entry.item, 0)
  switch (entry.kind) {
    case 'call': {
      const failure = orNull(entry.class, 5)
      return { ...entry, item, tool: text(1), argv: list(2), verb: text(3), targets: list(4), class: failure }
    }
    case 'refused':
      return { ...entry, item, tool: text(1), argv: list(2), verb: text(3), message: text(4) }
    case 'item':
      return { ...entry, item: text(0), class: orNull(entry.class, 1), message: orNull(entry.message, 2) }
  }
}

/** What a search meets, and shows: the call in one line, with what it touched or why it was refused. */
export function timelineText(entry: TimelineEntry): string | null {
  if (entry.kind === 'item') return null
  const command = commandText(entry.tool, entry.argv)
  if (entry.kind === 'refused') return `${command} (refused: ${entry.message})`
  const what = entry.targets.length === 0 ? entry.verb : `${entry.verb}: ${entry.targets.join(', ')}`
  return `${command} (${what})`
}

/** Secrets of whoever asks, and those that the run was given. */
export function redactorOf(folder: RunFolder, environment: NodeJS.ProcessEnv): Redactor {
  const known = { ...environment, ...givenTo(folder) }
  return createRedactor({
    values: Object.entries(known).map(([name, value]) => ({ name, value: value ?? '' })),
  })
}

function givenTo(folder: RunFolder): Record<string, string> {
  try {
    return JSON.parse(readFileSync(folder.environment, 'utf8')) as Record<string, string>
  } catch {
    return {} // it was given none
  }
}
