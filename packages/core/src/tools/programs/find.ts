/**
 * The real program behind a name on the caller's PATH, and what belongs to it.
 *
 * Version managers and Debian's pg_wrapper put a script in a program's place, which costs up to 300 ms a call and
 * chooses by files of the working folder; both are looked through here, once. Asked of nobody: the managers' own
 * files say which version is meant.
 *
 * Refuses whatever lies in the workspace, and what would be read by an interpreter that lies there: a script could
 * have put it there.
 */

import { accessSync, constants, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { pathOutside } from '../../sandbox/interpreters.ts'
import { contains, scriptSurroundings } from '../../sandbox/workspace.ts'
import { programForm } from './elf.ts'

export interface FoundProgram {
  readonly name: string
  /** Absolute, as it will be started. */
  readonly program: string
  /** It is one file and starts no other: needs nothing of `/usr`. */
  readonly standalone: boolean
  /** At their own paths, parents before children; only what lies outside the system's folders, or all of it. */
  readonly readable: readonly string[]
  /** Folders that its own programs lie in, for PATH. */
  readonly folders: readonly string[]
}

export interface FindOptions {
  readonly environment: NodeJS.ProcessEnv
  /** Real path. */
  readonly workspace: string
  readonly home: string
}

const POSTGRES = '/usr/lib/postgresql'

/** @returns null: not on PATH, or only where a script may write. */
export function findProgram(name: string, options: FindOptions): FoundProgram | null {
  if (isAbsolute(name)) return take(basename(name), name, options)
  for (const folder of pathOutside(options.workspace, options.environment.PATH).split(':')) {
    if (folder === '') continue
    const found = take(name, join(folder, name), options)
    if (found !== null) return found
  }
  return null
}

function take(name: string, candidate: string, options: FindOptions): FoundProgram | null {
  const real = realProgram(candidate)
  if (real === null) return null
  const behind = lookThrough(name, candidate, real, options)
  if (behind === null) return null
  const program = realProgram(behind) === null ? null : behind
  if (program === null) return null
  const parts = partsOf(program, options)
  if (parts === null) return null
  const form = programForm(realpathSync(program))
  const siblings = versionedSiblings(name, realpathSync(program))
  const standalone = form?.kind === 'static'
  return {
    name,
    // The real path: a link in a folder that is not mounted leads nowhere. A script keeps the name it was called by.
    program: form?.kind === 'script' ? program : realpathSync(program),
    standalone,
    readable: standalone
      ? [realpathSync(program), ...siblings].sort()
      : [...new Set([...parts, ...siblings])].filter(path => !isSystem(path)).sort(),
    folders: standalone ? [] : [...new Set([dirname(program), dirname(realpathSync(program))])],
  }
}

/** The path of what a shim would start; `candidate` where it is no shim; null where the shim starts nothing. */
function lookThrough(name: string, candidate: string, real: string, options: FindOptions): string | null {
  if (basename(real) === 'pg_wrapper') return newestPostgres(name)
  if (basename(real) === 'snap') {
    const current = join('/snap', name, 'current')
    return [join(current, name), join(current, 'bin', name)].find(path => realProgram(path) !== null) ?? null
  }
  const { environment, home } = options
  if (basename(real) === 'mise') {
    const installs = join(environment.MISE_DATA_DIR ?? join(home, '.local/share/mise'), 'installs')
    return inInstalls(join(installs, name, 'latest'), name)
  }
  if (programForm(real)?.kind !== 'script') return candidate
  const text = readFileSync(real, 'utf8').slice(0, 4096)
  const pyenv = /^export PYENV_ROOT="([^"]+)"$/m.exec(text)?.[1]
  if (pyenv !== undefined && text.includes('/libexec/pyenv" exec')) return inPyenv(name, pyenv, environment)
  if (/exec .*asdf.* exec /.test(text)) {
    return inAsdf(name, text, environment.ASDF_DATA_DIR ?? join(home, '.asdf'), home)
  }
  return candidate
}

/** The version that the operator's own `.tool-versions` names, else the first that the shim lists. */
function inAsdf(name: string, shim: string, root: string, home: string): string | null {
  const listed = [...shim.matchAll(/^# asdf-plugin: ([\w.-]+) ([\w.-]+)$/gm)]
  const chosen = textOf(join(home, '.tool-versions'))
  const isChosen = (plugin = '', version = ''): boolean =>
    chosen.split('\n').some(line => {
      const [first, ...versions] = line.split(/\s+/)
      return first === plugin && versions.includes(version)
    })
  const plugin = listed.find(one => isChosen(one[1], one[2])) ?? listed[0]
  return plugin === undefined ? null : inInstalls(join(root, 'installs', plugin[1]!, plugin[2]!), name)
}

function inInstalls(folder: string, name: string): string | null {
  return [join(folder, 'bin', name), join(folder, name)].find(path => realProgram(path) !== null) ?? null
}

/** The versions that PYENV_VERSION, else the global file, name. A `.python-version` of the workspace has no say. */
function inPyenv(name: string, root: string, environment: NodeJS.ProcessEnv): string | null {
  let versions = environment.PYENV_VERSION?.split(':') ?? []
  if (versions.length === 0) versions = textOf(join(root, 'version')).split(/\s+/)
  for (const version of versions.filter(one => /^[\w.-]+$/.test(one) && one !== 'system')) {
    const path = join(root, 'versions', version, 'bin', name)
    if (realProgram(path) !== null) return path
  }
  return null
}

function newestPostgres(name: string): string | null {
  try {
    const versions = readdirSync(POSTGRES).filter(entry => Number(entry) > 0)
    versions.sort((one, other) => Number(other) - Number(one))
    const programs = versions.map(version => join(POSTGRES, version, 'bin', name))
    return programs.find(path => realProgram(path) !== null) ?? null
  } catch {
    return null
  }
}

/** Google's kubectl starts the one beside it that fits the server: `kubectl.1.33`. */
function versionedSiblings(name: string, real: string): string[] {
  if (name !== 'kubectl') return []
  const siblings = readdirSync(dirname(real)).filter(entry => /^kubectl\.\d+\.\d+$/.test(entry))
  return siblings.map(entry => join(dirname(real), entry))
}

/** The folders of a program and of what reads it; null where a script has a hand in one of them. */
function partsOf(program: string, options: FindOptions): string[] | null {
  const real = realpathSync(program)
  if ([program, real, realOr(dirname(program))].some(path => contains(options.workspace, path))) return null
  const own = [prefixOf(program, options), prefixOf(real, options)]
  const form = programForm(real)
  if (form === null) return null
  if (form.kind !== 'script') return own
  const [interpreter = '', argument = ''] = form.interpreter
  if (!isAbsolute(interpreter)) return null
  // `/usr/bin/env python3` finds a program in the folders of `folders` and in the system's.
  if (basename(interpreter) === 'env' && argument !== '') return own
  if (realProgram(interpreter) === null || programForm(realOr(interpreter))?.kind === 'script') return null
  const below = partsOf(interpreter, options)
  return below === null ? null : [...own, ...below]
}

/** The folder above `bin`, where it holds this program and its libraries and not half of the machine. */
function prefixOf(program: string, options: FindOptions): string {
  const folder = dirname(program)
  const above = ['bin', 'sbin'].includes(basename(folder)) ? dirname(folder) : folder
  return [above, folder].find(path => isNarrow(path, options)) ?? program
}

function isNarrow(folder: string, options: FindOptions): boolean {
  const { workspace, home } = options
  if (isSystem(folder)) return true
  if (contains(folder, workspace) || folder === join(realOr(home), '.local')) return false
  return scriptSurroundings(folder, home) !== null
}

function isSystem(path: string): boolean {
  return ['/usr', '/nix/store', '/gnu/store', '/bin', '/sbin', '/lib', '/lib64'].some(folder =>
    contains(folder, path),
  )
}

function realProgram(path: string): string | null {
  try {
    accessSync(path, constants.X_OK)
    const real = realpathSync(path)
    return statSync(real).isFile() ? real : null
  } catch {
    return null
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function realOr(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
