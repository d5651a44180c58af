/** The arithmetic of rounds: what is counted, in which order, and what is compared with what. */

import { expect, test } from 'vitest'
import { overRounds, quantile, ratioOf, timeRounds, timeWays, type Timing } from '../src/rounds.ts'

test.for<[share: number, values: readonly number[], expected: number]>([
  [0.5, [7], 7],
  [0.5, [3, 1, 2], 2],
  [0.5, [4, 1, 2, 3], 2.5],
  [0.25, [5, 1, 4, 2, 3], 2],
  [0.75, [10, 0], 7.5],
  [0, [3, 1, 2], 1],
  [1, [3, 1, 2], 3],
])('the share %d of %j is %d', ([share, values, expected]) => {
  expect(quantile(values, share)).toBe(expected)
  expect(quantile(values.toReversed(), share)).toBe(expected)
})

test('each round does every way once, in an order that shifts; warm-up rounds are not counted', async () => {
  const done: string[] = []
  const said: string[] = []
  const ways = ['a', 'b', 'c'].map(name => ({
    name,
    before: () => void done.push(`before ${name}`),
    once: () => Promise.resolve(void done.push(name)),
  }))
  const timings = await timeWays(ways, {
    ...{ rounds: 2, warmUpRounds: 1 },
    onRound: (round, total) => said.push(`${round}/${total}`),
  })
  const rounds = ['a', 'b', 'c', 'b', 'c', 'a', 'c', 'a', 'b']
  expect(done).toEqual(rounds.flatMap(name => [`before ${name}`, name]))
  expect(said).toEqual(['1/3', '2/3', '3/3'])
  expect(timings.map(({ name, samplesMs }) => [name, samplesMs.length])).toEqual([
    ['a', 2],
    ['b', 2],
    ['c', 2],
  ])
})

test('what is done before is not timed, what is done once is', async () => {
  const busy = (ms: number): void => {
    for (const end = performance.now() + ms; performance.now() < end;);
  }
  const way = { name: 'a', before: () => busy(200), once: () => Promise.resolve(busy(20)) }
  const [timing] = await timeWays([way], { rounds: 1, warmUpRounds: 0 })
  expect(timing!.medianMs).toBeGreaterThanOrEqual(20)
  expect(timing!.medianMs).toBeLessThan(200)
})

test('rounds that tell their own times: median and middle half by name, the warm-up left out', async () => {
  const told = [1000, 1, 3, 2, 5, 4]
  const timings = await timeRounds({ rounds: 5, warmUpRounds: 1 }, round =>
    Promise.resolve([
      ['one', told[round]!],
      ['ten', told[round]! * 10],
    ]),
  )
  expect(timings).toEqual([
    { name: 'one', medianMs: 3, quartilesMs: [2, 4], samplesMs: [1, 3, 2, 5, 4] },
    { name: 'ten', medianMs: 30, quartilesMs: [20, 40], samplesMs: [10, 30, 20, 50, 40] },
  ])
})

test('two ways are compared within each round, not by their medians', () => {
  const timing = (name: string, samplesMs: readonly number[]): Timing => {
    return { name, medianMs: quantile(samplesMs, 0.5), quartilesMs: [0, 0], samplesMs }
  }
  // The second round was disturbed, for both alike; the third for one of them.
  const timings = [timing('ours', [20, 220, 900]), timing('theirs', [10, 110, 100])]
  expect(ratioOf(timings, 'ours', 'theirs')).toBe(2)
  expect(overRounds(timings, 'ours', 'theirs', (ours, theirs) => ours - theirs)).toBe(110)
})
