/** Reads what a script sends about items and decisions. Checked by hand: whoever sends it may be hostile. */

import { CallError, type CallParams } from '../../tools/protocol.ts'

const CONTROL = /\p{Cc}/u

/** @throws {CallError} INVALID_PARAMS */
export function parseName(value: unknown, what: string, maxChars: number): string {
  // Code points count, as in Python; there are never more of them than code units.
  if (typeof value === 'string' && value.length > 0 && value.length <= maxChars * 2) {
    const name = value.toWellFormed()
    if (charsOf(name) <= maxChars && !CONTROL.test(name)) return name
  }
  throw invalid(`${what} is a string of 1 to ${maxChars} characters without control characters`)
}

/** Empty where it is absent. @throws {CallError} INVALID_PARAMS */
export function parsePrefix({ prefix = '' }: CallParams, maxChars: number): string {
  return prefix === '' ? '' : parseName(prefix, 'the prefix of an each', maxChars)
}

/** Null where it is absent. @throws {CallError} INVALID_PARAMS */
export function parseWords(value: unknown, what: string, maxChars: number): string | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') throw invalid(`${what} is a string`)
  return value.slice(0, maxChars).toWellFormed()
}

/** @throws {CallError} INVALID_PARAMS */
export function parseVerified({ verified = null }: CallParams): boolean | null {
  if (verified === null || typeof verified === 'boolean') return verified
  throw invalid('verified is true, false or null')
}

/** Null where it is absent. @throws {CallError} INVALID_PARAMS */
export function parseWave({ wave = null }: CallParams): number | null {
  if (wave === null || (Number.isSafeInteger(wave) && (wave as number) >= 1)) return wave as number | null
  throw invalid('wave counts from 1')
}

/** @throws {CallError} INVALID_PARAMS */
export function parseOutcome({ outcome }: CallParams): 'ok' | 'failed' | 'unknown' {
  if (outcome === 'ok' || outcome === 'failed' || outcome === 'unknown') return outcome
  throw invalid('the outcome of an item is "ok", "failed" or "unknown"')
}

/** 0 where it is absent. @throws {CallError} INVALID_PARAMS */
export function parseRetries({ retries = 0 }: CallParams): number {
  if (Number.isSafeInteger(retries) && (retries as number) >= 0) return retries as number
  throw invalid('retries says how many are left')
}

/** Null where it is absent, or null. @throws {CallError} TOO_LARGE */
export function parseValue(value: unknown, maxBytes: number): string | null {
  if (value === undefined || value === null) return null
  const text = JSON.stringify(value)
  const bytes = Buffer.byteLength(text)
  if (bytes <= maxBytes) return text
  throw new CallError(
    'TOO_LARGE',
    `the value has ${bytes} bytes of JSON, and at most ${maxBytes} are recorded`,
    {
      hint: 'write it to an artifact, and record its name',
    },
  )
}

/** @throws {CallError} INVALID_PARAMS | TOO_LARGE */
export function parseArgv({ argv }: CallParams): string[] {
  const isArgv = Array.isArray(argv) && argv.length > 0 && argv.every(word => typeof word === 'string')
  if (!isArgv) throw invalid('argv is an array of strings: the tool and its arguments')
  const words = argv.map(word => word.toWellFormed())
  if (words.reduce((bytes, word) => bytes + Buffer.byteLength(word) + 1, 0) <= MAX_ARGV_BYTES) return words
  throw new CallError('TOO_LARGE', `a fallback has at most ${MAX_ARGV_BYTES} bytes`)
}

const MAX_ARGV_BYTES = 64 * 1024

export function invalid(message: string, hint?: string): CallError {
  return new CallError('INVALID_PARAMS', message, hint === undefined ? {} : { hint })
}

/** For messages. */
export function quoted(key: string): string {
  return JSON.stringify(key.length > 80 ? `${key.slice(0, 80)}…` : key)
}

export function charsOf(text: string): number {
  let chars = 0
  for (const _ of text) chars += 1
  return chars
}
