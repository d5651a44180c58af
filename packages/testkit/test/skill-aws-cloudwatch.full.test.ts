import { expect, test } from 'vitest'
import { SLOW_MS, cloud, payload } from './skill-aws-payload.ts'

const SCRIPT = 'logs/cloudwatch-search/scripts/cloudwatch_search.py'

const minutesAgo = (minutes: number): number => Date.now() - minutes * 60_000

/** Newest first. */
const lines = (count: number, message: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => ({ timestamp: minutesAgo(n) - 5000, message: message(n) }))

test(
  'a pattern that looks like an address, a group that begins with a hyphen: neither means more than it says',
  async () => {
    const skill = await payload(SCRIPT)
    const it = await cloud()
    it.addLogGroup('eu-west-1', '-group', [{ timestamp: minutesAgo(1), message: 'GET http://a/b 500' }])
    const done = await skill.run(it, { log_groups: ['-group'], pattern: 'http://a/b' })
    expect(done).toMatchObject({ events: 1, groups: [{ type: 'GET http://a/b <n>' }] })
    await skill.run(it, { log_groups: ['-group'], query: 'file:///etc/passwd' })
    expect(it.queries()).toMatchObject([{ groups: ['-group'], text: ' file:///etc/passwd' }])
  },
  SLOW_MS,
)

test(
  'throttled groups are waited for; deleted and denied ones are named; max_events ends a group',
  async () => {
    const skill = await payload(SCRIPT)
    const it = await cloud({ pageSize: 2 })
    for (const name of ['a', 'b', 'c'])
      it.addLogGroup(
        'eu-west-1',
        name,
        lines(5, () => 'ERROR x'),
      )
    let throttled = 0
    it.onRequest = ({ operation, params }) => {
      if (operation !== 'FilterLogEvents') return 'ok'
      if (params.logGroupName === 'c') return { error: 'AccessDeniedException', message: 'not authorized' }
      if (params.logGroupName === 'b' && throttled < 6) {
        throttled += 1
        return { error: 'ThrottlingException' }
      }
      return 'ok'
    }
    const done = await skill.run(it, { log_groups: ['a', 'b', 'c', 'gone'], pattern: 'ERROR', max_events: 4 })
    expect(throttled).toBe(6)
    expect(done).toMatchObject({ log_groups: 2, events: 8 })
    expect((done.incomplete as string[]).toSorted()).toEqual([
      'a: stopped at max_events, 4',
      'b: stopped at max_events, 4',
      'c: AccessDeniedException: not authorized',
      'gone: ResourceNotFoundException: The specified log group does not exist.',
    ])
    const exact = await skill.run(it, { log_groups: ['a'], pattern: 'ERROR', max_events: 5 })
    expect(exact).toMatchObject({ events: 5, incomplete: [] })
  },
  SLOW_MS,
)

test(
  'a window of one’s own, in a region of one’s own; nothing found says how much was searched',
  async () => {
    const skill = await payload(SCRIPT)
    const it = await cloud()
    it.addLogGroup('us-east-1', 'a', [{ timestamp: Date.parse('2026-05-01T10:30:00Z'), message: 'ERROR x' }])
    const window = {
      since: '2026-05-01T12:00:00+02:00',
      until: '2026-05-01T11:00:00Z',
      regions: ['us-east-1'],
    }
    expect(await skill.run(it, { log_groups: ['a'], pattern: 'ERROR', ...window })).toMatchObject({
      events: 1,
      groups: [{ first: '2026-05-01T10:30:00Z' }],
    })
    const nothing = await skill.run(it, { log_groups: ['a'], pattern: 'FATAL', ...window })
    expect(nothing).toMatchObject({ events: 0, groups: [], log_groups: 1 })
    expect(nothing.summary).toBe('nothing found: 1 log group, 2026-05-01T10:00:00Z to 2026-05-01T11:00:00Z')
  },
  SLOW_MS,
)

test(
  'a query that takes time, over more groups than one can have',
  async () => {
    const skill = await payload(SCRIPT)
    const it = await cloud({
      queryMs: 1500,
      onQuery: ({ groups }) => ({ rows: [{ hour: '10', errors: String(groups.length) }], scannedBytes: 2e6 }),
    })
    const names = Array.from({ length: 60 }, (_, n) => `/ecs/api-${n}`)
    for (const name of names) it.addLogGroup('eu-west-1', name)
    const query = "filter level = 'error' | stats count(*) by bin(1h)"
    const done = await skill.run(it, { log_groups: names, query, since: '7d', top: 100 })
    expect(done).toMatchObject({ log_groups: 60, scanned_bytes: 4e6, incomplete: [] })
    expect(done.rows).toEqual([
      { hour: '10', errors: '50' },
      { hour: '10', errors: '10' },
    ])
    expect(done.summary).toMatch(/^2 rows, in 2 queries whose rows stand one after another; 60 log groups, /)
    const started = it.queries()
    expect(started.map(({ text, limit, stopped }) => ({ text, limit, stopped }))).toEqual(
      [1, 2].map(() => ({ text: query, limit: 100, stopped: false })),
    )
    expect((started[0]?.end ?? 0) - (started[0]?.start ?? 0)).toBe(7 * 86_400)
  },
  SLOW_MS,
)

test(
  'a query that AWS gives up is told as such; one that is malformed, in its words',
  async () => {
    const skill = await payload(SCRIPT)
    const it = await cloud({ onQuery: () => ({ status: 'Failed' }) })
    it.addLogGroup('eu-west-1', 'a')
    const failed = await skill.start(it, { log_groups: ['a'], query: 'fields x' })
    expect(failed).toMatchObject({ exitCode: 1, stdout: '' })
    expect(failed.stderr).toContain('AWS ended the query: Failed')
    const malformed = await skill.start(it, { log_groups: ['a'], query: '| x' })
    expect(malformed.stderr).toContain('MalformedQueryException: unexpected symbol found |')
  },
  SLOW_MS,
)

test(
  'interrupted, it stops its query, which would go on costing',
  async () => {
    const skill = await payload(SCRIPT)
    const it = await cloud({ queryMs: 60_000 })
    it.addLogGroup('eu-west-1', 'a')
    const running = skill.start(it, { log_groups: ['a'], query: 'fields x' })
    while (!it.requests.some(({ operation }) => operation === 'GetQueryResults')) {
      await new Promise(resolve => {
        setTimeout(resolve, 50)
      })
    }
    running.kill('SIGINT')
    expect(await running).toMatchObject({ stdout: '' })
    expect(it.queries()).toMatchObject([{ stopped: true }])
  },
  SLOW_MS,
)

test(
  'no group with the prefix: an error with the nearest names; nothing at all that can be searched: an error',
  async () => {
    const skill = await payload(SCRIPT)
    const it = await cloud()
    for (const name of ['/aws/lambda/checkout-a', '/ecs/api']) it.addLogGroup('eu-west-1', name)
    const none = await skill.start(it, { log_group_prefix: '/aws/lambda/chekout', pattern: 'x' })
    expect(none).toMatchObject({ exitCode: 1, stdout: '' })
    expect(none.stderr).toContain(
      'no log group begins with /aws/lambda/chekout; near it: /aws/lambda/checkout-a',
    )
    it.onRequest = () => ({ error: 'ExpiredTokenException', message: 'The security token is expired' })
    const expired = await skill.start(it, { log_groups: ['/ecs/api'], pattern: 'x' })
    expect(expired).toMatchObject({ exitCode: 1, stdout: '' })
    expect(expired.stderr).toContain(
      'expired login: The security token is expired; log in and try again: aws sso login',
    )
  },
  SLOW_MS,
)

test(
  'more events than are taken at once, in two regions: each counted once, and none is lost between the parts',
  async () => {
    const skill = await payload(SCRIPT)
    const it = await cloud({ pageSize: 10_000 })
    const at = minutesAgo(30)
    const many = (region: string, count: number): void =>
      it.addLogGroup(
        region,
        'a',
        Array.from({ length: count }, (_, n) => ({ timestamp: at + n, message: `ERROR ${region}` })),
      )
    many('eu-west-1', 45_000)
    many('us-east-1', 20_000)
    const regions = ['eu-west-1', 'us-east-1']
    const done = await skill.run(it, { log_groups: ['a'], pattern: 'ERROR', regions })
    expect(done).toMatchObject({ log_groups: 2, events: 65_000, incomplete: [] })
    expect(done.groups).toMatchObject([
      { type: 'ERROR eu-west-<n>', count: 45_000 },
      { type: 'ERROR us-east-<n>', count: 20_000 },
    ])
    const kept = skill.read('events.jsonl').trim().split('\n')
    expect(new Set(kept).size).toBe(65_000)
  },
  SLOW_MS,
)
