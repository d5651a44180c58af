/**
 * A disposable file that several processes may read and write at once.
 *
 * It is written beside and renamed, so a reader sees the old one or the new one. Its first line names the format
 * and holds a checksum of the rest: whatever is not exactly what was written counts as no cache at all.
 */

import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { crc32 } from 'node:zlib'

const headOf = (format: string, content: Buffer): string =>
  `${JSON.stringify({ format, bytes: content.length, crc32: crc32(content) })}\n`

/** What was written with this format, or null. */
export const readCache = (file: string, format: string): unknown => {
  try {
    const bytes = readFileSync(file)
    const end = bytes.indexOf(10) + 1
    const content = bytes.subarray(end)
    if (bytes.toString('utf8', 0, end) !== headOf(format, content)) return null
    return JSON.parse(content.toString('utf8')) as unknown
  } catch {
    return null
  }
}

/** Nothing fails where the cache cannot be written: the next start is a cold one. */
export const writeCache = (file: string, format: string, value: unknown): void => {
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    const content = Buffer.from(JSON.stringify(value))
    const descriptor = openSync(temporary, 'wx', 0o600)
    try {
      writeFileSync(descriptor, headOf(format, content))
      writeFileSync(descriptor, content)
    } finally {
      closeSync(descriptor)
    }
    chmodSync(temporary, 0o600)
    renameSync(temporary, file)
  } catch {
    try {
      rmSync(temporary, { force: true })
    } catch {
      // It is not there, and neither is its folder.
    }
  }
}
