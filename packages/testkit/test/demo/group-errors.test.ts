import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeLog } from '../../src/demo/log.ts'
import { judge, parseSummary } from '../../src/demo/verdict.ts'

const SCRIPT = fileURLToPath(new URL('../../src/demo/group_errors.py', import.meta.url))
const GUEST = fileURLToPath(new URL('../../../core/src/guest/python', import.meta.url))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'srecodex-group-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** The script by hand, outside any sandbox: the summary goes to stdout, artifacts to the current folder. */
async function group(log: string, spanBytes?: number) {
  const env = { PYTHONPATH: `${GUEST}:${join(SCRIPT, '..')}`, PYTHONDONTWRITEBYTECODE: '1' }
  const program =
    spanBytes === undefined
      ? [SCRIPT]
      : ['-c', `import group_errors\ngroup_errors.SPAN = ${spanBytes}\ngroup_errors.main()`]
  const { stdout, stderr } = await execa('python3', [...program, log], { cwd: folder, env })
  expect(stderr).toBe('')
  const samples = readFileSync(join(folder, 'samples.jsonl'), 'utf8').trimEnd().split('\n')
  return { summary: stdout, samples: samples.filter(Boolean).map(parseSample) }
}

interface Sample {
  readonly type: string
  readonly count: number
  readonly template: string
  readonly samples: readonly { readonly time: string; readonly message: string; readonly trace: string }[]
}

const parseSample = (line: string): Sample => JSON.parse(line)

test('counts in the summary are the truth of 20 MB', async () => {
  const truth = await writeLog({ path: join(folder, 'app.log'), bytes: 20_000_000, seed: 11 })
  const { summary, samples } = await group('app.log')
  expect(judge(parseSummary(summary), truth)).toEqual({ matched: 14, types: 14, differences: [] })
  expect(summary.length).toBeLessThanOrEqual(1200)
  expect(Object.fromEntries(samples.map(({ type, count }) => [type, count]))).toEqual(truth.errors)
  expect(samples.every(sample => sample.samples.length === 3)).toBe(true)
})

test.each([777, 4096, 100_000])(
  'a record that crosses the border of a span of %i bytes counts once',
  async span => {
    const truth = await writeLog({ path: join(folder, 'app.log'), bytes: 500_000, seed: 3 })
    const { summary } = await group('app.log', span)
    expect(judge(parseSummary(summary), truth).differences).toEqual([])
  },
)

test('only the level of the line itself makes an error', async () => {
  writeFileSync(
    join(folder, 'mixed.log'),
    [
      '2026-11-21T03:12:45.123Z ERROR [pay] req=4f2a9c1e77aa0b31 charge 17 failed: dial tcp 10.1.2.3:5432: refused',
      '2026-11-21T03:12:46.123Z INFO  [ship] quoted "2026-11-21T03:12:45.123Z ERROR [pay] charge: refused"',
      '{"ts":"2026-11-21T03:13:00.000Z","level":"info","last":{"level":"error"},"msg":"fine: refused"}',
      '{"ts":"2026-11-21T03:13:01.000Z","last":{"level":"error"},"level":"error","msg":"charge","error":"refused"}',
      '{"ts":"2026-11-21T03:13:01.500Z","level":"error", torn',
      'ts=2026-11-21T03:13:02.000Z level=info msg="rule level=error matched: refused"',
      'ts=2026-11-21T03:13:03.000Z level=error svc=pay msg="charge \\"late\\"" err="dial: refused"',
      '2026-11-21T04:00:00.000Z ERROR [job] run 12 failed',
      'Traceback (most recent call last):',
      '  File "a.py", line 1, in run  # ERROR [job] again',
      'ValueError: 12',
      '',
      'During handling of the above exception, another exception occurred:',
      '',
      'DETAIL: ERROR [job] level=error "level":"error"',
      'app.jobs.Gone: job 12',
      '2026-11-21T04:00:01.000Z WARN  [job] will retry',
      'java.lang.IllegalStateException: ERROR [job] level=error',
      '2026-11-21T04:00:02.000Z ERROR [web] upstream 10.0.0.1:80 answered HTTP 503 after 12ms',
      '2026-11-21T04:00:03.000Z ERROR [web] no colon, no class, 42 times',
      '{"ts":"2026-11-21T04:00:04.000Z","level":"error"}',
    ].join('\n'),
  )
  const { summary } = await group('mixed.log')
  expect(summary).toMatchInlineSnapshot(`
    "mixed.log: 21 lines, 7 errors of 5 types (samples of each: samples.jsonl)

    count  type                           first  last   message
        3  refused                        03:12  03:13  charge <n> failed: dial tcp <ip>
        1  Gone                           04:00  04:00  run <n> failed
        1  HTTP 503                       04:00  04:00  upstream <ip> answered … after <time>
        1  no colon, no class, <n> times  04:00  04:00  …
        1  no message                     04:00  04:00"
  `)
})

test('in a summary of many types messages give way first, then rows, and it says how many', async () => {
  const letters = Array.from({ length: 60 }, (_, index) =>
    String.fromCodePoint(65 + (index % 26)).repeat(2 + index / 26),
  )
  const lines = letters.map(
    name => `2026-11-21T03:12:45.123Z ERROR [job] it failed in a way that takes many words: ${name} is gone`,
  )
  writeFileSync(join(folder, 'many.log'), `${lines.join('\n')}\n`)
  const { summary, samples } = await group('many.log')
  expect(samples).toHaveLength(60)
  expect(summary.length).toBeLessThanOrEqual(1200)
  expect(summary.split('\n')[0]).toBe(
    'many.log: 60 lines, 60 errors of 60 types (samples of each: samples.jsonl)',
  )
  expect(summary).toMatch(/\n +\d+ {2}in \d+ more types$/)
})

test('a log without errors, and an empty one', async () => {
  writeFileSync(join(folder, 'calm.log'), '2026-11-21T03:12:45.123Z INFO  [pay] fine\n')
  writeFileSync(join(folder, 'empty.log'), '')
  expect((await group('calm.log')).summary).toBe('calm.log: 1 lines, 0 errors of 0 types')
  expect((await group('empty.log')).summary).toBe('empty.log: 0 lines, 0 errors of 0 types')
})

test('bytes that are not UTF-8 do not stop it', async () => {
  mkdirSync(join(folder, 'sub'))
  writeFileSync(
    join(folder, 'sub/raw.log'),
    Buffer.from('2026-11-21T03:12:45.123Z ERROR [pay] caf\u00E9 closed: gone\n', 'latin1'),
  )
  expect((await group('sub/raw.log')).summary).toContain('1  gone')
})
