import { describe, expect, it } from 'vitest'
import type { ToolIdentity } from '../../src/tools/calls.ts'
import {
  Allowance,
  blastRadius,
  callIdentity,
  countPlan,
  isWhole,
  makePlan,
  movedIdentity,
  type PlannedCall,
} from '../../src/tools/plan.ts'

const call = (identity: string, changes: Partial<PlannedCall> = {}): PlannedCall => ({
  identity,
  tool: 'kubectl',
  verb: 'rollout restart',
  argv: ['rollout', 'restart', 'deploy/web'],
  runs: [['rollout', 'restart', 'deploy/web']],
  targets: ['shop/deployment/web'],
  item: null,
  before: {},
  ...changes,
})

const plan = makePlan({
  id: 'R',
  createdAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-01-01T00:15:00.000Z',
  bound: { script: 'abc', args: [], workspace: '/srv', tools: [] },
  calls: [call('a'), call('b')],
  may: [],
  incomplete: [],
})

describe('the identity of a call', () => {
  const parts = { tool: 'kubectl', canonical: ['delete', 'pod', 'a'], bodies: [], item: null } as const

  it('is equal for equal parts, and differs with each of them', () => {
    const all = [
      parts,
      { ...parts, tool: 'helm' },
      { ...parts, canonical: ['delete', 'pod', 'b'] },
      { ...parts, bodies: [['-', 'x']] as const },
      { ...parts, item: 'a' },
    ].map(callIdentity)
    expect(callIdentity({ ...parts })).toBe(all[0])
    expect(new Set(all).size).toBe(all.length)
  })

  it('does not confuse where one word ends and the next begins', () => {
    expect(callIdentity({ ...parts, canonical: ['a b'] })).not.toBe(
      callIdentity({ ...parts, canonical: ['a', 'b'] }),
    )
  })
})

describe('a plan', () => {
  it('is whole as it was made, also after a way through JSON', () => {
    expect(isWhole(plan)).toBe(true)
    expect(isWhole(JSON.parse(JSON.stringify(plan)))).toBe(true)
  })

  it.each([
    ['another target', { calls: [call('a', { targets: ['shop/deployment/db'] }), call('b')] }],
    ['another command to run', { calls: [call('a', { runs: [['delete', 'ns', 'shop']] }), call('b')] }],
    ['one more call', { calls: [...plan.calls, call('c')] }],
    ['a longer life', { expiresAt: '2027-01-01T00:00:00.000Z' }],
    ['another script', { bound: { ...plan.bound, script: 'def' } }],
    ['a fallback', { may: [{ identity: 'x', tool: 'kubectl', argv: ['delete', 'ns', 'shop'] }] }],
  ])('is not whole with %s', (_what, change) => {
    expect(isWhole({ ...plan, ...change })).toBe(false)
  })
})

describe('an allowance', () => {
  it('gives each planned call once, in any order', () => {
    const allowance = new Allowance({ calls: [call('a'), call('a'), call('b')], may: [] })
    expect(allowance.take('b')).not.toBeNull()
    expect(allowance.take('a')).not.toBeNull()
    expect(allowance.take('a')).not.toBeNull()
    expect([allowance.take('a'), allowance.take('b'), allowance.take('c')]).toEqual([null, null, null])
  })

  it('gives a call again that was given back', () => {
    const allowance = new Allowance({ calls: [call('a')], may: [] })
    const taken = allowance.take('a')!
    allowance.giveBack(taken)
    expect(allowance.left()).toEqual([taken])
    expect(allowance.take('a')).toBe(taken)
    expect(allowance.left()).toEqual([])
  })

  it('does not use declared fallbacks up', () => {
    const allowance = new Allowance({ calls: [], may: [{ identity: 'undo', tool: 'kubectl', argv: [] }] })
    expect([allowance.declares('undo'), allowance.declares('undo'), allowance.declares('other')]).toEqual([
      true,
      true,
      false,
    ])
  })
})

it('names the field in which a tool is not what it was', () => {
  const prod: ToolIdentity = {
    tool: 'kubectl',
    summary: '',
    fields: { context: 'prod', server: 'https://a' },
  }
  expect(movedIdentity(prod, { ...prod, summary: 'other words' })).toBeNull()
  expect(movedIdentity(prod, { ...prod, fields: { context: 'test', server: 'https://a' } })).toBe(
    'kubectl: context was prod and is test',
  )
  expect(movedIdentity(prod, { ...prod, fields: { context: 'prod' } })).toBe(
    'kubectl: server was https://a and is (none)',
  )
})

it('counts targets rather than calls', () => {
  const calls = [
    call('a', { targets: ['x', 'y', 'z'], verb: 'delete' }),
    call('b'),
    call('c'),
    call('d', { targets: [], tool: 'psql', verb: 'sql' }),
  ]
  expect(countPlan(calls)).toEqual([
    { tool: 'kubectl', verb: 'delete', calls: 1, targets: 3 },
    { tool: 'kubectl', verb: 'rollout restart', calls: 2, targets: 2 },
    { tool: 'psql', verb: 'sql', calls: 1, targets: 0 },
  ])
  expect(blastRadius(calls)).toBe(6)
})
