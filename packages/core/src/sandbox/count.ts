/** Counts what is in a file where nobody did while it was written. Absent counts as empty. */

import { open } from 'node:fs/promises'

const CHUNK_BYTES = 1024 * 1024
const LINE_END = 0x0a

export async function countKept(path: string): Promise<{ bytes: number; lines: number }> {
  let bytes = 0
  let lines = 0
  let last = LINE_END
  const file = await open(path, 'r').catch(() => null)
  if (file === null) return { bytes, lines }
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, bytes)
      if (bytesRead === 0) break
      bytes += bytesRead
      last = chunk[bytesRead - 1]!
      for (
        let at = chunk.indexOf(LINE_END);
        at !== -1 && at < bytesRead;
        at = chunk.indexOf(LINE_END, at + 1)
      )
        lines += 1
    }
  } finally {
    await file.close()
  }
  return { bytes, lines: last === LINE_END ? lines : lines + 1 }
}
