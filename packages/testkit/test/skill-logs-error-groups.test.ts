import { execa } from 'execa'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeLog } from '../src/demo/log.ts'
import { judge, parseSummary } from '../src/demo/verdict.ts'

const SCRIPTS = fileURLToPath(new URL('../../../dotcodex/skills/logs/error-groups/scripts', import.meta.url))
const GUEST = fileURLToPath(new URL('../../core/src/guest/python', import.meta.url))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'srecodex-errors-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Group {
  readonly type: string
  readonly count: number
  readonly first: string | null
  readonly last: string | null
  readonly template: string
}

interface Result {
  readonly summary: string
  readonly files: number
  readonly lines: number
  readonly errors: number
  readonly types: number
  readonly groups: readonly Group[]
  readonly unreadable: readonly string[]
  readonly samples: string | null
}

/** @param spanBytes How much of a file is read at once. */
async function payload(inputs: object, spanBytes?: number) {
  const program =
    spanBytes === undefined
      ? [join(SCRIPTS, 'error_groups.py')]
      : [
          '-c',
          `import scan, error_groups\nscan.SPAN, scan.TAIL = ${spanBytes}, ${4 * spanBytes}\nerror_groups.main()`,
        ]
  const { exitCode, stdout, stderr } = await execa('python3', ['-B', ...program], {
    cwd: folder,
    input: JSON.stringify(inputs),
    env: { PATH: process.env.PATH, PYTHONPATH: `${GUEST}:${SCRIPTS}` },
    extendEnv: false,
    reject: false,
  })
  return { exitCode, stdout, stderr }
}

async function group(inputs: object, spanBytes?: number): Promise<Result> {
  const { exitCode, stdout, stderr } = await payload(inputs, spanBytes)
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  return JSON.parse(stdout) as Result
}

const write = (name: string, content: string | Buffer | readonly string[]): void =>
  writeFileSync(
    join(folder, name),
    Array.isArray(content) ? `${content.join('\n')}\n` : (content as string | Buffer),
  )

const counts = ({ groups }: Result): Record<string, number> =>
  Object.fromEntries(groups.map(({ type, count }) => [type, count]))

test('20 MB: the truth of the generator, in a summary that fits, with three samples of each type', async () => {
  const truth = await writeLog({ path: join(folder, 'app.log'), bytes: 20_000_000, seed: 11 })
  const result = await group({ paths: ['app.log'] })
  expect(counts(result)).toEqual(truth.errors)
  expect(result).toMatchObject({
    files: 1,
    lines: truth.lines,
    types: 14,
    unreadable: [],
    samples: 'samples.jsonl',
  })
  expect(judge(parseSummary(result.summary), truth)).toEqual({ matched: 14, types: 14, differences: [] })
  expect(result.summary.length).toBeLessThanOrEqual(1200)
  const samples = readFileSync(join(folder, 'samples.jsonl'), 'utf8').trimEnd().split('\n')
  expect(samples.map(line => JSON.parse(line).samples.length)).toEqual(Array(14).fill(3))
  // A gzip file of the same text, read as a stream.
  writeFileSync(join(folder, 'app.log.gz'), gzipSync(readFileSync(join(folder, 'app.log')), { level: 1 }))
  const zipped = await group({ paths: ['app.log.gz'] }, 1 << 20)
  expect({ lines: zipped.lines, counts: counts(zipped) }).toEqual({
    lines: truth.lines,
    counts: truth.errors,
  })
})

test.each([777, 4096, 100_000])(
  'a record that crosses the border of a span of %i bytes counts once',
  async span => {
    const truth = await writeLog({ path: join(folder, 'app.log'), bytes: 500_000, seed: 3 })
    const result = await group({ paths: ['app.log'] }, span)
    // The shortest spans see too little of a trace to name its cause, and no less of its record.
    expect({ lines: result.lines, errors: result.errors }).toEqual({
      lines: truth.lines,
      errors: Object.values(truth.errors).reduce((sum, count) => sum + count, 0),
    })
    expect(span > 777 ? counts(result) : truth.errors).toEqual(truth.errors)
  },
)

test('only the level of the record itself makes an error', async () => {
  write('mixed.log', [
    '2026-11-21T03:12:45.123Z ERROR [pay] req=4f2a9c1e77aa0b31 charge 17 failed: dial tcp 10.1.2.3:5432: refused',
    '2026-11-21T03:12:46.123Z INFO  [ship] quoted "2026-11-21T03:12:45.123Z ERROR [pay] charge: refused"',
    '2026-11-21T03:12:46.200Z INFO  [ship] 0 ERROR lines, retrying after ERROR, errors=0 /static/error.html',
    '2026-11-21T03:12:46.300Z [worker] WARN  last ERROR was an hour ago',
    '2026-11-21T03:12:46.400Z the word error in a line without a level',
    '{"ts":"2026-11-21T03:13:00.000Z","level":"info","last":{"level":"error"},"msg":"fine: refused"}',
    '{"ts":"2026-11-21T03:13:01.000Z","last":{"level":"error"},"level":"error","msg":"charge","error":"refused"}',
    'ts=2026-11-21T03:13:02.000Z level=info msg="rule level=error matched: refused"',
    'ts=2026-11-21T03:13:03.000Z level=error svc=pay msg="charge \\"late\\"" err="dial: refused"',
    '2026-11-21T04:00:00.000Z ERROR [job] run 12 failed',
    'Traceback (most recent call last):',
    '  File "a.py", line 1, in run  # ERROR [job] again',
    'ValueError: 12',
    'DETAIL: ERROR [job] level=error "level":"error"',
    'ERROR and no time: it belongs to the trace',
    'app.jobs.Gone: job 12',
    '2026-11-21T04:00:01.000Z WARN  [job] will retry',
    'java.lang.IllegalStateException: ERROR [job] level=error',
    '2026-11-21T04:00:02.000Z ERROR [web] upstream 10.0.0.1:80 answered HTTP 503 after 12ms',
    '2026-11-21T04:00:03.000Z ERROR [web] no colon, no class, 42 times',
    '{"ts":"2026-11-21T04:00:04.000Z","level":"error"}',
  ])
  const result = await group({ paths: ['mixed.log'] })
  expect(result.summary).toMatchInlineSnapshot(`
    "mixed.log: 21 lines, 7 errors of 5 types

    count  type                           first  last   message
        3  refused                        03:12  03:13  req=<id> charge <n> failed: dial tcp <ip>
        1  Gone                           04:00  04:00  run <n> failed
        1  HTTP 503                       04:00  04:00  upstream <ip> answered … after <time>
        1  no colon, no class, <n> times  04:00  04:00  …
        1  no message                     04:00  04:00"
  `)
  expect(result.lines).toBe(21)
})

test('the formats of the field, and their times in UTC', async () => {
  write('many.log', [
    '2026-11-21 03:00:00,123 [main] ERROR com.acme.Pay - java.io.IOException: disk a1',
    '2026-11-21 03:00:01.5 +0100 ERROR 812 --- [exec-1] c.a.Web : IOException in 7',
    '2026/11/21 03:00:02 [error] 31#31: *7 open() "/x/error.html" failed (2: No such file or directory)',
    '[Sat Nov 21 03:00:03.250 2026] [core:error] [pid 7] AH00035: access denied: no right',
    '2026-11-21 03:00:04.000 UTC [99] ERROR:  duplicate key value',
    '2026-11-21 03:00:05.000 UTC [99] LOG:  ERROR was here',
    'Nov 21 03:00:06 host app[123]: ERROR cannot open: no right',
    'Nov 21 03:00:07 host app[123]: err: cannot open: no right',
    'E1121 03:00:08.000001       1 main.go:12] sync failed: no right',
    'I1121 03:00:08.000001       1 main.go:12] ERROR is not mine: no right',
    '[ERROR] 2026-11-21T03:00:09Z lambda: no right',
    '2026-11-21T03:00:10.1Z 0 [FATAL] [MY-010] [Server] stop: no right',
    '{"time":"2026-11-21T03:00:11Z","severity":"CRITICAL","message":"stop: no right"}',
    '{"@timestamp":"2026-11-21T03:00:12.000Z","log":{"level":"Error"},"error":{"type":"TimeoutError","message":"slow"}}',
    '{"ts":1795230013.5,"lvl":"panic","msg":"stop: no right"}',
    'time="2026-11-21T03:00:14Z" level=fatal msg="stop: no right"',
    '2026-11-21T03:00:15Z level=error msg="stop: no right"',
    '<11>Nov 21 03:00:16 host app: CRIT stop: no right',
  ])
  const result = await group({ paths: ['many.log'] })
  expect(counts(result)).toEqual({
    'no right': 11,
    IOException: 2,
    TimeoutError: 1,
    'duplicate key value': 1,
    'No such file or directory)': 1,
  })
  const year = new Date().getUTCFullYear()
  expect(result.groups.find(({ type }) => type === 'IOException')).toMatchObject({
    first: '2026-11-21T02:00:01.500Z',
    last: '2026-11-21T03:00:00.123Z',
  })
  expect(result.groups.find(({ type }) => type === 'TimeoutError')?.first).toBe('2026-11-21T03:00:12.000Z')
  expect(result.groups.find(({ type }) => type === 'no right')?.last).toMatch(
    new RegExp(`^(2026|${year})-11-21T`),
  )
})

test('no value leaves it: numbers, ids, addresses, mail, quoted text', async () => {
  write('a.log', [
    '2026-11-21T03:00:00Z ERROR user anna.k@acme.example (4711) from 10.1.2.3:99 and fe80:0:0:0:1:2:3:4 said "my secret" ' +
      'id 7d9f6c3b1a2e4f50 key 3f2504e0-4f89-11d3-9a0c-0305e82c3301 in 12.5ms: it is over',
  ])
  const { groups, summary } = await group({ paths: ['a.log'] })
  expect(groups).toMatchObject([
    {
      type: 'it is over',
      template: 'user <mail> (<n>) from <ip> and <ip> said <text> id <id> key <uuid> in <time>: it is over',
    },
  ])
  expect(summary).not.toMatch(/anna|4711|secret|3f2504e0/)
})

test('a window, by times and by how long before the end; a text that the message must have', async () => {
  const at = (hour: number, what: string): string => `2026-11-21T0${hour}:00:00.000Z ERROR ${what}`
  write('a.log', [at(1, 'early'), at(2, 'deploy'), at(3, 'late'), '2026-11-21T04:00:00.000Z INFO end'])
  write('b.log.gz', gzipSync(`${at(3, 'late')}\n2026-11-21T05:00:00.000Z INFO end\n`))
  const paths = ['a.log', 'b.log.gz']
  expect(counts(await group({ paths, since: '2026-11-21T02:00:00Z' }))).toEqual({ late: 2, deploy: 1 })
  expect(counts(await group({ paths, until: '2026-11-21T03:00:00+01:00' }))).toEqual({ early: 1, deploy: 1 })
  expect(counts(await group({ paths, since: '150m' }))).toEqual({ late: 2 })
  expect(counts(await group({ paths, match: 'depl' }))).toEqual({ deploy: 1 })
  const bad = await payload({ paths, since: 'yesterday' })
  expect(bad).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringContaining("'yesterday' is neither a time"),
  })
})

test('files, folders, patterns; what cannot be read is named, the others are done', async () => {
  mkdirSync(join(folder, 'logs/deep'), { recursive: true })
  const line = '2026-11-21T03:00:00Z ERROR gone'
  write('logs/app.log', [line])
  write('logs/app.log.1', [line])
  write('logs/deep/app.log.2.gz', gzipSync(`${line}\n`))
  write("it's; $(odd) name.log", [line])
  symlinkSync('app.log', join(folder, 'logs/current'))
  expect(await group({ paths: ['logs'] })).toMatchObject({ files: 3, errors: 3 })
  expect(await group({ paths: ['logs/app.log*', 'logs/app.log'] })).toMatchObject({ files: 2, errors: 2 })
  const odd = await group({ paths: ["it's; $(odd) name.log", '/var/log/nothing.log', 'none/*.log'] })
  expect(odd).toMatchObject({ files: 1, errors: 1 })
  expect(odd.unreadable).toEqual([
    '/var/log/nothing.log: not there, or not open to scripts: srecodex run --read /var/log/nothing.log',
    expect.stringContaining('none/*.log: not there'),
  ])
  const none = await payload({ paths: ['nothing.log'] })
  expect(none).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringContaining('nothing can be read'),
  })
})

test('broken input is read as far as it goes', async () => {
  const error = '2026-11-21T03:00:00Z ERROR gone'
  write('latin.log', Buffer.from('2026-11-21T03:12:45.123Z ERROR [pay] caf\u00E9 closed: gone\n', 'latin1'))
  write('long.log', `${error}: ${'x'.repeat(9_000_000)} ERROR\n${error}`)
  const zipped = gzipSync(
    `${Array.from({ length: 20_000 }, (_, i) => `2026-11-21T03:00:00Z ERROR ${i * 7919} gone`).join('\n')}\n`,
  )
  write('cut.log.gz', zipped.subarray(0, zipped.length / 2))
  write('joined.log.gz', Buffer.concat([gzipSync(`${error}\n`), gzipSync(`${error}\n`)]))
  write('torn.log', `${error}\n{"ts":"2026-11-21T03:00:00Z","level":"error","msg":"half`)
  expect(await group({ paths: ['latin.log'] })).toMatchObject({ errors: 1, groups: [{ type: 'gone' }] })
  expect(await group({ paths: ['long.log'] })).toMatchObject({ lines: 2, errors: 2 })
  expect(await group({ paths: ['joined.log.gz'] })).toMatchObject({ lines: 2, errors: 2 })
  const cut = await group({ paths: ['cut.log.gz'] })
  expect(cut.errors).toBeGreaterThan(1000)
  expect(cut.errors).toBeLessThan(20_000)
  expect(cut.unreadable).toEqual(['cut.log.gz: it ends in the middle of the compressed stream'])
  expect(cut.summary).toContain('read as far as it goes: cut.log.gz')
  const torn = await group({ paths: ['torn.log'] })
  expect(torn).toMatchObject({ lines: 2, errors: 1 })
  expect(torn.summary).toContain('1 lines look like JSON with an error and are none')
})

test('no errors: lines and levels that do occur, so that a wrong format does not look like health', async () => {
  write('calm.log', [
    '2026-11-21T03:12:45.123Z INFO  [pay] fine',
    '2026-11-21T03:12:45.123Z WARN  [pay] errors=0',
  ])
  write('empty.log', '')
  const calm = await group({ paths: ['calm.log'] })
  expect(calm).toMatchObject({ lines: 2, errors: 0, types: 0, groups: [], samples: null })
  expect(calm.summary).toBe('calm.log: 2 lines, 0 errors of 0 types; levels at its start: INFO 1, WARN 1')
  expect((await group({ paths: ['empty.log'] })).summary).toContain('empty.log: 0 lines, 0 errors of 0 types')
  expect(existsSync(join(folder, 'samples.jsonl'))).toBe(false)
  expect(await group({ paths: ['calm.log'], levels: ['warn'] })).toMatchObject({ errors: 1 })
})

test('a log without times, whose levels begin the lines', async () => {
  write('bare.log', [
    'ERROR:root:cannot open: gone',
    'Traceback (most recent call last):',
    'app.Lost: x',
    'INFO:root:an ERROR',
    '[ERROR] it is: gone',
  ])
  const result = await group({ paths: ['bare.log'] })
  expect(counts(result)).toEqual({ Lost: 1, gone: 1 })
  expect(result.groups[0]).toMatchObject({ first: null, last: null })
})

test('many types: the top ones, and how many more', async () => {
  const letters = Array.from({ length: 60 }, (_, i) => String.fromCodePoint(65 + (i % 26)).repeat(2 + i / 26))
  write(
    'many.log',
    letters.map(
      name => `2026-11-21T03:12:45.123Z ERROR [job] it failed in a way of many words: ${name} is gone`,
    ),
  )
  const result = await group({ paths: ['many.log'], top: 100 })
  expect(result).toMatchObject({ types: 60, errors: 60 })
  expect(result.groups).toHaveLength(60)
  expect(result.summary.length).toBeLessThanOrEqual(1200)
  expect(result.summary).toMatch(/\n +\d+ {2}in \d+ more types$/)
})
