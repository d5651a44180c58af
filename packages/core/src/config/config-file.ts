/**
 * Finds and reads config files.
 *
 * A project's file is a stranger's: it may be a folder, a pipe, or endless. Reading it ends, whatever it is.
 * Reading is synchronous: on every start there are two small files to read, and nothing else to do meanwhile.
 */

import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs'
import path from 'node:path'

/** The bytes of a file, and their text without a byte order mark. */
export interface ConfigText {
  readonly bytes: Uint8Array
  readonly text: string
}

const MAX_FILE_BYTES = 2 ** 20

const READ_ERRORS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ELOOP: 'its symlinks go in a circle',
}

/** What a file held, `null` where there is none, or a sentence saying why it cannot be read. */
export const readConfigFile = (file: string): ConfigText | null | string => {
  let descriptor: number | undefined
  try {
    // Without O_NONBLOCK a named pipe in a project would hang every command that is started there.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const status = fstatSync(descriptor)
    if (status.isDirectory()) return 'it is a folder'
    if (!status.isFile()) return 'it is not a regular file'
    if (status.size > MAX_FILE_BYTES) return 'it is larger than 1 MiB'
    // One byte more than it should hold: a file that grows, or that lies about its size, is never read on and on.
    const buffer = Buffer.alloc(status.size + 1)
    let length = 0
    for (let bytesRead = -1; bytesRead !== 0 && length < buffer.length; length += bytesRead) {
      bytesRead = readSync(descriptor, buffer, length, buffer.length - length, length)
    }
    if (length === buffer.length) return 'it grew while it was read'
    const bytes = buffer.subarray(0, length)
    return { bytes, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not UTF-8'
    return READ_ERRORS[code] ?? (error instanceof Error ? error.message : String(error))
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

const holdsRepository = (folder: string): boolean => {
  try {
    return lstatSync(path.join(folder, '.git'), { throwIfNoEntry: false }) !== undefined
  } catch {
    // A folder that cannot be looked into cannot be worked in either: what lies above it is not its project.
    return true
  }
}

const PROJECT_FILE = path.join('dotcodex', 'config.toml')

/**
 * Where a project's file may lie, nearest first: in the workspace, then in each folder above it up to and with
 * the first one that holds `.git`, or the user's home.
 *
 * Where neither lies above, only the workspace counts: in `/tmp/job`, `/tmp/dotcodex` is anybody's.
 */
export const projectFileCandidates = (workspace: string, home: string): readonly string[] => {
  const candidates: string[] = []
  for (let folder = path.resolve(workspace); ; folder = path.dirname(folder)) {
    candidates.push(path.join(folder, PROJECT_FILE))
    if (holdsRepository(folder) || folder === home) return candidates
    if (folder === path.dirname(folder)) return candidates.slice(0, 1)
  }
}
