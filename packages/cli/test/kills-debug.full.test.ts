import { test } from 'vitest'
import { killedJob } from './killed-job.ts'
test.each([1,2,3,4,5,6])('x %i', { timeout: 3_600_000 }, async n => {
  console.log(await killedJob({ seed: 100 + n, items: 60, kills: 14, mutations: 'plan', lost: 0 }))
})
