/** `each` and `once` from JavaScript at the ledger that runs keep: done, resumed, tried again. */

import { expect, test } from 'vitest'
import { Run } from '../runs/ledger-run.ts'
import { listening } from '../tools/listening.ts'
import { lastLine, script, TELL } from './javascript-host.ts'
import { NODES } from './running.ts'

/** What a script says at the ledger of this run; `mutate` is a mutation of the item that calls it. */
async function at(run: Run, text: string): Promise<unknown> {
  let calls = 0
  const { socketPath } = await listening({
    handlers: {
      ...run.ledger.handlers,
      tool: ({ item, name }) => {
        calls += 1
        const key = run.ledger.itemKey(String(item))
        run.mutate(key, `call${calls}`, name === 'lost' ? 'unknown' : 'ok')
        return { value: key }
      },
    },
  })
  return lastLine(await script(NODES[0]!, 'esm', TELL + text, { socketPath }))
}

test('a run is done in part and resumed: nothing is done twice, and what is unknown is verified', async () => {
  const work = `
    const ran = []
    const name = await once('name', () => Math.random())
    const work = (fails, verify) => each(['a', 'b', 'c', 'd'], async key => {
      ran.push(key)
      const inner = await each(['x', 'y'], part => void ran.push(key + part))
      if (key === 'a') await tool('house', 'lost')
      if (fails && key === 'b') throw new Error('b broke')
      return { key, inner: inner.ok.length }
    }, { atOnce: 1, maxFailures: 1, ...verify })\n`
  const first = new Run()
  const [, , name] = (await at(first, `${work} tell(await work(true), ran, name)`)) as [
    unknown,
    unknown,
    string[],
  ]
  expect(name).toEqual(['a', 'ax', 'ay', 'b', 'bx', 'by'])
  expect(first.states()).toEqual({
    a: 'unknown',
    'a/x': 'ok',
    'a/y': 'ok',
    b: 'failed',
    'b/x': 'ok',
    'b/y': 'ok',
    c: 'pending',
    d: 'pending',
  })

  const second = new Run(first.history())
  expect(
    await at(
      second,
      `${work} const asked = []
      const done = await work(false, { verify: key => { asked.push(key); return true } })
      tell(done, ran, asked, done.ok.map(({ value }) => value))`,
    ),
  ).toEqual([
    { ok: 'a,b,c,d' },
    '4 ok',
    ['b', 'c', 'cx', 'cy', 'd', 'dx', 'dy'],
    ['a', 'b', 'c', 'd'],
    [null, ...['b', 'c', 'd'].map(key => ({ key, inner: 2 }))],
  ])
  const again = `const done = await each(['a', 'b', 'c', 'd'], () => 'again'); tell(done, done.ok.map(({ value }) => value?.key))`
  expect(await at(new Run(second.history()), again)).toEqual([
    { ok: 'a,b,c,d' },
    '4 ok',
    [null, 'b', 'c', 'd'],
  ])
})

test('what was decided once stays so in the run that goes on', async () => {
  const text = `console.log(JSON.stringify([await once('name', () => Math.random()), await once('none', () => null)]))`
  const first = new Run()
  const decided = await at(first, text)
  expect(await at(new Run(first.history()), text)).toEqual(decided)
  expect(await at(new Run(), text)).not.toEqual(decided)
})

test('only what has changed nothing is tried again', async () => {
  const text = `const tries = {}
    const done = await each(['safe', 'changed'], async key => {
      tries[key] = (tries[key] ?? 0) + 1
      if (key === 'changed') await tool('house', 'change')
      if (tries[key] < 3) throw new Error('not yet')
    }, { retries: 2 })
    tell(done, tries)`
  expect(await at(new Run(null, { random: () => 0 }), text)).toEqual([
    { ok: 'safe', failed: 'changed' },
    '1 ok, 1 failed (Error: changed)',
    { safe: 3, changed: 1 },
  ])
})

test('values that are too much to record cost their record, not the item', async () => {
  const run = new Run(null, { limits: { maxValueBytes: 1000, maxRecordedBytes: 1500 } })
  const text = `const done = await each(['large', 'a', 'b', 'c'], key => 'x'.repeat(key === 'large' ? 2000 : 600), { atOnce: 1 })
    tell(done, done.ok.map(({ value }) => value.length))`
  expect(await at(run, text)).toEqual([{ ok: 'large,a,b,c' }, '4 ok', [2000, 600, 600, 600]])
  const again = `const done = await each(['large', 'a', 'b', 'c'], key => 'again')
    tell(done, done.ok.map(({ value }) => value?.length ?? null))`
  expect(await at(new Run(run.history()), again)).toEqual([
    { ok: 'large,a,b,c' },
    '4 ok',
    [null, 600, 600, null],
  ])
})

test('what an earlier run recorded comes in as many answers as it takes', async () => {
  const first = new Run()
  const text = `const done = await each(Array.from({ length: 40 }, (_, n) => 'k' + n), key => key + 'x'.repeat(1000))
    console.log(JSON.stringify([done.summary(), done.ok.every(({ key, value }) => value.startsWith(key))]))`
  expect(await at(first, text)).toEqual(['40 ok', true])
  const second = new Run(first.history(), { limits: { maxAnswerBytes: 8000 } })
  expect(await at(second, text)).toEqual(['40 ok', true])
})
