/**
 * What a query asks for: one slot a word that carries meaning, each with the ways in which a skill may say it.
 *
 * A slot is filled by the word itself, by what a typo meant, by two words run together or apart, and, at lower
 * weight, by what the trade calls it.
 */

import { distance } from './distance.ts'
import { ORDINARY_WORDS, WEAK_WORDS } from './data/common-words.ts'
import type { LoadedIndex } from './loaded-index.ts'
import { RANKING } from './ranking.ts'
import { thesaurus, type Phrase, type Thesaurus } from './thesaurus.ts'
import { chunks, isStopWord, stem } from './tokens.ts'

/** One way to say a word of the query. */
export interface Reading {
  /** As people write it; the query's own word where it is that. */
  readonly form: string
  /** Terms of the index that say it together. */
  readonly terms: readonly number[]
  /** Of how many words it consists, also of those that no skill has. */
  readonly length: number
  /** 1 for the word itself. */
  readonly weight: number
}

export interface Slot {
  readonly word: string
  /** What the word tells about the wanted skill. */
  readonly mass: number
  readonly readings: readonly Reading[]
}

/** What a person types is shorter; the rest of a longer text says nothing new, and costs. */
const MAX_QUERY_CHARS = 4096
const MAX_WORDS = 200
const MAX_SLOTS = 32
/** From here on two slips: shorter words have too many neighbours. */
const LONG_WORD_CHARS = 9

const WEAK = new Set(WEAK_WORDS)
const ORDINARY = new Set([...ORDINARY_WORDS, ...WEAK_WORDS])

export function readQuery(query: string, index: LoadedIndex): Slot[] {
  const words = readWords(query)
  const known = thesaurus()
  const drafts = new Map<string, Draft>()
  const at: (Draft | undefined)[] = words.map(({ word }) => {
    if (isStopWord(word)) return
    const draft = drafts.get(word)
    if (draft !== undefined) return draft
    if (drafts.size === MAX_SLOTS) return
    const fresh = draftOf(word, index, known)
    drafts.set(word, fresh)
    return fresh
  })
  addWholes(words, at, index)
  addPhrases(words, at, index, known, said => {
    const draft = drafts.get(said) ?? { word: said, stem: said, mass: 0, readings: [] }
    drafts.set(said, draft)
    return draft
  })
  return (
    [...drafts.values()]
      // With a digit, and in no skill: the name of a pod, a version, an address. It asks for no skill.
      .filter(({ word, readings }) => readings.length > 0 || !/\d/u.test(word))
      .map(draft => ({ word: draft.word, mass: massOf(draft, index), readings: draft.readings }))
  )
}

/** A word that no skill has, but the trade knows, asks for no more than what it stands for. */
function massOf({ mass, readings }: Draft, index: LoadedIndex): number {
  if (readings.length === 0 || readings.some(({ weight }) => weight === 1)) return mass
  const most = Math.max(...readings.flatMap(({ terms }) => terms.map(term => index.rarityOf(term))))
  return mass === 0 ? most : Math.min(mass, most)
}

interface QueryWord {
  readonly word: string
  /** The compound it was part of, as one word. */
  readonly whole: string | null
}

interface Draft {
  readonly word: string
  /** Its own stem, or that of what it was a typo of. */
  readonly stem: string
  readonly mass: number
  readonly readings: Reading[]
}

function readWords(query: string): QueryWord[] {
  const result: QueryWord[] = []
  for (const { words, whole } of chunks(query.slice(0, MAX_QUERY_CHARS))) {
    for (const word of words) result.push({ word, whole })
    if (result.length >= MAX_WORDS) break
  }
  return result.slice(0, MAX_WORDS)
}

function draftOf(word: string, index: LoadedIndex, known: Thesaurus): Draft {
  const own = stem(word)
  const term = index.termOf(own)
  const readings: Reading[] = term === undefined ? [] : [{ form: word, terms: [term], length: 1, weight: 1 }]
  const weight = WEAK.has(word) ? RANKING.weak : 1
  const common = ORDINARY.has(word) || known.words.has(word)
  if (common || (term !== undefined && !index.hardlyKnows(term))) {
    return { word, stem: own, mass: weight * index.rarityOf(term), readings }
  }
  const repaired = repair(word, term, index, known)
  if (repaired !== undefined) {
    const meant = index.termOf(stem(repaired.form))
    if (meant !== undefined) readings.push({ ...repaired, terms: [meant], length: 1 })
    return { word, stem: stem(repaired.form), mass: index.rarityOf(meant), readings }
  }
  readings.push(...(term === undefined ? apart(word, index) : []))
  return { word, stem: own, mass: index.rarityOf(term), readings }
}

/** The known word that a typo is nearest to: fewest slips first, then the more common word. */
function repair(
  word: string,
  term: number | undefined,
  index: LoadedIndex,
  known: Thesaurus,
): { form: string; weight: number } | undefined {
  if (word.length < 4 || !/^\p{L}+$/u.test(word)) return
  const limit = word.length < LONG_WORD_CHARS ? 1 : 2
  let best: { form: string; slips: number; commonness: number } | undefined
  const consider = (form: string): void => {
    if (Math.abs(form.length - word.length) > limit || !startsAlike(form, word)) return
    const slips = distance(word, form, best?.slips ?? limit)
    if (slips === 0 || slips > (best?.slips ?? limit)) return
    const commonness = index.commonness(index.termOf(stem(form)))
    if (term !== undefined && commonness < 4) return
    if (best === undefined || slips < best.slips || commonness > best.commonness)
      best = { form, slips, commonness }
  }
  for (const form of index.words) consider(form)
  for (const form of known.words) consider(form)
  if (best === undefined) return
  return { form: best.form, weight: best.slips === 1 ? RANKING.repaired : RANKING.repairedTwice }
}

/** A first letter is seldom wrong, but may be swapped with the second. */
const startsAlike = (a: string, b: string): boolean => a[0] === b[0] || (a[0] === b[1] && a[1] === b[0])

/** `crashloop` as crash and loop, or as the beginning of crashloopbackoff. */
function apart(word: string, index: LoadedIndex): Reading[] {
  const result: Reading[] = []
  for (let at = 3; at <= word.length - 3; at++) {
    const left = word.slice(0, at)
    const right = word.slice(at)
    if (!index.hasWord(left) || !index.hasWord(right)) continue
    const terms = [index.termOf(stem(left)), index.termOf(stem(right))].filter(term => term !== undefined)
    result.push({ form: `${left} ${right}`, terms, length: 2, weight: RANKING.joined })
  }
  if (word.length < 4) return result
  for (const form of index.wordsFrom(word, 3)) {
    const term = index.termOf(stem(form))
    if (term !== undefined) result.push({ form, terms: [term], length: 1, weight: RANKING.prefix })
  }
  return result
}

/** `roll back` and `roll-back` as rollback. */
function addWholes(
  words: readonly QueryWord[],
  at: readonly (Draft | undefined)[],
  index: LoadedIndex,
): void {
  for (const [place, { word, whole }] of words.entries()) {
    const joined = (form: string, places: readonly number[]): void => {
      const term = index.termOf(stem(form))
      if (term === undefined) return
      for (const one of places)
        at[one]?.readings.push({ form, terms: [term], length: 1, weight: RANKING.joined })
    }
    if (whole !== null) joined(whole, [place])
    const next = words[place + 1]
    if (next !== undefined && word.length > 1 && next.word.length > 1)
      joined(word + next.word, [place, place + 1])
  }
}

function addPhrases(
  words: readonly QueryWord[],
  at: readonly (Draft | undefined)[],
  index: LoadedIndex,
  known: Thesaurus,
  /** For a phrase of stop words alone ("what can you do"), which have no slot. */
  slotOf: (said: string) => Draft,
): void {
  const stems = words.map(({ word }, place) => at[place]?.stem ?? stem(word))
  for (const [place, first] of stems.entries()) {
    for (const phrase of known.phrases.get(first) ?? []) {
      const places = match(phrase, stems, place)
      if (places === undefined) continue
      const slots = new Set(places.map(one => at[one]).filter(draft => draft !== undefined))
      if (slots.size === 0) slots.add(slotOf(places.map(one => words[one]!.word).join(' ')))
      for (const { form, stems: meant, kind } of phrase.suggestions) {
        const terms = meant.map(one => index.termOf(one)).filter(term => term !== undefined)
        if (terms.length === 0) continue
        for (const slot of slots)
          slot.readings.push({ form, terms, length: meant.length, weight: RANKING[kind] / slots.size ** 0.5 })
      }
    }
  }
}

/** Where the words of a phrase stand, or undefined where it does not begin at `start`. */
function match({ stems, gap }: Phrase, words: readonly string[], start: number): number[] | undefined {
  const places = [start]
  for (const wanted of stems.slice(1)) {
    const from = places.at(-1)! + 1
    const found = words.slice(from, from + gap + 1).indexOf(wanted)
    if (found === -1) return
    places.push(from + found)
  }
  return places
}
