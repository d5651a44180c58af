/** From how a run ended to its report: the status, the words, the bounded lists. */

import type { ResolvedConfig } from '../config/schema.ts'
import { SrecodexError } from '../errors.ts'
import type { ProcessOutcome } from '../sandbox/engine.ts'
import { artifactsIn, withShownNames } from './artifacts.ts'
import type { Redactor } from './redact.ts'
import {
  cutItems,
  nextOfCalls,
  planInReport,
  plannedSummary,
  verdictOfCalls,
  type CallsOutcome,
} from './calls-outcome.ts'
import type { RunReport, RunStatus } from './report.ts'
import { sanitise } from './sanitise.ts'
import type { StagedScript } from './stage.ts'
import type { RunFolder } from './store.ts'
import { readTail, summarise } from './summary.ts'
import { estimateRawTokens, estimateTokens, readSample } from './tokens.ts'

export interface Ending {
  readonly outcome: ProcessOutcome
  /** What ended the run from outside; null where the script ended by itself. */
  readonly stopped:
    | null
    | { readonly kind: 'timeout'; readonly timeoutMs: number }
    | { readonly kind: 'cancel' }
    | { readonly kind: 'limit'; readonly limit: string; readonly detail: string }
    /** One of its calls ended it: see `calls`. */
    | { readonly kind: 'call' }
  readonly summary: string | null
  /** Names that the script announced. What it wrote besides is kept and listed too. */
  readonly artifacts: readonly string[]
  readonly memoryExceeded: boolean
  readonly processesExceeded: boolean
  readonly notices: readonly string[]
  readonly durationMs: number
  readonly calls: CallsOutcome
}

const MAX_LISTED = 5
const MAX_ITEM_CHARS = 80
const MAX_NOTICES = 8
const MAX_MESSAGE_CHARS = 400

const NOTHING: RunReport['output'] = { stdout: { bytes: 0, lines: 0 }, stderr: { bytes: 0, lines: 0 } }

/** The report of a run that has just begun. */
export function pendingReport(run: string, script: StagedScript, sandbox: RunReport['sandbox']): RunReport {
  return {
    version: 1,
    run,
    parent: null,
    status: 'running',
    summary: '',
    exitCode: null,
    signal: null,
    durationMs: 0,
    script: { name: script.name, language: script.language, sha256: script.sha256, bytes: script.bytes },
    output: NOTHING,
    items: null,
    calls: { total: 0, reads: 0, mutations: 0, failed: 0, refused: 0, enforced: sandbox.backend !== 'none' },
    plan: null,
    artifacts: [],
    context: { rawTokens: 0, summaryTokens: 0 },
    sandbox,
    notices: [],
    next: null,
    error: null,
  }
}

/** The report of a run that ended before, or outside of, its script. */
export function sandboxError(pending: RunReport, error: unknown, durationMs: number): RunReport {
  const known = error instanceof SrecodexError
  return {
    ...pending,
    status: known ? 'refused' : 'failed',
    durationMs,
    error: {
      code: known ? error.code : 'INTERNAL',
      message: cut(error instanceof Error ? error.message : String(error), MAX_MESSAGE_CHARS),
      hint: known ? error.hint : null,
    },
  }
}

export async function writeReport(parts: {
  readonly pending: RunReport
  readonly ending: Ending
  readonly folder: RunFolder
  readonly script: StagedScript
  readonly config: ResolvedConfig
  readonly redactor: Redactor
}): Promise<RunReport> {
  const { ending, folder, pending, config, redactor } = parts
  const { outcome } = ending
  const { calls } = ending
  const { text: said } = await summarise({
    declared: ending.summary,
    stdout: { tail: ending.summary === null ? await readTail(folder.stdout) : null, ...outcome.stdout },
    run: folder.id,
    maxChars: config.summary.maxChars,
    redactor,
  })
  const { status, error } = verdictOfCalls(calls, await verdict(parts, redactor))
  const told = await withoutSecrets(
    {
      items: cutItems(calls.items),
      plan: calls.plan === null ? null : planInReport(calls.plan),
      error: error === null ? null : { code: error.code, message: error.message, hint: error.hint },
      notices: cutList(
        [...ending.notices, ...outputNotices(outcome, config)],
        MAX_NOTICES,
        count => `… ${count} more`,
      ),
    },
    redactor,
  )
  const summary = status === 'planned' ? cut(plannedSummary(calls, said), config.summary.maxChars) : said
  return {
    ...pending,
    status,
    summary,
    exitCode: outcome.exitCode,
    signal: outcome.signal,
    durationMs: ending.durationMs,
    output: {
      stdout: { bytes: outcome.stdout.bytes, lines: outcome.stdout.lines },
      stderr: { bytes: outcome.stderr.bytes, lines: outcome.stderr.lines },
    },
    calls: { ...calls.counts, enforced: pending.calls.enforced },
    ...told,
    artifacts: await shownArtifacts(folder.artifacts, redactor),
    context: {
      rawTokens:
        (await rawTokens(folder.stdout, outcome.stdout.bytes)) +
        (await rawTokens(folder.stderr, outcome.stderr.bytes)),
      summaryTokens: await estimateTokens(summary),
    },
    next:
      nextOfCalls(folder.id, status, calls) ??
      (status === 'succeeded' ? null : nextCommand(folder.id, outcome, error?.stream ?? null)),
  }
}

/** Targets, arguments, keys and messages are the script's words, or a server's: they may hold secrets. */
async function withoutSecrets<Told extends object>(told: Told, redactor: Redactor): Promise<Told> {
  const redact = async (value: unknown): Promise<unknown> => {
    if (typeof value === 'string') return redactor.redact(value)
    if (Array.isArray(value)) return Promise.all(value.map(redact))
    if (typeof value !== 'object' || value === null) return value
    const entries = await Promise.all(
      Object.entries(value).map(async ([name, inner]) => [name, await redact(inner)] as const),
    )
    return Object.fromEntries(entries)
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same shape, other words
  return (await redact(told)) as Told
}

/** Where the words are that say more: what a script prints when it fails mostly goes to stderr. */
function nextCommand(run: string, outcome: ProcessOutcome, stream: 'stderr' | null): string {
  const stderr = stream === 'stderr' || (outcome.stdout.bytes === 0 && outcome.stderr.bytes > 0)
  return `srecodex output ${run}${stderr ? ' --stream stderr' : ''}`
}

export interface Verdict {
  readonly status: RunStatus
  readonly error: { code: string; message: string; hint: string | null; stream: 'stderr' | null } | null
}

/** The most specific cause is named first: timeout, cancel, limit, signal, exit code. */
async function verdict(
  parts: { readonly ending: Ending; readonly folder: RunFolder; readonly config: ResolvedConfig },
  redactor: Redactor,
): Promise<Verdict> {
  const { ending, folder, config } = parts
  const { outcome, stopped } = ending
  const failed = outcome.exitCode !== 0
  const limit = (name: string, key: string): Verdict => ({
    status: 'failed',
    error: {
      code: 'LIMIT_EXCEEDED',
      message: `the script was ended: ${name}`,
      hint: `${key} in [limits] of the operator's config sets it`,
      stream: null,
    },
  })
  // A script that caught SIGINT and left with 0 did not do its job either.
  if (stopped?.kind === 'timeout') {
    return {
      status: 'timed-out',
      error: {
        code: 'TIMED_OUT',
        message: `the script took longer than its ${stopped.timeoutMs / 1000} s and was ended`,
        hint: 'give it more with --timeout, or let it do less',
        stream: null,
      },
    }
  }
  if (stopped?.kind === 'cancel') {
    return {
      status: 'cancelled',
      error: { code: 'CANCELLED', message: 'the run was cancelled', hint: null, stream: null },
    }
  }
  if (stopped?.kind === 'limit') {
    return limit(
      `${stopped.limit} (${stopped.detail})`,
      stopped.limit === 'free space' ? 'min_free_space' : stopped.limit,
    )
  }
  if (failed && ending.memoryExceeded) {
    return limit(`it needed more than its ${config.limits.memoryBytes} bytes of memory`, 'memory')
  }
  if (outcome.signal === 'SIGXFSZ') {
    return limit(`it wrote a file of more than ${config.limits.fileSizeBytes} bytes`, 'file_size')
  }
  if (!failed) return { status: 'succeeded', error: null }

  const tail = outcome.stderr.bytes === 0 ? null : await readTail(folder.stderr)
  const said = tail === null ? '' : (await redactor.redact(sanitise(tail.bytes))).trim()
  // A hint comes after what it is about.
  const last = said.split('\n').findLast(line => line.trim() !== '' && !line.startsWith('hint: ')) ?? ''
  const how = outcome.signal === null ? `exited with ${outcome.exitCode}` : `was killed by ${outcome.signal}`
  return {
    status: 'failed',
    error: {
      code: 'SCRIPT_FAILED',
      message: cut(last === '' ? `the script ${how}` : `the script ${how}: ${last}`, MAX_MESSAGE_CHARS),
      hint: null,
      stream: outcome.stderr.bytes > 0 ? 'stderr' : null,
    },
  }
}

function outputNotices(outcome: ProcessOutcome, config: ResolvedConfig): string[] {
  const notices: string[] = []
  if (outcome.supervisorLost)
    notices.push('the supervisor of the run was killed: only what was kept is counted')
  for (const [name, stream] of [
    ['stdout', outcome.stdout],
    ['stderr', outcome.stderr],
  ] as const) {
    if (stream.writeErrno !== 0) {
      const why = stream.writeErrno === 28 ? 'the disk is full' : `errno ${stream.writeErrno}`
      notices.push(`${name} was kept up to ${stream.keptBytes} of ${stream.bytes} bytes: ${why}`)
    } else if (stream.bytes > stream.keptBytes) {
      notices.push(
        `${name} was cut at ${config.limits.outputBytes} of ${stream.bytes} bytes; the script went on (output in [limits])`,
      )
    }
  }
  return notices
}

/** What the whole stream would have cost, also the part that was cut. */
async function rawTokens(path: string, totalBytes: number): Promise<number> {
  const read = totalBytes === 0 ? null : await readSample(path)
  return read === null ? 0 : estimateRawTokens({ sample: read.sample, totalBytes })
}

async function shownArtifacts(folder: string, redactor: Redactor): Promise<RunReport['artifacts']> {
  const found = artifactsIn(folder)
  const named = await withShownNames(found.slice(0, MAX_LISTED), redactor)
  const listed = named.map(({ shown, bytes }) => ({ name: cut(shown, MAX_ITEM_CHARS), bytes }))
  const rest = found.slice(MAX_LISTED)
  if (rest.length === 0) return listed
  const bytes = rest.reduce((sum, one) => sum + one.bytes, 0)
  return [...listed, { name: `… ${rest.length} more`, bytes }]
}

function cutList(items: readonly string[], most: number, more: (count: number) => string): string[] {
  const shown = items.slice(0, most).map(item => cut(item, 2 * MAX_ITEM_CHARS))
  return items.length <= most ? shown : [...shown, more(items.length - most)]
}

function cut(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars - 1)}…`
}
