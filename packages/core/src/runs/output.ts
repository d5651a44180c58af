/** What runs printed, read again: bounded slices and searches, sanitised and redacted as a summary is. */

import { createRedactor } from './redact.ts'
import { readSlice, type SliceResult } from './slice.ts'
import { findRun, runFolder, runIds } from './store.ts'

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
  const path = runFolder(stateFolder, record.id)[stream]
  const redactor = redactorOf(callerEnvironment)
  const read = await readSlice({ path, redactor, ...slice })
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
  readonly stream: 'stdout' | 'stderr'
  readonly line: number
  readonly text: string
}

/** Finds lines in the raw output of all runs, newest run first. */
export async function* searchRuns(
  stateFolder: string,
  pattern: string,
  options: {
    readonly limit: number
    readonly perRun: number
    readonly callerEnvironment?: NodeJS.ProcessEnv
  },
): AsyncGenerator<SearchHit> {
  const redactor = redactorOf(options.callerEnvironment ?? process.env)
  let found = 0
  for (const id of runIds(stateFolder)) {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (found >= options.limit) return
      const path = runFolder(stateFolder, id)[stream]
      const limit = Math.min(options.perRun, options.limit - found)
      const slice = await readSlice({ path, grep: pattern, limit, maxChars: 20_000, redactor })
      if (slice === null) continue
      for (const { number, text } of slice.lines) yield { run: id, stream, line: number, text }
      found += slice.lines.length
    }
  }
}

function redactorOf(environment: NodeJS.ProcessEnv) {
  const values = Object.entries(environment).map(([name, value]) => ({ name, value: value ?? '' }))
  return createRedactor({ values })
}
