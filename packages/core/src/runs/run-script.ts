/**
 * One script, once: stage → sandbox → process → output → report → clean up.
 *
 * Promises: every outcome of the script is a report, also a timeout, a cancel, a kill; every descendant is
 * dead and everything temporary is gone when the report is returned; several runs in one process share nothing.
 * Refuses: to run weaker than asked. A sandbox that cannot be had is an error with its cause.
 */

import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { SrecodexError } from '../errors.ts'
import { awkwardFileSystem } from '../sandbox/detect.ts'
import { removeControlGroup } from '../sandbox/cgroup.ts'
import { launch, type ProcessOutcome, type RunningProcess } from '../sandbox/engine.ts'
import { openChannel, type Channel } from '../tools/channel.ts'
import { recoverInterrupted, removeTemporaryScript, restoreWorkspace } from './cleanup.ts'
import type { RunCalls } from './calls.ts'
import { enclose, type Opened, type Prepared } from './enclosure.ts'
import { pendingReport, sandboxError, type Ending, writeReport } from './finish.ts'
import { openCalls } from './open-calls.ts'
import type { RunOptions } from './options.ts'
import type { RunReport } from './report.ts'
import { createRedactor, type Redactor } from './redact.ts'
import { readScript, stageScript, type StagedScript } from './stage.ts'
import { Stopwatch } from './stopwatch.ts'
import {
  beginRecord,
  createRunFolder,
  markEnded,
  ownerOf,
  syncRecord,
  writeRecord,
  writeSupervisor,
  type RunFolder,
  type RunRecord,
} from './store.ts'
import { estimateTokens } from './tokens.ts'

/** How long a script may go on after SIGINT, to flush and to say what it did. */
const GRACE_MS = 1000

/**
 * Runs one script inside the sandbox and returns its report.
 *
 * A script that exits non-zero, times out or is cancelled is a result, not an error.
 *
 * @throws {SrecodexError} WORKSPACE_INVALID | SCRIPT_NOT_FOUND | SCRIPT_UNREADABLE | SCRIPT_EMPTY |
 *   SCRIPT_TOO_LARGE | EXTENSION_REFUSED | INTERPRETER_NOT_FOUND | SANDBOX_UNAVAILABLE | REFUSED | DISK_FULL |
 *   STATE_UNWRITABLE
 */
export async function runPrepared(options: RunOptions): Promise<RunReport> {
  const begun = performance.now()
  await recoverInterrupted(options.stateFolder)
  const enclosure = enclose(options)
  const { script, content } = readScript(options.script, {
    workspace: enclosure.workspace,
    cwd: resolve(options.workspace ?? process.cwd()),
    allowedExtensions: options.config.scripts.allowedExtensions,
  })
  const prepared = enclosure.prepare(script)
  const removable = script.temporary && options.config.scripts.cleanupAfterRun && options.keep !== true
  const folder = createRunFolder(options.stateFolder)
  const record: RunRecord = {
    version: 1,
    id: folder.id,
    startedAt: new Date().toISOString(),
    workspace: enclosure.workspace,
    scriptPath: script.path,
    temporary: removable ? script.path : null,
    args: options.args ?? [],
    mutations: modeOf(options),
    settings: options.settings,
    skillFolders: options.skillFolders ?? [],
    owner: ownerOf(process.pid),
    supervisor: null,
    report: {
      ...pendingReport(folder.id, script, prepared.description),
      parent: options.continues?.parent ?? null,
    },
  }
  try {
    stageScript(content, folder.script)
    if (prepared.scan !== null) writeFileSync(folder.guard, JSON.stringify(prepared.scan), { mode: 0o600 })
    keepEnvironment(folder, options.environment ?? {})
    beginRecord(folder, record)
    options.onEvent?.({ kind: 'started', run: folder.id, folder: folder.path })
    const { redactor, ...ending } = await execute(options, folder, prepared, script)
    const notices = [...prepared.notices, ...ending.notices, ...restoreWorkspace(folder, prepared.scan)]
    const report = await writeReport({
      pending: record.report,
      ending: { ...ending, notices, durationMs: Math.round(performance.now() - begun) },
      folder,
      script,
      config: options.config,
      redactor,
    })
    const kept = keepRecord(folder, { ...record, report })
    settle(options, record)
    return kept
  } catch (error) {
    const failure = error instanceof SrecodexError ? withFileSystem(error, enclosure.workspace) : error
    const report = sandboxError(record.report, failure, Math.round(performance.now() - begun))
    // The script may have run all the same. Where this fails too, the run stays marked, and is recovered later.
    const notices = restoreWorkspace(folder, prepared.scan)
    await removeControlGroup(folder.id)
    keepRecord(folder, { ...record, report: { ...report, notices } })
    settle(options, record)
    throw failure
  }
}

/** Nothing is left for a recovery to do. */
function settle(options: RunOptions, record: RunRecord): void {
  if (record.temporary !== null) removeTemporaryScript(record.workspace, record.temporary)
  markEnded(options.stateFolder, record.id)
}

/** What became of the run is told in any case, also where the store has no room to keep it. */
function keepRecord(folder: RunFolder, record: RunRecord): RunReport {
  try {
    writeRecord(folder, record)
    return record.report
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { ...record.report, notices: [...record.report.notices, `this report could not be kept: ${why}`] }
  }
}

/** From the staged script to the end of its last process. */
async function execute(
  options: RunOptions,
  folder: RunFolder,
  prepared: Prepared,
  script: StagedScript,
): Promise<Omit<Ending, 'durationMs'> & { readonly redactor: Redactor }> {
  const declared: { summary: string | null; artifacts: string[] } = { summary: null, artifacts: [] }
  const stopRequest = new AbortController()
  const calls = await openCalls(options, folder, { script, prepared })
  let opened: Opened | undefined
  let channel: Channel | undefined
  let running: RunningProcess | undefined
  try {
    opened = await prepared.open(folder, { phase: calls.phase, tools: calls.tools })
    channel = await openChannel({
      listenPath: resolve(folder.sockets, 'broker'),
      artifactsPath: opened.artifactsPath,
      spoolFolder: folder.spool,
      recorder: {
        onSummary: text => (declared.summary = text),
        onProgress: progress => options.onEvent?.({ kind: 'progress', progress }),
        onArtifact: name => declared.artifacts.push(name),
      },
      handlers: calls.handlers,
      commands: calls.commands,
    })
    running = launch({
      ...opened.launch,
      command: [...opened.launch.command, ...(options.args ?? [])],
      onStopRequest: () => stopRequest.abort(),
    })
    writeSupervisor(folder, running.pid)
    await syncRecord(options.stateFolder, folder) // while the sandbox is built
    await calls.begin()
    running.begin()
    const redactor = prepareReport(options) // while the script runs
    const cancel = AbortSignal.any([stopRequest.signal, ...(options.signal ? [options.signal] : [])])
    const { outcome, stopped } = await watch(running, options, { opened, calls }, cancel)
    await calls.drain()
    await channel.close() // takes what was sent before the end
    channel = undefined
    const ended = stopped === null ? { exitCode: outcome.exitCode } : null
    return { outcome, stopped, redactor, ...declared, calls: await calls.finish(ended), ...opened.observe() }
  } catch (error) {
    running?.interrupt(0) // nothing goes on whose report is an error
    await running?.outcome.catch(() => {})
    throw error
  } finally {
    await channel?.close()
    await calls.close()
    await opened?.close()
    for (const used of [folder.tools, folder.spool]) rmSync(used, { recursive: true, force: true })
  }
}

function modeOf({ continues, config }: RunOptions): RunRecord['mutations'] {
  return continues !== null && continues.plan !== null ? 'apply' : config.mutations.default
}

/** Whoever goes on from the run gives the script the same; beside the record, since it may hold secrets. */
function keepEnvironment(folder: RunFolder, environment: Readonly<Record<string, string>>): void {
  if (Object.keys(environment).length === 0) return
  writeFileSync(folder.environment, JSON.stringify(environment), { mode: 0o600 })
}

/** What the report needs and the script does not change: together as long as the start of a sandbox. */
function prepareReport(options: RunOptions): Redactor {
  void estimateTokens('-') // loads its tables
  const known = { ...(options.callerEnvironment ?? process.env), ...options.environment }
  return createRedactor({
    values: Object.entries(known).map(([name, value]) => ({ name, value: value ?? '' })),
  })
}

/** Waits for the process, and ends it when its time, the caller or a limit says so. */
async function watch(
  running: RunningProcess,
  options: RunOptions,
  { opened, calls }: { readonly opened: Opened; readonly calls: RunCalls },
  cancel: AbortSignal,
): Promise<{ outcome: ProcessOutcome; stopped: Ending['stopped'] }> {
  let stopped: Ending['stopped'] = null
  const stop = (why: NonNullable<Ending['stopped']>, graceMs: number): void => {
    stopped ??= why
    void calls.drain() // nothing new is started while the script is given its time to flush
    running.interrupt(graceMs)
  }
  const { executionTimeoutMs } = options.config.scripts
  const clock = new Stopwatch(executionTimeoutMs, () =>
    stop({ kind: 'timeout', timeoutMs: executionTimeoutMs }, GRACE_MS),
  )
  calls.onStop(() => stop({ kind: 'call' }, GRACE_MS))
  calls.onWait(waiting => (waiting ? clock.pause() : clock.go()))
  const onAbort = (): void => stop({ kind: 'cancel' }, GRACE_MS)
  const stopWatchdog = opened.startWatchdog(running, (limit, detail) =>
    stop({ kind: 'limit', limit, detail }, 0),
  )
  cancel.addEventListener('abort', onAbort, { once: true })
  if (cancel.aborted) onAbort()
  try {
    return { outcome: await running.outcome, stopped }
  } finally {
    clock.pause()
    stopWatchdog()
    cancel.removeEventListener('abort', onAbort)
  }
}

/** A mount that fails on a network or FUSE file system fails because of it: say so. */
function withFileSystem(error: SrecodexError, workspace: string): SrecodexError {
  if (error.code !== 'SANDBOX_UNAVAILABLE' || error.details.cause !== 'mount') return error
  const kind = statSync(workspace, { throwIfNoEntry: false }) && awkwardFileSystem(statfsSync(workspace).type)
  if (!kind) return error
  return new SrecodexError('SANDBOX_UNAVAILABLE', `${error.message}: the workspace lies on ${kind}`, {
    hint: `${kind} often refuses a sandbox's mounts: copy the workspace to a local disk`,
    details: { ...error.details, cause: 'file-system' },
    cause: error,
  })
}
