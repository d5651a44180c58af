/**
 * Reads a part of what a run printed: by line number, from the end, or by a regular expression.
 *
 * Promises: flat memory, also for gigabytes, binary content and a single line of a gigabyte; text that is
 * sanitised, redacted and at most `maxChars` characters; line numbers of the file. What can be found is what
 * can be seen: the expression meets the redacted text, so searching cannot spell a secret out.
 *
 * Refuses an expression that is not one (`USAGE`), and ends one that backtracks without end
 * (`LIMIT_EXCEEDED`).
 */

import { open, type FileHandle } from 'node:fs/promises'
import { createContext, Script } from 'node:vm'

import { SrecodexError } from '../errors.ts'
import type { Redactor } from './redact.ts'
import { sanitise } from './sanitise.ts'
import { cutText } from './summary.ts'

export interface SliceOptions {
  readonly path: string
  /** A JavaScript regular expression; a leading `(?i)` ignores case. Absent: every line. Empty: every line too. */
  readonly grep?: string
  /**
   * How many lines of the file to skip, also with `grep`. Negative: begin that many lines before the end.
   *
   * @default 0
   */
  readonly offset?: number
  /**
   * How many lines to return; with `grep`, how many that match.
   *
   * @default 200
   */
  readonly limit?: number
  /** Of all texts together, a line end counted for each. */
  readonly maxChars: number
  /**
   * How long the expression may run on one piece of the file, in milliseconds.
   *
   * @default 1000
   */
  readonly maxMatchMs?: number
  readonly redactor: Redactor
}

export interface SliceLine {
  /** Counts from 1. */
  readonly number: number
  readonly text: string
}

export interface SliceResult {
  readonly lines: readonly SliceLine[]
  /** Known only when the file was read to its end or counted for a negative offset; else null. */
  readonly totalLines: number | null
  /** Lines that were asked for and met: those shown and, where a bound ended the slice, one more. */
  readonly matched: number
  readonly truncated: {
    /** `limit` lines are shown and there is at least one more. */
    readonly byLimit: boolean
    /** A further line had no room. */
    readonly byChars: boolean
    /** A line is shown only in part. */
    readonly insideLine: boolean
  }
  /** The `offset` that goes on from here; null at the end of the file. */
  readonly nextOffset: number | null
}

const DEFAULT_LIMIT_LINES = 200
const DEFAULT_MAX_MATCH_MS = 1000
const MAX_TOTAL_MATCH_MS = 30_000
const MAX_EXPRESSION_CHARS = 1000

const CHUNK_BYTES = 256 * 1024
/** Of a longer line only the beginning is held. */
const MAX_HELD_LINE_BYTES = 256 * 1024
/** Of a longer line only the beginning is searched: an expression's time can grow with the square of this. */
const MAX_SEARCHED_CHARS = 64 * 1024
/** What precedes a piece, so that a private key that begins before it is recognised. */
const CONTEXT_BYTES = 16 * 1024
const SHORT_LINE_BYTES = 32
const NEWLINE = 0x0a
const RETURN = 0x0d

/**
 * @returns null when there is no such file; a file that is empty, or an offset past its end, gives no lines.
 * @throws {SrecodexError} USAGE | LIMIT_EXCEEDED
 */
export async function readSlice(options: SliceOptions): Promise<SliceResult | null> {
  const { offset = 0, limit = DEFAULT_LIMIT_LINES } = options
  if (!Number.isSafeInteger(offset)) throw usage(`offset must be a whole number, not ${offset}`)
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw usage(`limit must be a whole number from 1, not ${limit}`)
  const match = options.grep ? createMatcher(options.grep, options.maxMatchMs ?? DEFAULT_MAX_MATCH_MS) : null
  const file = await open(options.path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  try {
    // The script may still be printing: what is there now is what is read.
    const { size } = await file.stat()
    const totalLines = offset < 0 ? await countLines(file, size) : null
    const skippedLines = totalLines === null ? offset : Math.max(0, totalLines + offset)
    return await collect(file, size, { ...options, limit, skippedLines, totalLines, match })
  } finally {
    await file.close()
  }
}

interface CollectOptions extends SliceOptions {
  readonly limit: number
  readonly skippedLines: number
  readonly totalLines: number | null
  readonly match: Matcher | null
}

async function collect(file: FileHandle, size: number, options: CollectOptions): Promise<SliceResult> {
  const { limit, skippedLines, match, maxChars, redactor } = options
  const lines: SliceLine[] = []
  let room = maxChars
  let insideLine = false
  let readLines = 0
  const stop = (at: number, why: 'limit' | 'chars'): SliceResult => ({
    lines,
    totalLines: options.totalLines,
    matched: lines.length + 1,
    truncated: { byLimit: why === 'limit', byChars: why === 'chars', insideLine },
    nextOffset: at,
  })

  for await (const piece of pieces(file, size, skippedLines)) {
    if (lines.length === limit && match === null) return stop(readLines, 'limit')
    const texts = await textsOf(piece, redactor)
    const places = match === null ? null : match(texts)
    for (const [index, text] of texts.entries()) {
      const number = piece.firstNumber + index
      readLines = number
      const place = places === null ? 0 : (places[index] ?? -1)
      if (place === -1) continue
      if (lines.length === limit) return stop(number - 1, 'limit')
      if (text.length + 1 > room && lines.length > 0) return stop(number - 1, 'chars')
      const unheld = piece.unheldBytes.get(index) ?? 0
      const shown = fit(text, place, Math.max(0, room - 1), unheld)
      insideLine ||= shown !== text
      lines.push({ number, text: shown })
      room -= shown.length + 1
    }
  }
  return {
    lines,
    totalLines: options.totalLines ?? (readLines >= skippedLines ? readLines : null),
    matched: lines.length,
    truncated: { byLimit: false, byChars: false, insideLine },
    nextOffset: null,
  }
}

/** A line that is too long shows where the expression met it. */
function fit(text: string, place: number, maxChars: number, unheldBytes: number): string {
  if (text.length <= maxChars && unheldBytes === 0) return text
  const lead = Math.floor(maxChars / 4)
  const skip = place > maxChars / 2 ? place - lead : 0
  if (skip === 0) return cutText(text, maxChars, unheldBytes)
  return `… ${cutText(text.slice(skip).replace(/^[\udc00-\udfff]/, ''), Math.max(0, maxChars - 2), unheldBytes)}`
}

// ------------------------------------------------------------------------------------------ reading in pieces

/** Whole lines that lie together in the file. */
interface Piece {
  readonly firstNumber: number
  readonly bytes: Buffer
  /** Lines before the first, which are redacted with it and not shown. */
  readonly context: Buffer
  /** By index in the piece: how many bytes of a line were not held. */
  readonly unheldBytes: ReadonlyMap<number, number>
}

async function textsOf(piece: Piece, redactor: Redactor): Promise<string[]> {
  const before = piece.context.length === 0 ? [] : linesOf(sanitise(piece.context))
  const own = linesOf(sanitise(piece.bytes))
  const redacted = (await redactor.redactLines([...before, ...own])).slice(before.length)
  // Half a secret at the end of what was held is not recognised.
  return redacted.map((text, index) =>
    piece.unheldBytes.has(index) ? text.slice(0, -redactor.edgeChars) : text,
  )
}

function linesOf(text: string): string[] {
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
}

async function* pieces(file: FileHandle, size: number, skippedLines: number): AsyncGenerator<Piece> {
  const start = await startOfLine(file, size, skippedLines)
  if (start === null) return
  let context = await contextBefore(file, start)
  let firstNumber = skippedLines + 1
  let held: Buffer = Buffer.alloc(0)
  let unheld = 0
  let at = start
  while (at < size) {
    const chunk = await readAt(file, at, Math.min(CHUNK_BYTES, size - at))
    if (chunk.length === 0) break
    at += chunk.length
    const isEnd = at >= size
    const firstEnd = chunk.indexOf(NEWLINE)
    if (firstEnd === -1 && !isEnd) {
      ;[held, unheld] = holdMore(held, unheld, chunk)
      continue
    }
    const headEnd = firstEnd === -1 ? chunk.length : firstEnd
    ;[held, unheld] = holdMore(held, unheld, chunk.subarray(0, headEnd))
    const lastEnd = isEnd ? chunk.length : chunk.lastIndexOf(NEWLINE) + 1
    const bytes = Buffer.concat([held, chunk.subarray(headEnd, lastEnd)])
    yield { firstNumber, bytes, context, unheldBytes: new Map(unheld > 0 ? [[0, unheld]] : []) }
    firstNumber += countNewlines(bytes)
    context = lastLines(bytes)
    held = chunk.subarray(lastEnd)
    unheld = 0
  }
}

/** Goes on with a line whose end is not there yet. */
function holdMore(held: Buffer, unheld: number, more: Buffer): [Buffer, number] {
  if (held.length + more.length <= MAX_HELD_LINE_BYTES && unheld === 0)
    return [Buffer.concat([held, more]), 0]
  // A progress bar: what a lone `\r` overwrites need not be held.
  const overwrite = more.lastIndexOf(RETURN, more.length - 2)
  if (overwrite !== -1 && more.subarray(overwrite + 1).some(byte => byte > 0x20)) {
    return [Buffer.from(more.subarray(overwrite + 1)), 0]
  }
  const room = Math.max(0, MAX_HELD_LINE_BYTES - held.length)
  const taken = unheld > 0 ? 0 : Math.min(room, more.length)
  return [taken === 0 ? held : Buffer.concat([held, more.subarray(0, taken)]), unheld + more.length - taken]
}

/** The whole lines at the end of a piece that fit in the context. */
function lastLines(bytes: Buffer): Buffer {
  const window = bytes.subarray(Math.max(0, bytes.length - CONTEXT_BYTES))
  if (window.length === bytes.length) return Buffer.from(window)
  const newline = window.indexOf(NEWLINE)
  return newline === -1 ? Buffer.alloc(0) : Buffer.from(window.subarray(newline + 1))
}

async function contextBefore(file: FileHandle, start: number): Promise<Buffer> {
  const from = Math.max(0, start - CONTEXT_BYTES)
  const bytes = await readAt(file, from, start - from)
  return from === 0 ? bytes : lastLines(Buffer.concat([Buffer.alloc(1), bytes]))
}

/** Where the line after `skippedLines` lines begins; null if the file has no such line. */
async function startOfLine(file: FileHandle, size: number, skippedLines: number): Promise<number | null> {
  let left = skippedLines
  if (left === 0) return size === 0 ? null : 0
  for (let at = 0; at < size;) {
    const chunk = await readAt(file, at, Math.min(CHUNK_BYTES * 4, size - at))
    if (chunk.length === 0) return null
    const newlines = countNewlines(chunk)
    if (newlines >= left) {
      let end = -1
      for (; left > 0; left--) end = chunk.indexOf(NEWLINE, end + 1)
      return at + end + 1 < size ? at + end + 1 : null
    }
    left -= newlines
    at += chunk.length
  }
  return null
}

/** A last line without a line end counts. */
async function countLines(file: FileHandle, size: number): Promise<number> {
  let lines = 0
  let last = NEWLINE
  for (let at = 0; at < size;) {
    const chunk = await readAt(file, at, Math.min(CHUNK_BYTES * 4, size - at))
    if (chunk.length === 0) break
    lines += countNewlines(chunk)
    last = chunk.at(-1) ?? NEWLINE
    at += chunk.length
  }
  return last === NEWLINE ? lines : lines + 1
}

/** `indexOf` is fastest where lines are long, and slowest where they are short: there a plain loop goes on. */
function countNewlines(bytes: Buffer): number {
  let newlines = 0
  let at = bytes.indexOf(NEWLINE)
  while (at !== -1) {
    newlines++
    if (newlines * SHORT_LINE_BYTES > at + 1024) break
    at = bytes.indexOf(NEWLINE, at + 1)
  }
  if (at === -1) return newlines
  for (at++; at < bytes.length; at++) if (bytes[at] === NEWLINE) newlines++
  return newlines
}

async function readAt(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes)
  const { bytesRead } = await file.read(buffer, 0, bytes, at)
  return buffer.subarray(0, bytesRead)
}

// -------------------------------------------------------------------------------------- a hostile expression

/** For each text where the expression meets it, or -1. */
type Matcher = (texts: readonly string[]) => readonly number[]

/**
 * Runs the expression where V8 can stop it: a `vm` call with a time limit ends inside a regular expression
 * too, which nothing else on the same thread does, and needs no worker and no copies.
 */
export function createMatcher(grep: string, maxMatchMs: number = DEFAULT_MAX_MATCH_MS): Matcher {
  const expression = parseExpression(grep)
  const context = createContext({ expression, texts: [], maxSearchedChars: MAX_SEARCHED_CHARS })
  const script = new Script(
    '((e, ts, max) => ts.map(t => (t.length > max ? t.slice(0, max) : t).search(e)))(expression, texts, maxSearchedChars)',
  )
  let leftMs = MAX_TOTAL_MATCH_MS
  return texts => {
    const startMs = performance.now()
    context['texts'] = texts
    try {
      const places: unknown = script.runInContext(context, {
        timeout: Math.max(1, Math.min(maxMatchMs, leftMs)),
      })
      leftMs -= Math.ceil(performance.now() - startMs)
      return Array.isArray(places) ? places.map(Number) : []
    } catch (error) {
      throw new SrecodexError('LIMIT_EXCEEDED', `the expression takes too long: ${grep}`, {
        hint: 'avoid a repeat inside a repeat such as (a+)+, or search for plain words',
        details: { limit: 'grep' },
        cause: error,
      })
    }
  }
}

function parseExpression(grep: string): RegExp {
  if (grep.length > MAX_EXPRESSION_CHARS) {
    throw usage(`the expression has ${grep.length} characters; at most ${MAX_EXPRESSION_CHARS} are taken`)
  }
  const ignoresCase = grep.startsWith('(?i)')
  try {
    return new RegExp(ignoresCase ? grep.slice(4) : grep, ignoresCase ? 'i' : '')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SrecodexError('USAGE', `not a regular expression: ${grep}: ${reason}`, {
      hint: 'put a backslash before a character such as ( or [ to search for the character itself',
      cause: error,
    })
  }
}

function usage(message: string): SrecodexError {
  return new SrecodexError('USAGE', message)
}
