/** Writes a page whole or not at all. It follows no link at its place. */

import { SrecodexError } from '@srecodex/core'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileError, replaceFile, type FileErrorCode } from '../write-file.ts'

/** @throws {SrecodexError} DISK_FULL | STATE_UNWRITABLE | USAGE: there is no such folder, or a folder is in its place */
export async function writePage(path: string, html: string): Promise<void> {
  if ((await stat(path).catch(() => null))?.isDirectory() === true) {
    throw new SrecodexError('USAGE', `${path} is a folder`, {
      hint: '--output names a file',
      details: { path },
    })
  }
  try {
    // Private as all of a run is: it says what the run printed.
    replaceFile(path, html, { mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw fileError({ path, file: path }, 'write', error, code => HINTS[code])
    }
    throw new SrecodexError('USAGE', `there is no folder ${dirname(path)}`, {
      hint: 'make it, or give --output a file in another one',
      details: { path },
      cause: error,
    })
  }
}

const HINTS: Readonly<Record<FileErrorCode, string>> = {
  DISK_FULL: 'srecodex runs prune frees old runs; --output puts the page elsewhere',
  STATE_UNWRITABLE: '--output puts the page elsewhere',
}
