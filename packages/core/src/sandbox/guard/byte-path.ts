/**
 * Paths as the kernel has them: bytes, not text.
 *
 * A folder whose name is not UTF-8 must not be able to hide a `.git`, so the guard walks with names decoded as
 * latin1: one character a byte, nothing lost. Only what leaves the guard becomes text.
 */

import { isUtf8 } from 'node:buffer'

/** A path in which each character stands for one byte. Separators are `/`; the workspace itself is `''`. */
export type BytePath = string

export function bytePathOf(text: string): BytePath {
  return Buffer.from(text, 'utf8').toString('latin1')
}

export function bytesOf(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1')
}

/** For people: bytes that are not UTF-8 show as U+FFFD. */
export function textOf(path: BytePath): string {
  return bytesOf(path).toString('utf8')
}

/** Whether the path survives as text: only such a path can be an argument of bubblewrap. */
export function isText(path: BytePath): boolean {
  return isUtf8(bytesOf(path))
}

export function joinPath(folder: BytePath, name: BytePath): BytePath {
  if (folder === '') return name
  if (name === '') return folder
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`
}

export function parentOf(path: BytePath): BytePath {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

export function nameOf(path: BytePath): BytePath {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function partsOf(path: BytePath): BytePath[] {
  return path === '' ? [] : path.split('/')
}

/** The folders between the workspace (exclusive) and `path` (exclusive), the outermost first. */
export function ancestorsOf(path: BytePath): BytePath[] {
  const parts = partsOf(path)
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

/** Whether `path` is `folder` or lies below it. */
export function isWithin(path: BytePath, folder: BytePath): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`)
}

/** Sorts the outermost first, and equals by their bytes. */
export function byDepth(a: BytePath, b: BytePath): number {
  return partsOf(a).length - partsOf(b).length || Number(a > b) - Number(a < b)
}
