/**
 * Runs on disk: one folder each, outside of what any sandbox lets a script write.
 *
 * Promises: `run.json` is whole at every moment (written beside, synced, renamed); a run whose srecodex was
 * killed is told as `interrupted`, never as running; folders are 0700, files 0600. Several processes may share
 * one store: a run is written by the process that started it, and only read by others.
 */

import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monotonicFactory } from 'ulid'
import { SrecodexError } from '../errors.ts'
import type { RunReport } from './report.ts'

/** Which process a run belongs to: a process id alone may have been given to another since. */
export interface Owner {
  readonly pid: number
  /** Clock ticks after boot, field 22 of /proc/PID/stat. */
  readonly startTime: string
  readonly boot: string
}

/** What `run.json` holds. */
export interface RunRecord {
  readonly version: 1
  readonly id: string
  readonly startedAt: string
  readonly workspace: string
  /** Path of the user's file; null for text that came by stdin or MCP. */
  readonly scriptPath: string | null
  /** Real path of a script that is removed after the run; null where none is. */
  readonly temporary: string | null
  readonly args: readonly string[]
  readonly owner: Owner
  /** Process id of the supervisor, once it runs: SIGTERM to it ends the run. */
  readonly supervisor: Owner | null
  readonly report: RunReport
}

/** Paths inside one run's folder. */
export interface RunFolder {
  readonly id: string
  readonly path: string
  readonly record: string
  readonly script: string
  readonly stdout: string
  readonly stderr: string
  readonly artifacts: string
  readonly sockets: string
  readonly quarantine: string
  /** The workspace as it was before the run: what `recover` compares with. */
  readonly guard: string
}

const nextId = monotonicFactory()

export function runFolder(stateFolder: string, id: string): RunFolder {
  const path = join(stateFolder, 'runs', id)
  return {
    id,
    path,
    record: join(path, 'run.json'),
    script: join(path, 'script'),
    stdout: join(path, 'stdout'),
    stderr: join(path, 'stderr'),
    artifacts: join(path, 'artifacts'),
    sockets: join(path, 'sockets'),
    quarantine: join(path, 'quarantine'),
    guard: join(path, 'workspace.json'),
  }
}

/** @throws {SrecodexError} STATE_UNWRITABLE | DISK_FULL */
export function createRunFolder(stateFolder: string): RunFolder {
  const folder = runFolder(stateFolder, nextId())
  return guarded(stateFolder, () => {
    mkdirSync(liveFolder(stateFolder), { recursive: true, mode: 0o700 })
    mkdirSync(join(stateFolder, 'runs'), { recursive: true, mode: 0o700 })
    mkdirSync(folder.path, { mode: 0o700 })
    mkdirSync(folder.artifacts, { mode: 0o700 })
    mkdirSync(folder.sockets, { mode: 0o700 })
    writeFileSync(liveMarker(stateFolder, folder.id), JSON.stringify(ownerOf(process.pid)), { mode: 0o600 })
    return folder
  })
}

/** Durable when it returns. @throws {SrecodexError} STATE_UNWRITABLE | DISK_FULL */
export function writeRecord(folder: RunFolder, record: RunRecord): void {
  guarded(folder.path, () => {
    const draft = `${folder.record}.new`
    const file = openSync(draft, 'w', 0o600)
    try {
      writeSync(file, `${JSON.stringify(record, null, 2)}\n`)
      fdatasyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(draft, folder.record)
    const parent = openSync(folder.path, 'r')
    try {
      fsyncSync(parent)
    } finally {
      closeSync(parent)
    }
  })
}

/** The run is over, and nothing of it is left to recover. */
export function markEnded(stateFolder: string, id: string): void {
  rmSync(liveMarker(stateFolder, id), { force: true })
  rmSync(`${liveMarker(stateFolder, id)}.${process.pid}`, { force: true })
}

/**
 * Ids of runs whose owners died, each now claimed by this process: no other will recover it meanwhile.
 *
 * A claim is the marker's rename, which only one process wins; it dies with its claimer.
 */
export function claimDeadRuns(stateFolder: string): string[] {
  const claimed: string[] = []
  for (const marker of listed(liveFolder(stateFolder))) {
    const id = marker.slice(0, 26)
    const owner = readOwner(join(liveFolder(stateFolder), marker))
    if (owner === null || isAlive(owner)) continue
    const mine = `${id}.${process.pid}`
    try {
      renameSync(join(liveFolder(stateFolder), marker), join(liveFolder(stateFolder), mine))
      writeFileSync(join(liveFolder(stateFolder), mine), JSON.stringify(ownerOf(process.pid)), { mode: 0o600 })
      claimed.push(id)
    } catch {
      // another process was first
    }
  }
  return claimed
}

/** Null while it is being written, and where it is no owner. */
function readOwner(path: string): Owner | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner
  } catch {
    return null
  }
}

/** Newest first. A run that was killed before its record was written never started, and is not listed. */
export async function readRecords(stateFolder: string): Promise<RunRecord[]> {
  const ids = runIds(stateFolder)
  const records = await Promise.all(ids.map(id => readRecord(stateFolder, id)))
  return records.filter(record => record !== null)
}

/** Ids of all runs, newest first. */
export function runIds(stateFolder: string): string[] {
  return listed(join(stateFolder, 'runs'))
    .filter(name => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(name))
    .sort()
    .toReversed()
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** @returns null where there is no such run, or it was killed before its record was written. */
export async function readRecord(stateFolder: string, id: string): Promise<RunRecord | null> {
  let record: RunRecord
  try {
    record = JSON.parse(await readFile(runFolder(stateFolder, id).record, 'utf8')) as RunRecord
  } catch {
    return null
  }
  return asItStands(record)
}

/**
 * Finds one run by its id, a unique prefix, or `last`.
 *
 * @throws {SrecodexError} RUN_NOT_FOUND | RUN_AMBIGUOUS
 */
export async function findRun(stateFolder: string, name: string): Promise<RunRecord> {
  const ids = runIds(stateFolder)
  const wanted = name.toUpperCase()
  const matches = name === 'last' ? ids.slice(0, 1) : ids.filter(id => id.startsWith(wanted))
  if (matches.length > 1 && !matches.includes(wanted)) {
    throw new SrecodexError('RUN_AMBIGUOUS', `${matches.length} runs begin with ${name}`, {
      hint: `give more of the id: ${matches.slice(0, 3).join(', ')}`,
      details: { run: name, matches },
    })
  }
  const id = matches.includes(wanted) ? wanted : matches[0]
  const record = id === undefined || name === '' ? null : await readRecord(stateFolder, id)
  if (record === null) {
    throw new SrecodexError('RUN_NOT_FOUND', name === 'last' ? 'there is no run yet' : `no run ${name}`, {
      hint: 'srecodex runs list shows the runs that are kept',
      details: { run: name },
    })
  }
  return record
}

/** A record says what its owner last wrote; a dead owner wrote nothing more. */
function asItStands(record: RunRecord): RunRecord {
  const open = record.report.status === 'running' || record.report.status === 'waiting'
  if (!open || isAlive(record.owner)) return record
  return {
    ...record,
    report: {
      ...record.report,
      status: 'interrupted',
      next: `srecodex output ${record.id}`,
      error: {
        code: 'INTERRUPTED',
        message: 'srecodex was killed while the script ran; the script was ended with it',
        hint: 'what it printed until then is kept',
      },
    },
  }
}

export function ownerOf(pid: number): Owner {
  return { pid, startTime: startTimeOf(pid) ?? '', boot: bootId() }
}

/** A zombie is not alive, nor is another process that was given the same id. */
export function isAlive(owner: Owner): boolean {
  return owner.boot === bootId() && startTimeOf(owner.pid) === owner.startTime
}

function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? null : fields[19]!
  } catch {
    return null
  }
}

let boot: string | undefined

function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return boot
}

function liveFolder(stateFolder: string): string {
  return join(stateFolder, 'live')
}

function liveMarker(stateFolder: string, id: string): string {
  return join(liveFolder(stateFolder), id)
}

/** Turns what the disk says into what the user can act on. */
function guarded<Result>(path: string, act: () => Result): Result {
  try {
    return act()
  } catch (error) {
    throw storeError(path, error)
  }
}

export function storeError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SrecodexError('DISK_FULL', `no space left to keep the run in ${path}`, {
      hint: 'srecodex runs prune frees old runs; SRECODEX_HOME moves the store to another disk',
      details: { path },
      cause: error,
    })
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST') {
    return new SrecodexError('STATE_UNWRITABLE', `cannot write the store of runs at ${path} (${code})`, {
      hint: 'give srecodex a folder that it may write: XDG_STATE_HOME or SRECODEX_HOME',
      details: { path },
      cause: error,
    })
  }
  return error
}
