import { beforeAll, expect, test } from 'vitest'
import { evaluate, loadCatalogue, miniSearchOnIntent, ours, type Ranker } from './evaluate.ts'
import { FRESH, HELD_OUT, QUERIES, TUNE } from './queries.ts'

const ALL = [...QUERIES, ...FRESH]
let rank: Ranker
let plain: Ranker

beforeAll(() => {
  const skills = loadCatalogue()
  rank = ours(skills)
  plain = miniSearchOnIntent(skills)
})

test('the judged queries are enough, and name skills that are there', () => {
  const known = new Set(loadCatalogue().map(({ id }) => id))
  expect(ALL.length).toBeGreaterThanOrEqual(120)
  expect(ALL.filter(({ fits }) => fits.length === 0).length).toBeGreaterThanOrEqual(25)
  expect(ALL.flatMap(({ fits }) => fits).filter(id => !known.has(id))).toEqual([])
  expect(new Set(ALL.map(({ query }) => query)).size).toBe(ALL.length)
})

test('over all queries: recall at 1 and 3, and no fit told from fit', () => {
  const figures = evaluate(rank, ALL)
  expect(figures.recallAt1).toBeGreaterThanOrEqual(0.85)
  expect(figures.recallAt3).toBeGreaterThanOrEqual(0.95)
  expect(figures.noFitAuc).toBeGreaterThanOrEqual(0.92)
  expect(figures.falseFits).toBeLessThanOrEqual(0.15)
  expect(figures.falseNones).toBeLessThanOrEqual(0.05)
})

test.each([
  ['tuning', TUNE],
  ['held out', HELD_OUT],
  ['fresh', FRESH],
])('no set is carried by the others: %s', (_, queries) => {
  const figures = evaluate(rank, queries)
  expect(figures.recallAt1).toBeGreaterThanOrEqual(0.8)
  expect(figures.recallAt3).toBeGreaterThanOrEqual(0.9)
  expect(figures.noFitAuc).toBeGreaterThanOrEqual(0.92)
})

test('far better than plain MiniSearch on intent only', () => {
  const [mine, theirs] = [evaluate(rank, ALL), evaluate(plain, ALL)]
  expect(mine.recallAt1).toBeGreaterThan(theirs.recallAt1 + 0.25)
  expect(mine.noFitAuc).toBeGreaterThan(theirs.noFitAuc + 0.15)
})
