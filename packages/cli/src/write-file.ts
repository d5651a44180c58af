/**
 * Writes a file whole or not at all, and says in words why a file cannot be had.
 *
 * That a disk is full, or a folder not to be written, is the machine's affair and no fault of srecodex. Whatever the
 * system does not say of a file stays what it is.
 */

import { SrecodexError } from '@srecodex/core'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'

const PERMISSIONS = 0o777

/**
 * Beside its place first, then into it: nobody ever sees half of it. It follows no link at its place.
 *
 * @param options.mode exactly its permissions; absent: those that a new file gets here.
 */
export function replaceFile(path: string, text: string, options: { readonly mode?: number } = {}): void {
  const { mode } = options
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    const descriptor = openSync(draft, 'wx', mode ?? 0o666)
    try {
      // A file system that knows no permissions refuses to set them, also to what they are.
      if (mode !== undefined && (fstatSync(descriptor).mode & PERMISSIONS) !== mode)
        fchmodSync(descriptor, mode)
      writeFileSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

export interface NamedFile {
  readonly path: string
  /** As a person knows it. */
  readonly file: string
}

export type FileVerb = 'read' | 'write' | 'remove'
export type FileErrorCode = 'DISK_FULL' | 'STATE_UNWRITABLE'

/**
 * @param at null: the system did not say which.
 * @returns STATE_UNWRITABLE or DISK_FULL; what is no refusal of the system's, as it is.
 */
export function fileError(
  at: NamedFile | null,
  verb: FileVerb,
  cause: unknown,
  hint: (code: FileErrorCode) => string = code => nextStep(code, verb),
): unknown {
  if (!isOfSystem(cause)) return cause
  const code = cause.code === 'ENOSPC' || cause.code === 'EDQUOT' ? 'DISK_FULL' : 'STATE_UNWRITABLE'
  const reason = /^[A-Z\d]+: ([^,]+)/.exec(cause.message)?.[1] ?? cause.message
  const what = at === null ? 'a file' : `\`${at.file}\``
  return new SrecodexError(code, `cannot ${verb} ${what}: ${reason}`, {
    hint: hint(code),
    details: { path: at?.path ?? null },
    cause,
  })
}

/** What to do about it, where there is nothing better to say. */
export function nextStep(code: FileErrorCode, verb: FileVerb): string {
  return code === 'DISK_FULL'
    ? 'make room on its disk, then run this again'
    : `see that you may ${verb} it, then run this again`
}

/** Node's own errors have codes such as ERR_INVALID_ARG_TYPE: they are faults. */
function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && /^E[A-Z\d]+$/.test(String(error.code))
}
