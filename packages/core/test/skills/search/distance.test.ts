import { expect, test } from 'vitest'
import { distance } from '../../../src/skills/search/distance.ts'

/** [a, b, limit, distance] */
const PAIRS: readonly [string, string, number, number][] = [
  ['kubernetes', 'kubernetes', 2, 0],
  ['kuberntes', 'kubernetes', 2, 1],
  ['alret', 'alert', 2, 1],
  ['budegt', 'budget', 1, 1],
  ['helath', 'heath', 2, 1],
  ['migratoin', 'migrations', 2, 2],
  ['pod', 'node', 2, 2],
  ['abc', 'xyz', 2, 3],
  ['a', 'abcdef', 2, 3],
  ['', '', 1, 0],
  ['', 'a', 1, 1],
]

test.each(PAIRS)('%s to %s within %i', (a, b, limit, slips) => {
  expect(distance(a, b, limit)).toBe(slips)
  expect(distance(b, a, limit)).toBe(slips)
})
