/**
 * The page of jobs does what it says: each script is taken from the page, run in its world by the commands of the page,
 * and must print what the page shows. SRECODEX_UPDATE_JOBS=1 writes what was printed into the page instead.
 */

import { describe, expect, test } from 'vitest'
import { expectJob } from './jobs-expect.ts'
import { readJobs } from './jobs-page.ts'
import { WORLDS } from './jobs-worlds.ts'

const LONG_MS = 600_000

describe('the page of jobs', { timeout: LONG_MS }, () => {
  test('has the jobs that are known, in three languages', () => {
    const files = readJobs().map(({ file }) => file)
    expect([...files].sort()).toEqual(Object.keys(WORLDS).sort())
    expect(new Set(files.map(file => file.replace(/^.*\./, '')))).toEqual(new Set(['py', 'sh', 'js']))
  })

  test.each(readJobs().map(job => [job.title, job] as const))('%s', async (_title, job) => {
    await expectJob(job)
  })
})
