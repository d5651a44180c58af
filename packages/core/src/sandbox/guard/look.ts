/** How the guard looks at a file system that a script has written: no link followed unasked, nothing waited for. */

import {
  chmodSync,
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
} from 'node:fs'
import { homedir } from 'node:os'
import { posix } from 'node:path'

import { ancestorsOf, type BytePath, bytePathOf, bytesOf, joinPath, parentOf } from './byte-path.ts'
import type { FileIdentity, FileType } from './entries.ts'

/** The `code` of what a file system call threw. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

export function statsOf(absolute: BytePath): Stats | null {
  try {
    return lstatSync(bytesOf(absolute))
  } catch {
    return null
  }
}

export function typeOf(entry: Dirent | Stats): FileType {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  return entry.isSymbolicLink() ? 'link' : 'other'
}

export function identityOf(stats: Stats): FileIdentity {
  const { ino, size, mode, mtimeMs, ctimeMs } = stats
  return { ino, size, mode, mtimeMs, ctimeMs }
}

/** Where the path ends when every link is followed. */
export function realPathOf(absolute: BytePath): BytePath | null {
  try {
    return realpathSync.native(bytesOf(absolute), { encoding: 'latin1' })
  } catch {
    return null
  }
}

export function linkTargetOf(absolute: BytePath): BytePath | null {
  try {
    return readlinkSync(bytesOf(absolute), { encoding: 'latin1' })
  } catch {
    return null
  }
}

/** The path relative to `root`, or null where it lies outside. */
export function insideOf(root: BytePath, absolute: BytePath): BytePath | null {
  if (absolute === root) return ''
  const prefix = root.endsWith('/') ? root : `${root}/`
  return absolute.startsWith(prefix) ? absolute.slice(prefix.length) : null
}

/** Some 20,000 names on ext4. Reading at once is faster, and a stream bounds what a hostile folder can cost. */
const STREAMED_FOLDER_BYTES = 256 * 1024

/**
 * Hands over the names of a folder.
 *
 * @throws what reading a folder throws, and what `found` throws.
 */
export function readFolder(absolute: BytePath, found: (name: BytePath, type: FileType) => void): void {
  const path = bytesOf(absolute)
  try {
    if (lstatSync(path).size > STREAMED_FOLDER_BYTES) {
      streamFolder(path, found)
      return
    }
    for (const entry of readdirSync(path, { encoding: 'latin1', withFileTypes: true })) {
      found(entry.name, typeOf(entry))
    }
  } catch (error) {
    // A file system that tells no types: Node then asks lstat, for a path that it cannot build from bytes.
    if (codeOf(error) !== 'ERR_INVALID_ARG_TYPE') throw error
    for (const name of readdirSync(path, { encoding: 'latin1' })) {
      const stats = statsOf(joinPath(absolute, name))
      if (stats !== null) found(name, typeOf(stats))
    }
  }
}

function streamFolder(path: Buffer, found: (name: BytePath, type: FileType) => void): void {
  const folder = opendirSync(path, { encoding: 'latin1', bufferSize: 512 })
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      found(entry.name, typeOf(entry))
    }
  } finally {
    folder.closeSync()
  }
}

/** `irregular` is a link, FIFO, socket, device or folder; `unreadable` is everything else that open refuses. */
export type RegularRead =
  | { readonly kind: 'content'; readonly content: Buffer }
  | { readonly kind: 'too-large' | 'irregular' | 'unreadable' | 'missing' }

/** A FIFO would block an open for reading for ever: O_NONBLOCK opens it, and fstat tells what it is. */
export function readRegular(absolute: BytePath, maxBytes: number): RegularRead {
  let descriptor: number
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants
    descriptor = openSync(bytesOf(absolute), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' }
    return { kind: code === 'ELOOP' || code === 'ENXIO' ? 'irregular' : 'unreadable' }
  }
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) return { kind: 'irregular' }
    if (stats.size > maxBytes) return { kind: 'too-large' }
    const content = Buffer.alloc(stats.size + 1)
    let length = 0
    while (length < content.length) {
      const read = readSync(descriptor, content, length, content.length - length, length)
      if (read === 0) return { kind: 'content', content: content.subarray(0, length) }
      length += read
    }
    // It grew while it was read, or its size was a lie: nothing that can be judged.
    return { kind: 'too-large' }
  } catch {
    return { kind: 'unreadable' }
  } finally {
    closeSync(descriptor)
  }
}

const MAX_POINTER_BYTES = 8 * 1024

/** Where a `.git` that is no folder leads, or a `commondir`, as git resolves it; null where git would not follow. */
export function pointerTargetOf(absolute: BytePath, kind: 'git' | 'commondir'): BytePath | null {
  const real = realPathOf(absolute)
  if (real === null) return null
  const read = readRegular(real, MAX_POINTER_BYTES)
  if (read.kind !== 'content') return statsOf(real)?.isDirectory() === true && kind === 'git' ? real : null
  const text = read.content.toString('latin1').replace(/[\r\n]+$/, '')
  // Git resolves from the folder in which the name stands, not from where a link leads.
  const folder = parentOf(absolute)
  if (kind === 'commondir') return text === '' ? null : resolvePath(folder, text)
  return text.startsWith('gitdir: ') ? resolvePath(folder, text.slice('gitdir: '.length)) : null
}

/** As text, with links unread: `..` after a link means what the kernel makes of it, so realPathOf comes after. */
export function resolvePath(folder: BytePath, path: BytePath): BytePath {
  return posix.isAbsolute(path) ? path : joinPath(folder, path)
}

/** A path in git config, where `~/` is the home of whoever runs git. */
export function resolveConfigPath(folder: BytePath, path: BytePath): BytePath {
  return path.startsWith('~/') ? joinPath(bytePathOf(homedir()), path.slice(2)) : resolvePath(folder, path)
}

/** A folder whose mode was changed to look into it, and the mode to give back. */
export interface OpenedFolder {
  readonly absolute: BytePath
  readonly mode: number
}

/**
 * Gives the owner back what a `chmod 000` took, from `root` down to `path`. Only after a run: nobody races then.
 *
 * @returns whether anything changed.
 */
export function openFolders(root: BytePath, path: BytePath, opened: OpenedFolder[]): boolean {
  let changed = false
  for (const folder of new Set(['', ...ancestorsOf(path), path])) {
    const absolute = joinPath(root, folder)
    const stats = statsOf(absolute)
    if (stats === null || !stats.isDirectory() || (stats.mode & 0o700) === 0o700) continue
    try {
      chmodSync(bytesOf(absolute), (stats.mode & 0o7777) | 0o700)
      opened.push({ absolute, mode: stats.mode & 0o7777 })
      changed = true
    } catch {
      // Somebody else's folder: the script, with our identity, could not change its mode either.
    }
  }
  return changed
}

/** Puts the modes back, the innermost first: an outer folder may be what lets us in. */
export function closeFolders(opened: readonly OpenedFolder[]): void {
  for (const { absolute, mode } of [...opened].sort((a, b) => b.absolute.length - a.absolute.length)) {
    if (statsOf(absolute)?.isDirectory() !== true) continue
    try {
      chmodSync(bytesOf(absolute), mode)
    } catch {
      // It was opened a moment ago; if it is gone by now there is nothing to put back.
    }
  }
}
