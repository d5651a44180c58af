/**
 * Builds what `search` reads: one plain value, JSON as it is.
 *
 * Everything that does not depend on the query is worked out here, so that loading is a `JSON.parse` of a few
 * long strings and a query reads only the postings of its own words:
 *  - `terms`: the stems, sorted, one a line; `starts[t]` to `starts[t + 1]` are the postings of term t;
 *  - a posting is one 32-bit number: skill (18 bits), fields in which the word stands (6), impact (8);
 *  - impact is the saturated, field-weighted, length-normalised frequency of BM25F, as a share of 255;
 *  - `words`: what is known well enough to be what a typo meant.
 */

import { ownClauses } from './elsewhere.ts'
import { FIELDS, RANKING, type Field } from './ranking.ts'
import { RunTable } from './run-table.ts'
import { eachRun, isStopWord, plain, stem, takeApart, unitsOf } from './tokens.ts'

export interface SearchableSkill {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly tags: readonly string[]
  readonly intent: string
  readonly body: string
}

/** Plain and JSON-serialisable; numbers are base64 of typed arrays, in the byte order of this machine. */
export interface SearchIndex {
  readonly version: number
  readonly ids: readonly string[]
  readonly names: readonly string[]
  readonly terms: string
  /** Float32 a term: how much a skill that has it stands out. */
  readonly rarity: string
  /** Uint32 a term, and one more. */
  readonly starts: string
  /** Uint32 a posting. */
  readonly postings: string
  readonly words: string
}

/** To be raised with every change to the format, the constants, the stop words or the way words are read. */
export const INDEX_VERSION = 1
/** The rest of a longer text adds little that finds it (measured), and time. */
const MAX_BODY_CHARS = 10_000
/** What 18 bits number. */
export const MAX_SKILLS = 2 ** 18 - 1
export const IMPACT_BITS = 8
export const FIELD_BITS = 6
export const FULL_IMPACT = 2 ** IMPACT_BITS - 1

export function buildIndex(skills: readonly SearchableSkill[]): SearchIndex {
  if (skills.length > MAX_SKILLS) throw new RangeError(`an index holds at most ${MAX_SKILLS} skills`)
  const vocabulary = new Vocabulary()
  const ids = new Set(skills.flatMap(({ id }) => [id.toLowerCase(), lastPart(id)]))
  const texts = skills.map(skill => readFields(skill, vocabulary, ids))
  const order = Array.from(vocabulary.terms.keys()).sort((a, b) =>
    compare(vocabulary.terms[a]!, vocabulary.terms[b]!),
  )
  const { postings, starts, rarities } = weigh(texts, order)
  return {
    version: INDEX_VERSION,
    ids: skills.map(({ id }) => id),
    names: skills.map(({ name }) => name),
    terms: order.map(term => vocabulary.terms[term]).join('\n'),
    rarity: encode(rarities),
    starts: encode(starts),
    postings: encode(postings),
    words: vocabulary.knownWords().join('\n'),
  }
}

/** The terms of one field: which, how often, and how many in all. */
interface FieldTerms {
  readonly terms: readonly number[]
  readonly counts: readonly number[]
  readonly length: number
}

type SkillTerms = Readonly<Record<Field, FieldTerms>>

/** One run of letters, worked out once however often it comes. */
interface KnownRun {
  readonly words: readonly string[]
  readonly terms: readonly number[]
  count: number
  /** Whether it stands in more than a body. */
  named: boolean
}

class Vocabulary {
  readonly terms: string[] = []
  readonly #numbers = new Map<string, number>()
  readonly #table = new RunTable()
  /** By the number of the run in the table. */
  readonly #runs: KnownRun[] = []
  /** All zero between two texts. */
  readonly #counts: number[] = []

  read(text: string, named: boolean): FieldTerms {
    const terms: number[] = []
    let length = 0
    const ready = plain(text)
    const held = this.#counts
    const units = unitsOf(ready)
    eachRun(units, (from, to) => {
      const number = this.#table.numberOf(units, from, to)
      const known = (this.#runs[number] ??= this.#learn(ready.slice(from, to)))
      known.count += 1
      if (named) known.named = true
      for (const term of known.terms) {
        length += 1
        if (held[term] === 0) terms.push(term)
        held[term]! += 1
      }
    })
    const counts = terms.map(term => held[term]!)
    for (const term of terms) held[term] = 0
    return { terms, counts, length }
  }

  /** Words that are well known: in a name, a description or the like, or three times in all. Sorted. */
  knownWords(): string[] {
    const counts = new Map<string, number>()
    for (const { words, count, named } of this.#runs) {
      for (const word of words) counts.set(word, (counts.get(word) ?? 0) + (named ? 3 : count))
    }
    return [...counts]
      .filter(([word, count]) => count > 2 && /^\p{L}{4,}$/u.test(word))
      .map(([word]) => word)
      .sort(compare)
  }

  #learn(run: string): KnownRun {
    const { words, whole } = takeApart(run)
    const indexed = (whole === null ? words : [...words, whole]).filter(word => !isStopWord(word))
    return { words: indexed, terms: indexed.map(word => this.#number(stem(word))), count: 0, named: false }
  }

  #number(term: string): number {
    const known = this.#numbers.get(term)
    if (known !== undefined) return known
    this.#numbers.set(term, this.terms.length)
    this.terms.push(term)
    this.#counts.push(0)
    return this.terms.length - 1
  }
}

const lastPart = (id: string): string => id.slice(id.lastIndexOf('/') + 1).toLowerCase()

function readFields(skill: SearchableSkill, vocabulary: Vocabulary, ids: ReadonlySet<string>): SkillTerms {
  const own = new Set([skill.id.toLowerCase(), lastPart(skill.id)])
  const others = (id: string): boolean => ids.has(id) && !own.has(id)
  const body = skill.body.slice(0, MAX_BODY_CHARS)
  const headings = body.match(/^#{1,6} .*$/gmu) ?? []
  return {
    id: vocabulary.read(skill.id, true),
    name: vocabulary.read(skill.name, true),
    tags: vocabulary.read(skill.tags.join(' , '), true),
    description: vocabulary.read(ownClauses(skill.description, others), true),
    // Where one is absent it is the other: said once.
    intent: vocabulary.read(skill.intent === skill.description ? '' : ownClauses(skill.intent, others), true),
    headings: vocabulary.read(headings.join('\n'), false),
    body: vocabulary.read(body, false),
  }
}

interface Weighed {
  readonly postings: Uint32Array
  readonly starts: Uint32Array
  readonly rarities: Float32Array
}

/**
 * BM25F: each field's count over its length norm, weighted, added up, then saturated once.
 *
 * @param order The terms in the order of the index.
 */
function weigh(texts: readonly SkillTerms[], order: readonly number[]): Weighed {
  const rank = new Uint32Array(order.length)
  for (const [at, term] of order.entries()) rank[term] = at
  const { starts, having } = countSkills(texts, rank)
  const average = averageLengths(texts)
  const postings = new Uint32Array(starts[order.length]!)
  const next = starts.slice(0, -1)
  const frequency = new Float64Array(order.length)
  const fields = new Uint8Array(order.length)

  for (const [skill, text] of texts.entries()) {
    for (const field of FIELDS) {
      const { terms, counts, length } = text[field]
      const share = RANKING.lengthShare[field]
      const each = RANKING.weights[field] / (1 - share + (share * length) / average[field])
      for (let at = 0; at < terms.length; at++) {
        frequency[terms[at]!]! += each * counts[at]!
        fields[terms[at]!]! |= FIELD_BIT[field]
      }
    }
    for (const field of FIELDS) {
      for (const term of text[field].terms) {
        if (fields[term] === 0) continue
        const impact = frequency[term]! / (RANKING.saturation + frequency[term]!)
        const posting = ((skill << FIELD_BITS) | fields[term]!) * 2 ** IMPACT_BITS
        postings[next[rank[term]!]!++] = posting + Math.max(1, Math.round(FULL_IMPACT * impact))
        frequency[term] = 0
        fields[term] = 0
      }
    }
  }
  return { postings, starts, rarities: Float32Array.from(having, df => rarity(texts.length, df)) }
}

/** Where the postings of each term begin, and how many skills have it; one that only mentions it counts less. */
function countSkills(
  texts: readonly SkillTerms[],
  rank: Uint32Array,
): { starts: Uint32Array; having: Float64Array } {
  const starts = new Uint32Array(rank.length + 1)
  const having = new Float64Array(rank.length)
  const last = new Int32Array(rank.length).fill(-1)
  for (const [skill, text] of texts.entries()) {
    for (const field of FIELDS) {
      const share = FIELD_BIT[field] === BODY ? RANKING.mentionShare : 1
      for (const term of text[field].terms) {
        if (last[term] === skill) continue
        last[term] = skill
        having[rank[term]!]! += share
        starts[rank[term]! + 1]! += 1
      }
    }
  }
  for (let at = 0; at < rank.length; at++) starts[at + 1]! += starts[at]!
  return { starts, having }
}

const averageLengths = (texts: readonly SkillTerms[]): Record<Field, number> =>
  Object.fromEntries(
    FIELDS.map(field => {
      const total = texts.reduce((sum, text) => sum + text[field].length, 0)
      return [field, Math.max(1, total / texts.length)]
    }),
  ) as Record<Field, number>

/** Headings are part of the body. */
export const BODY = 1 << 5
export const FIELD_BIT: Readonly<Record<Field, number>> = {
  id: 1,
  name: 1 << 1,
  tags: 1 << 2,
  description: 1 << 3,
  intent: 1 << 4,
  headings: BODY,
  body: BODY,
}

/** Inverse document frequency, never negative. */
export const rarity = (skills: number, having: number): number =>
  Math.log(1 + (skills - having + 0.5) / (having + 0.5))

/** By code unit: the same everywhere, whatever the locale. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const encode = (numbers: Uint32Array | Float32Array): string =>
  Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString('base64')
