/**
 * Staging: the script as it stands now, copied, hashed, and judged fit to run.
 *
 * What runs is the copy. The user's file can change meanwhile, and the script cannot change what apply and
 * resume will run.
 */

import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { basename, extname, resolve } from 'node:path'
import { SrecodexError } from '../errors.ts'
import { contains } from '../sandbox/workspace.ts'
import type { ScriptLanguage } from './report.ts'
import { storeError } from './store.ts'

/** A file of the user's, or text that came by stdin or MCP. */
export type ScriptSource =
  | { readonly path: string }
  | { readonly text: string; readonly language: ScriptLanguage }

/** What an earlier run kept: the very bytes that were planned, or that got part of the way. */
export interface KeptScript {
  readonly kept: string
  readonly name: string
  readonly language: ScriptLanguage
  readonly sha256: string
  /** Where it ran from; null for text. */
  readonly path: string | null
}

export interface StagedScript {
  readonly name: string
  readonly language: ScriptLanguage
  readonly sha256: string
  readonly bytes: number
  /** Real path of the user's file; null for text. */
  readonly path: string | null
  /** Removed after the run: text, and files below WORKSPACE/.srecodex/tmp/. */
  readonly temporary: boolean
}

const EXTENSIONS: Readonly<Record<ScriptLanguage, string>> = {
  python: '.py',
  shell: '.sh',
  javascript: '.js',
}
const LANGUAGES: Readonly<Record<string, ScriptLanguage | undefined>> = {
  '.py': 'python',
  '.sh': 'shell',
  '.js': 'javascript',
}
/** A script is written by hand or by a model; more than this is data that strayed. */
const MAX_SCRIPT_BYTES = 50 * 1024 * 1024

/**
 * Reads and checks the script, before anything is made for the run.
 *
 * @throws {SrecodexError} SCRIPT_NOT_FOUND | SCRIPT_UNREADABLE | SCRIPT_EMPTY | SCRIPT_TOO_LARGE | EXTENSION_REFUSED
 */
export function readScript(
  source: ScriptSource | KeptScript,
  options: {
    readonly workspace: string
    readonly cwd: string
    readonly allowedExtensions: readonly string[]
  },
): { script: StagedScript; content: Buffer } {
  if ('kept' in source) return readKept(source)
  if ('text' in source) {
    const extension = EXTENSIONS[source.language]
    allow(extension, options.allowedExtensions, `a ${source.language} script`)
    const content = Buffer.from(source.text, 'utf8')
    check(content, 'the script')
    const name = `script${extension}`
    return { script: describe(content, name, source.language, null, true), content }
  }
  const path = resolve(options.cwd, source.path)
  const language = allow(extname(path), options.allowedExtensions, source.path)
  const content = readFile(path, source.path)
  check(content, source.path)
  const real = realpathSync(path)
  const temporary = contains(resolve(options.workspace, '.srecodex', 'tmp'), real)
  return { script: describe(content, basename(path), language, real, temporary), content }
}

/** From its own path again where that is still there: what it imports lies beside it. */
function readKept(source: KeptScript): { script: StagedScript; content: Buffer } {
  const content = readFile(source.kept, source.name)
  const path = source.path !== null && isSameFile(source.path) ? source.path : null
  const script = describe(content, source.name, source.language, path, false)
  if (script.sha256 === source.sha256) return { script, content }
  throw new SrecodexError('PLAN_STALE', `the kept copy of ${source.name} is not what the earlier run ran`, {
    hint: 'run the script again',
    details: { path: source.kept },
  })
}

function isSameFile(path: string): boolean {
  try {
    return realpathSync(path) === path && lstatSync(path).isFile()
  } catch {
    return false
  }
}

/** Writes the copy that runs. @throws {SrecodexError} DISK_FULL | STATE_UNWRITABLE */
export function stageScript(content: Buffer, target: string): void {
  try {
    writeFileSync(target, content, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    throw storeError(target, error)
  }
}

function describe(
  content: Buffer,
  name: string,
  language: ScriptLanguage,
  path: string | null,
  temporary: boolean,
): StagedScript {
  const sha256 = createHash('sha256').update(content).digest('hex')
  return { name, language, sha256, bytes: content.length, path, temporary }
}

function allow(extension: string, allowed: readonly string[], what: string): ScriptLanguage {
  const language = LANGUAGES[extension]
  if (language !== undefined && allowed.includes(extension)) return language
  const runnable = allowed.filter(candidate => LANGUAGES[candidate] !== undefined)
  throw new SrecodexError(
    'EXTENSION_REFUSED',
    `${what} has the extension ${extension === '' ? '(none)' : extension}, and ${list(runnable)} may run`,
    {
      hint:
        language !== undefined
          ? `allow it with allowed_extensions in [scripts]`
          : 'write the job in Python (.py), Bash (.sh) or JavaScript (.js)',
      details: { path: what },
    },
  )
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.length === 1 ? `only ${names[0]}` : `only ${names.join(', ')}`
}

function readFile(path: string, shown: string): Buffer {
  let file: number
  try {
    // Non-blocking: a named pipe in the script's place must not hold srecodex.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new SrecodexError('SCRIPT_NOT_FOUND', `there is no script ${shown}`, {
        hint: 'give the path of a .py, .sh or .js file, or - to read one from stdin',
        details: { path },
      })
    }
    throw unreadable(path, shown, code ?? 'unknown')
  }
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw unreadable(path, shown, stat.isDirectory() ? 'it is a folder' : 'it is no file')
    if (stat.size > MAX_SCRIPT_BYTES) throw tooLarge(shown, stat.size)
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

function check(content: Buffer, shown: string): void {
  if (content.length > MAX_SCRIPT_BYTES) throw tooLarge(shown, content.length)
  if (content.toString('latin1').trim() === '') {
    throw new SrecodexError('SCRIPT_EMPTY', `${shown} is empty`, { details: { path: shown } })
  }
}

function tooLarge(shown: string, bytes: number): SrecodexError {
  return new SrecodexError(
    'SCRIPT_TOO_LARGE',
    `${shown} is ${bytes} bytes, and a script may have ${MAX_SCRIPT_BYTES}`,
    { hint: 'put data into a file of the workspace and let the script read it', details: { path: shown } },
  )
}

function unreadable(path: string, shown: string, why: string): SrecodexError {
  return new SrecodexError('SCRIPT_UNREADABLE', `cannot read the script ${shown}: ${why}`, {
    details: { path },
  })
}
