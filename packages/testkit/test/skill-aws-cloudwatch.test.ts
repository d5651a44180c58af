import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { SLOW_MS, cloud, payload } from './skill-aws-payload.ts'

const SCRIPT = 'logs/cloudwatch-search/scripts/cloudwatch_search.py'

const minutesAgo = (minutes: number): number => Date.now() - minutes * 60_000

/** Newest first. */
const lines = (count: number, message: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => ({ timestamp: minutesAgo(n) - 5000, message: message(n) }))

test(
  'all groups with a prefix, page by page, empty pages too; messages that differ in numbers are one kind',
  async () => {
    const skill = await payload(SCRIPT)
    const it = await cloud({ pageSize: 3, emptyPages: true })
    const ofLambda = (n: number): string =>
      `2026-11-22T10:00:00.000Z\t${randomUUID()}\tERROR\tpayment ${n} failed for 10.0.0.${n}`
    const ofJson = (n: number): string =>
      JSON.stringify({ level: 'error', errorType: 'TypeError', message: `x is ${n}` })
    it.addLogGroup('eu-west-1', '/aws/lambda/checkout-a', [
      ...lines(8, ofLambda),
      ...lines(2, () => 'INFO fine'),
      { timestamp: minutesAgo(90), message: 'ERROR before the window' },
    ])
    it.addLogGroup('eu-west-1', '/aws/lambda/checkout-b', [...lines(3, ofLambda), ...lines(2, ofJson)])
    it.addLogGroup('eu-west-1', '/aws/lambda/other', lines(5, ofLambda))
    const done = await skill.run(it, { log_group_prefix: '/aws/lambda/checkout-', pattern: '?ERROR ?error' })
    expect(done).toMatchObject({ log_groups: 2, events: 13, incomplete: [] })
    const [a, b] = ['/aws/lambda/checkout-a', '/aws/lambda/checkout-b']
    expect(done.groups).toMatchObject([
      { type: 'ERROR payment <n> failed for <ip>', count: 11, log_groups: [a, b] },
      { type: 'TypeError: x is <n>', count: 2, log_groups: [b] },
    ])
    expect(done.summary).toMatch(/^13 events of 2 kinds; 2 log groups, /)
    const kept = skill.read('events.jsonl').trim().split('\n')
    expect(kept).toHaveLength(13)
    expect(JSON.parse(kept[0] ?? '')).toMatchObject([
      expect.any(String),
      expect.any(Number),
      expect.any(String),
    ])
    const pages = it.requests.filter(({ params }) => params.logGroupName === a)
    expect(pages.length).toBeGreaterThanOrEqual(5)
  },
  SLOW_MS,
)

test.each([
  [{ log_groups: ['a'], pattern: 'x', since: 'yesterday' }, 'is no time'],
  [{ log_groups: ['a'], pattern: 'x', until: '2h' }, 'the window ends before it begins'],
  [{ log_groups: ['a; rm -rf /'], pattern: 'x' }, 'is no name of a log group'],
  [{ log_groups: ['a'], pattern: 'x', query: 'y' }, 'say what: pattern, or query'],
  [{ log_groups: ['a'], pattern: 'x', regions: ['a.b'] }, 'is no region'],
])(
  'inputs that make no sense are refused before any call: %j',
  async (inputs, words) => {
    const skill = await payload(SCRIPT)
    const it = await cloud()
    const { exitCode, stderr } = await skill.start(it, inputs)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(words)
    expect(it.requests).toEqual([])
  },
  SLOW_MS,
)
