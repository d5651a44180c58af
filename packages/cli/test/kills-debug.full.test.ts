import { test } from 'vitest'
import { killedJob } from './killed-job.ts'
test('x', { timeout: 3_600_000 }, async () => {
  console.log(await killedJob({ seed: 20261126, items: 100, kills: 37, mutations: 'plan', lost: 0 }))
})
