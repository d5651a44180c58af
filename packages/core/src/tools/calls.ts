/**
 * What passes between a script's call, the broker that judges it, and the program that does it.
 *
 * Types only. Whoever carries a call (a shim's connection, an MCP client) knows nothing of plans; whoever judges
 * it knows nothing of sockets or sandboxes.
 */

import type { ToolPolicy } from './effects/decision.ts'

/** A command as its shim tells it. */
export interface CommandCall {
  readonly tool: string
  /** Without the program. */
  readonly argv: readonly string[]
  /** As the script sees it. Absolute. */
  readonly cwd: string
  /** Token of the item of an `each` that it is called for. */
  readonly item: string | null
  /** Descriptor 0 of the caller is open. */
  readonly hasStdin: boolean
}

/** Bytes that the script's side handed over, kept in a file of the run that no script can write. */
export type CapturedInput =
  | { readonly kind: 'file'; readonly spool: string; readonly bytes: number; readonly sha256: string }
  | { readonly kind: 'folder'; readonly entries: readonly string[] }
  | { readonly kind: 'failed'; readonly error: string }

/** The script's end of one command. */
export interface CommandPeer {
  /** Aborted when the caller hangs up, or the channel closes. */
  readonly signal: AbortSignal
  /**
   * Asks for stdin (`-`) or for a file or folder by its absolute path, read with the script's own rights. Asked
   * twice for one path, it gives the first answer again. Not after the first output.
   *
   * @throws {CallError} TOO_LARGE | DISCONNECTED
   */
  read(path: string): Promise<CapturedInput>
  /** Settles once the caller can take more; at once when it hung up. */
  write(stream: 'stdout' | 'stderr', chunk: Uint8Array): Promise<void>
}

export type CommandExit =
  | { readonly exitCode: number; readonly signal: null }
  | { readonly exitCode: null; readonly signal: string }

/** What it throws becomes `error[…]` on the caller's stderr and the exit code 126. */
export type CommandHandler = (call: CommandCall, peer: CommandPeer) => Promise<CommandExit>

/** A file that the tool sees, read-only: what was captured, at the place that the call names. */
export interface ShownFile {
  readonly path: string
  readonly source: string
}

/** One start of a tool's real program. */
export interface ProgramCall {
  readonly tool: string
  /** Without the program and without the operator's `args`, which are added. */
  readonly argv: readonly string[]
  /** Exists for the tool, empty but for `files` where the workspace is not shown. */
  readonly cwd: string
  /** Host path of what it reads on stdin; null: /dev/null. */
  readonly stdin: string | null
  readonly files: readonly ShownFile[]
  readonly workspace: 'hidden' | 'read' | 'write'
  /** Aborting it ends the program. */
  readonly signal: AbortSignal
  /** Its promise is waited for before more is read of that stream. */
  onOutput(stream: 'stdout' | 'stderr', chunk: Uint8Array): Promise<void> | void
}

export interface ProgramOutcome {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly durationMs: number
  readonly stdoutBytes: number
  readonly stderrBytes: number
}

/** Whom a tool acts as, and where: what a plan is bound to. */
export interface ToolIdentity {
  readonly tool: string
  /** For people: `prod at https://10.0.0.1:6443, namespace shop`. */
  readonly summary: string
  /** Compared one by one when a plan is applied: context, server, namespace, account, region, host, database. */
  readonly fields: Readonly<Record<string, string>>
}

/** The programs that the scripts of one run may call. */
export interface Programs {
  /** Names that get a shim. */
  readonly names: readonly string[]
  policy(tool: string): ToolPolicy
  /** Looked up at the first call of a tool in a run. @throws {CallError} TOOL_FAILED: it cannot say. */
  identity(tool: string): Promise<ToolIdentity>
  /**
   * Runs the program in a sandbox of its own. Waits for its turn (concurrency, rate) first.
   *
   * @throws {CallError} REFUSED | TOOL_FAILED: the program or its sandbox cannot start. An exit code is an outcome.
   */
  run(call: ProgramCall): Promise<ProgramOutcome>
  close(): Promise<void>
}

/** A short call of a tool by the broker itself: dry runs, lookups. Output is bounded at 16 MiB. */
export type AskTool = (
  argv: readonly string[],
  options?: { readonly stdin?: string | null; readonly files?: readonly ShownFile[] },
) => Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }>
