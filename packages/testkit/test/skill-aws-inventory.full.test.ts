import { expect, test } from 'vitest'
import { SLOW_MS, cloud, payload } from './skill-aws-payload.ts'

const SCRIPT = 'aws/ec2-inventory/scripts/ec2_inventory.py'
const DAY_MS = 86_400_000

const ago = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString()

test(
  'accounts by profile, one of them twice; tags as they stand; missing tags, age, groups of one’s own',
  async () => {
    const skill = await payload(SCRIPT)
    const it = await cloud({ accounts: { dev: '111111111111', prod: '222222222222', twin: '222222222222' } })
    const team = { team: 'pay,ments' }
    it.addInstances([{ id: 'i-1', region: 'eu-west-1', tags: team, launched: ago(100) }], 'dev')
    it.addInstances([{ id: 'i-2', region: 'eu-west-1', tags: team, launched: ago(2) }], 'dev')
    it.addInstances([{ id: 'i-3', region: 'eu-west-1', tags: { team: 'pay' }, launched: ago(100) }], 'dev')
    it.addInstances([{ id: 'i-4', region: 'eu-west-1', tags: team, launched: ago(40) }], 'prod')
    it.addInstances(
      [{ id: 'i-5', region: 'eu-west-1', tags: { ...team, owner: 'ana' }, launched: ago(40) }],
      'prod',
    )
    const done = await skill.run(it, {
      profiles: ['dev', 'prod', 'twin'],
      regions: ['eu-west-1'],
      tags: { team: 'pay,*' },
      missing_tags: ['owner'],
      older_than: '30d',
      group_by: ['account', 'age', 'tag:team', 'zone'],
    })
    const place = { 'tag:team': 'pay,ments', zone: 'eu-west-1a' }
    expect(done).toMatchObject({
      total: 2,
      groups: [
        { key: { account: 'dev', age: '90-365 days', ...place }, count: 1 },
        { key: { account: 'prod', age: '30-90 days', ...place }, count: 1 },
      ],
      regions: 2,
    })
    expect(done.summary).toContain('read once: twin is the account of prod')
  },
  SLOW_MS,
)

test(
  'a throttled region is waited for; one that is denied is named, and the others count',
  async () => {
    const skill = await payload(SCRIPT)
    const it = await cloud()
    it.addInstances(['eu-west-1', 'eu-west-3', 'us-east-1'].map((region, n) => ({ id: `i-${n}`, region })))
    let throttled = 0
    it.onRequest = ({ operation, region }) => {
      if (operation !== 'DescribeInstances') return 'ok'
      if (region === 'eu-west-3') {
        return { error: 'UnauthorizedOperation', status: 403, message: 'You are not authorized to do this.' }
      }
      // More often than the CLI itself tries.
      if (region === 'us-east-1' && throttled < 6) {
        throttled += 1
        return { error: 'RequestLimitExceeded' }
      }
      return 'ok'
    }
    const done = await skill.run(it, {})
    expect(throttled).toBe(6)
    expect(done).toMatchObject({
      total: 2,
      regions: 2,
      incomplete: ['111111111111/eu-west-3: UnauthorizedOperation: You are not authorized to do this.'],
    })
    expect(done.summary).toContain('2 instances in 2 of 3 regions')
    expect(done.summary).toContain('not read: 111111111111/eu-west-3')
  },
  SLOW_MS,
)

test(
  'nothing there is a success that says how much was looked at',
  async () => {
    const skill = await payload(SCRIPT)
    const it = await cloud()
    const done = await skill.run(it, { tags: { team: 'red' }, regions: ['eu-west-1', 'eu-west-3'] })
    expect(done).toEqual({
      summary: '0 instances in 2 regions',
      total: 0,
      by_state: {},
      groups: [],
      regions: 2,
      incomplete: [],
    })
  },
  SLOW_MS,
)

test(
  'every region denied is an error; an expired session is one error with the way to log in',
  async () => {
    const skill = await payload(SCRIPT)
    const it = await cloud()
    it.onRequest = ({ operation }) =>
      operation === 'DescribeInstances'
        ? { error: 'UnauthorizedOperation', status: 403, message: 'No.' }
        : 'ok'
    const denied = await skill.start(it, { regions: ['eu-west-1', 'eu-west-3'] })
    expect(denied).toMatchObject({ exitCode: 1, stdout: '' })
    expect(denied.stderr).toMatch(/^error: .*\/eu-west-1: UnauthorizedOperation: No\./m)
    it.onRequest = () => ({ error: 'ExpiredToken', status: 403, message: 'The security token has expired' })
    const before = it.requests.length
    const expired = await skill.start(it, {})
    expect(expired).toMatchObject({ exitCode: 1, stdout: '' })
    expect(expired.stderr.trim()).toBe(
      'error: default: expired login: The security token has expired; log in and try again: aws sso login',
    )
    expect(it.requests.length - before).toBe(1)
  },
  SLOW_MS,
)
