/** Output of a mutation as a journal keeps it: its beginning, exact, as text where it is text. */

import { isUtf8 } from 'node:buffer'
import type { KeptBytes } from './entries.ts'

export const MAX_KEPT_BYTES = 64 * 1024

export function keepBytes(bytes: Uint8Array): { readonly kept: KeptBytes; readonly isCut: boolean } {
  const isCut = bytes.byteLength > MAX_KEPT_BYTES
  const beginning = Buffer.from(bytes.buffer, bytes.byteOffset, isCut ? cutAt(bytes) : bytes.byteLength)
  const kept = isUtf8(beginning) ? beginning.toString('utf8') : { base64: beginning.toString('base64') }
  return { kept, isCut }
}

export function bytesOf(kept: KeptBytes): Buffer {
  return typeof kept === 'string' ? Buffer.from(kept, 'utf8') : Buffer.from(kept.base64, 'base64')
}

/** Before a character of UTF-8 rather than within it; other bytes lose three of them at most. */
function cutAt(bytes: Uint8Array): number {
  let end = MAX_KEPT_BYTES
  while (end > MAX_KEPT_BYTES - 3 && (bytes[end]! & 0xc0) === 0x80) end -= 1
  return end
}
