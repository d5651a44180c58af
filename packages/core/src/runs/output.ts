/** What runs printed, read again: bounded slices and searches, sanitised and redacted as a summary is. */

import { existsSync } from 'node:fs'
import { SrecodexError } from '../errors.ts'
import { createMatcher, readSlice, type SliceResult } from './slice.ts'
import { findRun, runFolder, runIds } from './store.ts'
import { readTimeline, redactorOf, timelineText } from './timeline.ts'

export interface OutputOptions {
  readonly stream?: 'stdout' | 'stderr'
  readonly grep?: string
  readonly offset?: number
  readonly limit?: number
  readonly maxChars: number
  readonly callerEnvironment?: NodeJS.ProcessEnv
}

/**
 * A bounded slice of what a run printed, sanitised and redacted as its summary is.
 *
 * @throws {SrecodexError} RUN_NOT_FOUND | RUN_AMBIGUOUS | USAGE for an expression that cannot be read
 */
export async function readOutput(
  stateFolder: string,
  name: string,
  options: OutputOptions,
): Promise<SliceResult & { readonly run: string }> {
  const record = await findRun(stateFolder, name)
  const { stream = 'stdout', callerEnvironment = process.env, ...slice } = options
  const folder = runFolder(stateFolder, record.id)
  const redactor = redactorOf(folder, callerEnvironment)
  const read = await readSlice({ path: folder[stream], redactor, ...slice })
  return { run: record.id, ...(read ?? NOTHING_PRINTED) }
}

/** A run that never began to print has no file. */
const NOTHING_PRINTED: SliceResult = {
  lines: [],
  totalLines: 0,
  matched: 0,
  truncated: { byLimit: false, byChars: false, insideLine: false },
  nextOffset: null,
}

export interface SearchHit {
  readonly run: string
  /** `call`: not what it printed, but what it called. */
  readonly stream: 'stdout' | 'stderr' | 'call'
  /** In the stream; of a call in the run's journal. */
  readonly line: number
  readonly text: string
}

interface SearchOptions {
  readonly limit: number
  readonly perRun: number
  readonly callerEnvironment?: NodeJS.ProcessEnv
}

/** Finds lines in the raw output of all runs, and calls with what they touched or why they were refused; newest run first. */
export async function* searchRuns(
  stateFolder: string,
  pattern: string,
  options: SearchOptions,
): AsyncGenerator<SearchHit> {
  const caller = options.callerEnvironment ?? process.env
  let found = 0
  for (const id of runIds(stateFolder)) {
    const folder = runFolder(stateFolder, id)
    const redactor = redactorOf(folder, caller)
    for (const stream of ['stdout', 'stderr'] as const) {
      if (found >= options.limit) return
      const limit = Math.min(options.perRun, options.limit - found)
      const slice = await readSlice({
        path: folder[stream],
        grep: pattern,
        limit,
        maxChars: 20_000,
        redactor,
      })
      if (slice === null) continue
      for (const { number, text } of slice.lines) yield { run: id, stream, line: number, text }
      found += slice.lines.length
    }
    if (found >= options.limit) return
    if (!existsSync(folder.journal)) continue
    for await (const hit of callsOf(stateFolder, id, pattern, caller)) {
      yield hit
      found += 1
      if (found >= options.limit) return
    }
  }
}

/** Texts that meet the expression in one go: entering its context costs more than a short text. */
const TEXTS_AT_ONCE = 256

async function* callsOf(
  stateFolder: string,
  run: string,
  pattern: string,
  callerEnvironment: NodeJS.ProcessEnv,
): AsyncGenerator<SearchHit> {
  const match = pattern === '' ? null : createMatcher(pattern)
  let held: { readonly line: number; readonly text: string }[] = []
  const hits = (): SearchHit[] => {
    const places = match === null ? held.map(() => 0) : match(held.map(({ text }) => text))
    const met = held.filter((_, index) => (places[index] ?? -1) !== -1)
    held = []
    return met.map(({ line, text }) => ({ run, stream: 'call', line, text }))
  }
  try {
    for await (const entry of readTimeline(stateFolder, run, { callerEnvironment })) {
      const text = timelineText(entry)
      if (text !== null) held.push({ line: entry.line, text })
      if (held.length >= TEXTS_AT_ONCE) yield* hits()
    }
  } catch (error) {
    // One damaged journal hides no other run.
    if (!(error instanceof SrecodexError) || error.code !== 'STORE_CORRUPT') throw error
  }
  yield* hits()
}
