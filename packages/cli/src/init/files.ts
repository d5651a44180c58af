/**
 * Files of a project: read whole or not at all, written so that nobody ever sees half of one.
 *
 * Nothing outside of the project is read or written through a link inside of it. A link that stays inside is followed,
 * and stays one. A file keeps its mode. When one of several cannot be written, those before it are put back.
 */

import { SrecodexError } from '@srecodex/core'
import { randomBytes } from 'node:crypto'
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

/** Settings are written by hand; what is larger is something else. */
const MAX_BYTES = 4 * 1024 * 1024

export interface FileChange {
  /** Without symlinks. */
  readonly path: string
  /** Null: it is not there. */
  readonly before: string | null
  /** Null: it goes. */
  readonly after: string | null
}

/** @throws {SrecodexError} REFUSED: it leads out of the project. */
export function placeInProject(project: string, file: string): string {
  const path = join(project, file)
  let existing = path
  while (!isThere(existing)) existing = dirname(existing)
  const real = realOf(existing)
  if (real !== null && (real === project || real.startsWith(project + sep))) {
    return join(real, relative(existing, path))
  }
  throw new SrecodexError(
    'REFUSED',
    `${file} is not written: ${relative(project, existing)} leads out of the project${real === null ? '' : `, to ${real}`}`,
    { hint: 'put a folder or file of the project in the place of that link', details: { path } },
  )
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function realOf(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

/**
 * @returns Null where there is no such file.
 * @throws {SrecodexError} CONFIG_INVALID: it is no text of a sensible size. STATE_UNWRITABLE: it cannot be read.
 */
export function readText(path: string): string | null {
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) return null
  const invalid = (message: string): SrecodexError =>
    new SrecodexError('CONFIG_INVALID', message, { at: { file: path }, hint: 'nothing was written' })
  if (!status.isFile()) throw invalid('it is no file')
  if (status.size > MAX_BYTES) {
    throw invalid(`it has ${Math.ceil(status.size / 1024 / 1024)} MiB, and no settings have more than 4`)
  }
  const bytes = acting(path, 'read', () => readFileSync(path))
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw invalid('it is no text in UTF-8')
  }
}

/**
 * Writes all, or none.
 *
 * @throws {SrecodexError} STATE_UNWRITABLE | DISK_FULL | CONFIG_INVALID: somebody changed one of them meanwhile.
 */
export function writeAll(changes: readonly FileChange[]): void {
  for (const { path, before } of changes) {
    if (readText(path) === before) continue
    throw new SrecodexError('CONFIG_INVALID', 'it has changed since it was read', {
      at: { file: path },
      hint: 'nothing was written: run this again',
    })
  }
  const done: FileChange[] = []
  try {
    for (const change of changes) {
      writeOne(change.path, change.after)
      done.push(change)
    }
  } catch (error) {
    for (const { path, before } of done.toReversed()) writeOne(path, before)
    throw error
  }
}

function writeOne(path: string, text: string | null): void {
  if (text === null) {
    acting(path, 'removed', () => rmSync(path))
    return
  }
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  acting(path, 'written', () => {
    mkdirSync(dirname(path), { recursive: true })
    const present = statSync(path, { throwIfNoEntry: false })
    // Replacing needs no right to the file itself; that it is read-only says that it is not to be changed.
    if (present !== undefined) {
      accessSync(path, constants.W_OK)
      if ((present.mode & 0o222) === 0)
        throw Object.assign(new Error('EACCES: it is read-only'), { code: 'EACCES' })
    }
    try {
      const descriptor = openSync(temporary, 'wx', present === undefined ? 0o666 : present.mode & 0o777)
      try {
        writeFileSync(descriptor, text)
        fsyncSync(descriptor)
      } finally {
        closeSync(descriptor)
      }
      renameSync(temporary, path)
    } finally {
      rmSync(temporary, { force: true })
    }
  })
}

/** For what is nobody else's affair. */
export function makePrivateFolder(path: string): void {
  acting(path, 'written', () => mkdirSync(path, { recursive: true, mode: 0o700 }))
}

/** @throws {SrecodexError} STATE_UNWRITABLE | DISK_FULL: that is the machine's affair, and no fault of srecodex. */
function acting<T>(path: string, what: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    const reason = /^[A-Z\d]+: ([^,]+)/.exec(error.message)?.[1] ?? error.message
    const code = error.code === 'ENOSPC' || error.code === 'EDQUOT' ? 'DISK_FULL' : 'STATE_UNWRITABLE'
    throw new SrecodexError(code, `it cannot be ${what}: ${reason}`, {
      at: { file: path },
      cause: error,
      details: { path },
    })
  }
}

/** The folders that a file would need to be made for it, the outermost first. */
export function missingFolders(path: string): string[] {
  const folders: string[] = []
  for (let at = dirname(path); !existsSync(at); at = dirname(at)) folders.unshift(at)
  return folders
}

/** Takes away those that are empty. */
export function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders.toReversed()) {
    try {
      rmdirSync(folder)
    } catch {
      return
    }
  }
}
