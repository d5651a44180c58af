/** Three jobs of the page that are light: the others, which start more and take longer, are in the long run. */

import { describe, expect, test } from 'vitest'
import { isOneSession, readJob, readJobs, settled } from './jobs-page.ts'
import { expectJob } from './jobs-expect.ts'

const LONG_MS = 120_000

describe('the page of jobs', { timeout: LONG_MS }, () => {
  test.each(['crashes.js', 'errors.sh', 'budgets.py'])('%s does what the page says', async file => {
    await expectJob(readJob(file))
  })

  test('shows each command with what it prints', () => {
    const jobs = readJobs()
    expect(jobs.length).toBeGreaterThanOrEqual(10)
    for (const { file, steps } of jobs) {
      expect(steps.map(({ words }) => words.join(' '))).toEqual(
        steps.length === 1 ? [`run ${file}`] : [`run ${file}`, 'apply last --yes'],
      )
      for (const { printed } of steps) expect(printed).toMatch(/^[✔✘!] \w+ in /m)
    }
  })

  test.each(readJobs())('$file is told from one session', ({ steps }) => {
    const typed = steps.map(({ words, printed }) => ({ command: `srecodex ${words.join(' ')}`, printed }))
    expect(isOneSession(typed)).toBe(true)
  })

  test('an apply that is older than its plan, and a list of runs that were never told, are of two sessions', () => {
    const [older, newer] = ['01M82ADNK8KGKY4MSNBS1R47PQ', '01M82AE45JWSSS9ER94WV3FAH8']
    const run = (id: string) => ({
      command: 'srecodex run a.py',
      printed: `Plan ${id}\nnext: srecodex apply ${id}`,
    })
    const apply = (id: string) => ({ command: 'srecodex apply last --yes', printed: `run ${id}` })
    const list = (...ids: string[]) => ({ command: 'srecodex runs list', printed: ids.join('\n') })
    expect(isOneSession([run(older), apply(newer), list(newer, older)])).toBe(true)
    expect(isOneSession([run(newer), apply(older)])).toBe(false)
    expect(isOneSession([run(older), list(newer)])).toBe(false)
    expect(isOneSession([list(older)])).toBe(false)
  })

  test('what differs from run to run is left out of the comparison, and nothing else', () => {
    const one = `Plan 01M82ADNK8KGKY4MSNBS1R47PQ
  50 changes of at most 500 · good for 15 min
      shop/pod/web-7d9f6c5b8-x2x4z
artifact (3.1 KiB): ~/runs/01M82ADNK8KGKY4MSNBS1R47PQ/a.json
  6 items: 6 ok · 10 calls: 7 reads, 3 changes
  1 line of output (38 B) · ≈7 of ≈10 tokens returned`
    const other = `Plan 01M82AE45JWSSS9ER94WV3FAH8
  50 changes of at most 500 · good for 14 min 59 s
      shop/pod/web-5c4d7f9b2-8kq9v
artifact (912 B): ~/runs/01M82AE45JWSSS9ER94WV3FAH8/a.json
  6 items: 6 ok · 12 calls: 9 reads, 3 changes
  2 lines of output (1.4 KiB) · ≈12 tokens returned`
    expect(settled(one)).toBe(settled(other))
    expect(settled(one)).not.toBe(settled(other.replace('3 changes', '4 changes')))
    expect(settled(one)).not.toBe(settled(other.replace('50 changes', '49 changes')))
    expect(settled(one)).not.toBe(settled(other.replace('shop/pod', 'pay/pod')))
  })
})
