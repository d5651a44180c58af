import { expect, test } from 'vitest'
import { killWriter, wrongIn } from './journal-killed.ts'

test('a writer killed at 200 random moments leaves whole lines in order, and all that was committed', async () => {
  let acknowledged = 0
  for (let round = 0; round < 200; round += 1) {
    const leftover = await killWriter(Math.random() * 200)
    expect(wrongIn(leftover)).toEqual([])
    acknowledged += leftover.acknowledged.length
  }
  expect(acknowledged).toBeGreaterThan(10_000)
})
