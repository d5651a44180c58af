/**
 * Text as the words that search compares: lower case, taken apart where a writer ran words together, stemmed.
 *
 * `CrashLoopBackOff` gives crash, loop, back, off and the whole; `bulk-restart` gives bulk, restart and the
 * whole; `k8s`, `ec2` and `GitHub` stay whole. Time is linear in the text, whatever it holds.
 */

import { stemmer } from 'stemmer'
import { IRREGULAR_WORDS, STOP_WORDS, UNSTEMMED_WORDS } from './data/common-words.ts'

/** What one run of letters, digits and inner joints says. */
export interface Chunk {
  /** Its words in order, as written but in lower case. */
  readonly words: readonly string[]
  /** All of it as one word, where it has several, or the word without its version; else null. */
  readonly whole: string | null
}

/** Longer words are hashes, base64 and the like. */
const MAX_WORD_CHARS = 32
const MAX_WHOLE_CHARS = 24
const OTHER = 1
const LETTER = 2
/** Joins letters where it stands between two. */
const INNER = 3
/** What each code unit is; 0 where nobody has asked yet. */
const kinds = new Uint8Array(2 ** 16)

/** Most runs; the rest of the rules leave them as they are. */
const SIMPLE = /^[A-Za-z][a-z]{0,31}$/u
const COMPOUND = /^[a-z]{1,32}(?:[-._][a-z]{1,32})+$/u
const JOINT = /[-._]/u
const CAMEL = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu}{3})(?=\p{Lu}\p{Ll}{3})/u
const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u
const HASH = /^(?=[a-f]*\d)[\da-f]{8,}$/u
const LANGUAGES: readonly (readonly [RegExp, string])[] = [
  [/\bc\+\+/giu, 'cpp'],
  [/\bc#/giu, 'csharp'],
  [/\bf#/giu, 'fsharp'],
  [/(?<![\p{L}\p{N}])\.net\b/giu, 'dotnet'],
]

const IRREGULAR = new Map(Object.entries(IRREGULAR_WORDS))
const UNSTEMMED = new Set(UNSTEMMED_WORDS)
const STOP = new Set(STOP_WORDS)

export const isStopWord = (word: string): boolean => STOP.has(word)

/** The form under which a word is indexed. */
export function stem(word: string): string {
  const regular = IRREGULAR.get(word) ?? word
  if (UNSTEMMED.has(regular)) return regular
  if (/^[a-z]+$/u.test(regular)) return stemmer(regular)
  // For words with digits (`500s`) the stemmer has no rule.
  return regular.length > 3 && /\ds$/u.test(regular) ? regular.slice(0, -1) : regular
}

/** A text in its plainest form; what runs are found in. */
export function plain(text: string): string {
  let result = /^[\0-\x7f]*$/u.test(text) ? text : text.normalize('NFKC')
  if (/[#+]|\.n/iu.test(result))
    for (const [pattern, name] of LANGUAGES) result = result.replace(pattern, name)
  return result
}

/** A text by code unit: reading these is several times faster than asking a string for each. */
export function unitsOf(text: string): Uint16Array {
  const bytes = Buffer.from(text, 'utf16le')
  return new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

/**
 * Calls `visit` with where each run of letters, digits and inner joints begins and ends.
 *
 * Letters beyond the basic plane, of which few scripts in use have any, separate words as emoji do.
 */
export function eachRun(units: Uint16Array, visit: (from: number, to: number) => void): void {
  let from = -1
  for (let at = 0; at < units.length; at++) {
    const kind = kindOf(units[at]!)
    if (kind === LETTER) {
      if (from === -1) from = at
    } else if (from !== -1) {
      if (kind === INNER && at + 1 < units.length && kindOf(units[at + 1]!) === LETTER) continue
      visit(from, at)
      from = -1
    }
  }
  if (from !== -1) visit(from, units.length)
}

/** What a text says, in order. A chunk may have no word, where it was only a hash. */
export function chunks(text: string): Chunk[] {
  const ready = plain(text)
  const result: Chunk[] = []
  eachRun(unitsOf(ready), (from, to) => result.push(takeApart(ready.slice(from, to))))
  return result
}

/** The words of one run. */
export function takeApart(raw: string): Chunk {
  if (SIMPLE.test(raw)) return { words: [raw.toLowerCase()], whole: null }
  if (COMPOUND.test(raw)) return compound(raw.split(JOINT))
  const bare = raw.replace(/['’]s$/iu, '').replace(/['’]/gu, '')
  const pieces = bare.split(JOINT).flatMap(camel)
  const lower = pieces.map(piece => fold(piece.toLowerCase()))
  const words = lower.flatMap(piece => (CJK.test(piece) ? pairs(piece) : [piece])).filter(isWord)
  // `python3` is also python.
  const unversioned = words.length === 1 ? /^([a-z]{3,})\d{1,2}$/u.exec(words[0]!)?.[1] : undefined
  return { words, whole: unversioned ?? compound(lower).whole }
}

function compound(words: readonly string[]): Chunk {
  const whole = words.length > 1 && words.length <= 4 ? words.join('') : ''
  return { words, whole: whole.length > 3 && whole.length <= MAX_WHOLE_CHARS && isWord(whole) ? whole : null }
}

/**
 * Two capitals alone make a name (`GitHub`, `JavaScript`, `CloudWatch`), which is not about its parts; more of
 * them, a small first letter, or a run of capitals make words that somebody ran together.
 */
function camel(piece: string): string[] {
  if (piece.length > MAX_WORD_CHARS || !/\p{Lu}/u.test(piece)) return [piece]
  const parts = piece.split(CAMEL)
  const first = parts[0] ?? ''
  const joined = parts.length > 2 || (parts.length === 2 && /^(?:\p{Ll}{3}|\p{Lu}{3})/u.test(first))
  return joined && parts.every(part => part.length > 1) ? parts : [piece]
}

const isWord = (word: string): boolean =>
  word.length > 0 && word.length <= MAX_WORD_CHARS && !HASH.test(word) && !/^\d{7,}$/u.test(word)

/** `café` as `cafe`. */
const fold = (word: string): string =>
  /^[\da-z]*$/u.test(word) ? word : word.normalize('NFD').replace(/\p{M}/gu, '').normalize('NFC')

/** Chinese and Japanese run on without spaces: every two neighbours are a word. */
function pairs(piece: string): string[] {
  const letters = Array.from(piece)
  return letters.length < 2 ? letters : letters.slice(1).map((letter, at) => `${letters[at]}${letter}`)
}

const kindOf = (unit: number): number => kinds[unit]! || classify(unit)

function classify(unit: number): number {
  const letter = String.fromCharCode(unit)
  const kind = /^[\p{L}\p{N}\p{M}]$/u.test(letter) ? LETTER : /^[-._'’]$/u.test(letter) ? INNER : OTHER
  kinds[unit] = kind
  return kind
}
