/** 200 random kills of srecodex, of the script, of kubectl: each change reaches the server once, or is told as unknown. */

import { expect, test } from 'vitest'
import { killedJob } from './killed-job.ts'

const KILLS = 200
const SEED = Number(process.env.SRECODEX_SEED ?? 20_261_122)

test(`${KILLS} random kills (SRECODEX_SEED=${SEED})`, { timeout: 3_600_000 }, async () => {
  let [kills, lives, unknown, jobs] = [0, 0, 0, 0]
  for (let seed = SEED; kills < KILLS; seed += 1) {
    // Planning is what takes most of the time, and it is not what is killed here.
    const mutations = jobs % 4 === 0 ? 'plan' : 'allow'
    const lost = jobs % 3 === 2 ? 0.1 : 0
    const job = await killedJob({ seed, items: 100, kills: Math.min(40, KILLS - kills), mutations, lost })
    jobs += 1
    kills += job.kills
    lives += job.lives
    unknown += job.unknown
    console.log(`seed ${seed} (${mutations}, lost ${lost}): ${job.kills} kills in ${job.lives} lives, ${job.unknown} unknown`)
  }
  expect(kills).toBeGreaterThanOrEqual(KILLS)
  expect(lives).toBeGreaterThan(jobs)
})
