/**
 * What is known of a client: its files, and what each has to hold.
 *
 * Clients are data and functions, pure but for `check` and `nextNow`: nothing else asks for one by its name.
 */

import type { InstallClient } from '@srecodex/core'
import type { ParseDocument, Path } from './documents/document.ts'
import type { Launch } from './launch.ts'

export const CLIENT_NAMES = ['codex', 'claude', 'opencode', 'cursor', 'vscode'] as const
export type ClientName = (typeof CLIENT_NAMES)[number]

/** The name of the server in every client's file. */
export const SERVER = 'srecodex'

/** Tools that change things outside: each call of them stays a person's decision. */
export const APPROVAL_TOOLS = ['apply_plan', 'resume_run'] as const

/** What a client must be told of srecodex. */
export interface Setup {
  readonly launch: Launch
  /** Seconds that a call may take: above the time that a script has. */
  readonly timeoutSeconds: number
  /** Variables of the caller that the server and its tools look at. */
  readonly variables: readonly string[]
  /** Whether a command line can be started here. */
  readonly starts: (argv: readonly string[]) => boolean
}

/** One thing that a file lacks. */
export type Change =
  | { readonly kind: 'set'; readonly path: Path; readonly value: unknown; readonly why: string }
  | { readonly kind: 'append'; readonly path: Path; readonly items: readonly string[]; readonly why: string }

/** A file that is looked at. */
export interface ReadFile {
  /** Below the project, with `/`; of several, the first that is there, else the first. */
  readonly places: readonly [string, ...string[]]
  readonly parse: ParseDocument
  /** What is wrong and stays a person's own to change. */
  readonly warnings: (value: unknown) => readonly string[]
}

/** One that is written, too. */
export interface ClientFile extends ReadFile {
  /** Empty where nothing is missing. What a person has set otherwise, and works, is no lack. */
  readonly needs: (value: unknown, setup: Setup) => readonly Change[]
}

/** Where a client is looked at. */
export interface ClientPlace {
  /** Without symlinks. */
  readonly project: string
  /** Its own program; null: it is not installed. */
  readonly program: string | null
  readonly env: NodeJS.ProcessEnv
}

export interface Client {
  readonly name: ClientName
  readonly title: string
  /** Any of them on PATH: it is installed. */
  readonly programs: readonly string[]
  /** Below the project: it is used there. */
  readonly traces: readonly string[]
  /** The first is the one that names the server. */
  readonly files: readonly [ClientFile, ...ClientFile[]]
  /** Files that are looked at and never written. */
  readonly alsoRead: readonly ReadFile[]
  readonly skills: InstallClient
  readonly instructions: 'AGENTS.md' | 'CLAUDE.md'
  /** Where the server's entry stands. */
  readonly entry: Path
  readonly approval: string
  /** Its entry holds the seconds that a call may take. */
  readonly limitsCalls: boolean
  /** What a person does then. */
  readonly next: string
  /** The same as things stand here; null: `next`. */
  readonly nextNow?: (project: string, env: NodeJS.ProcessEnv) => string | null
  /** What its files alone do not tell the doctor; may start its program. */
  readonly check?: (place: ClientPlace) => Promise<readonly string[]>
}
