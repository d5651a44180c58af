/**
 * The one error that srecodex throws on purpose.
 *
 * It carries facts (a code, where, what next); the wording that a person sees is laid out in one place by
 * whoever shows it. Anything else that is thrown is a fault of srecodex.
 */

/** A place in a file. Lines and columns count from 1. */
export interface SourcePlace {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

/** One thing that is wrong with what the user gave. */
export interface Problem {
  readonly message: string
  readonly at?: SourcePlace
  readonly hint?: string
}

/**
 * Every code that srecodex reports. A comment says what `details` holds.
 *
 * - `USAGE`: the command line cannot be taken as it is.
 * - `CONFIG_INVALID`: `details.problems` is a `Problem[]`, all of them at once.
 * - `WORKSPACE_INVALID`, `SCRIPT_NOT_FOUND`, `SCRIPT_UNREADABLE`, `SCRIPT_EMPTY`, `SCRIPT_TOO_LARGE`,
 *   `EXTENSION_REFUSED`: `details.path`.
 * - `SANDBOX_UNAVAILABLE`: `details.cause` is one of the detection's causes.
 * - `INTERPRETER_NOT_FOUND`: `details.language`.
 * - `RUN_NOT_FOUND`, `RUN_AMBIGUOUS`: `details.run`, and `details.matches` for the latter.
 * - `PLAN_NOT_FOUND`, `RUN_NOT_RESUMABLE`: `details.run`; that run has nothing to apply, or nothing to go on with.
 * - `PLAN_STALE`: `details.run`; its plan is used, expired, altered, or made for something else than what is there now.
 * - `SKILL_NOT_FOUND`: `details.skill`, and `details.similar`, ids that may have been meant.
 * - `STATE_UNWRITABLE`, `DISK_FULL`: `details.path`.
 * - `STORE_CORRUPT`: `details.path`, and `details.line`, null where the whole file is missing.
 * - `LIMIT_EXCEEDED`: `details.limit`.
 * - `REFUSED`: `details.key`, what would have to be allowed.
 * - `INTERNAL`: a fault of srecodex.
 */
export type ErrorCode =
  | 'USAGE'
  | 'CONFIG_INVALID'
  | 'WORKSPACE_INVALID'
  | 'SCRIPT_NOT_FOUND'
  | 'SCRIPT_UNREADABLE'
  | 'SCRIPT_EMPTY'
  | 'SCRIPT_TOO_LARGE'
  | 'EXTENSION_REFUSED'
  | 'SANDBOX_UNAVAILABLE'
  | 'INTERPRETER_NOT_FOUND'
  | 'RUN_NOT_FOUND'
  | 'RUN_AMBIGUOUS'
  | 'PLAN_NOT_FOUND'
  | 'PLAN_STALE'
  | 'RUN_NOT_RESUMABLE'
  | 'STATE_UNWRITABLE'
  | 'DISK_FULL'
  | 'STORE_CORRUPT'
  | 'SKILL_NOT_FOUND'
  | 'LIMIT_EXCEEDED'
  | 'REFUSED'
  | 'INTERNAL'

export interface SrecodexErrorOptions {
  readonly hint?: string
  readonly at?: SourcePlace
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

export class SrecodexError extends Error {
  override readonly name = 'SrecodexError'
  readonly code: ErrorCode
  readonly hint: string | null
  readonly at: SourcePlace | null
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: SrecodexErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint ?? null
    this.at = options.at ?? null
    this.details = options.details ?? {}
  }
}
