/** No run survives its call's client, or the server; what was interrupted can be resumed. */

import { project, type Project } from '@srecodex/testkit'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { connect, REVISIONS } from './mcp-client.ts'

/** Each starts processes, a cluster or several servers. */
const LONG_MS = 120_000

/** Hangs at its second item until somebody mends it. */
const HALF = `import os, time
from srecodex import each, summary
def work(item):
    if item == "b" and not os.path.exists("mended"):
        open("at-b", "w").close()
        time.sleep(60)
    open("done-" + item, "w").close()
    return item
summary(each(["a", "b", "c"], work, key=str, at_once=1).summary())
`
const RUN = { script: HALF, language: 'python' }

function reports({ srecodexHome }: Project): { id: string; report: { status: string } }[] {
  const runs = join(srecodexHome, 'state', 'runs')
  return readdirSync(runs)
    .sort()
    .map(id => JSON.parse(readFileSync(join(runs, id, 'run.json'), 'utf8')))
}

/** Processes whose folder is the workspace or below it: whatever a script has started. */
function alive({ workspace }: Project): string[] {
  return readdirSync('/proc').filter(pid => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(workspace)
    } catch {
      return false
    }
  })
}

async function resumes(place: Project): Promise<void> {
  place.write('mended', '')
  const { call } = await connect(place)
  const [{ id } = { id: '' }] = reports(place)
  const { report } = await call('resume_run', { run: id })
  expect(report).toMatchObject({ status: 'succeeded', parent: id, items: { total: 3, ok: 3 } })
  expect(['done-a', 'done-b', 'done-c'].map(place.exists)).toEqual([true, true, true])
}

describe.for(REVISIONS)('revision %s', { timeout: LONG_MS }, revision => {
  test('a cancelled call ends its run, which can be resumed; the server goes on', async () => {
    const place = project()
    const { call } = await connect(place, { revision })
    const cancel = new AbortController()
    const given = call('run_script', RUN, { signal: cancel.signal })
    await expect.poll(() => place.exists('at-b'), { timeout: 20_000 }).toBe(true)
    cancel.abort()
    await expect(given).rejects.toThrow(/abort/i)
    await expect.poll(() => reports(place)[0]?.report.status, { timeout: 15_000 }).toBe('cancelled')
    expect((await call('run_script', { script: 'summary here', language: 'shell' })).report.summary).toBe(
      'here',
    )
    expect(alive(place)).toEqual([])
  })

  test('giving up a look at a run leaves the run alone', async () => {
    const place = project()
    const { call } = await connect(place, { revision })
    const { report } = await call('run_script', {
      script: 'sleep 4; summary done',
      language: 'shell',
      waitSeconds: 0,
    })
    const cancel = new AbortController()
    const looking = call('run_status', { run: report.run, waitSeconds: 60 }, { signal: cancel.signal })
    setTimeout(() => cancel.abort(), 500)
    await expect(looking).rejects.toThrow(/abort/i)
    const { report: ended } = await call('run_status', { run: report.run, waitSeconds: 60 })
    expect(ended).toMatchObject({ status: 'succeeded', summary: 'done' })
  })
})

test.for([
  ['the client leaves', 'leave'],
  ['SIGTERM', 'SIGTERM'],
  ['SIGKILL', 'SIGKILL'],
] as const)(
  '%s: every run ends, waited for or not, and can be resumed',
  { timeout: LONG_MS },
  async ([, how]) => {
    const place = project()
    const { call, leave, kill } = await connect(place)
    const given = call('run_script', RUN).catch(() => 'gone')
    await expect.poll(() => place.exists('at-b'), { timeout: 20_000 }).toBe(true)
    await call('run_script', { script: 'sleep 60', language: 'shell', waitSeconds: 0 })
    expect(alive(place).length).toBeGreaterThan(0)
    const exitCode = await (how === 'leave' ? leave() : kill(how))
    expect(exitCode).toBe(how === 'SIGKILL' ? null : 0)
    await given
    await expect.poll(() => alive(place), { timeout: 10_000 }).toEqual([])
    // Whoever is killed writes nothing more; the next srecodex sees it.
    const left = how === 'SIGKILL' ? 'running' : 'cancelled'
    expect(reports(place).map(({ report }) => report.status)).toEqual([left, left])
    await resumes(place)
  },
)

test('runs of one server go side by side, each with its own result', { timeout: LONG_MS }, async () => {
  const { call } = await connect(project())
  const meet = (own: string, other: string): string =>
    `touch ${own}; until [ -e ${other} ]; do sleep 0.05; done; summary ${own}`
  const results = await Promise.all([
    call('run_script', { script: meet('left', 'right'), language: 'shell' }),
    call('run_script', { script: meet('right', 'left'), language: 'shell' }),
  ])
  expect(results.map(({ report }) => report.summary)).toEqual(['left', 'right'])
})

test(
  'a server has so many runs at a time, and says so',
  async () => {
    const { call } = await connect(project())
    const start = () => call('run_script', { script: 'sleep 100', language: 'shell', waitSeconds: 0 })
    const answers = await Promise.all(Array.from({ length: 18 }, start))
    const errors = answers.filter(({ isError }) => isError)
    expect(errors.map(({ text }) => text.split('\n')[0])).toEqual([
      'error[LIMIT_EXCEEDED]: 16 runs are going already',
      'error[LIMIT_EXCEEDED]: 16 runs are going already',
    ])
  },
  LONG_MS,
)

test('the script ends when its time is over, and leaves no file of the server’s', async () => {
  const place = project()
  const { call } = await connect(place)
  const { report } = await call('run_script', { script: 'sleep 60', language: 'shell', timeoutSeconds: 1 })
  expect(report).toMatchObject({ status: 'timed-out', error: { code: 'TIMED_OUT' } })
  expect(readdirSync(place.workspace)).toEqual([])
  expect(existsSync(join(place.workspace, '.srecodex'))).toBe(false)
})
