/** The door of `checkPrograms` for whoever has a config and a workspace, and no run. Contacts nobody. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { homes, userHome } from '../config/paths.ts'
import type { ResolvedConfig } from '../config/schema.ts'
import { findBubblewrap } from '../sandbox/detect.ts'
import { pathOutside } from '../sandbox/interpreters.ts'
import { resolveWorkspace } from '../sandbox/workspace.ts'
import { checkPrograms, type ProgramCheck } from './programs/check.ts'
import { listPrograms, type ListedProgram } from './programs/list.ts'

export type { Lack, ProgramCheck } from './programs/check.ts'
export type { ListedProgram } from './programs/list.ts'

export interface ToolsOptions {
  readonly config: ResolvedConfig
  readonly workspace: string
  /** @default process.env */
  readonly environment?: NodeJS.ProcessEnv
}

/** @throws {SrecodexError} WORKSPACE_INVALID */
export function listTools({ config, workspace, environment = process.env }: ToolsOptions): ListedProgram[] {
  const home = userHome(environment)
  return listPrograms({
    tools: config.tools,
    workspace: resolveWorkspace(workspace, home),
    home,
    environment,
  })
}

/**
 * Starts each tool once in its own sandbox, with a call that changes and asks nothing.
 *
 * @throws {SrecodexError} WORKSPACE_INVALID | SANDBOX_UNAVAILABLE
 */
export async function checkTools(options: ToolsOptions): Promise<ProgramCheck[]> {
  const { config, environment = process.env } = options
  const home = userHome(environment)
  const workspace = resolveWorkspace(options.workspace, home)
  const { cache } = homes(environment)
  const bubblewrap = findBubblewrap({ path: pathOutside(workspace, environment.PATH), cacheFolder: cache })
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  const folder = mkdtempSync(join(cache, 'doctor-'))
  try {
    return await checkPrograms({
      folder,
      cacheFolder: cache,
      tools: config.tools,
      // None of it is shown to a tool that is only asked for its version.
      workspace: { path: workspace, mode: 'read-only', protected: [], hidden: [] },
      home,
      environment,
      bubblewrap: bubblewrap.path,
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
