/** An index as a query reads it: numbers decoded, terms looked up by halving. */

import {
  BODY,
  FIELD_BITS,
  IMPACT_BITS,
  FULL_IMPACT,
  compare,
  rarity,
  type SearchIndex,
} from './build-index.ts'

export interface LoadedIndex {
  readonly skills: number
  readonly words: readonly string[]
  /** The number of a stem, or undefined where no skill has it. */
  termOf(stem: string): number | undefined
  /** What a term tells; the most there is for one that no skill has. */
  rarityOf(term: number | undefined): number
  /** Whether a term stands in the body of one or two skills only, so that it may be a typo itself. */
  hardlyKnows(term: number): boolean
  /** How many skills have a term. */
  commonness(term: number | undefined): number
  hasWord(word: string): boolean
  /** The shortest words that begin with `start`, at most `limit`. */
  wordsFrom(start: string, limit: number): readonly string[]
  postings(term: number): Uint32Array
}

export const skillOf = (posting: number): number => posting >>> (FIELD_BITS + IMPACT_BITS)
export const fieldsOf = (posting: number): number => (posting >>> IMPACT_BITS) & (2 ** FIELD_BITS - 1)
export const impactOf = (posting: number): number => (posting & FULL_IMPACT) / FULL_IMPACT

/** Decoded once; the plain index stays what it was. */
export function load(index: SearchIndex): LoadedIndex {
  const known = loaded.get(index)
  if (known !== undefined) return known
  const result = decode(index)
  loaded.set(index, result)
  return result
}

const loaded = new WeakMap<SearchIndex, LoadedIndex>()

function decode(index: SearchIndex): LoadedIndex {
  const terms = lines(index.terms)
  const words = lines(index.words)
  const starts = new Uint32Array(bytes(index.starts))
  const postings = new Uint32Array(bytes(index.postings))
  const rarities = new Float32Array(bytes(index.rarity))
  const skills = index.ids.length
  const of = (term: number): Uint32Array => postings.subarray(starts[term], starts[term + 1])
  return {
    skills,
    words,
    termOf: stem => find(terms, stem),
    rarityOf: term => (term === undefined ? rarity(skills, 0) : (rarities[term] ?? 0)),
    hardlyKnows: term => of(term).length <= 2 && of(term).every(posting => fieldsOf(posting) === BODY),
    commonness: term => (term === undefined ? 0 : of(term).length),
    hasWord: word => find(words, word) !== undefined,
    wordsFrom: (start, limit) => {
      const from = words.slice(place(words, start), place(words, `${start}\uffff`))
      return from.sort((a, b) => a.length - b.length || compare(a, b)).slice(0, limit)
    },
    postings: of,
  }
}

const lines = (text: string): string[] => (text === '' ? [] : text.split('\n'))

/** A copy: what Buffer decodes to may lie anywhere in a shared pool, and typed arrays want alignment. */
function bytes(base64: string): ArrayBuffer {
  const buffer = Buffer.from(base64, 'base64')
  return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength)
}

/** Where `wanted` stands in sorted lines, or would stand. */
function place(sorted: readonly string[], wanted: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}

function find(sorted: readonly string[], wanted: string): number | undefined {
  const at = place(sorted, wanted)
  return sorted[at] === wanted ? at : undefined
}
