/**
 * Reads a journal, also one that is being written.
 *
 * Drops a last line without its line end: nobody was told that it is durable. Anything else that is not a line of
 * this journal, in its place, is an error: a reader that skips it would take what it said for not done.
 */

import { open } from 'node:fs/promises'
import { SrecodexError } from '../../errors.ts'
import { isKnownKind, MAX_LINE_BYTES, type RecordedEntry } from './entries.ts'

const CHUNK_BYTES = 256 * 1024
const NEWLINE = 0x0a

/** @throws {SrecodexError} STORE_CORRUPT */
export async function readJournal(path: string): Promise<RecordedEntry[]> {
  const entries: RecordedEntry[] = []
  for await (const entry of streamJournal(path)) entries.push(entry)
  return entries
}

/** Entry by entry; of kinds that this version does not know, none. @throws {SrecodexError} STORE_CORRUPT */
export async function* streamJournal(path: string): AsyncGenerator<RecordedEntry, void, undefined> {
  let count = 0
  for await (const line of wholeLines(path)) {
    count += 1
    const entry = parseLine(line, path, count)
    if (isKnownKind(entry.kind)) yield entry
  }
}

async function* wholeLines(path: string): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw corrupt(path, null, 'is missing')
    throw error
  })
  try {
    let pieces: Buffer[] = []
    let heldBytes = 0
    let line = 1
    for (;;) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES)
      if (bytesRead === 0) return
      const chunk = buffer.subarray(0, bytesRead)
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        pieces.push(chunk.subarray(start, end))
        yield pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
        pieces = []
        heldBytes = 0
        line += 1
        start = end + 1
      }
      pieces.push(chunk.subarray(start))
      heldBytes += chunk.length - start
      if (heldBytes > MAX_LINE_BYTES) throw corrupt(path, line, 'is longer than any entry')
    }
  } finally {
    await file.close()
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

function parseLine(bytes: Buffer, path: string, line: number): RecordedEntry {
  let entry: unknown
  try {
    entry = JSON.parse(UTF8.decode(bytes))
  } catch {
    throw corrupt(path, line, 'is not JSON')
  }
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    throw corrupt(path, line, 'is not an entry')
  }
  const { seq, at, kind } = entry as Record<string, unknown>
  if (typeof seq !== 'number' || typeof at !== 'string' || typeof kind !== 'string') {
    throw corrupt(path, line, 'is not an entry')
  }
  if (seq !== line) throw corrupt(path, line, `has the number ${seq}`)
  return entry as RecordedEntry
}

function corrupt(path: string, line: number | null, what: string): SrecodexError {
  const where = line === null ? 'it' : `line ${line} of it`
  return new SrecodexError('STORE_CORRUPT', `the journal of the run cannot be relied on: ${where} ${what}`, {
    hint: 'what the run did is to be looked up at its targets; it cannot be resumed',
    at: line === null ? { file: path } : { file: path, line },
    details: { path, line },
  })
}
