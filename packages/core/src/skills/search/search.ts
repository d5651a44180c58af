/**
 * Finds the skills that answer a query, and says when none does.
 *
 * The method is BM25F: Robertson, Zaragoza and Taylor, "Simple BM25 Extension to Multiple Weighted Fields",
 * CIKM 2004, with the length norm of each field as in Zaragoza et al., TREC-13. To it come: a coverage factor
 * (the share of what the query asks that a skill covers), the repair of typos, and the trade's synonyms,
 * abbreviations and symptoms at low weight. Constants: `ranking.ts`. Words: `data/`.
 *
 * Pure: the same index and query give the same hits in the same order.
 */

import { BODY, compare, type SearchIndex } from './build-index.ts'
import { fieldsOf, impactOf, load, skillOf, type LoadedIndex } from './loaded-index.ts'
import { readQuery, type Reading, type Slot } from './query.ts'
import { FIELDS, RANKING } from './ranking.ts'

export { buildIndex, INDEX_VERSION, type SearchableSkill, type SearchIndex } from './build-index.ts'

export interface SearchOptions {
  /** @default 10 */
  readonly limit?: number
}

export interface SearchHit {
  readonly id: string
  readonly name: string
  /** From 0 to 1, comparable across queries: what share of what was asked the skill says, and how prominently. */
  readonly score: number
  /** Which words matched where, in the order of the query. */
  readonly why: readonly string[]
}

/** Best first; of equals, the lower id first. Empty where nothing fits. */
export function search(index: SearchIndex, query: string, { limit = 10 }: SearchOptions = {}): SearchHit[] {
  const loaded = load(index)
  const slots = readQuery(query, loaded)
  const scores = rank(slots, loaded)
  return [...scores.keys()]
    .filter(skill => scores[skill]! > 0 && scores[skill]! >= RANKING.fit)
    .sort((a, b) => scores[b]! - scores[a]! || compare(index.ids[a]!, index.ids[b]!))
    .slice(0, limit)
    .map(skill => ({
      id: index.ids[skill]!,
      name: index.names[skill]!,
      score: Math.round(scores[skill]! * 1e4) / 1e4,
      why: explain(skill, slots, loaded),
    }))
}

function rank(slots: readonly Slot[], index: LoadedIndex): Float64Array {
  const scores = new Float64Array(index.skills)
  const covered = new Float64Array(index.skills)
  const asked = slots.reduce((sum, { mass }) => sum + mass, 0)
  if (asked === 0) return scores
  for (const slot of slots) {
    const best = new Float64Array(index.skills)
    const coverage = new Float64Array(index.skills)
    for (const reading of slot.readings) {
      const said = new Float64Array(index.skills)
      const has = new Float64Array(index.skills)
      for (const term of reading.terms) {
        const share = (reading.weight * Math.min(slot.mass, index.rarityOf(term))) / reading.length
        for (const posting of index.postings(term)) {
          const skill = skillOf(posting)
          said[skill]! += share * impactOf(posting)
          has[skill]! += (fieldsOf(posting) === BODY ? RANKING.bodyCovers : 1) / reading.length
        }
      }
      for (let skill = 0; skill < index.skills; skill++) {
        if (said[skill]! > best[skill]!) best[skill] = said[skill]!
        const c = has[skill]! * Math.min(1, reading.weight)
        if (c > coverage[skill]!) coverage[skill] = c
      }
    }
    for (let skill = 0; skill < index.skills; skill++) {
      scores[skill]! += best[skill]!
      covered[skill]! += slot.mass * coverage[skill]!
    }
  }
  for (let skill = 0; skill < index.skills; skill++) {
    scores[skill]! *= (covered[skill]! / asked) ** RANKING.coveragePower / asked
  }
  return scores
}

function explain(skill: number, slots: readonly Slot[], index: LoadedIndex): string[] {
  const result: string[] = []
  for (const slot of slots) {
    let best: { reading: Reading; fields: number; value: number } | undefined
    for (const reading of slot.readings) {
      let fields = 0
      let value = 0
      for (const term of reading.terms) {
        const posting = postingOf(index.postings(term), skill)
        if (posting === undefined) continue
        fields |= fieldsOf(posting)
        value += (reading.weight * Math.min(slot.mass, index.rarityOf(term)) * impactOf(posting)) / reading.length
      }
      if (value > (best?.value ?? 0)) best = { reading, fields, value }
    }
    if (best === undefined) continue
    const { form } = best.reading
    const fields = FIELDS.filter((field, at) => field !== 'headings' && best.fields & (1 << Math.min(at, 5)))
    result.push(`${slot.word}${form === slot.word ? '' : ` as ${form}`} in ${fields.join(', ')}`)
  }
  return [...new Set(result)]
}

function postingOf(postings: Uint32Array, skill: number): number | undefined {
  let low = 0
  let high = postings.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (skillOf(postings[middle]!) < skill) low = middle + 1
    else high = middle
  }
  const posting = postings[low]
  return posting !== undefined && skillOf(posting) === skill ? posting : undefined
}
