/**
 * Writes the log of one day: several formats in one file, stack traces, and 1 to 2% true errors among lines
 * that only mention the word.
 *
 * The same seed and size give the same bytes on every machine: no clock, no locale, no `Math.random`.
 * Lines are rendered once into pools; writing one copies its bytes and patches the time and the ids, so that
 * a gigabyte costs seconds and the memory stays flat.
 */
import { open } from 'node:fs/promises'
import { calmTemplates, DAY, errorKinds, WORDS } from './log-lines.ts'
import type { ErrorKind } from './log-lines.ts'
import { Random } from './random.ts'

export interface WriteLogOptions {
  readonly path: string
  /** The exact size of the file; at least `MIN_LOG_BYTES`. */
  readonly bytes: number
  readonly seed: number
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void
  readonly signal?: AbortSignal
}

export interface WriteLogResult {
  readonly bytes: number
  readonly lines: number
  /** Lines that contain "error" in any case: what a plain search for the word would count. */
  readonly mentions: number
  /** The truth: how many errors of each type were written, the most frequent type first. */
  readonly errors: Readonly<Record<string, number>>
}

export const MIN_LOG_BYTES = 64 * 1024

/** @throws {RangeError} when the size or the seed is no integer in range. */
export async function writeLog(options: WriteLogOptions): Promise<WriteLogResult> {
  const { path, bytes, seed, onProgress, signal } = options
  if (!Number.isSafeInteger(bytes) || bytes < MIN_LOG_BYTES) {
    throw new RangeError(`a log has at least ${MIN_LOG_BYTES} bytes, not ${bytes}`)
  }
  if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed is an integer, not ${seed}`)
  const composition = composeLog(bytes, seed)
  const file = await open(path, 'w')
  try {
    // While one buffer is on its way to the disk the next is being filled.
    let [filling, leaving] = [Buffer.alloc(BUFFER_BYTES), Buffer.alloc(BUFFER_BYTES)]
    let written = Promise.resolve()
    for (let done = 0; done < bytes; [filling, leaving] = [leaving, filling]) {
      const filled = composition.fill(filling)
      await written
      signal?.throwIfAborted()
      written = file.writeFile(filling.subarray(0, filled))
      done += filled
      onProgress?.(done, bytes)
    }
    await written
  } finally {
    await file.close()
  }
  return composition.result()
}

/** A record ready to be copied: its bytes, and where the time and the ids go. */
interface Rendered {
  readonly bytes: Uint8Array
  /** Triples: slot kind, offset, length. */
  readonly slots: Int32Array
  readonly lines: number
  readonly mentions: number
}

/** A stretch of the day: how likely an error is, and which. */
interface Stretch {
  /** Of 2^32. */
  readonly errorOdds: number
  /** Running totals of the weights of the kinds. */
  readonly cumulative: Float64Array
}

const BUFFER_BYTES = 4 * 1024 * 1024
const ERROR_SHARE = 0.015
const VARIANTS = 24
const STRETCHES = 200
const DAY_MS = 24 * 60 * 60 * 1000

const TIME = 0
const HEX = 1
const DIGITS = 2

function composeLog(totalBytes: number, seed: number) {
  const random = new Random(seed)
  const kinds = errorKinds()
  const calm = calmTemplates().flatMap(template => renderVariants(template, random))
  const short = calm.filter(record => record.lines === 1)
  const pools = kinds.map(kind => kind.templates.flatMap(template => renderVariants(template, random)))
  const stretches = planDay(kinds)
  const longestBytes = Math.max(...[calm, ...pools].flat().map(record => record.bytes.length))
  const counts = new Float64Array(kinds.length)
  const clock = new Clock()
  let offset = 0
  let lines = 0
  let mentions = 0

  /** Fills the buffer with whole records, and the last one of the log with its closing line. */
  function fill(buffer: Buffer): number {
    let position = 0
    while (position + longestBytes <= buffer.length) {
      const left = totalBytes - offset
      let record: Rendered
      if (left > 2 * longestBytes) {
        const stretch = stretches[Math.floor((offset / totalBytes) * STRETCHES)]!
        if (random.bits() >>> 0 < stretch.errorOdds) {
          const kind = pickKind(stretch.cumulative, random)
          counts[kind]! += 1
          record = random.pick(pools[kind]!)
        } else {
          record = random.pick(calm)
        }
      } else {
        // Near the end only short lines, so that the closing one stays short too.
        record = random.pick(short)
        if (left - record.bytes.length < CLOSING_LINE.length) {
          position += buffer.write(closingLine(left), position, 'latin1')
          offset += left
          lines += 1
          return position
        }
      }
      buffer.set(record.bytes, position)
      clock.set(Math.floor((offset / totalBytes) * DAY_MS))
      patch(buffer, position, record.slots, clock, random)
      position += record.bytes.length
      offset += record.bytes.length
      lines += record.lines
      mentions += record.mentions
    }
    return position
  }

  function result(): WriteLogResult {
    const entries = kinds.map((kind, index): [string, number] => [kind.type, counts[index]!])
    const seen = entries.filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1])
    return { bytes: offset, lines, mentions, errors: Object.fromEntries(seen) }
  }

  return { fill, result }
}

const CLOSING_LINE = `${DAY}T23:59:59.999Z INFO  [log-shipper] end of day, the file is rotated \n`

function closingLine(length: number): string {
  return `${CLOSING_LINE.slice(0, -1).padEnd(length - 1, '.')}\n`
}

/** Zipf over the kinds; what happens in a part of the day only, happens more often then. */
function planDay(kinds: readonly ErrorKind[]): Stretch[] {
  const stretches = Array.from({ length: STRETCHES }, (_, index) => {
    const middle = (index + 0.5) / STRETCHES
    const cumulative = new Float64Array(kinds.length)
    let total = 0
    for (const [rank, kind] of kinds.entries()) {
      if (kind.from <= middle && middle < kind.to) total += 1 / ((rank + 1) * (kind.to - kind.from))
      cumulative[rank] = total
    }
    return { total, cumulative }
  })
  const mean = stretches.reduce((sum, stretch) => sum + stretch.total, 0) / STRETCHES
  return stretches.map(({ total, cumulative }) => ({
    errorOdds: Math.floor(((ERROR_SHARE * total) / mean) * 0x1_0000_0000),
    cumulative,
  }))
}

function pickKind(cumulative: Float64Array, random: Random): number {
  const last = cumulative.length - 1
  const point = ((random.bits() >>> 0) / 0x1_0000_0000) * cumulative[last]!
  let kind = 0
  while (kind < last && cumulative[kind]! <= point) kind += 1
  return kind
}

function renderVariants(template: string, random: Random): Rendered[] {
  return Array.from({ length: VARIANTS }, () => render(template, random))
}

function render(template: string, random: Random): Rendered {
  let text = template
  // Twice: a word such as {route} holds placeholders of its own.
  for (let pass = 0; pass < 2; pass += 1) {
    text = text.replace(/\{([a-z]+)\}/g, (whole, word: string) => renderWord(word, random) ?? whole)
  }
  const slots: number[] = []
  let bytes = ''
  let end = 0
  for (const match of text.matchAll(/\{(?:(ts)|([xd])(\d+))\}/g)) {
    bytes += text.slice(end, match.index)
    end = match.index + match[0].length
    if (match[1] !== undefined) {
      slots.push(TIME, bytes.length + `${DAY}T`.length, 'hh:mm:ss.mmm'.length)
      bytes += `${DAY}T00:00:00.000Z`
    } else {
      const length = Number(match[3])
      slots.push(match[2] === 'x' ? HEX : DIGITS, bytes.length, length)
      bytes += '0'.repeat(length)
    }
  }
  bytes += `${text.slice(end)}\n`
  return {
    bytes: Buffer.from(bytes, 'latin1'),
    slots: Int32Array.from(slots),
    lines: bytes.split('\n').length - 1,
    mentions: bytes.split('\n').filter(line => /error/i.test(line)).length,
  }
}

function renderWord(word: string, random: Random): string | undefined {
  switch (word) {
    case 'ip':
      return `10.${random.below(256)}.${random.below(256)}.${random.below(254) + 1}`
    case 'port':
      return String(random.pick([5432, 6379, 8080, 9092, 11_211]))
    case 'line':
      return String(random.below(400) + 12)
    case 'ms':
      // Most are quick, a few take seconds.
      return String(Math.floor(4 ** (random.below(700) / 100)) + 1)
    default: {
      const choices = WORDS[word]
      return choices && random.pick(choices)
    }
  }
}

/** The time of day as the bytes `hh:mm:ss.mmm`; only what changed since the last call is written anew. */
class Clock {
  readonly bytes = Buffer.from('00:00:00.000', 'latin1')
  #second = 0

  set(timeMs: number): void {
    const second = Math.floor(timeMs / 1000)
    const ms = timeMs - second * 1000
    if (second !== this.#second) {
      this.#second = second
      this.#pair(0, Math.floor(second / 3600))
      this.#pair(3, Math.floor(second / 60) % 60)
      this.#pair(6, second % 60)
    }
    this.bytes[9] = ZERO + Math.floor(ms / 100)
    this.#pair(10, ms % 100)
  }

  #pair(at: number, value: number): void {
    this.bytes[at] = ZERO + Math.floor(value / 10)
    this.bytes[at + 1] = ZERO + (value % 10)
  }
}

const ZERO = 48
const HEX_DIGITS = Buffer.from('0123456789abcdef', 'latin1')

function patch(buffer: Buffer, start: number, slots: Int32Array, clock: Clock, random: Random): void {
  for (let slot = 0; slot < slots.length; slot += 3) {
    const kind = slots[slot]
    const from = start + slots[slot + 1]!
    const length = slots[slot + 2]!
    if (kind === TIME) {
      for (let index = 0; index < length; index += 1) buffer[from + index] = clock.bytes[index]!
    } else {
      let bits = 0
      for (let index = 0; index < length; index += 1) {
        // One draw serves eight digits.
        bits = index % 8 === 0 ? random.bits() : bits >>> 4
        if (kind === HEX) buffer[from + index] = HEX_DIGITS[bits & 15]!
        else
          buffer[from + index] = ZERO + (index === 0 ? 1 + (((bits & 15) * 9) >> 4) : ((bits & 15) * 10) >> 4)
      }
    }
  }
}
