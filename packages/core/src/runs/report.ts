/** What a run returns: the shapes that `--json`, the MCP tools and programs share. */

export type RunStatus =
  | 'running'
  | 'waiting'
  | 'succeeded'
  | 'failed'
  | 'timed-out'
  | 'cancelled'
  | 'interrupted'
  | 'planned'
  | 'refused'
  | 'drifted'

export type ScriptLanguage = 'python' | 'shell' | 'javascript'

/** Size of one captured stream: everything the script printed, also what was cut. */
export interface StreamCount {
  readonly bytes: number
  readonly lines: number
}

/**
 * The bounded report of one run.
 *
 * Lists are cut (5 classes of failure with 3 keys each; 5 targets, previews, fallbacks, artifacts), each cut
 * list ending in how many more; a string in a list is cut at 80 characters.
 */
export interface RunReport {
  readonly version: 1
  /** ULID. */
  readonly run: string
  /** The run that this one applies or resumes. */
  readonly parent: string | null
  readonly status: RunStatus
  /** Sanitised, redacted, at most `summary.max_chars` characters. */
  readonly summary: string
  readonly exitCode: number | null
  readonly signal: string | null
  readonly durationMs: number
  readonly script: {
    readonly name: string
    readonly language: ScriptLanguage
    readonly sha256: string
    readonly bytes: number
  }
  readonly output: { readonly stdout: StreamCount; readonly stderr: StreamCount }
  readonly items: {
    readonly total: number
    readonly ok: number
    readonly failed: number
    readonly unknown: number
    readonly skipped: number
    readonly pending: number
    readonly failures: readonly {
      readonly class: string
      readonly count: number
      readonly keys: readonly string[]
    }[]
  } | null
  readonly calls: {
    readonly total: number
    readonly reads: number
    readonly mutations: number
    readonly failed: number
    /** Calls that the operator's policy or a limit stopped. */
    readonly refused: number
    readonly enforced: boolean
  }
  readonly plan: {
    readonly id: string
    readonly complete: boolean
    readonly mutations: number
    readonly targets: readonly string[]
    readonly preview: readonly string[]
    readonly may: readonly string[]
  } | null
  readonly artifacts: readonly { readonly name: string; readonly bytes: number }[]
  /** Estimates, by tokenx. */
  readonly context: { readonly rawTokens: number; readonly summaryTokens: number }
  readonly sandbox: { readonly mode: string; readonly backend: string; readonly network: string }
  /** What the operator should know: a bound that was reached, a file that was quarantined. */
  readonly notices: readonly string[]
  /** The one command that goes on from here. */
  readonly next: string | null
  readonly error: {
    readonly code: string
    readonly message: string
    readonly hint: string | null
  } | null
}
