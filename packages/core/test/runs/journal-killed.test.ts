import { expect, test } from 'vitest'
import { killWriter, wrongIn } from './journal-killed.ts'

test(
  'a writer killed at 20 random moments leaves whole lines in order, and all that was committed',
  { timeout: 120_000 },
  async () => {
    let acknowledged = 0
    for (let round = 0; round < 20; round += 1) {
      const leftover = await killWriter(Math.random() * 30)
      expect(wrongIn(leftover)).toEqual([])
      expect(leftover.acknowledged.length).toBeGreaterThan(0)
      acknowledged += leftover.acknowledged.length
    }
    expect(acknowledged).toBeGreaterThan(100)
  },
)

test('the check itself sees a lost line and a wrong order', () => {
  const isTorn = false
  expect(wrongIn({ acknowledged: ['c1 started', 'c1 ended'], found: ['c1 started'], isTorn })).toEqual([
    'lost: c1 ended',
  ])
  expect(wrongIn({ acknowledged: [], found: ['c1 ended', 'c1 started'], isTorn })).toEqual([
    'before its call: c1 ended',
  ])
})
