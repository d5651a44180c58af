/**
 * How a client starts the server.
 *
 * A client starts it later, from somewhere else, with a PATH of its own; and the files of a project are shared. So what
 * is written is the shortest command that does not depend on how srecodex was started just now:
 *
 * 1. installed in the project: `npx --no -- srecodex mcp`, which never asks a registry
 * 2. by npx, from its cache: `npx -y srecodex@VERSION mcp`
 * 3. a command on PATH: `srecodex mcp`
 * 4. else, as in a checkout of the repository: this Node and this file, by their absolute paths
 */

import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve, sep } from 'node:path'

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  /** `file`: by paths of this machine alone. */
  readonly by: 'project' | 'npx' | 'PATH' | 'file'
}

export interface LaunchOptions {
  /** The entry of the CLI that runs, without symlinks. */
  readonly bin: string
  readonly node: string
  readonly version: string
  /** Without symlinks. */
  readonly project: string
  readonly path: string | undefined
}

export function decideLaunch({ bin, node, version, project, path }: LaunchOptions): Launch {
  if (bin.startsWith(`${project}${sep}node_modules${sep}`)) {
    return { command: 'npx', args: ['--no', '--', 'srecodex', 'mcp'], by: 'project' }
  }
  if (bin.includes(`${sep}_npx${sep}`)) {
    return { command: 'npx', args: ['-y', `srecodex@${version}`, 'mcp'], by: 'npx' }
  }
  const found = findOnPath('srecodex', lasting(path, project))
  // A package manager's own start script is no link to the entry; a checkout is not what such a script starts.
  const isInstalled = bin.includes(`${sep}node_modules${sep}`)
  if (found !== null && (isInstalled || realpathSync(found) === bin)) {
    return { command: 'srecodex', args: ['mcp'], by: 'PATH' }
  }
  return { command: node, args: [bin, 'mcp'], by: 'file' }
}

/** Without the folders that npm and its like put there for one command, and without the project's own. */
export function lasting(path: string | undefined, project: string): string {
  return (path ?? '')
    .split(delimiter)
    .filter(folder => !folder.startsWith(project + sep) && !folder.includes(`${sep}node_modules${sep}.bin`))
    .join(delimiter)
}

export function findOnPath(program: string, path: string | undefined): string | null {
  const folders = (path ?? '').split(delimiter).filter(isAbsolute)
  return folders.map(folder => join(folder, program)).find(isProgram) ?? null
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/** Whether a command line can be started from a folder: its program is there, and so is each file that it names. */
export function canStart(argv: readonly string[], folder: string, path: string | undefined): boolean {
  const [program = '', ...args] = argv
  const isPath = program.includes(sep)
  const isThere = isPath ? isProgram(resolve(folder, program)) : findOnPath(program, path) !== null
  return isThere && args.filter(isAbsolute).every(file => existsSync(file))
}
