/** What a run is asked to do: by programs, and, once the config is loaded, inside this room. */

import type { ResolvedConfig } from '../config/schema.ts'
import type { Progress } from '../tools/channel.ts'
import type { ScriptSource } from './stage.ts'

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
  /** Keep temporary scripts after the run. @default false */
  readonly keep?: boolean
  /** Aborting it ends the run as `cancelled`. */
  readonly signal?: AbortSignal
  readonly onEvent?: (event: RunEvent) => void
}

/** The same with every decision made. */
export interface RunOptions extends Omit<RunScriptOptions, 'config' | 'settings'> {
  readonly config: ResolvedConfig
  /** Folder of srecodex's state; runs are kept in `runs/` below it. */
  readonly stateFolder: string
  readonly cacheFolder: string
  /** Folders that hold srecodex's own files: hidden from the script wherever it would see them. */
  readonly ownFolders: readonly string[]
}
