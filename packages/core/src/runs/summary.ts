/**
 * Makes the summary of a run: what the script said with `summary(…)`, else the last lines of its stdout.
 *
 * Promises: sanitised, redacted, at most `maxChars` characters, and a mark wherever something was left out.
 * The order is fixed: sanitise, since a zero-width space would split a token; redact, since half a secret is
 * not recognised; cut. Memory is bounded: only the end of a stream is read.
 *
 * Characters are UTF-16 code units, JavaScript's `.length`, so that every reader of the report can check.
 */

import { open, type FileHandle } from 'node:fs/promises'

import type { Redactor } from './redact.ts'
import { sanitise } from './sanitise.ts'

/** The end of a stream. */
export interface Tail {
  readonly bytes: Buffer
  /** The first line lacks its beginning, for it is longer than what was read. */
  readonly startsInsideLine: boolean
}

export interface SummaryOptions {
  /** What the script said. Absent (null): stdout speaks. Empty: the script chose to say nothing. */
  readonly declared: string | null
  readonly stdout: {
    /** The end of what was kept; null when there is no file, which shows like an empty one. */
    readonly tail: Tail | null
    /** Everything that was printed; a last line without a line end counts. */
    readonly lines: number
    readonly bytes: number
    /** What of it is on disk: less than `bytes` when `limits.output` was reached. */
    readonly keptBytes: number
  }
  /** Names the run in the mark that says where the rest is. */
  readonly run: string
  readonly maxChars: number
  readonly redactor: Redactor
}

export interface SummaryResult {
  readonly text: string
  readonly source: 'declared' | 'stdout' | 'none'
  /** Whether something is missing from the text: more lines, or more of a line. */
  readonly isCut: boolean
}

/** How many lines of stdout stand for a summary. */
export const SUMMARY_LINES = 20

const NEWLINE = 0x0a

/** More lines than are shown, so that a private key that begins before them is recognised. */
const TAIL_LINES = 200
const TAIL_BYTES = 64 * 1024
const MAX_DECLARED_CHARS = 1024 * 1024
/** A line that would be cut to less says too little to be shown. */
const MIN_CUT_CHARS = 60

export async function summarise(options: SummaryOptions): Promise<SummaryResult> {
  return options.declared === null ? fromStdout(options) : fromDeclared(options.declared, options)
}

async function fromDeclared(
  declared: string,
  { maxChars, redactor }: SummaryOptions,
): Promise<SummaryResult> {
  const readChars = Math.max(MAX_DECLARED_CHARS, maxChars * 4)
  const unreadChars = Math.max(0, declared.length - readChars)
  const redacted = await redactor.redact(sanitise(declared.slice(0, readChars)).trimEnd())
  const whole = unreadChars === 0 ? redacted : redacted.slice(0, -redactor.edgeChars)
  const hiddenChars = unreadChars + (redacted.length - whole.length)
  const text = cutText(whole, maxChars, hiddenChars)
  return { text, source: 'declared', isCut: text !== whole }
}

async function fromStdout({ stdout, run, maxChars, redactor }: SummaryOptions): Promise<SummaryResult> {
  const { tail } = stdout
  const sanitised = tail === null ? '' : sanitise(tail.bytes).replace(/\n$/, '')
  const lines = await redactor.redactLines(sanitised.split('\n'))
  if (tail?.startsInsideLine === true) lines[0] = lines[0]?.slice(redactor.edgeChars) ?? ''
  const unkeptBytes = Math.max(0, stdout.bytes - stdout.keptBytes)
  const end = lines.length - 1
  // The limit cut the stream inside its last line, perhaps inside a secret.
  if (unkeptBytes > 0 && tail?.bytes.at(-1) !== NEWLINE)
    lines[end] = lines[end]?.slice(0, -redactor.edgeChars) ?? ''
  const last = lines.findLastIndex(line => line.trim() !== '')
  if (last === -1) return { text: '', source: 'none', isCut: false }

  const first = Math.max(0, last + 1 - SUMMARY_LINES)
  const candidates = lines.slice(first, last + 1)
  const isPartialFirst = first === 0 && tail?.startsInsideLine === true
  const hasMoreBefore = first > 0 || (tail?.bytes.length ?? 0) < stdout.keptBytes
  const after =
    unkeptBytes === 0 ? [] : [`… ${count(unkeptBytes, 'byte')} after this not kept (limits.output)`]
  const whole = [...candidates, ...after].join('\n')
  if (!hasMoreBefore && whole.length <= maxChars) {
    return { text: whole, source: 'stdout', isCut: after.length > 0 }
  }

  const before = (shownLines: number): string => {
    const hiddenLines = stdout.lines - (end - last) - shownLines
    // Where the limit cut the stream, nobody counted the lines of what was kept.
    if (unkeptBytes > 0) return `… more before (srecodex output ${run})`
    return hiddenLines > 0 ? `… ${count(hiddenLines, 'line')} before (srecodex output ${run})` : ''
  }
  const notesChars = [before(0), ...after].reduce((chars, note) => chars + note.length + 1, 0)
  const shown = lastThatFit(candidates, maxChars - notesChars, isPartialFirst)
  const isWhole = !hasMoreBefore && shown.length === candidates.length
  const note = isWhole ? '' : before(shown.length)
  const text = [...(note === '' ? [] : [note]), ...shown, ...after].join('\n')
  const bounded = text.length <= maxChars ? text : cutText(candidates.at(-1) ?? '', maxChars)
  return { text: bounded, source: 'stdout', isCut: true }
}

/** The last lines, whole, as many as fit; of the first that does not, what still has room. */
function lastThatFit(lines: readonly string[], maxChars: number, isPartialFirst: boolean): string[] {
  const shown: string[] = []
  let room = maxChars
  for (const [index, line] of [...lines.entries()].toReversed()) {
    const isPartial = index === 0 && isPartialFirst
    if (line.length <= room && !isPartial) {
      shown.unshift(line)
      room -= line.length + 1
      continue
    }
    if (room >= MIN_CUT_CHARS || shown.length === 0) {
      shown.unshift(isPartial ? cutFront(line, Math.max(0, room)) : cutText(line, Math.max(0, room), 0))
    }
    break
  }
  return shown
}

/**
 * Cuts text to `maxChars` characters, the mark that says how much is missing among them. Neither a surrogate
 * pair nor, unless it is huge, a grapheme is split.
 *
 * @param moreChars How many characters are missing already.
 */
export function cutText(text: string, maxChars: number, moreChars = 0): string {
  if (text.length <= maxChars && moreChars === 0) return text
  const longestMark = cutMark(text.length + moreChars)
  if (maxChars <= longestMark.length) return text.slice(0, wholeGraphemes(text, Math.max(0, maxChars)))
  const end = wholeGraphemes(text, Math.min(text.length, maxChars - longestMark.length))
  return `${text.slice(0, end)}${cutMark(text.length - end + moreChars)}`
}

function cutMark(chars: number): string {
  return ` … ${count(chars, 'more character')}`
}

/** Keeps the end: of a line that began before what was read, the beginning is not there to be shown. */
function cutFront(line: string, maxChars: number): string {
  const mark = '… '
  const room = Math.max(0, maxChars - mark.length)
  if (line.length <= room) return `${mark}${line}`
  let start = line.length - room
  if (isLowSurrogate(line.charCodeAt(start))) start++
  return `${mark}${line.slice(start)}`
}

const GRAPHEME_WINDOW = 64

/** The largest place at or before `end` that splits no grapheme. */
function wholeGraphemes(text: string, end: number): number {
  if (end >= text.length) return text.length
  const at = isLowSurrogate(text.charCodeAt(end)) && end > 0 ? end - 1 : end
  if (isAscii(text.charCodeAt(at)) && isAscii(text.charCodeAt(at - 1))) return at
  const from = Math.max(0, at - GRAPHEME_WINDOW)
  const window = text.slice(from, at + GRAPHEME_WINDOW)
  const start = new Intl.Segmenter().segment(window).containing(at - from)?.index ?? at - from
  return start === 0 && from > 0 ? at : from + start
}

function isAscii(code: number): boolean {
  return Number.isNaN(code) || code < 0x80
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}

function count(amount: number, noun: string): string {
  const grouped = String(amount).replace(/\B(?=(?:\d{3})+$)/g, ',')
  return `${grouped} ${noun}${amount === 1 ? '' : 's'}`
}

/**
 * Reads the end of a file: at most `maxLines` lines and `maxBytes` bytes, however large the file.
 *
 * The defaults read more than a summary shows, which redaction needs.
 *
 * @returns null when there is no such file; an empty file gives no bytes.
 */
export async function readTail(
  path: string,
  maxLines: number = TAIL_LINES,
  maxBytes: number = TAIL_BYTES,
): Promise<Tail | null> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  try {
    return await readTailOf(file, maxLines, maxBytes)
  } finally {
    await file.close()
  }
}

async function readTailOf(file: FileHandle, maxLines: number, maxBytes: number): Promise<Tail> {
  const { size } = await file.stat()
  const start = Math.max(0, size - maxBytes)
  // One byte more tells whether the first line is whole.
  const lead = start > 0 ? 1 : 0
  const buffer = Buffer.alloc(size - start + lead)
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start - lead)
  const read = buffer.subarray(0, bytesRead)
  const bytes = read.subarray(lead)
  const isCut = lead === 1 && read[0] !== NEWLINE
  const begin = lastLinesStart(bytes, maxLines)
  if (begin > 0) return { bytes: bytes.subarray(begin), startsInsideLine: false }
  const firstEnd = bytes.indexOf(NEWLINE)
  // A line that is only partly there is dropped unless it is all there is.
  if (isCut && firstEnd !== -1 && firstEnd < bytes.length - 1) {
    return { bytes: bytes.subarray(firstEnd + 1), startsInsideLine: false }
  }
  return { bytes, startsInsideLine: isCut }
}

/** Where the last `maxLines` lines begin; 0 if there are no more than that. */
function lastLinesStart(bytes: Buffer, maxLines: number): number {
  let at = bytes.at(-1) === NEWLINE ? bytes.length - 1 : bytes.length
  for (let line = 0; line < maxLines; line++) {
    if (at === 0) return 0
    at = bytes.lastIndexOf(NEWLINE, at - 1)
    if (at === -1) return 0
  }
  return at + 1
}
