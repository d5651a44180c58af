/** Which runs are kept: by age, by the size of all, and never one that is going on. */

import { execFile } from 'node:child_process'
import { lstat, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { recoverInterrupted } from './cleanup.ts'
import { isOpen, readRecord, runFolder, runIds } from './store.ts'

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
