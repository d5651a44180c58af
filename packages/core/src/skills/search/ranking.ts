/**
 * Every constant of the ranking in one place, each with its reason.
 *
 * They were chosen on the tuning half of the judged queries over this repository's skills, and on 180 queries
 * over 2,329 public skills. Most lie on a wide plateau: halving or doubling one moves recall by a point or two.
 */

export const FIELDS = ['id', 'name', 'tags', 'description', 'intent', 'headings', 'body'] as const
export type Field = (typeof FIELDS)[number]

interface Ranking {
  /** How much one occurrence counts. The body at a small share: it finds what nothing else says, and misleads. */
  readonly weights: Readonly<Record<Field, number>>
  /** BM25's b: how far a long field makes an occurrence count less. */
  readonly lengthShare: Readonly<Record<Field, number>>
  /** BM25's k1. Higher than the usual 1.2: a word in name, tags and description tells more than one in a body. */
  readonly saturation: number
  /** How much a skill that has a word in its body alone counts towards the word being common. */
  readonly mentionShare: number
  /** Score × (share of the query's rarity that the skill covers) to this power. */
  readonly coveragePower: number
  /** How far a word in the body alone covers what was asked. */
  readonly bodyCovers: number
  /** What "show", "new" and the like count in a query. */
  readonly weak: number
  readonly abbreviation: number
  readonly synonym: number
  readonly symptom: number
  /** A word with one slip, and one with two. */
  readonly repaired: number
  readonly repairedTwice: number
  /** A word that is the beginning of a known one. */
  readonly prefix: number
  /** Two words as one, one as two. */
  readonly joined: number
  /** A hit scores at least `fitLeast + fitGrowth × log10(skills)`: the best of many chance hits is higher. */
  readonly fitLeast: number
  readonly fitGrowth: number
}

export const RANKING: Ranking = {
  weights: { id: 1, name: 4, tags: 2, description: 2, intent: 3, headings: 1, body: 0.2 },
  lengthShare: { id: 0.3, name: 0.3, tags: 0.3, description: 0.5, intent: 0.5, headings: 0.7, body: 0.6 },
  saturation: 2.5,
  mentionShare: 0.2,
  coveragePower: 0.5,
  bodyCovers: 0.5,
  weak: 0.3,
  abbreviation: 0.9,
  synonym: 0.4,
  symptom: 0.6,
  repaired: 0.9,
  repairedTwice: 0.75,
  prefix: 0.5,
  joined: 0.9,
  fitLeast: 0.065,
  fitGrowth: 0.022,
}
