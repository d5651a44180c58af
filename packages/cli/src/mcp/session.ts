/** What the tools know of the server that they belong to. */

import type { Terminal } from '../terminal.ts'
import type { LiveRuns } from './live-runs.ts'

export interface Session {
  readonly terminal: Terminal
  /** Folders of skills in place of the usual ones. */
  readonly skillsDir: readonly string[] | undefined
  readonly runs: LiveRuns
  /** The artifacts of a run that ended can be read now. */
  readonly artifactsChanged: () => void
}

/** What a client gave, checked against the schema of the tool. */
export type Input = Readonly<Record<string, unknown>>
