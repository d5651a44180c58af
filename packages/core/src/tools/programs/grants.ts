/**
 * What one tool is given in one run: the config's lists, else the table's, made into mounts and variables.
 *
 * A credential that a script can read or write is refused: what it names decides where the identity goes, and what
 * it holds is what no script may see.
 */

import { accessSync, constants, mkdirSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { ResolvedTool } from '../../config/schema.ts'
import type { Mount } from '../../sandbox/profile.ts'
import { contains } from '../../sandbox/workspace.ts'
import { CallError } from '../protocol.ts'
import type { ToolDefaults } from './defaults.ts'
import { namedPaths } from './operator-args.ts'

export interface GrantOptions {
  readonly tool: string
  readonly config: ResolvedTool
  readonly defaults: ToolDefaults
  readonly home: string
  readonly workspace: string
  readonly environment: NodeJS.ProcessEnv
}

/** Variables of the caller that the tool gets. */
export function passedVariables(options: GrantOptions): Record<string, string> {
  const names = [...(options.config.env ?? options.defaults.env), 'TZ', 'LC_ALL']
  return Object.fromEntries(
    [...new Set(names)].flatMap(name => {
      const value = options.environment[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** Where the tool's credentials are, whether or not they are there. */
export function credentialPaths(options: GrantOptions): string[] {
  const { config, defaults, environment } = options
  if (config.credentials !== null) return [...config.credentials]
  const moved = new Map(
    Object.entries(defaults.credentialVariables).flatMap(([variable, path]) => {
      const value = environment[variable]
      return value === undefined || !isAbsolute(value) ? [] : [[path, value] as const]
    }),
  )
  return defaults.credentials.map(path => moved.get(path) ?? inHome(path, options.home))
}

/**
 * Everything that is mounted read-only for the tool: its credentials, and the files that its variables and the
 * operator's `args` name.
 *
 * @throws {CallError} REFUSED: one lies in the workspace. TOOL_FAILED: one cannot be read.
 */
export function credentialMounts(options: GrantOptions, paths: readonly string[]): Mount[] {
  const { config } = options
  const named = [...Object.values(passedVariables(options)).filter(isAbsolute), ...namedPaths(config.args)]
  const files = named.filter(path => statSync(path, { throwIfNoEntry: false })?.isFile())
  return [...new Set([...paths, ...files])].sort().flatMap(path => {
    const real = realOrNull(path)
    if (real === null) return []
    refuseInWorkspace(options, path, real)
    try {
      accessSync(real, constants.R_OK)
    } catch {
      throw new CallError('TOOL_FAILED', `${options.tool} needs ${path}, which you may not read`, {
        hint: `mend its mode, or name other files in \`[tools.${options.tool}] credentials\``,
      })
    }
    return [{ source: real, target: path }]
  })
}

/** @throws {CallError} REFUSED | TOOL_FAILED, as for credentials. */
export function cacheMounts(options: GrantOptions): Mount[] {
  const { config, defaults, home, tool } = options
  const paths = config.cache ?? defaults.cache.map(path => inHome(path, home))
  return [...paths].sort().map(path => {
    refuseInWorkspace(options, path, path) // before it is made
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 })
    } catch (error) {
      throw new CallError(
        'TOOL_FAILED',
        `${tool} needs ${path}, which cannot be made: ${(error as Error).message}`,
        {
          hint: `name another folder in \`[tools.${tool}] cache\``,
        },
      )
    }
    const real = realpathSync(path)
    refuseInWorkspace(options, path, real)
    return { source: real, target: path }
  })
}

export function inHome(path: string, home: string): string {
  return path.startsWith('~/') ? join(home, path.slice(2)) : path
}

function refuseInWorkspace(options: GrantOptions, path: string, real: string): void {
  if (!contains(options.workspace, real) && !contains(options.workspace, path)) return
  throw new CallError(
    'REFUSED',
    `${path} is given to ${options.tool}, and lies in the workspace of the script`,
    {
      hint: 'move it out of the workspace: a script could read it, or change what it says',
    },
  )
}

function realOrNull(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}
