/** Writes a page whole or not at all: beside its place first, then into it. It follows no link at its place. */

import { SrecodexError } from '@srecodex/core'
import { randomBytes } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** @throws {SrecodexError} DISK_FULL | STATE_UNWRITABLE | USAGE: there is no such folder, or a folder is in its place */
export async function writePage(path: string, html: string): Promise<void> {
  if ((await stat(path).catch(() => null))?.isDirectory() === true) {
    throw new SrecodexError('USAGE', `${path} is a folder`, {
      hint: '--output names a file',
      details: { path },
    })
  }
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    // Private as all of a run is: it says what the run printed.
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(html)
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw inWords(path, error)
  }
}

function inWords(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code
  const details = { details: { path }, cause: error }
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new SrecodexError('DISK_FULL', `no space left for the page ${path}`, {
        hint: 'srecodex runs prune frees old runs; --output puts the page elsewhere',
        ...details,
      })
    case 'ENOENT':
      return new SrecodexError('USAGE', `there is no folder ${dirname(path)}`, {
        hint: 'make it, or give --output a file in another one',
        ...details,
      })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
      return new SrecodexError('STATE_UNWRITABLE', `cannot write the page ${path} (${code})`, {
        hint: '--output puts the page elsewhere',
        ...details,
      })
    default:
      return error
  }
}
