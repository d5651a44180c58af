/** The door for programs: one call loads the config, runs the script, and keeps the store tidy. */

import { homes } from '../config/paths.ts'
import { loadConfig } from '../config/load.ts'
import { pruneWhenDue } from './prune.ts'
import type { RunScriptOptions } from './options.ts'
import type { RunReport } from './report.ts'
import { runPrepared } from './run-script.ts'

/**
 * Runs one script inside the sandbox and returns its report.
 *
 * A script that exits non-zero, times out, or is cancelled is a result, not an error.
 *
 * @throws {SrecodexError} CONFIG_INVALID | WORKSPACE_INVALID | SCRIPT_NOT_FOUND | SCRIPT_UNREADABLE |
 *   SCRIPT_EMPTY | SCRIPT_TOO_LARGE | EXTENSION_REFUSED | INTERPRETER_NOT_FOUND | SANDBOX_UNAVAILABLE |
 *   REFUSED | DISK_FULL | STATE_UNWRITABLE
 */
export async function runScript(options: RunScriptOptions): Promise<RunReport> {
  const { config: given, settings, ...rest } = options
  const environment = options.callerEnvironment ?? process.env
  const config =
    given ??
    (
      await loadConfig({
        workspace: options.workspace ?? process.cwd(),
        env: environment,
        ...(settings === undefined ? {} : { flags: settings }),
      })
    ).config
  const home = homes(environment)
  const report = await runPrepared({
    ...rest,
    config,
    stateFolder: home.state,
    cacheFolder: home.cache,
    ownFolders: [home.config, home.state, home.cache],
  })
  // What cannot be pruned today is pruned another day; the report of this run is not lost over it.
  await pruneWhenDue(home.state, { keepDays: config.runs.keepDays, maxBytes: config.runs.maxBytes }).catch(
    () => {},
  )
  return report
}
