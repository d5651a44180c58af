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

import { BODY, FIELD_BIT, compare, type SearchIndex } from './build-index.ts'
import { fieldsOf, impactOf, load, skillOf, type LoadedIndex } from './loaded-index.ts'
import { readQuery, type Reading, type Slot } from './query.ts'
import { FIELDS, RANKING } from './ranking.ts'

export { buildIndex, type SearchableSkill, type SearchIndex } from './build-index.ts'

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
  const fit = RANKING.fitLeast + RANKING.fitGrowth * Math.log10(Math.max(1, loaded.skills))
  return [...scores]
    .map(([skill, score]) => ({ skill, score: Math.round(score * 1e4) / 1e4 }))
    .filter(({ score }) => score >= fit)
    .sort((a, b) => b.score - a.score || compare(index.ids[a.skill]!, index.ids[b.skill]!))
    .slice(0, Math.max(0, limit))
    .map(({ skill, score }) => ({
      id: index.ids[skill]!,
      name: index.names[skill]!,
      score,
      why: explain(skill, slots, loaded),
    }))
}

/** A number a skill, and which of them are not zero. */
class Tally {
  readonly values: Float64Array
  readonly touched: number[] = []

  constructor(skills: number) {
    this.values = new Float64Array(skills)
  }

  add(skill: number, value: number): void {
    if (this.values[skill] === 0) this.touched.push(skill)
    this.values[skill]! += value
  }

  raise(skill: number, value: number): void {
    if (this.values[skill] === 0) this.touched.push(skill)
    if (value > this.values[skill]!) this.values[skill] = value
  }

  /** Calls `visit` with all that is not zero, and begins anew. */
  drain(visit: (skill: number, value: number) => void): void {
    for (const skill of this.touched) {
      visit(skill, this.values[skill]!)
      this.values[skill] = 0
    }
    this.touched.length = 0
  }
}

/**
 * Score by skill: what share of what was asked (the sum of the slots' mass) the skill says, times what share of
 * it the skill covers at all. A slot counts by its best reading; a reading of several words wants all of them.
 */
function rank(slots: readonly Slot[], index: LoadedIndex): Map<number, number> {
  const total = new Tally(index.skills)
  const covered = new Tally(index.skills)
  const [best, bestCover] = [new Tally(index.skills), new Tally(index.skills)]
  const [said, cover, words] = [new Tally(index.skills), new Tally(index.skills), new Tally(index.skills)]
  for (const slot of slots) {
    for (const reading of slot.readings) {
      for (const term of reading.terms) {
        const share = shareOf(reading, slot, index.rarityOf(term))
        for (const posting of index.postings(term)) {
          const skill = skillOf(posting)
          said.add(skill, share * impactOf(posting))
          cover.add(skill, fieldsOf(posting) === BODY ? RANKING.bodyCovers : 1)
          words.add(skill, 1)
        }
      }
      const whole = (skill: number): boolean => words.values[skill]! >= reading.length
      // Another word covers what was asked better than its low weight says.
      const coverage = reading.weight ** 0.5 / reading.length
      said.drain((skill, value) => whole(skill) && best.raise(skill, value))
      cover.drain((skill, value) => whole(skill) && bestCover.raise(skill, value * coverage))
      words.drain(() => {})
    }
    best.drain((skill, value) => total.add(skill, value))
    bestCover.drain((skill, value) => covered.add(skill, value * slot.mass))
  }
  const asked = slots.reduce((sum, { mass }) => sum + mass, 0)
  const scores = new Map<number, number>()
  total.drain((skill, value) => {
    scores.set(skill, (value / asked) * (covered.values[skill]! / asked) ** RANKING.coveragePower)
  })
  return scores
}

/** Another word for a common one is not worth more than it, nor a common one for a rare. */
const shareOf = (reading: Reading, slot: Slot, rarity: number): number =>
  (reading.weight * Math.min(slot.mass, rarity)) / reading.length

function explain(skill: number, slots: readonly Slot[], index: LoadedIndex): string[] {
  const lines = slots.map(slot => {
    let best = { form: '', fields: 0, value: 0 }
    for (const reading of slot.readings) {
      let fields = 0
      let value = 0
      let found = 0
      for (const term of reading.terms) {
        const posting = postingOf(index.postings(term), skill)
        if (posting === undefined) continue
        found += 1
        fields |= fieldsOf(posting)
        value += shareOf(reading, slot, index.rarityOf(term)) * impactOf(posting)
      }
      if (found >= reading.length && value > best.value) best = { form: reading.form, fields, value }
    }
    if (best.value === 0) return
    const where = SHOWN_FIELDS.filter(field => best.fields & FIELD_BIT[field])
    return `${slot.word}${best.form === slot.word ? '' : ` as ${best.form}`} in ${where.join(', ')}`
  })
  return lines.filter(line => line !== undefined)
}

/** Headings are part of the body. */
const SHOWN_FIELDS = FIELDS.filter(field => field !== 'headings')

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
