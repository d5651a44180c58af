/** `each` from JavaScript: waves, failures that are allowed, and what is recorded of an attempt. */

import { describe, expect, test } from 'vitest'
import { CallError } from '../../src/tools/protocol.ts'
import { told } from './javascript-host.ts'

describe('waves', () => {
  /**
   * An item ends once its whole wave has begun, so a wave that is too small never ends; and it tells of itself when
   * it begins before all of the waves before it have ended, so none is too large.
   */
  const WAVES = `const early = []
    let begun = 0, ended = 0
    const workIn = (sizes, first = 0) => async n => {
      begun += 1
      let before = 0, wave = 0
      while (n - first >= before + sizes[wave]) before += sizes[wave++]
      if (ended < before) early.push(n)
      while (begun < before + sizes[wave]) await sleep(1)
      await sleep(2)
      ended += 1
    }
    const items = Array.from({ length: 20 }, (_, n) => n)\n`

  test.each([
    [`[1, 5, '100%']`, [1, 5, 14]],
    [`[1, '25%']`, [1, 5, 14]],
    [`['1%', '30%', '30%', '100%']`, [1, 6, 6, 7]],
    [`[3]`, [3, 17]],
    [`null`, [20]],
  ])('%s', async (waves, sizes) => {
    const text = `${WAVES}
      const done = await each(items, workIn(${JSON.stringify(sizes)}), { atOnce: 20, waves: ${waves} })
      console.log(JSON.stringify([done.summary(), early]))`
    expect((await told({}, text)).said).toEqual(['20 ok', []])
  })

  test('are of what is left to do', async () => {
    const earlier = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [String(n), { state: 'ok' }]))
    const text = `${WAVES}
      const done = await each(items, workIn([1, 2, 5], 12), { atOnce: 20, waves: [1, '10%'] })
      console.log(JSON.stringify([done.summary(), begun, early]))`
    expect((await told({ earlier }, text)).said).toEqual(['20 ok', 8, []])
  })

  test('stop after the one in which an item failed, unless told otherwise', async () => {
    const { said } = await told(
      {},
      `const done = await each(['a', 'b', 'c', 'd'], name => {
        if (name === 'b') throw new Error('b')
      }, { waves: [2, 2], atOnce: 1 })
      tell(done)`,
    )
    expect(said[0]).toEqual({ ok: 'a', failed: 'b', pending: 'c,d' })
  })

  test('each is verified at its end: true is ok, false is failed, null is unknown', async () => {
    const { said, events, attempts } = await told(
      {},
      `const log = []
      const done = await each(['a', 'b', 'c', 'd', 'e'], name => {
        log.push('do ' + name)
        if (name === 'd') throw new Error('d')
        return name.toUpperCase()
      }, { waves: [2, 3], atOnce: 1, maxFailures: '100%', verify: async name => {
        log.push('verify ' + name)
        await sleep(5)
        return { a: true, b: false, c: null, e: 'yes' }[name]
      } })
      tell(done, log, done.ok[0].value, done.unknown.map(({ error }) => error.message), done.failed[0].error.code)`,
    )
    expect(said).toEqual([
      { ok: 'a', failed: 'b,d', unknown: 'c,e' },
      '1 ok, 2 failed (not verified: b; Error: d), 2 unknown (UNKNOWN: c; INVALID_PARAMS: e)',
      ['do a', 'do b', 'verify a', 'verify b', 'do c', 'do d', 'do e', 'verify c', 'verify e'],
      'A',
      ['verify cannot tell whether it is done', 'verify gives true, false or null'],
      'not verified',
    ])
    expect(events.filter(event => event.startsWith('end'))).toEqual([
      'end a ok',
      'end b failed',
      'end d failed',
      'end c unknown',
      'end e unknown',
    ])
    expect(attempts.get('a')).toEqual([{ outcome: 'ok', retries: 0, value: 'A' }])
    expect(attempts.get('b')![0]).toMatchObject({ class: 'not verified', retries: 0 })
  })
})

describe('maxFailures', () => {
  test.each([
    ['0', 1, 9],
    ['2', 3, 7],
    [`'0%'`, 1, 9],
    [`'20%'`, 3, 7],
    [`'29%'`, 3, 7],
    [`'100%'`, 10, 0],
    ['null', 10, 0],
  ])('%s', async (maxFailures, failed, pending) => {
    const { said, events } = await told(
      {},
      `const done = await each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], () => { throw new Error('no') },
        { atOnce: 1, maxFailures: ${maxFailures} })
      console.log(JSON.stringify([done.failed.length, done.pending.length]))`,
    )
    expect(said).toEqual([failed, pending])
    expect(events.filter(event => event.startsWith('start'))).toHaveLength(failed)
  })

  test('what is under way ends, pauses are cut short, and no wave follows', async () => {
    const { said, events } = await told(
      { onEnd: (key, { outcome }) => ({ state: outcome, retryAfterMs: key === '0' ? 60_000 : null }) },
      `const started = performance.now()
      const done = await each([0, 1, 2, 3, 4, 5], async n => {
        if (n === 0) throw new Error('waits for its retry')
        await sleep(n * 30)
        if (n < 3) throw new Error('no')
      }, { atOnce: 4, waves: [5], retries: 9, maxFailures: 1 })
      tell(done, performance.now() - started < 10_000)`,
    )
    expect(said).toEqual([
      { ok: '3,4', failed: '0,1,2', pending: '5' },
      '2 ok, 3 failed (Error: 0, 1, 2), 1 pending',
      true,
    ])
    expect(events.filter(event => event === 'start 0')).toHaveLength(1)
  })

  test('counts unknown ones and those that are not verified', async () => {
    const { said } = await told(
      { earlier: { 0: { state: 'unknown' } } },
      `tell(await each([0, 1, 2, 3], () => 0, { waves: [1, 1, 1], maxFailures: 1, verify: n => n === 0 ? null : false }))`,
    )
    expect(said).toEqual([
      { failed: '1', unknown: '0', pending: '2,3' },
      '1 failed (not verified: 1), 1 unknown (UNKNOWN: 0), 2 pending',
    ])
  })
})

describe('what is recorded', () => {
  test('classes and messages of what is thrown', async () => {
    const { attempts } = await told(
      { handlers: { tool: () => Promise.reject(new CallError('TOOL_FAILED', 'the tool is out')) } },
      `import * as cp from 'node:child_process'
      import { promisify } from 'node:util'
      const broken = "echo one >&2; echo 'last words' >&2; echo >&2; exit 3"
      const cases = {
        tool: () => tool('a', 'b'),
        execFile: () => promisify(cp.execFile)('sh', ['-c', broken]),
        exec: () => promisify(cp.exec)(broken),
        callback: () => new Promise((resolve, reject) => cp.exec(broken, error => reject(error))),
        execSync: () => cp.execSync(broken, { stdio: 'pipe' }),
        execFileSync: () => cp.execFileSync('sh', ['-c', broken], { stdio: ['ignore', 'pipe', 'ignore'] }),
        killed: () => promisify(cp.execFile)('sh', ['-c', 'kill -9 $$']),
        execa: () => { throw Object.assign(new Error('Command failed with exit code 2: kubectl'), { exitCode: 2, stderr: 'a\\nb' }) },
        http: () => { throw Object.assign(new Error('Not Found'), { status: 404 }) },
        missing: () => promisify(cp.execFile)('/nowhere'),
        system: () => { throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) },
        type: () => null.x,
        text: () => { throw 'a text' },
        nothing: () => { throw undefined },
        mute: () => { throw Object.create(null) },
        long: () => { throw new Error('x'.repeat(499) + '😀') },
      }
      tell(await each(Object.keys(cases), name => cases[name]()))`,
    )
    const classes = [...attempts].map(([key, [attempt]]) => [key, attempt!.class, attempt!.message])
    expect(Object.fromEntries(classes.map(([key, ...words]) => [key, words.join(' | ')]))).toEqual({
      tool: 'TOOL_FAILED | the tool is out',
      execFile: 'exit 3 | last words',
      exec: 'exit 3 | last words',
      callback: 'exit 3 | last words',
      execSync: 'exit 3 | last words',
      execFileSync: expect.stringMatching(/^exit 3 \| Command failed: sh -c /),
      killed: expect.stringMatching(/^signal SIGKILL \| Command failed: sh -c /),
      execa: 'exit 2 | b',
      http: 'Error | Not Found',
      missing: 'ENOENT | spawn /nowhere ENOENT',
      system: 'ECONNREFUSED | refused',
      type: expect.stringMatching(/^TypeError \| Cannot read/),
      text: 'string | a text',
      nothing: 'Error | undefined was thrown',
      mute: 'Error | what was thrown cannot be told as text',
      long: `Error | ${'x'.repeat(499)}\uFFFD`,
    })
  })

  test('values that are JSON and not too large', async () => {
    const { said, attempts } = await told(
      {},
      `const cycle = {}; cycle.self = cycle
      const values = { object: { a: [1] }, zero: 0, nothing: undefined, null: null, fn: () => 0, big: 1n, cycle,
        fits: 'x'.repeat(65534), large: 'x'.repeat(65535) }
      const done = await each(Object.keys(values), name => values[name])
      console.log(JSON.stringify([done.ok.every(({ key, value }) => value === (values[key] ?? null)), done.summary()]))`,
    )
    expect(said).toEqual([true, '9 ok'])
    const recorded = [...attempts].filter(([, [attempt]]) => 'value' in attempt!).map(([key]) => key)
    expect(recorded).toEqual(['object', 'zero', 'null', 'fits'])
  })

  test('the summary names the commonest classes with some of their keys', async () => {
    const { said } = await told(
      {},
      `const done = await each(Array.from({ length: 14 }, (_, n) => 'item ' + n), (_, n) => {
        throw new SrecodexError(['A', 'B', 'B', 'B', 'B', 'C', 'D', 'E'][Number(_.slice(5)) % 8], 'x')
      }, { atOnce: 1 })
      console.log(JSON.stringify([done.summary()]))`,
    )
    expect(said).toEqual([
      '14 failed (B: item 1, item 2, item 3, 5 more; A: item 0, item 8; C: item 5, item 13; 2 more classes)',
    ])
  })
})
