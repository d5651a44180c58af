/** `each` from JavaScript: what it asks of the host's ledger, and what it makes of the answers. */

import { describe, expect, test } from 'vitest'
import { CallError } from '../../src/tools/protocol.ts'
import { until } from '../tools/listening.ts'
import { host, lastLine, script, startScript, TELL, told, tokenOf } from './javascript-host.ts'
import { NODES, SILENT_SUCCESS } from './running.ts'

const CASES = NODES.flatMap(node => (['esm', 'commonjs'] as const).map(kind => [node, kind] as const))
const [NODE] = NODES

describe.each(CASES)('%s as %s', (node, kind) => {
  test('works on items at once, tells the ledger of each, and gives them by state in their order', async () => {
    const opened = await host()
    const text = `${TELL}
      async function* items() { for (let n = 0; n < 10; n += 1) { await null; yield { n } } }
      const done = await each(items(), async ({ n }) => {
        await sleep((10 - n) * 5)
        if (n === 3) throw new TypeError('not 3')
        return { twice: n * 2 }
      }, { key: ({ n }) => 'item ' + n, atOnce: 4 })
      tell(done, done.ok[0], done.failed[0].error.message, String(done), done.failed[0].item)`
    const keys = Array.from({ length: 10 }, (_, n) => `item ${n}`)
    expect(lastLine(await script(node, kind, text, { socketPath: opened.socketPath }))).toEqual([
      { ok: keys.filter(key => key !== 'item 3').join(), failed: 'item 3' },
      '9 ok, 1 failed (TypeError: item 3)',
      { key: 'item 0', item: { n: 0 }, value: { twice: 0 }, error: null },
      'not 3',
      '9 ok, 1 failed (TypeError: item 3)',
      { n: 3 },
    ])
    expect(opened.most()).toBe(4)
    expect(opened.events.slice(0, 2)).toEqual(['open null ""', 'add 10'])
    expect(opened.attempts.get('item 2')).toEqual([{ outcome: 'ok', retries: 0, value: { twice: 4 } }])
    expect(opened.attempts.get('item 3')).toEqual([
      { outcome: 'failed', retries: 0, class: 'TypeError', message: 'not 3' },
    ])
  })

  test('inside an item calls carry its token, across awaits and in what is nested', async () => {
    const asked: unknown[] = []
    const opened = await host({
      handlers: {
        tool: async ({ item, name }) => {
          asked.push([name, item])
          await new Promise(resolve => setTimeout(resolve, 5))
          return { value: null }
        },
      },
    })
    const text = `${TELL}
      await tool('h', 'before')
      const done = await each(['a', 'b'], async name => {
        await sleep(1)
        await tool('h', 'first ' + name)
        const inner = await each(['x', 'y'], async part => {
          await tool('h', name + part)
          return process.env.SRECODEX_ITEM
        })
        await tool('h', 'last ' + name)
        return [process.env.SRECODEX_ITEM, ...inner.ok.map(({ value }) => value)]
      })
      await tool('h', 'after')
      tell(done, done.ok.map(({ value }) => value), process.env.SRECODEX_ITEM ?? null)`
    const ran = await script(node, kind, text, {
      socketPath: opened.socketPath,
      env: { SRECODEX_PREFIX: 'k8s/x#2/' },
    })
    const inner = [tokenOf('x'), tokenOf('y')]
    expect(lastLine(ran)).toEqual([
      { ok: 'a,b' },
      '2 ok',
      [
        [tokenOf('a'), ...inner],
        [tokenOf('b'), ...inner],
      ],
      null,
    ])
    expect(asked).toHaveLength(10)
    expect(Object.fromEntries(asked as [string, unknown][])).toEqual({
      before: null,
      'first a': tokenOf('a'),
      'first b': tokenOf('b'),
      ax: tokenOf('x'),
      ay: tokenOf('y'),
      bx: tokenOf('x'),
      by: tokenOf('y'),
      'last a': tokenOf('a'),
      'last b': tokenOf('b'),
      after: null,
    })
    expect(opened.events.filter(event => event.startsWith('open')).toSorted()).toEqual([
      `open "${tokenOf('a')}" "k8s/x#2/"`,
      `open "${tokenOf('b')}" "k8s/x#2/"`,
      'open null "k8s/x#2/"',
    ])
  })

  test('without a sandbox it does the same work and keeps no ledger', async () => {
    const text = `${TELL}
      let most = 0, now = 0
      const done = await each(new Set([1, 2, 3, 4, 5]), async n => {
        most = Math.max(most, (now += 1))
        await sleep(5)
        now -= 1
        if (n === 2) throw new Error('two')
        return n * 10
      }, { atOnce: 2, maxFailures: '100%', waves: [1, '40%'], retries: 3, verify: n => n === 4 ? false : n === 5 ? null : true })
      tell(done, most, done.ok.map(({ value }) => value), process.env === (await import('node:process')).env)`
    expect(lastLine(await script(node, kind, text))).toEqual([
      { ok: '1,3', failed: '2,4', unknown: '5' },
      '2 ok, 2 failed (Error: 2; not verified: 4), 1 unknown (UNKNOWN: 5)',
      2,
      [10, 30],
      true,
    ])
  })
})

describe('before anything starts', () => {
  test.each([
    ['two items with one key', `each([1, 2, '1'], () => 0)`, /two items have the key "1"/],
    ['two objects without a key', `each([{}, {}], () => 0)`, /two items have the key "\[object Object\]"/],
    ['an empty key', `each(['a', ''], () => 0)`, /a key is empty/],
    ['a long key', `each(['x'.repeat(201)], () => 0)`, /a key is too long/],
    ['a key with a line feed', `each(['a\\nb'], () => 0)`, /a key has control characters/],
    ['no function', `each([1])`, /a function that works on one of them/],
    ['nothing to iterate', `each(5, () => 0)`, /items that can be iterated/],
    ['an option of Python', `each([1], () => 0, { max_failures: 1 })`, /no option "max_failures"/],
    ['atOnce 0', `each([1], () => 0, { atOnce: 0 })`, /atOnce is a whole number from 1 to 256, not 0/],
    ['retries -1', `each([1], () => 0, { retries: -1 })`, /retries is a whole number from 0 to 1000, not -1/],
    ['waves []', `each([1], () => 0, { waves: [] })`, /waves are counts/],
    ['waves 0', `each([1], () => 0, { waves: [0] })`, /waves are counts/],
    ['waves past all', `each([1], () => 0, { waves: ['101%'] })`, /waves are counts/],
    ['maxFailures 1.5', `each([1], () => 0, { maxFailures: 1.5 })`, /maxFailures is a count/],
    ['verify true', `each([1], () => 0, { verify: true })`, /verify is a function/],
    ['key', `each([1], () => 0, { key: 'id' })`, /key is a function/],
    [
      'an item that cannot be had',
      `each((function* () { yield 1; throw new Error('broken') })(), () => 0)`,
      /broken/,
    ],
  ])('%s is an error', async (_what, call, words) => {
    const { said, events } = await told(
      {},
      `console.log(JSON.stringify(await ${call}.then(() => 'taken', error => [error.code ?? null, error.message])))`,
    )
    expect(said[1]).toMatch(words)
    expect(events).toEqual([])
  })

  test('keys go out in portions that a call carries', async () => {
    const { said, events } = await told(
      {},
      `const small = await each(Array.from({ length: 4500 }, (_, n) => 'k' + n), () => 0, { atOnce: 64 })
      const large = await each(Array.from({ length: 4000 }, (_, n) => '日'.repeat(190) + n), () => 0, { atOnce: 64 })
      const longest = await each(['😀'.repeat(200)], () => 0)
      console.log(JSON.stringify([small, large, longest].map(done => done.summary())))`,
    )
    expect(said).toEqual(['4500 ok', '4000 ok', '1 ok'])
    const added = events.filter(event => event.startsWith('add')).map(event => Number(event.slice(4)))
    expect(added.slice(0, 3)).toEqual([2000, 2000, 500])
    expect(added.slice(3, -1).length).toBeGreaterThan(2)
    expect(added.slice(3).reduce((sum, count) => sum + count)).toBe(4001)
  })

  test('no items are no work', async () => {
    const { said, events } = await told({}, `tell(await each([], () => 0, { waves: [1] }))`)
    expect([said, events]).toEqual([[{}, '0 ok'], ['open null ""']])
  })
})

describe('what an earlier run left', () => {
  test('final items are not done again, and give what was recorded', async () => {
    const { said, events } = await told(
      { earlier: { a: { state: 'ok', value: { from: 'then' } }, b: { state: 'skipped' } } },
      `const done = await each(['a', 'b', 'c'], name => name.toUpperCase())
      tell(done, done.ok.map(({ value }) => value), done.skipped[0].error)`,
    )
    expect(said).toEqual([{ ok: 'a,c', skipped: 'b' }, '2 ok, 1 skipped', [{ from: 'then' }, 'C'], null])
    expect(events).toEqual(['open null ""', 'add 3', 'start c', 'end c ok'])
  })

  const UNKNOWN = { earlier: Object.fromEntries('abcd'.split('').map(key => [key, { state: 'unknown' }])) }

  test('an unknown one is verified first, by what the item can call', async () => {
    const { said, verified, attempts } = await told(
      UNKNOWN,
      `const ran = []
      const asked = []
      const done = await each(['a', 'b', 'c', 'd', 'e'], name => void ran.push(name), {
        verify: async name => {
          asked.push([name, process.env.SRECODEX_ITEM])
          if (name === 'd') throw new Error('cannot look')
          return { a: true, b: ran.includes('b'), c: undefined, e: true }[name]
        },
      })
      tell(done, ran.sort(), asked.sort(), done.unknown.map(({ error }) => error.message))`,
    )
    expect(said).toEqual([
      { ok: 'a,b,e', unknown: 'c,d' },
      '3 ok, 2 unknown (UNKNOWN: c; Error: d)',
      ['b', 'e'],
      ['a', 'b', 'b', 'c', 'd', 'e'].map(name => [name, tokenOf(name)]),
      ['nobody can say', 'cannot look'],
    ])
    expect(Object.fromEntries(verified)).toEqual({ a: true, b: false, c: null, d: null })
    expect([...attempts.keys()].toSorted()).toEqual(['b', 'e'])
  })

  test('without verify it is left alone', async () => {
    const { said, verified, attempts } = await told(UNKNOWN, `tell(await each(['a', 'z'], () => 0))`)
    expect(said).toEqual([{ ok: 'z', unknown: 'a' }, '1 ok, 1 unknown (UNKNOWN: a)'])
    expect([Object.fromEntries(verified), [...attempts.keys()]]).toEqual([{ a: null }, ['z']])
  })

  test('in planning nobody is asked', async () => {
    const { said, verified, events } = await told(
      {
        ...UNKNOWN,
        onEnd: (_key, { outcome }) => ({ state: outcome, retryAfterMs: outcome === 'ok' ? null : 60_000 }),
      },
      `let left = 2
      tell(await each(['a', 'y', 'z'], name => { if (name === 'z' && left-- > 0) throw new Error('again') }, {
        waves: [1, 1, 1], retries: 5, verify: () => { throw new Error('asked') },
      }))`,
      { SRECODEX_PHASE: 'plan' },
    )
    expect(said).toEqual([{ ok: 'a,y,z' }, '3 ok'])
    expect([...verified]).toEqual([])
    expect(events.filter(event => event === 'start z')).toHaveLength(3)
  })
})

describe('the host knows better', () => {
  test('an item that is not to go is what the host says, and its function does not run', async () => {
    const answers: Record<string, unknown> = {
      a: { go: false, state: 'skipped', why: 'not in the plan' },
      b: { go: false, state: 'pending', why: 'the run is ending' },
    }
    const { said } = await told(
      {
        onStart: key => {
          if (key === 'c') throw new CallError('SKIPPED', 'ending now')
          return answers[key]
        },
      },
      `const ran = []
      const done = await each(['a', 'b', 'c', 'd'], name => void ran.push(name))
      tell(done, ran, [...done.skipped, ...done.pending].map(({ key, error }) => [key, error instanceof Skipped, error.message]))`,
    )
    expect(said).toEqual([
      { ok: 'd', skipped: 'a,c', pending: 'b' },
      '1 ok, 2 skipped, 1 pending',
      ['d'],
      [
        ['a', true, 'not in the plan'],
        ['c', true, 'ending now'],
        ['b', true, 'the run is ending'],
      ],
    ])
  })

  test('an item that went well may still be skipped or unknown', async () => {
    const { said } = await told(
      {
        onEnd: key => ({
          state: { a: 'skipped', b: 'unknown', c: 'unknown' }[key] ?? 'ok',
          retryAfterMs: null,
        }),
      },
      `const done = await each(['a', 'b', 'c', 'd'], name => { if (name === 'c') throw new Error('c broke'); return 7 })
      tell(done, [...done.skipped, ...done.unknown].map(({ error, value }) => [error.code ?? error.message, value]))`,
    )
    expect(said).toEqual([
      { ok: 'd', unknown: 'b,c', skipped: 'a' },
      '1 ok, 2 unknown (UNKNOWN: b; Error: c), 1 skipped',
      [
        ['SKIPPED', null],
        ['UNKNOWN', null],
        ['c broke', null],
      ],
    ])
  })

  test('retries are asked for each time, and made when they are granted, after their pause', async () => {
    const { said, attempts, events } = await told(
      {
        onEnd: (key, { outcome, retries }) =>
          outcome === 'ok'
            ? null
            : { state: 'failed', retryAfterMs: key !== 'never' && retries > 0 ? 60 : null },
      },
      `const tries = {}, times = []
      const done = await each(['twice', 'always', 'never'], name => {
        tries[name] = (tries[name] ?? 0) + 1
        if (name === 'twice') times.push(performance.now())
        if (name !== 'twice' || tries.twice < 3) throw new SrecodexError('CONFLICT', name)
        return 'done'
      }, { retries: 2 })
      tell(done, tries, times.slice(1).every((time, at) => time - times[at] > 50), done.ok[0].error)`,
    )
    expect(said).toEqual([
      { ok: 'twice', failed: 'always,never' },
      '1 ok, 2 failed (CONFLICT: always, never)',
      { twice: 3, always: 3, never: 1 },
      true,
      null,
    ])
    expect([...attempts.values()].map(all => all.map(({ retries }) => retries))).toEqual([
      [2, 1, 0],
      [2, 1, 0],
      [2],
    ])
    expect(events.filter(event => event === 'start always')).toHaveLength(3)
  })

  test('a host that is lost stops it: what is under way ends, nothing new starts, and it rejects', async () => {
    const opened = await host()
    const text = `${TELL}
      const ran = []
      const ended = []
      console.log('ready')
      const failure = await each([1, 2, 3, 4, 5], async n => {
        ran.push(n)
        await new Promise(resolve => process.stdin.once('data', resolve))
        await sleep(50)
        ended.push(n)
      }, { atOnce: 2 }).catch(error => error)
      process.stdin.destroy()
      console.log(JSON.stringify([failure instanceof SrecodexError, failure.code, ran, ended]))`
    const running = startScript(NODE!, 'esm', text, { socketPath: opened.socketPath })
    await running.says('ready')
    await until(() => opened.events.includes('start 2'))
    await opened.channel.close()
    running.write('go\n')
    expect(lastLine(await running.finished)).toEqual([true, 'DISCONNECTED', [1, 2], [1, 2]])
  })

  test('a ledger that fails is not taken for a failed item', async () => {
    const { said } = await told(
      {
        onStart: key => {
          if (key === '3') throw new CallError('LIMIT_EXCEEDED', 'too many', { hint: 'less' })
          return { go: true }
        },
      },
      `const ran = []
      const error = await each([1, 2, 3, 4, 5], n => void ran.push(n), { atOnce: 1 }).catch(error => error)
      console.log(JSON.stringify([error.code, error.hint, ran]))`,
    )
    expect(said).toEqual(['LIMIT_EXCEEDED', 'less', [1, 2]])
  })
})

test('1,000 items that fail and succeed in turns leave nothing behind on stderr', async () => {
  const opened = await host()
  const text = `const done = await each(Array.from({ length: 1000 }, (_, n) => n), async n => { if (n % 2) throw new Error('odd') },
    { atOnce: 64 })
    console.log(done.ok.length, done.failed.length)`
  const ran = await script(NODE!, 'esm', text, { socketPath: opened.socketPath })
  expect(ran).toEqual({ ...SILENT_SUCCESS, stdout: '500 500\n' })
})
