/**
 * The program that runs a script, as a real file behind every shim, and what it needs to read.
 *
 * pyenv, asdf and mise put a shell script in the interpreter's place (45 ms, and it reads half of HOME); a
 * virtual environment borrows its library from elsewhere. Both are resolved here, once, and remembered.
 *
 * Refuses: to start anything that lies in the workspace. A script can write there, and what it put in the place
 * of an interpreter must not be run outside of the sandbox, not even to ask it for its version.
 */

import { execFileSync } from 'node:child_process'
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { basename, dirname, isAbsolute, join, sep } from 'node:path'
import { SrecodexError } from '../errors.ts'
import { recall, remember, stamp } from './memory.ts'
import { scriptSurroundings } from './workspace.ts'

export type Interpreter = 'python' | 'shell' | 'javascript'

export interface ResolvedInterpreter {
  /** Absolute path of the program, as it will be started. */
  readonly program: string
  /** Folder to put on PATH so that the script finds the same one. */
  readonly pathFolder: string
  /** What it must read beyond the system's folders. */
  readonly readable: readonly string[]
}

export interface InterpreterOptions {
  /** The caller's environment: PATH, and what version managers read. */
  readonly environment: NodeJS.ProcessEnv
  readonly workspace: string
  /** Folder for the memory of shims. */
  readonly cacheFolder: string
}

const NAMES: Record<Interpreter, readonly string[]> = {
  python: ['python3', 'python'],
  shell: ['bash'],
  javascript: ['node'],
}
const SYSTEM_PATH = ['/usr/local/bin', '/usr/bin', '/bin']
/** What decides which version a shim starts. */
const MANAGER_VARIABLES = [
  'PYENV_ROOT',
  'PYENV_VERSION',
  'ASDF_DATA_DIR',
  'ASDF_DIR',
  'MISE_DATA_DIR',
  'HOME',
  'PATH',
]
const PROBE_TIMEOUT_MS = 10_000

/** @throws {SrecodexError} INTERPRETER_NOT_FOUND */
export function resolveInterpreter(language: Interpreter, options: InterpreterOptions): ResolvedInterpreter {
  const folders = [...(options.environment.PATH ?? '').split(':'), ...SYSTEM_PATH]
  for (const folder of new Set(folders)) {
    if (!isAbsolute(folder)) continue // an empty or relative entry is the workspace by another name
    for (const name of NAMES[language]) {
      const found = resolveCandidate(language, join(folder, name), options)
      if (found !== null) return found
    }
  }
  // srecodex is itself run by Node.
  if (language === 'javascript')
    return resolved(process.execPath, dirname(process.execPath), [process.execPath])
  throw new SrecodexError('INTERPRETER_NOT_FOUND', `no ${NAMES[language][0]} on PATH to run this script`, {
    hint: `install ${NAMES[language][0]}; srecodex doctor shows which interpreters it finds`,
    details: { language },
  })
}

function resolveCandidate(
  language: Interpreter,
  candidate: string,
  options: InterpreterOptions,
): ResolvedInterpreter | null {
  const real = realFile(candidate)
  if (real === null) return null
  const kind = kindOf(real)
  if (kind === 'program') {
    if (language === 'python') return resolvePython(candidate, real, options)
    if (isWithin(real, options.workspace)) return null
    // A link in the workspace is the script's: it would make any program of the host readable.
    if (isWithin(candidate, options.workspace) && !isSystem(real)) return null
    return resolved(real, dirname(real), isSystem(real) ? [] : [real])
  }
  if (kind !== 'shim' || isWithin(candidate, options.workspace) || isWithin(real, options.workspace))
    return null
  const behind = askShim(language, candidate, options)
  return behind === null || behind === candidate || kindOf(behind) !== 'program'
    ? null
    : resolveCandidate(language, behind, options)
}

/**
 * A virtual environment is told by its `pyvenv.cfg`; its library is the one beside the real program. The link
 * in a workspace can be pointed anywhere by a script, so the prefix counts only if a Python library is there.
 */
function resolvePython(
  candidate: string,
  real: string,
  options: InterpreterOptions,
): ResolvedInterpreter | null {
  const { workspace } = options
  const environment = dirname(dirname(candidate))
  const isEnvironment = existsSync(join(environment, 'pyvenv.cfg'))
  if (!isEnvironment && isWithin(candidate, workspace)) return null
  if (isWithin(real, workspace)) return null
  const base = dirname(dirname(real))
  const readable: string[] = []
  if (!isSystem(real)) {
    if (!basename(real).startsWith('python') || !hasPythonLibrary(base)) return null
    // A Python built with the prefix HOME or ~/.local: not all of that is Python's.
    if (isBroad(base, options)) readable.push(real, join(base, 'lib'))
    else readable.push(base)
  }
  if (!isEnvironment) return resolved(real, dirname(real), readable)
  if (!isSystem(environment) && !isWithin(environment, workspace)) readable.push(environment)
  return resolved(candidate, dirname(candidate), readable)
}

function resolved(program: string, pathFolder: string, readable: readonly string[]): ResolvedInterpreter {
  return { program, pathFolder, readable: [...readable].sort() }
}

function isBroad(prefix: string, options: InterpreterOptions): boolean {
  const home = options.environment.HOME ?? '/'
  return scriptSurroundings(prefix, home) === null || prefix === join(realFolder(home), '.local')
}

function hasPythonLibrary(prefix: string): boolean {
  try {
    return readdirSync(join(prefix, 'lib')).some(name => /^python3\.\d+$/.test(name))
  } catch {
    return false
  }
}

/** Asks the shim which program it would start, from `/` so that no file of the workspace has a say. */
function askShim(language: Interpreter, shim: string, options: InterpreterOptions): string | null {
  const key = shimKey(shim, options.environment)
  const memoryFile = join(options.cacheFolder, 'interpreters.json')
  const memory = recall(memoryFile)
  const known = memory[key]
  if (known !== undefined && existsSync(known)) return known
  const question: Record<Interpreter, string[]> = {
    python: ['-I', '-c', 'import sys; print(sys.executable)'],
    javascript: ['-p', 'process.execPath'],
    shell: ['-c', 'readlink -f /proc/$$/exe'],
  }
  const environment = Object.fromEntries(
    MANAGER_VARIABLES.flatMap(name => {
      // The shim looks up `bash` and its manager there: a script may have planted one in its own .venv/bin.
      const value =
        name === 'PATH' ? pathOutside(options.workspace, options.environment.PATH) : options.environment[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
  let answer: string
  try {
    answer = execFileSync(shim, question[language], {
      cwd: '/',
      env: environment,
      encoding: 'utf8',
      timeout: PROBE_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return null
  }
  if (!isAbsolute(answer) || isWithin(answer, options.workspace)) return null
  remember(memoryFile, { ...memory, [key]: answer })
  return answer
}

/** PATH without the folders that a script may write, and without those that mean another folder everywhere. */
export function pathOutside(workspace: string, path: string | undefined): string {
  return (path ?? '')
    .split(':')
    .filter(
      folder =>
        isAbsolute(folder) && !isWithin(folder, workspace) && !isWithin(realFolder(folder), workspace),
    )
    .join(':')
}

/** Changes whenever the shim, the manager's variables or pyenv's global version do. */
function shimKey(shim: string, environment: NodeJS.ProcessEnv): string {
  const root = environment.PYENV_ROOT ?? join(environment.HOME ?? '/', '.pyenv')
  const toolVersions = join(environment.HOME ?? '/', '.tool-versions')
  return [
    shim,
    stamp(shim),
    stamp(join(root, 'version')),
    stamp(toolVersions),
    ...MANAGER_VARIABLES.slice(0, 5).map(name => environment[name] ?? ''),
  ].join('|')
}

function realFolder(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function realFile(path: string): string | null {
  try {
    accessSync(path, constants.X_OK)
    const real = realpathSync(path)
    return statSync(real).isFile() ? real : null
  } catch {
    return null
  }
}

function kindOf(file: string): 'program' | 'shim' | null {
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return null
  }
  try {
    const start = Buffer.alloc(4)
    readSync(descriptor, start, 0, 4, 0)
    if (start.equals(Buffer.from('\x7fELF', 'latin1'))) return 'program'
    return start.subarray(0, 2).toString('latin1') === '#!' ? 'shim' : null
  } finally {
    closeSync(descriptor)
  }
}

/** Mounted whole in every sandbox. */
function isSystem(path: string): boolean {
  return isWithin(path, '/usr') || isWithin(path, '/nix/store') || isWithin(path, '/gnu/store')
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}
