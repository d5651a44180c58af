/**
 * Files of a project: read whole or not at all, written so that nobody ever sees half of one.
 *
 * Nothing outside of the project is read or written through a link inside of it. A link that stays inside is followed,
 * and stays one. A file keeps its mode. When one of several cannot be written, those before it are put back.
 */

import { SrecodexError } from '@srecodex/core'
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileError, nextStep, replaceFile, type FileVerb, type NamedFile } from '../write-file.ts'

/** Settings are written by hand; what is larger is something else. */
const MAX_BYTES = 4 * 1024 * 1024
const MEBIBYTE = 1024 * 1024

/** A file of a project; its path has no symlinks. */
export interface FileChange extends NamedFile {
  /** Null: it is not there. */
  readonly before: string | null
  /** Null: it goes. */
  readonly after: string | null
}

/**
 * @param file below the project, with `/`.
 * @throws {SrecodexError} REFUSED: it leads out of the project. STATE_UNWRITABLE: it cannot be looked at.
 */
export function placeInProject(project: string, file: string): NamedFile {
  const path = join(project, file)
  const existing = acting({ path, file }, 'read', () => nearest(path))
  const real = realOf(existing)
  if (real !== null && (real === project || real.startsWith(project + sep))) {
    return { path: join(real, relative(existing, path)), file }
  }
  throw new SrecodexError(
    'REFUSED',
    `${file} is not written: ${relative(project, existing)} leads out of the project${real === null ? '' : `, to ${real}`}`,
    { hint: 'put a folder or file of the project in the place of that link', details: { path } },
  )
}

/** What is there of a path: itself, or a folder above it. */
function nearest(path: string): string {
  let existing = path
  while (lstatSync(existing, { throwIfNoEntry: false }) === undefined) existing = dirname(existing)
  return existing
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
export function readText(at: NamedFile, { maxBytes = MAX_BYTES } = {}): string | null {
  const status = acting(at, 'read', () => statSync(at.path, { throwIfNoEntry: false }))
  if (status === undefined) return null
  if (!status.isFile()) throw invalid(at, 'is no file')
  if (status.size > maxBytes) {
    const [is, may] = [status.size, maxBytes].map(bytes => Math.ceil(bytes / MEBIBYTE))
    throw invalid(at, `has ${is} MiB, and may have ${may}`)
  }
  const bytes = acting(at, 'read', () => readFileSync(at.path))
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw invalid(at, 'is no text in UTF-8')
  }
}

function invalid({ path, file }: NamedFile, what: string): SrecodexError {
  return new SrecodexError('CONFIG_INVALID', `\`${file}\` ${what}`, {
    hint: 'nothing was written: mend that file or move it away, then run this again',
    details: { path },
  })
}

/**
 * Writes all, or none.
 *
 * @throws {SrecodexError} STATE_UNWRITABLE | DISK_FULL | CONFIG_INVALID: somebody changed one of them meanwhile, or put
 *   a link in the place of one or of a folder above it.
 */
export function writeAll(changes: readonly FileChange[]): void {
  for (const change of changes) {
    const existing = acting(change, 'read', () => nearest(change.path))
    if (realOf(existing) === existing && readText(change) === change.before) continue
    throw new SrecodexError('CONFIG_INVALID', `\`${change.file}\` has changed since it was read`, {
      hint: 'nothing was written: run this again',
      details: { path: change.path },
    })
  }
  const done: FileChange[] = []
  try {
    for (const change of changes) {
      writeOne(change, change.after)
      done.push(change)
    }
  } catch (error) {
    for (const change of done.toReversed()) writeOne(change, change.before)
    throw error
  }
}

function writeOne(at: NamedFile, text: string | null): void {
  const { path } = at
  if (text === null) {
    acting(at, 'remove', () => rmSync(path))
    return
  }
  acting(at, 'write', () => {
    mkdirSync(dirname(path), { recursive: true })
    const present = statSync(path, { throwIfNoEntry: false })
    if (present === undefined) return replaceFile(path, text)
    // Replacing needs no right to the file itself; that it is read-only says that it is not to be changed.
    accessSync(path, constants.W_OK)
    if ((present.mode & 0o222) === 0)
      throw Object.assign(new Error('EACCES: it is read-only'), { code: 'EACCES' })
    replaceFile(path, text, { mode: present.mode & 0o777 })
  })
}

/** @throws {SrecodexError} STATE_UNWRITABLE | DISK_FULL */
function acting<T>(at: NamedFile, verb: FileVerb, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw fileError(at, verb, error, code => `nothing was written: ${nextStep(code, verb)}`)
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
