/** What a run is asked to do: by programs, and, once the config is loaded, inside this room. */

import type { ResolvedConfig } from '../config/schema.ts'
import type { Progress } from '../tools/channel.ts'
import type { Plan } from '../tools/plan.ts'
import type { KeptScript, ScriptSource } from './stage.ts'

export type RunEvent =
  | { readonly kind: 'started'; readonly run: string; readonly folder: string }
  | { readonly kind: 'progress'; readonly progress: Progress }

export interface RunScriptOptions {
  /** A file, by its path, or text with its language. */
  readonly script: ScriptSource
  /** What the operator allows. @default what `loadConfig` finds for the workspace */
  readonly config?: ResolvedConfig
  /** Settings by dotted key, as they would stand in a config file, over all files: `{ 'limits.memory': '1GiB' }`. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** Arguments of the script. @default [] */
  readonly args?: readonly string[]
  /** Folder that the script may write, and where it starts. @default process.cwd() */
  readonly workspace?: string
  /** Variables that the script gets beyond the usual ones. @default {} */
  readonly environment?: Readonly<Record<string, string>>
  /** The caller's environment: PATH for interpreters, secrets to redact, XDG folders. @default process.env */
  readonly callerEnvironment?: NodeJS.ProcessEnv
  /** Folders of skills that the script may call, later ones over earlier ones. @default [] */
  readonly skillFolders?: readonly string[]
  /** Keep temporary scripts after the run. @default false */
  readonly keep?: boolean
  /** Aborting it ends the run as `cancelled`. */
  readonly signal?: AbortSignal
  readonly onEvent?: (event: RunEvent) => void
  /**
   * Asked when an approved plan meets a mutation that it does not list. The script's time stands still meanwhile.
   * Absent, or false: the run ends `drifted`.
   */
  readonly approveDrift?: (plan: Plan) => Promise<boolean>
}

/** Who said yes to a plan, and how it reached srecodex. */
export interface Approval {
  readonly by: string
  /** On the terminal that shows the plan, by a command, by an MCP client's user. */
  readonly how: 'terminal' | 'command' | 'client'
  readonly reason: string | null
}

/** The run that another one goes on from. */
export interface Continuation {
  readonly parent: string
  /** Null where the earlier run needed none, or where what differs is to be planned anew. */
  readonly plan: Plan | null
  /** Null where it goes on under an approval that was given before. */
  readonly approval: Approval | null
}

/** The same with every decision made. */
export interface RunOptions extends Omit<RunScriptOptions, 'config' | 'settings' | 'script'> {
  readonly script: ScriptSource | KeptScript
  /** What flags set; kept, so that whoever goes on from the run runs it under the same. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly continues: Continuation | null
  readonly config: ResolvedConfig
  /** Folder of srecodex's state; runs are kept in `runs/` below it. */
  readonly stateFolder: string
  readonly cacheFolder: string
  /** Folders that hold srecodex's own files: hidden from the script wherever it would see them. */
  readonly ownFolders: readonly string[]
}
