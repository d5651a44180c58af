import { describe, expect, test } from 'vitest'
import { SrecodexError } from '../../src/errors.ts'
import type { RunHistory } from '../../src/runs/journal/history.ts'
import type { Ledger, LedgerMethod } from '../../src/runs/ledger.ts'
import { retryDelayMs } from '../../src/runs/ledger/backoff.ts'
import { countItems } from '../../src/runs/ledger/counts.ts'
import { Run } from './ledger-run.ts'

const code = (expected: string): unknown => expect.objectContaining({ name: 'CallError', code: expected })

test('an item goes from todo by running to ok, and its end is durable before it is answered', async () => {
  const run = new Run()
  const [a, b] = await run.each(['shop/web', 'shop/api'])
  expect([a!.state, a!.value, b!.state]).toEqual(['todo', null, 'todo'])
  expect(a!.token).not.toBe(b!.token)
  expect(run.ledger.itemKey(a!.token)).toBe('shop/web')
  expect(await run.start(a!.token)).toEqual({ go: true })

  run.waiting = []
  let isAnswered = false
  const answer = run.end(a!.token, 'ok', { value: { restarted: 3 } }).finally(() => (isAnswered = true))
  await new Promise(resolve => setImmediate(resolve))
  expect(isAnswered).toBe(false)
  expect(run.entries.at(-1)).toEqual({
    kind: 'item',
    key: 'shop/web',
    state: 'ok',
    class: null,
    message: null,
    attempt: 1,
    value: { restarted: 3 },
  })
  run.waiting[0]!()
  expect(await answer).toEqual({ state: 'ok', retryAfterMs: null })

  expect(await run.start(a!.token)).toEqual({ go: false, state: 'ok', why: 'it is done' })
  expect(run.ledger.counts({ planned: false })).toEqual({
    total: 2,
    ok: 1,
    failed: 0,
    unknown: 0,
    skipped: 0,
    pending: 1,
    failures: [],
  })
})

test('a run without an each has no items; one with an empty each has none of them', async () => {
  const run = new Run()
  expect(run.ledger.counts({ planned: false })).toBeNull()
  await run.each([])
  expect(run.ledger.counts({ planned: false })).toMatchObject({ total: 0 })
})

describe('keys', () => {
  test('tell where an item belongs, and are told apart where two eaches share them', async () => {
    const run = new Run()
    const [shop] = await run.each(['shop', 'bank'])
    await run.start(shop!.token)
    const nested = await run.each(['web'], shop!.token)
    await run.each(['pod-1'], nested[0]!.token)
    await run.each(['web'], null, 'k8s/restart#1/')
    const [inSkill] = await run.each(['api'], shop!.token, 'k8s/restart#2/')
    await run.each(['pod-1'], inSkill!.token, 'k8s/restart#2/')
    await run.each(['shop', 'shop/web', 'shop#2'])
    await run.each(['shop', 'shop#2'])
    expect(Object.keys(run.states())).toEqual([
      'shop',
      'bank',
      'shop/web',
      'shop/web/pod-1',
      'k8s/restart#1/web',
      'shop/k8s/restart#2/api',
      'shop/k8s/restart#2/api/pod-1',
      'shop#2',
      'shop/web#2',
      'shop#2#2',
      'shop#3',
      'shop#2#3',
    ])
  })

  test('are added in chunks, and twice in one each is an error that adds nothing', async () => {
    const run = new Run()
    const { each } = await run.call('each.open', {})
    await run.call('each.add', { each, keys: ['a', 'b'] })
    await expect(run.call('each.add', { each, keys: ['c', 'a'] })).rejects.toThrow(/have the key "a"/)
    await expect(run.call('each.add', { each, keys: ['c', 'c'] })).rejects.toThrow(code('INVALID_PARAMS'))
    await run.call('each.add', { each, keys: ['c'] })
    expect(Object.keys(run.states())).toEqual(['a', 'b', 'c'])
  })

  test('of 200 characters are taken, whatever the alphabet', async () => {
    const run = new Run()
    const keys = ['x'.repeat(200), '🦊'.repeat(200), '\ud800'.repeat(200)]
    await run.each(keys)
    expect(Object.keys(run.states())).toEqual([keys[0], keys[1], '\ufffd'.repeat(200)])
  })

  test.each([
    ['empty', ''],
    ['too long', 'x'.repeat(201)],
    ['too long in characters', '🦊'.repeat(201)],
    ['with a line end', 'a\nb'],
    ['with an escape', '\u001b[0m'],
    ['with a C1 control', '\u009b'],
    ['a number', 7],
    ['null', null],
    ['a list', ['a']],
  ])('that are %s are refused', async (_, key) => {
    const run = new Run()
    const { each } = await run.call('each.open')
    await expect(run.call('each.add', { each, keys: ['fine', key] })).rejects.toThrow(code('INVALID_PARAMS'))
    expect(run.states()).toEqual({})
  })

  test('inside each other come to an end', async () => {
    const run = new Run()
    let [item] = await run.each(['x'.repeat(200)])
    for (let depth = 1; depth < 4; depth += 1) [item] = await run.each(['x'.repeat(200)], item!.token)
    await expect(run.each(['x'.repeat(200)], item!.token)).rejects.toThrow(code('INVALID_PARAMS'))
  })
})

test.each<[LedgerMethod, Record<string, unknown>, string]>([
  ['each.open', { item: 'i99' }, 'INVALID_PARAMS'],
  ['each.open', { item: 7 }, 'INVALID_PARAMS'],
  ['each.open', { prefix: 7 }, 'INVALID_PARAMS'],
  ['each.open', { prefix: 'a\nb' }, 'INVALID_PARAMS'],
  ['each.open', { prefix: 'x'.repeat(1001) }, 'INVALID_PARAMS'],
  ['each.add', { each: 99, keys: ['a'] }, 'INVALID_PARAMS'],
  ['each.add', { each: '1', keys: ['a'] }, 'INVALID_PARAMS'],
  ['each.add', { each: 1 }, 'INVALID_PARAMS'],
  ['each.add', { each: 1, keys: Array.from({ length: 2001 }, (_, n) => `${n}`) }, 'TOO_LARGE'],
  ['item.start', {}, 'INVALID_PARAMS'],
  ['item.start', { token: 'constructor' }, 'INVALID_PARAMS'],
  ['item.start', { token: 'i1' }, 'INVALID_PARAMS'], // it runs already
  ['item.start', { token: 'i2', verified: 'yes' }, 'INVALID_PARAMS'],
  ['item.start', { token: 'i2', wave: 0 }, 'INVALID_PARAMS'],
  ['item.start', { token: 'i2', wave: '1' }, 'INVALID_PARAMS'],
  ['item.end', { token: 'i2', outcome: 'ok' }, 'INVALID_PARAMS'], // it was not started
  ['item.end', { token: 'i1' }, 'INVALID_PARAMS'],
  ['item.end', { token: 'i1', outcome: 'pending' }, 'INVALID_PARAMS'],
  ['item.end', { token: 'i1', outcome: 'failed', class: 7 }, 'INVALID_PARAMS'],
  ['item.end', { token: 'i1', outcome: 'failed', message: {} }, 'INVALID_PARAMS'],
  ['item.end', { token: 'i1', outcome: 'failed', retries: -1 }, 'INVALID_PARAMS'],
  ['item.end', { token: 'i1', outcome: 'failed', retries: 1.5 }, 'INVALID_PARAMS'],
  ['item.end', { token: 'i1', outcome: 'ok', value: 'x'.repeat(64 * 1024) }, 'TOO_LARGE'],
  ['once', {}, 'INVALID_PARAMS'],
  ['once', { name: '' }, 'INVALID_PARAMS'],
  ['once.set', { name: 'a\0', value: 1 }, 'INVALID_PARAMS'],
  ['once.set', { name: 'a', value: 'x'.repeat(256 * 1024) }, 'TOO_LARGE'],
  ['may', {}, 'INVALID_PARAMS'],
  ['may', { argv: [] }, 'INVALID_PARAMS'],
  ['may', { argv: ['kubectl', 7] }, 'INVALID_PARAMS'],
  ['may', { argv: ['kubectl', 'x'.repeat(64 * 1024)] }, 'TOO_LARGE'],
])('%s refuses %o', async (method, params, expected) => {
  const run = new Run()
  const items = await run.each(['a', 'b'])
  expect(items.map(({ token }) => token)).toEqual(['i1', 'i2'])
  await run.start('i1')
  const before = run.entries.length
  await expect(run.call(method, params)).rejects.toThrow(code(expected))
  expect(run.entries).toHaveLength(before)
  expect(await run.end('i1', 'ok', { value: 'x'.repeat(64 * 1024 - 2) })).toMatchObject({ state: 'ok' })
})

test('a run takes so many items, eaches, names, fallbacks and bytes, and no more', async () => {
  const run = new Run(null, {
    limits: { maxItems: 3, maxEaches: 4, maxOnceNames: 1, maxFallbacks: 1, maxRecordedBytes: 20 },
  })
  const [a] = await run.each(['a', 'b'])
  await expect(run.each(['c', 'd'])).rejects.toThrow(code('LIMIT_EXCEEDED'))
  await run.each(['a'])
  expect(Object.keys(run.states())).toEqual(['a', 'b', 'a#2'])
  await run.each([])
  await expect(run.each([])).rejects.toThrow(code('LIMIT_EXCEEDED'))
  await run.start(a!.token)
  await expect(run.end(a!.token, 'ok', { value: 'x'.repeat(19) })).rejects.toThrow(code('LIMIT_EXCEEDED'))
  expect(await run.end(a!.token, 'ok', { value: 'x'.repeat(8) })).toMatchObject({ state: 'ok' })
  await expect(run.call('once.set', { name: 'n', value: 'x'.repeat(9) })).rejects.toThrow(
    code('LIMIT_EXCEEDED'),
  )
  await run.call('once.set', { name: 'n', value: 1 })
  await expect(run.call('once.set', { name: 'm', value: 1 })).rejects.toThrow(code('LIMIT_EXCEEDED'))
  await run.call('may', { argv: ['kubectl', 'a'] })
  await run.call('may', { argv: ['kubectl', 'a'] })
  await expect(run.call('may', { argv: ['kubectl', 'b'] })).rejects.toThrow(code('LIMIT_EXCEEDED'))
  expect(run.ledger.fallbacks()).toEqual([['kubectl', 'a']])
})

type Outcome = Parameters<Ledger['mutationEnded']>[2]

test.each<[string, (Outcome | null)[], 'ok' | 'failed', string]>([
  ['nothing', [], 'ok', 'ok'],
  ['nothing', [], 'failed', 'failed'],
  ['a mutation that worked', ['ok'], 'failed', 'failed'],
  ['a definite failure', ['failed-definite'], 'failed', 'failed'],
  ['a failure that is not definite', ['failed'], 'failed', 'unknown'],
  ['a failure that the script coped with', ['failed'], 'ok', 'ok'],
  ['an unknown', ['unknown'], 'ok', 'unknown'],
  ['an unknown among others', ['ok', 'unknown', 'failed-definite'], 'failed', 'unknown'],
  ['one that is still in flight', ['ok', null], 'ok', 'unknown'],
])('after %s (%o), the word %s ends as %s', async (_, outcomes, word, expected) => {
  const run = new Run()
  const [a] = await run.each(['a'])
  await run.start(a!.token)
  for (const [n, outcome] of outcomes.entries()) run.mutate('a', `c${n}`, outcome)
  expect(await run.end(a!.token, word, { value: 1 })).toMatchObject({ state: expected })
  expect(run.states()).toEqual({ a: expected })
  const past = run.history().items.get('a')!
  expect(past.state).toBe(expected)
  expect(past.value).toBe(expected === 'ok' ? 1 : undefined)
})

test('what a broker settles afterwards counts', async () => {
  const run = new Run()
  const [a] = await run.each(['a'])
  await run.start(a!.token)
  run.mutate('a', 'c1', 'unknown')
  run.ledger.mutationEnded('a', 'c1', 'ok')
  expect(await run.end(a!.token, 'failed')).toMatchObject({ state: 'failed' })
})

describe('retries', () => {
  test.each<[string, (Outcome | null)[], number, boolean]>([
    ['nothing was started', [], 1, true],
    ['none is left', [], 0, false],
    ['all failed definitely', ['failed-definite', 'failed-definite'], 2, true],
    ['something worked', ['failed-definite', 'ok'], 2, false],
    ['something failed', ['failed'], 2, false],
    ['something is unknown', ['unknown'], 2, false],
    ['something is in flight', [null], 2, false],
  ])('where %s', async (_, outcomes, retries, isRetried) => {
    const run = new Run()
    const [a] = await run.each(['a'])
    await run.start(a!.token)
    for (const [n, outcome] of outcomes.entries()) run.mutate('a', `c${n}`, outcome)
    const { retryAfterMs } = await run.end(a!.token, 'failed', { retries, class: 'boom' })
    expect(retryAfterMs).toBe(isRetried ? 250 : null)
    expect(await run.start(a!.token)).toMatchObject({ go: isRetried })
  })

  test('wait longer each time, up to 30 s, at random', async () => {
    const run = new Run()
    const [a] = await run.each(['a'])
    const delays: unknown[] = []
    for (let n = 0; n < 9; n += 1) {
      await run.start(a!.token)
      delays.push((await run.end(a!.token, 'failed', { retries: 9 })).retryAfterMs)
    }
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000])
    expect(retryDelayMs(3, () => 0)).toBe(0)
    expect(retryDelayMs(3, () => 0.999_999)).toBe(1999)
    expect(retryDelayMs(5000, () => 0.5)).toBe(15_000)
    expect([...run.ledger.items()]).toMatchObject([{ key: 'a', state: 'failed', attempt: 9 }])
  })

  test('find the items that the last attempt had: done ones are done, the others are to be done', async () => {
    const run = new Run()
    const [a] = await run.each(['a'])
    await run.start(a!.token)
    const first = await run.each(['read', 'broken', 'left'], a!.token)
    for (const { token } of first) await run.start(token)
    await run.end(first[0]!.token, 'ok', { value: [1] })
    await run.end(first[1]!.token, 'failed', { class: 'boom' })
    await run.end(a!.token, 'failed', { retries: 1 })

    await run.start(a!.token)
    const second = await run.each(['broken', 'read', 'left', 'new'], a!.token)
    expect(second.map(({ state, value }) => [state, value])).toEqual([
      ['todo', null],
      ['ok', [1]],
      ['todo', null],
      ['todo', null],
    ])
    expect(await run.start(second[0]!.token)).toEqual({ go: true })
    expect(await run.start(second[2]!.token)).toEqual({ go: true })
    expect(Object.keys(run.states())).toEqual(['a', 'a/read', 'a/broken', 'a/left', 'a/new'])
  })

  test('do not happen where an item inside changed something', async () => {
    const run = new Run()
    const [a] = await run.each(['a'])
    await run.start(a!.token)
    const [inner] = await run.each(['b'], a!.token)
    await run.start(inner!.token)
    run.mutate('a/b', 'c1', 'ok')
    await run.end(inner!.token, 'failed')
    expect(await run.end(a!.token, 'failed', { retries: 3 })).toEqual({ state: 'failed', retryAfterMs: null })
  })
})

describe('what is not in the plan', () => {
  test('skips its item, with the items inside it, and no other', async () => {
    const run = new Run()
    const [a, b] = await run.each(['a', 'b'])
    await run.start(a!.token)
    await run.start(b!.token)
    const [inner] = await run.each(['x'], a!.token)
    await run.start(inner!.token)
    run.mutate('a', 'c1', 'ok')
    run.ledger.unplanned('a')
    expect(['a', 'a/x', 'b'].map(key => run.ledger.isSkipped(key))).toEqual([true, true, false])
    expect(run.states()).toEqual({ a: 'skipped', 'a/x': 'skipped', b: 'pending' })
    expect(await run.end(inner!.token, 'ok')).toEqual({ state: 'skipped', retryAfterMs: null })
    expect(await run.end(a!.token, 'failed', { retries: 5 })).toEqual({
      state: 'skipped',
      retryAfterMs: null,
    })
    expect(await run.end(b!.token, 'ok')).toMatchObject({ state: 'ok' })
    expect(await run.start(a!.token)).toMatchObject({ go: false, state: 'skipped' })

    const next = new Run(run.history())
    expect((await next.each(['a', 'b'])).map(({ state }) => state)).toEqual(['skipped', 'ok'])
  })

  test('of an inner item leaves the one around it', async () => {
    const run = new Run()
    const [a] = await run.each(['a'])
    await run.start(a!.token)
    const [inner] = await run.each(['x'], a!.token)
    await run.start(inner!.token)
    run.ledger.unplanned('a/x')
    expect(await run.end(inner!.token, 'ok')).toMatchObject({ state: 'skipped' })
    expect(await run.end(a!.token, 'ok')).toMatchObject({ state: 'ok' })
  })
})

test('while a run ends nothing is started, what runs may end, and nothing is tried again', async () => {
  const run = new Run()
  const [a, b] = await run.each(['a', 'b'])
  await run.start(a!.token)
  run.ledger.draining()
  expect(await run.start(b!.token)).toEqual({ go: false, state: 'pending', why: 'the run is ending' })
  expect(await run.end(a!.token, 'failed', { retries: 3 })).toEqual({ state: 'failed', retryAfterMs: null })
  expect(run.states()).toEqual({ a: 'failed', b: 'pending' })
})

describe('a run that goes on from another', () => {
  async function killed(): Promise<RunHistory> {
    const run = new Run()
    const tokens = (await run.each(['done', 'failed', 'flying', 'running', 'todo'])).map(({ token }) => token)
    for (const token of tokens.slice(0, 4)) await run.start(token)
    await run.end(tokens[0]!, 'ok', { value: { n: 1 } })
    await run.end(tokens[1]!, 'failed', { class: 'boom' })
    run.mutate('flying', 'c1', null)
    run.mutate('running', 'c2', 'ok')
    return run.history()
  }
  const KEYS = ['done', 'failed', 'flying', 'running', 'todo']

  test('is told what is done, what is unknown, and what is to be done', async () => {
    const run = new Run(await killed())
    const told = await run.each(KEYS)
    expect(told.map(({ state, value }) => [state, value])).toEqual([
      ['ok', { n: 1 }],
      ['todo', null],
      ['unknown', null],
      ['todo', null],
      ['todo', null],
    ])
    expect(run.ledger.counts({ planned: false })).toMatchObject({ total: 5, ok: 1, unknown: 1, pending: 3 })
    expect(run.ledger.isRedone('flying')).toBe(false)
  })

  test('never starts what is unknown unless the script looked', async () => {
    const run = new Run(await killed())
    const [, , flying] = await run.each(KEYS)
    for (const verified of [undefined, null]) {
      expect(await run.start(flying!.token, verified)).toMatchObject({ go: false, state: 'unknown' })
    }
    expect(run.states()['flying']).toBe('unknown')
    expect(new Run(run.history()).history().items.get('flying')!.state).toBe('unknown')
  })

  test('takes the word of a script that looked: it is done', async () => {
    const run = new Run(await killed())
    const [, , flying] = await run.each(KEYS)
    expect(await run.start(flying!.token, true)).toMatchObject({ go: false, state: 'ok' })
    expect(run.history().items.get('flying')).toMatchObject({ state: 'ok', open: [] })
  })

  test('takes the word of a script that looked: it is to be done again', async () => {
    const run = new Run(await killed())
    const [, , flying] = await run.each(KEYS)
    expect(await run.start(flying!.token, false)).toEqual({ go: true })
    expect(run.ledger.isRedone('flying')).toBe(true)
    expect(run.history().items.get('flying')).toMatchObject({ state: 'pending', open: [] })
    run.mutate('flying', 'c1', 'ok')
    expect(await run.end(flying!.token, 'ok')).toMatchObject({ state: 'ok' })
  })

  test.each(['unknown', 'failed'] as const)(
    'a verdict on an earlier run says nothing of this one: %s',
    async outcome => {
      const run = new Run(await killed())
      const [, , flying] = await run.each(KEYS)
      await run.start(flying!.token, false)
      run.mutate('flying', 'c9', outcome)
      expect(run.ledger.isRedone('flying')).toBe(false)
      expect(await run.end(flying!.token, 'failed')).toMatchObject({ state: 'unknown' })
      expect(
        run
          .history()
          .items.get('flying')!
          .open.map(({ call }) => call.call),
      ).toEqual(['c9'])
    },
  )

  test.each([
    ['done', { go: true }],
    ['not-done', { go: true }],
    ['unknown', { go: false, state: 'unknown', why: expect.stringMatching(/not known/) as string }],
  ] as const)('asks the tool where the script did not look: %s', async (answer, expected) => {
    const asked: string[] = []
    const settle = async ({ call }: { call: { call: string } }): Promise<typeof answer> => {
      asked.push(call.call)
      return answer
    }
    const run = new Run(await killed(), { settle })
    const [, , flying] = await run.each(KEYS)
    expect(await run.start(flying!.token, null)).toEqual(expected)
    expect(asked).toEqual(['c1'])
  })

  test('starts no unknown item twice while the tool is asked', async () => {
    let answer: (value: 'done') => void
    const settle = (): Promise<'done'> => new Promise(resolve => (answer = resolve))
    const run = new Run(await killed(), { settle })
    const [, , flying] = await run.each(KEYS)
    const asked = run.start(flying!.token, null)
    expect(await run.start(flying!.token, false)).toEqual({ go: true })
    answer!('done')
    await expect(asked).rejects.toThrow(code('INVALID_PARAMS'))
  })

  test('what became unknown in this run is not started again in it', async () => {
    const run = new Run()
    const [a] = await run.each(['a'])
    await run.start(a!.token)
    run.mutate('a', 'c1', 'unknown')
    await run.end(a!.token, 'failed')
    expect(await run.start(a!.token, false)).toMatchObject({ go: false, state: 'unknown' })
  })

  test('a value that does not fit into an answer is asked for with fewer keys, and none is lost', async () => {
    const first = new Run()
    for (const { token } of await first.each(['a', 'b', 'c'])) {
      await first.start(token)
      await first.end(token, 'ok', { value: 'x'.repeat(40) })
    }
    const run = new Run(first.history(), { limits: { maxAnswerBytes: 100 } })
    const { each } = await run.call('each.open')
    await expect(run.call('each.add', { each, keys: ['a', 'b', 'c'] })).rejects.toThrow(code('TOO_LARGE'))
    await run.call('each.add', { each, keys: ['a', 'b'] })
    await run.call('each.add', { each, keys: ['c'] })
    expect(run.states()).toEqual({ a: 'ok', b: 'ok', c: 'ok' })
  })
})

test('while planning, every item is pending, but for what earlier runs finished', async () => {
  const first = new Run()
  const [done] = await first.each(['done'])
  await first.start(done!.token)
  await first.end(done!.token, 'ok')
  const run = new Run(first.history(), {}, 'plan')
  const [, b, c] = await run.each(['done', 'b', 'c'])
  for (const { token } of [b!, c!]) await run.start(token)
  await run.end(b!.token, 'ok', { value: 1 })
  await run.end(c!.token, 'failed', { class: 'boom' })
  expect(run.ledger.counts({ planned: true })).toEqual({
    total: 3,
    ok: 1,
    failed: 0,
    unknown: 0,
    skipped: 0,
    pending: 2,
    failures: [],
  })
  expect(run.ledger.counts({ planned: false })).toMatchObject({ ok: 2, failed: 1, pending: 0 })

  const apply = new Run(run.history())
  expect((await apply.each(['done', 'b', 'c'])).map(({ state }) => state)).toEqual(['ok', 'todo', 'todo'])
})

test('failures are grouped by class, the most frequent first', async () => {
  const run = new Run()
  const items = await run.each(['a', 'b', 'c', 'd', 'e'])
  const classes = ['timed out', 'forbidden', 'timed out', undefined, 'c'.repeat(150)]
  for (const [n, { token }] of items.entries()) {
    await run.start(token)
    await run.end(token, 'failed', { class: classes[n], message: 'm'.repeat(3000) })
  }
  expect(run.ledger.counts({ planned: false })!.failures).toEqual([
    { class: 'timed out', count: 2, keys: ['a', 'c'] },
    { class: 'c'.repeat(100), count: 1, keys: ['e'] },
    { class: 'failed', count: 1, keys: ['d'] },
    { class: 'forbidden', count: 1, keys: ['b'] },
  ])
  expect([...run.ledger.items()][0]!.message).toHaveLength(2000)
  // A run that was killed is told from its journal, with the same result.
  expect(countItems(run.history().items.values())).toEqual(run.ledger.counts({ planned: false }))
})

describe('once', () => {
  test('the first value wins, for everyone, and is durable before anyone has it', async () => {
    const run = new Run()
    expect(await run.call('once', { name: 'now' })).toEqual({ known: false })
    run.waiting = []
    const order: string[] = []
    const first = run.call('once.set', { name: 'now', value: 1 }).finally(() => order.push('first'))
    const second = run.call('once.set', { name: 'now', value: 2 }).finally(() => order.push('second'))
    const third = run.call('once', { name: 'now' }).finally(() => order.push('third'))
    await new Promise(resolve => setImmediate(resolve))
    expect(order).toEqual([])
    run.waiting[0]!()
    expect(await Promise.all([first, second, third])).toEqual([
      { value: 1 },
      { value: 1 },
      { known: true, value: 1 },
    ])
  })

  test('it is replayed by every run that goes on, also from planning; null is a value', async () => {
    const plan = new Run(null, {}, 'plan')
    await plan.call('once.set', { name: '__proto__', value: { at: [1] } })
    await plan.call('once.set', { name: 'nothing', value: null })
    const resumed = new Run(new Run(plan.history()).history())
    expect(await resumed.call('once', { name: '__proto__' })).toEqual({ known: true, value: { at: [1] } })
    expect(await resumed.call('once.set', { name: 'nothing', value: 5 })).toEqual({ value: null })
  })
})

test('a journal that cannot be written is told in its words, and nothing is taken as done', async () => {
  const run = new Run()
  const [a] = await run.each(['a'])
  await run.start(a!.token)
  run.failure = new SrecodexError('DISK_FULL', 'no space left to keep the run', { hint: 'prune' })
  await expect(run.end(a!.token, 'ok')).rejects.toMatchObject({
    name: 'CallError',
    code: 'INTERNAL',
    message: 'no space left to keep the run',
    hint: 'prune',
  })
  await expect(run.call('once.set', { name: 'n', value: 1 })).rejects.toThrow(code('INTERNAL'))
  await expect(run.call('once', { name: 'n' })).rejects.toThrow(code('INTERNAL'))
  expect(run.history().items.get('a')!.state).toBe('pending')
})

test('a broker that names an item that is not there is at fault', () => {
  expect(() => new Run().ledger.mutationStarted('nobody', 'c1')).toThrow(
    expect.objectContaining({ name: 'SrecodexError', code: 'INTERNAL' }),
  )
})

test('10,000 items in chunks, resumed with 10,000 known, and 200 eaches of the same keys', async () => {
  const run = new Run()
  const { each } = await run.call('each.open')
  for (let n = 0; n < 10_000; n += 2000) {
    const keys = Array.from({ length: 2000 }, (_, i) => `shop/deployment-${n + i}`)
    const { items } = await run.call('each.add', { each, keys })
    await Promise.all(
      items.map(async ({ token }, i) => {
        await run.start(token)
        await run.end(token, i % 10 === 0 ? 'failed' : 'ok', { value: i, class: `class ${i % 20}` })
      }),
    )
  }
  expect(run.ledger.counts({ planned: false })).toMatchObject({ total: 10_000, ok: 9000, failed: 1000 })
  const next = new Run(run.history())
  const keys = Array.from({ length: 2000 }, (_, i) => `shop/deployment-${i}`)
  expect((await next.each(keys)).filter(({ state }) => state === 'ok')).toHaveLength(1800)
  for (let n = 0; n < 200; n += 1) await next.each(keys.slice(0, 100))
  expect(Object.keys(next.states()).at(-1)).toBe('shop/deployment-99#201')
})
