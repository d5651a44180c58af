/**
 * The program of a stdio server, and the environment that it starts with. Reads the disk, starts nothing.
 *
 * Refuses: to start what lies in the workspace. A script can write there, and a server runs outside of the
 * sandbox with the operator's credentials: what a script put in the place of a program would run with them. For
 * the same reason a server without a `cwd` does not start in the workspace, where interpreters look for modules
 * and package runners for programs.
 */

import { accessSync, closeSync, constants, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import type { ResolvedMcpServer } from '../../config/schema.ts'
import { contains } from '../../sandbox/workspace.ts'
import { notSent } from './failure.ts'

export interface ServerProgram {
  /** An absolute path. */
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** What every program needs; all else is named in the config. */
const PASSED = ['HOME', 'LANG', 'PATH', 'TERM', 'TMPDIR']

export function serverEnvironment(
  config: Pick<ResolvedMcpServer, 'env' | 'envVars'>,
  caller: NodeJS.ProcessEnv,
): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const name of [...PASSED, ...config.envVars]) {
    const value = caller[name]
    if (value !== undefined) environment[name] = value
  }
  return { ...environment, ...config.env }
}

/** @throws {CallError} TOOL_FAILED: there is no such program or folder. REFUSED: it lies in the workspace. */
export function serverProgram(
  server: string,
  config: ResolvedMcpServer,
  options: { readonly workspace: string; readonly callerEnvironment: NodeJS.ProcessEnv },
): ServerProgram {
  const env = serverEnvironment(config, options.callerEnvironment)
  const section = `[mcp_servers.${server}]`
  const cwd = config.cwd ?? folderOr(options.callerEnvironment.HOME, '/')
  if (!isFolder(cwd)) {
    throw notSent('TOOL_FAILED', `there is no folder ${cwd}`, `it is \`cwd\` in ${section}`)
  }
  const command = config.command ?? ''
  const program = find(command, cwd, env.PATH ?? '')
  if (program === null) {
    throw notSent(
      'TOOL_FAILED',
      `MCP server \`${server}\` cannot start: there is no program \`${command}\``,
      `it is \`command\` in ${section}; looked for on PATH`,
    )
  }
  const inWorkspace = [program, ...config.args.map(arg => resolve(cwd, arg)).filter(isProgramText)].find(
    path => contains(options.workspace, realpathSync(path)),
  )
  if (inWorkspace !== undefined) {
    throw notSent(
      'REFUSED',
      `MCP server \`${server}\` is not started: ${inWorkspace} lies in the workspace, where scripts can write`,
      `install it elsewhere, and name that place in ${section}`,
    )
  }
  return { command: [program, ...config.args], cwd, env }
}

function find(command: string, cwd: string, path: string): string | null {
  const candidates = command.includes('/')
    ? [resolve(cwd, command)]
    : path
        .split(delimiter)
        .filter(isAbsolute)
        .map(folder => join(folder, command))
  return command === '' ? null : (candidates.find(isExecutable) ?? null)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** By its name, by its mode or by its first line. Databases and folders are what servers work on. */
function isProgramText(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false
  return (
    /\.(?:[cm]?[jt]sx?|py|rb|pl|php|sh|bash|jar|lua|wasm)$/.test(path) ||
    isExecutable(path) ||
    hasShebang(path)
  )
}

function hasShebang(path: string): boolean {
  try {
    const file = openSync(path, 'r')
    try {
      const first = Buffer.alloc(2)
      return readSync(file, first) === 2 && first.toString() === '#!'
    } finally {
      closeSync(file)
    }
  } catch {
    return false
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function folderOr(path: string | undefined, otherwise: string): string {
  return path !== undefined && isAbsolute(path) && isFolder(path) ? path : otherwise
}
