/** What one call of a tool may touch, as plain data. `argv.ts` turns it into a command line. Every list is complete. */

import type { Mount, SystemLayout } from '../../sandbox/profile.ts'
import type { ShownFile } from '../calls.ts'

/** Where srecodex's own things lie in a tool's sandbox. */
export const TOOL_PLACES = {
  helpers: '/run/srecodex/helpers',
  plugins: '/run/srecodex/plugins',
  kubeconfig: '/run/srecodex/kubeconfig',
} as const

/** The script's workspace and what its own sandbox does to it. */
export interface WorkspaceShape {
  /** Real path. */
  readonly path: string
  readonly mode: 'read-only' | 'workspace-write'
  /** Read-only whatever the mode; parents before children. */
  readonly protected: readonly string[]
  /** Covered by an empty folder. */
  readonly hidden: readonly string[]
}

/** What stays the same over the calls of one tool in a run. */
export interface ToolGrants {
  /** null: nothing of the system but names and certificates, for a program that brings all it needs. */
  readonly system: SystemLayout | null
  /** `/etc` and what lies over it; see `etc.ts`. */
  readonly etc: readonly Mount[]
  readonly home: string
  /** The program and what belongs to it, at their own paths; parents before children. */
  readonly readable: readonly string[]
  /** Programs that the tool finds on PATH. */
  readonly helpers: readonly { readonly name: string; readonly program: string }[]
  readonly caches: readonly Mount[]
  readonly credentials: readonly Mount[]
}

export interface ToolProfile extends ToolGrants {
  readonly workspace: WorkspaceShape & { readonly shown: 'hidden' | 'read' | 'write' }
  readonly files: readonly ShownFile[]
  readonly cwd: string
}
