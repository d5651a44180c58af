/**
 * Runs on disk: one folder each, outside of what any sandbox lets a script write.
 *
 * Promises: `run.json` is whole at every moment (written beside, synced, renamed); a run whose srecodex was
 * killed is told as `interrupted`, never as running; folders are 0700, files 0600. Several processes may share
 * one store: a run is written by the process that started it, and only read by others.
 *
 * When power fails, the record of a script that began is there (it is durable before the script starts), and an
 * ending of the last moments may be lost: the run is told as interrupted. A sync costs 2 ms and more, so each is
 * made where something depends on it and nowhere else.
 */

import {
  closeSync,
  constants,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { open, readFile } from 'node:fs/promises'
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
  /** What a mutation became: recorded for approval, done, or denied. `apply`: those of an approved plan were done. */
  readonly mutations: 'plan' | 'apply' | 'allow' | 'deny'
  /** What flags set, by dotted key: whoever goes on from this run runs it under the same. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Folders of skills that its script could call. */
  readonly skillFolders: readonly string[]
  readonly owner: Owner
  /** Once it runs: SIGTERM to it ends the run. Not in `run.json`, but beside it. */
  readonly supervisor: Owner | null
  readonly report: RunReport
}

/** Paths inside one run's folder. */
export interface RunFolder {
  readonly id: string
  readonly path: string
  readonly record: string
  /** Where the next record is written before it takes the place of the last. */
  readonly draft: string
  readonly supervisor: string
  readonly script: string
  readonly stdout: string
  readonly stderr: string
  readonly artifacts: string
  readonly sockets: string
  readonly quarantine: string
  /** The workspace as it was before the run: what `recover` compares with. */
  readonly guard: string
  /** What was called and done, as it happened: see `journal.ts`. */
  readonly journal: string
  /** What waits for approval: the mutations of this run that were only foreseen, or that it stopped at. */
  readonly plan: string
  /** The approved plan under which this run may change things. */
  readonly approved: string
  /** Variables that the caller gave the script; may hold secrets. */
  readonly environment: string
  /** Id of the one run that goes on from this one. */
  readonly continued: string
  /** Of the broker alone: configurations of tools, captured files. */
  readonly tools: string
  readonly spool: string
}

const nextId = monotonicFactory()
const RUN_ID = /^[0-9A-HJKMNP-TV-Z]{26}$/

export function runFolder(stateFolder: string, id: string): RunFolder {
  const path = join(stateFolder, 'runs', id)
  return {
    id,
    path,
    record: join(path, 'run.json'),
    draft: join(path, 'run.json.new'),
    supervisor: join(path, 'supervisor'),
    script: join(path, 'script'),
    stdout: join(path, 'stdout'),
    stderr: join(path, 'stderr'),
    artifacts: join(path, 'artifacts'),
    sockets: join(path, 'sockets'),
    quarantine: join(path, 'quarantine'),
    guard: join(path, 'workspace.json'),
    journal: join(path, 'journal.jsonl'),
    plan: join(path, 'plan.json'),
    approved: join(path, 'approved.json'),
    environment: join(path, 'environment.json'),
    continued: join(path, 'continued'),
    tools: join(path, 'tools'),
    spool: join(path, 'spool'),
  }
}

/** @throws {SrecodexError} STATE_UNWRITABLE | DISK_FULL */
export function createRunFolder(stateFolder: string): RunFolder {
  const folder = runFolder(stateFolder, nextId())
  return guarded(stateFolder, () => {
    mkdirSync(liveFolder(stateFolder), { recursive: true, mode: 0o700 })
    mkdirSync(join(stateFolder, 'runs'), { recursive: true, mode: 0o700 })
    // First: whatever is made from here on is found again, however this process ends.
    writeFileSync(liveMarker(stateFolder, folder.id, ownerOf(process.pid)), '', { mode: 0o600 })
    mkdirSync(folder.path, { mode: 0o700 })
    mkdirSync(folder.artifacts, { mode: 0o700 })
    mkdirSync(folder.sockets, { mode: 0o700 })
    mkdirSync(folder.tools, { mode: 0o700 })
    mkdirSync(folder.spool, { mode: 0o700 })
    return folder
  })
}

/**
 * Writes the first record, and sets aside the space that the last will take.
 *
 * @throws {SrecodexError} STATE_UNWRITABLE | DISK_FULL
 */
export function beginRecord(folder: RunFolder, record: RunRecord): void {
  guarded(folder.path, () => {
    const bytes = writeDraft(folder, record)
    renameSync(folder.draft, folder.record)
    // A script can fill the disk that the store is on: its report is still to be told.
    writeFileSync(folder.draft, Buffer.alloc(bytes + RESERVED_BYTES), { mode: 0o600 })
  })
}

/**
 * Makes the first record, and all that recovery needs, durable. Nothing that would have to be undone may begin
 * before. Best called once the run's files are made: whoever makes one during a sync waits for its end.
 *
 * @throws {SrecodexError} DISK_FULL
 */
export async function syncRecord(stateFolder: string, folder: RunFolder): Promise<void> {
  const places = [
    folder.record,
    folder.guard,
    folder.path,
    join(stateFolder, 'runs'),
    liveFolder(stateFolder),
  ]
  try {
    await Promise.all(places.map(sync))
  } catch (error) {
    throw storeError(folder.path, error)
  }
}

/** How much longer the last record may be than the first: a summary, lists, notices. */
const RESERVED_BYTES = 32 * 1024

/** Replaces the record; whole on the disk when it returns. @throws {SrecodexError} STATE_UNWRITABLE | DISK_FULL */
export function writeRecord(folder: RunFolder, record: RunRecord): void {
  guarded(folder.path, () => {
    writeDraft(folder, record, { synced: true })
    renameSync(folder.draft, folder.record)
  })
}

/** Into the space that is set aside, where it is. */
function writeDraft(folder: RunFolder, record: RunRecord, { synced = false } = {}): number {
  const text = Buffer.from(`${JSON.stringify({ ...record, supervisor: null }, null, 2)}\n`)
  const draft = openSync(folder.draft, constants.O_WRONLY | constants.O_CREAT, 0o600)
  try {
    for (let at = 0; at < text.length;) at += writeSync(draft, text, at)
    ftruncateSync(draft, text.length)
    if (synced) fdatasyncSync(draft)
  } finally {
    closeSync(draft)
  }
  return text.length
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null // a run that protects nothing has no guard
    throw error
  })
  if (file === null) return
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Lets other processes end this run. Of no use after a crash of the machine, so never synced. */
export function writeSupervisor(folder: RunFolder, pid: number): void {
  guarded(folder.path, () => writeFileSync(folder.supervisor, JSON.stringify(ownerOf(pid)), { mode: 0o600 }))
}

/** The run is over, and nothing of it is left to recover. */
export function markEnded(stateFolder: string, id: string): void {
  rmSync(liveMarker(stateFolder, id, ownerOf(process.pid)), { force: true })
}

/**
 * Ids of runs whose owners died, each now claimed by this process: no other will recover it meanwhile.
 *
 * A marker's name says whose it is, so that one rename, which only one process wins, both claims it and says by
 * whom. A claim dies with its claimer.
 */
export function claimDeadRuns(stateFolder: string): string[] {
  const claimed: string[] = []
  for (const marker of listed(liveFolder(stateFolder))) {
    const [id, owner] = parseMarker(marker)
    if (isAlive(owner)) continue
    if (!RUN_ID.test(id)) {
      rmSync(join(liveFolder(stateFolder), marker), { recursive: true, force: true }) // no run's: whatever it is
      continue
    }
    try {
      renameSync(join(liveFolder(stateFolder), marker), liveMarker(stateFolder, id, ownerOf(process.pid)))
      claimed.push(id)
    } catch {
      // another process was first
    }
  }
  return claimed
}

function parseMarker(marker: string): [id: string, owner: Owner] {
  const [id = '', pid = '', startTime = '', boot = ''] = marker.split('.')
  return [id, { pid: Number(pid), startTime, boot }]
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
    .filter(name => RUN_ID.test(name))
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
  const folder = runFolder(stateFolder, id)
  try {
    const record = await parseRecord(folder)
    if (!isOpen(record)) return record
    if (isAlive(record.owner)) return { ...record, supervisor: readSupervisor(folder) }
    // Dead now; it may have written the ending after the first look.
    return asItStands(await parseRecord(folder))
  } catch {
    return null
  }
}

async function parseRecord(folder: RunFolder): Promise<RunRecord> {
  return JSON.parse(await readFile(folder.record, 'utf8')) as RunRecord
}

function readSupervisor(folder: RunFolder): Owner | null {
  try {
    return JSON.parse(readFileSync(folder.supervisor, 'utf8')) as Owner
  } catch {
    return null // not yet started
  }
}

/** True as long as its owner has more to write. */
export function isOpen(record: RunRecord): boolean {
  return record.report.status === 'running' || record.report.status === 'waiting'
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
  if (!isOpen(record) || isAlive(record.owner)) return record
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
  const startTime = pid === process.pid ? (ownStartTime ??= startTimeOf(pid)) : startTimeOf(pid)
  return { pid, startTime: startTime ?? '', boot: bootId() }
}

let ownStartTime: string | null | undefined

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

function liveMarker(stateFolder: string, id: string, owner: Owner): string {
  return join(liveFolder(stateFolder), `${id}.${owner.pid}.${owner.startTime}.${owner.boot}`)
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
