/**
 * The calls that every run takes: `summary`, `progress`, `artifact`.
 *
 * Promises: what the recorder hears is checked and bounded; progress comes at most once an interval, and the
 * last one always. Refuses, in words for the script, what a run would not keep.
 *
 * Checked by hand: a schema library costs more than a short run.
 */

import { join } from 'node:path'
import { CallError, type CallParams } from '../protocol.ts'
import type { CallHandler } from './connection.ts'
import type { ChannelLimits } from './limits.ts'

export interface Progress {
  readonly done: number
  /** Null where the script does not know. */
  readonly total: number | null
  readonly note: string
}

/** Hears what a script reports. What it throws fails the call, never the channel. */
export interface CallRecorder {
  /** The last one is the run's. Valid Unicode, unsanitised, at most `MAX_SUMMARY_BYTES`. */
  onSummary(text: string): void
  /** At most every `progressIntervalMs`; the last one always arrives. */
  onProgress(progress: Progress): void
  /** Once for each name: a path relative to the artifacts folder that the script may write, or not. */
  onArtifact(name: string): void
  /** A fault of srecodex that the script was told of only as `INTERNAL`. */
  onFault?(error: unknown): void
}

export const MAX_SUMMARY_BYTES = 256 * 1024
export const MAX_ARTIFACT_NAME_BYTES = 200
const MAX_NOTE_CHARS = 500

interface Recording {
  readonly handlers: Readonly<Record<string, CallHandler>>
  /** Passes on the progress that waits for its interval. */
  flush(): void
}

interface RecordingOptions {
  readonly recorder: CallRecorder
  /** `SRECODEX_ARTIFACTS` as the script sees it. */
  readonly artifactsPath: string
}

export function record(
  { recorder, artifactsPath }: RecordingOptions,
  limits: ChannelLimits,
  reportFault: (fault: unknown) => void,
): Recording {
  const progress = coalesced(limits.progressIntervalMs, recorder, reportFault)
  const artifacts = new Set<string>()
  const handlers: Recording['handlers'] = {
    summary: params => {
      recorder.onSummary(parseSummary(params))
    },
    progress: params => progress.push(parseProgress(params)),
    artifact: params => {
      const name = parseArtifactName(params['name'])
      if (!artifacts.has(name)) {
        if (artifacts.size >= limits.maxArtifacts) {
          throw new CallError('LIMIT_EXCEEDED', `a run keeps at most ${limits.maxArtifacts} artifacts`, {
            hint: 'write many results into one file',
          })
        }
        recorder.onArtifact(name)
        artifacts.add(name)
      }
      return { path: join(artifactsPath, name) }
    },
  }
  return { handlers, flush: progress.flush }
}

function parseSummary({ text }: CallParams): string {
  if (typeof text !== 'string') throw new CallError('INVALID_PARAMS', 'the text of a summary is a string')
  const wellFormed = text.toWellFormed()
  const bytes = Buffer.byteLength(wellFormed)
  if (bytes > MAX_SUMMARY_BYTES) {
    throw new CallError(
      'TOO_LARGE',
      `the summary has ${bytes} bytes, and at most ${MAX_SUMMARY_BYTES} are taken`,
      {
        hint: 'write the whole of it to the path that artifact(name) gives, and summarise it',
      },
    )
  }
  return wellFormed
}

function parseProgress({ done, total = null, note = '' }: CallParams): Progress {
  if (!isCount(done)) throw new CallError('INVALID_PARAMS', 'done is a number, zero or more')
  if (total !== null && !isCount(total)) {
    throw new CallError('INVALID_PARAMS', 'total is a number, zero or more, or null')
  }
  if (typeof note !== 'string') throw new CallError('INVALID_PARAMS', 'the note of progress is a string')
  return { done, total, note: note.slice(0, MAX_NOTE_CHARS).toWellFormed() }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

/** Controls would act on a terminal that lists the name; the others make it look like another one. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u

function parseArtifactName(name: unknown): string {
  if (typeof name !== 'string') throw badName('is a string')
  if (name === '') throw badName('is not empty')
  if (Buffer.byteLength(name) > MAX_ARTIFACT_NAME_BYTES) {
    throw badName(`has at most ${MAX_ARTIFACT_NAME_BYTES} bytes`)
  }
  if (UNPRINTABLE.test(name)) throw badName('has no control characters')
  if (name.startsWith('/')) throw badName('is relative')
  if (name.split('/').some(part => part === '' || part === '.' || part === '..')) {
    throw badName('has no empty, "." or ".." parts')
  }
  return name
}

function badName(why: string): CallError {
  return new CallError('INVALID_PARAMS', `the name of an artifact ${why}`, {
    hint: 'such as failed/pods.json',
  })
}

/** Passes the first on at once, then the latest at most once an interval. */
function coalesced(
  intervalMs: number,
  recorder: CallRecorder,
  reportFault: (fault: unknown) => void,
): { push: (progress: Progress) => void; flush: () => void } {
  let latest: Progress | null = null
  let timer: NodeJS.Timeout | undefined
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    const progress = latest
    if (progress === null) return
    latest = null
    try {
      recorder.onProgress(progress)
    } catch (error) {
      reportFault(error)
    }
  }
  const flushAndWait = (): void => {
    const any = latest !== null
    flush()
    if (any) timer = setTimeout(flushAndWait, intervalMs).unref()
  }
  return {
    push: progress => {
      latest = progress
      if (timer === undefined) flushAndWait()
    },
    flush,
  }
}
