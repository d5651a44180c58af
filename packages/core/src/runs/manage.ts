/** The runs that are kept: found, followed, ended, searched, pruned. */

import { lstat, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { recoverInterrupted } from './cleanup.ts'
import { createRedactor } from './redact.ts'
import { readSlice, type SliceResult } from './slice.ts'
import {
  findRun,
  isAlive,
  isOpen,
  readRecord,
  readRecords,
  runFolder,
  runIds,
  type RunRecord,
} from './store.ts'

/** Newest first, each as it stands: a run whose srecodex was killed is `interrupted`. */
export async function listRuns(stateFolder: string): Promise<RunRecord[]> {
  await recoverInterrupted(stateFolder)
  return readRecords(stateFolder)
}

/**
 * @param name an id, a unique prefix, or `last`.
 * @throws {SrecodexError} RUN_NOT_FOUND | RUN_AMBIGUOUS
 */
export async function showRun(stateFolder: string, name: string): Promise<RunRecord> {
  await recoverInterrupted(stateFolder)
  return findRun(stateFolder, name)
}

export interface StopResult {
  readonly record: RunRecord
  /** False where the run had already ended. */
  readonly stopped: boolean
}

/** How long a stopped run may take to write its report: the script's grace, then the supervisor's. */
const STOP_WAIT_MS = 10_000
const POLL_MS = 50

/**
 * Ends a run of any process of this user, and waits for its report.
 *
 * @throws {SrecodexError} RUN_NOT_FOUND | RUN_AMBIGUOUS
 */
export async function stopRun(stateFolder: string, name: string): Promise<StopResult> {
  let record = await showRun(stateFolder, name)
  let stopped = false
  for (let waited = 0; waited < STOP_WAIT_MS && isOpen(record); waited += POLL_MS) {
    // A run that has just begun has no supervisor yet; one whose supervisor is gone is writing its report.
    if (!stopped && record.supervisor !== null && isAlive(record.supervisor)) {
      stopped = ask(record.supervisor.pid)
    }
    await sleep(POLL_MS)
    record = (await readRecord(stateFolder, record.id)) ?? record
  }
  return { record, stopped }
}

function ask(supervisor: number): boolean {
  try {
    process.kill(supervisor, 'SIGTERM')
    return true
  } catch {
    return false // it ended in between
  }
}

/** Yields the record whenever it changes, the last time when the run has ended. */
export async function* watchRun(
  stateFolder: string,
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<RunRecord> {
  let record = await findRun(stateFolder, name)
  yield record
  while (isOpen(record)) {
    await sleep(4 * POLL_MS, undefined, { signal })
    const next = (await readRecord(stateFolder, record.id)) ?? record
    if (JSON.stringify(next) !== JSON.stringify(record)) yield next
    record = next
  }
}

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

export interface PruneOptions {
  readonly keepDays: number
  readonly maxBytes: number
  /** @default false */
  readonly dryRun?: boolean
}

export interface PruneResult {
  readonly removed: readonly {
    readonly run: string
    readonly bytes: number
    readonly reason: 'age' | 'size'
  }[]
  readonly freedBytes: number
  readonly keptRuns: number
  readonly keptBytes: number
}

const DAY_MS = 24 * 60 * 60 * 1000

/** Removes runs that are too old, then the oldest until the rest fits. A run that is going on is never touched. */
export async function pruneRuns(stateFolder: string, options: PruneOptions): Promise<PruneResult> {
  await recoverInterrupted(stateFolder)
  const removed: { run: string; bytes: number; reason: 'age' | 'size' }[] = []
  let keptBytes = 0
  let keptRuns = 0
  for (const id of runIds(stateFolder)) {
    const record = await readRecord(stateFolder, id)
    const { path } = runFolder(stateFolder, id)
    const bytes = await sizeOf(path)
    const open = record === null ? await isYoung(path) : isOpen(record)
    const age = Date.now() - (record === null ? 0 : Date.parse(record.startedAt))
    const reason =
      age > options.keepDays * DAY_MS ? 'age' : keptBytes + bytes > options.maxBytes ? 'size' : null
    if (open || reason === null) {
      keptBytes += bytes
      keptRuns += 1
      continue
    }
    if (options.dryRun !== true) await removeFolder(path)
    removed.push({ run: id, bytes, reason })
  }
  return { removed, freedBytes: removed.reduce((sum, { bytes }) => sum + bytes, 0), keptRuns, keptBytes }
}

/** Prunes at most once a day: a store that nobody tends must not fill the disk. */
export async function pruneWhenDue(stateFolder: string, options: PruneOptions): Promise<void> {
  const marker = join(stateFolder, 'pruned')
  const last = await stat(marker).then(
    found => found.mtimeMs,
    () => 0,
  )
  if (Date.now() - last < DAY_MS) return
  await writeFile(marker, '', { mode: 0o600 })
  await utimes(marker, new Date(), new Date())
  if (last > 0) await pruneRuns(stateFolder, options)
}

/**
 * What a script nests deeper than any path can name, or shuts, the system's `rm` still removes: it goes folder by
 * folder, and follows no link.
 */
async function removeFolder(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true })
  } catch {
    const run = promisify(execFile)
    await run('chmod', ['-R', 'u+rwX', '--', path]).catch(() => {}) // links are not followed by -R
    await run('rm', ['-rf', '--', path])
  }
}

/** A folder without a record may be one that is being made. */
async function isYoung(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  return found !== null && Date.now() - found.mtimeMs < 60_000
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const found = await lstat(join(entry.parentPath, entry.name)).catch(() => null)
    bytes += (found?.blocks ?? 0) * 512
  }
  return bytes
}
