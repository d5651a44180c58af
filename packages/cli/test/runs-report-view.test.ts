/** What the page of a run computes before it draws: the part that is seen, and the attempts at an item. */

import { expect, test } from 'vitest'
import { packAttempts, unpackAttempts } from '../src/report/attempts.ts'
import { ENDS, ITEM_STATES, KINDS, type PageData } from '../src/report/page-data.ts'
import { NO_FILTER, Rows, waveBands } from '../src/report/page/rows.ts'
import { clamped, isWhole, middleOf, shifted, whole, zoomed, type View } from '../src/report/page/view.ts'

const LENGTH_MS = 1000

const view = (fromMs: number, toMs: number): View => ({ fromMs, toMs })

test.each([
  ['as it is', view(100, 200), view(100, 200)],
  ['before the beginning', view(-50, 50), view(0, 100)],
  ['past the end', view(950, 1050), view(900, 1000)],
  ['longer than the run', view(-100, 2000), view(0, 1000)],
  ['too short to be seen', view(500, 500.1), view(500, 502)],
  ['too short, at the end', view(1000, 1000), view(998, 1000)],
  ['the wrong way round', view(600, 400), view(600, 602)],
])('clamped: %s', (_what, wanted, given) => {
  expect(clamped(wanted, LENGTH_MS)).toEqual(given)
})

test('a run of less than can be seen is seen whole', () => {
  expect(clamped(view(0, 1), 1)).toEqual(view(0, 1))
  expect(zoomed(whole(1), 0.5, 0, 1)).toEqual(view(0, 1))
})

test.each([
  ['forward', view(100, 200), 0.25, view(125, 225)],
  ['back', view(100, 200), -0.25, view(75, 175)],
  ['no further than the beginning', view(10, 110), -0.25, view(0, 100)],
  ['no further than the end', view(890, 990), 0.25, view(900, 1000)],
  ['the whole run, nowhere', whole(LENGTH_MS), 0.25, whole(LENGTH_MS)],
])('shifted: %s', (_what, from, share, given) => {
  expect(shifted(from, share, LENGTH_MS)).toEqual(given)
})

test.each([
  ['in, around the middle', view(400, 600), 0.5, 500, view(450, 550)],
  ['in, around what stays where it is', view(400, 600), 0.5, 420, view(410, 510)],
  ['out', view(450, 550), 2, 500, view(400, 600)],
  ['out, at the beginning', view(0, 100), 2, 50, view(0, 200)],
  ['out, at the end', view(900, 1000), 2, 950, view(800, 1000)],
  ['out of the whole run', whole(LENGTH_MS), 2, 500, whole(LENGTH_MS)],
])('zoomed: %s', (_what, from, factor, aroundMs, given) => {
  expect(zoomed(from, factor, aroundMs, LENGTH_MS)).toEqual(given)
})

test('the middle, and the whole', () => {
  expect(middleOf(view(100, 200))).toBe(150)
  expect([isWhole(whole(LENGTH_MS), LENGTH_MS), isWhole(view(0, 999), LENGTH_MS)]).toEqual([true, false])
})

test('attempts come back as they went, and an open one ends where the next begins', () => {
  const done = { startMs: 30, endMs: 50, state: 'failed' } as const
  expect(unpackAttempts(packAttempts([done]))).toEqual([done])
  expect(unpackAttempts(packAttempts([]))).toEqual([])
  const open = { startMs: 10, endMs: null, state: 'running' } as const
  expect(unpackAttempts(packAttempts([open, done, { ...open, startMs: 70 }]))).toEqual([
    { ...open, endMs: 30 },
    done,
    { ...open, startMs: 70 },
  ])
  for (const state of ITEM_STATES)
    expect(unpackAttempts(packAttempts([{ ...done, state }]))).toEqual([{ ...done, state }])
})

/** Two items of two waves: one tried twice, one still open; each with a call, and one call of none. */
function someRows(): Rows {
  const words = ['kubectl', 'get', 'web', 'api', 'kubectl get web', 'kubectl get api', 'kubectl get all']
  const [read, ok, failed] = [KINDS.indexOf('read'), ENDS.indexOf('ok'), ENDS.indexOf('failed')]
  return new Rows({
    words,
    lengthMs: 500,
    calls: {
      ...{ kind: [read, read, read], end: [failed, ok, ok], at: [10, 110, 300], tookMs: [20, 30, -1] },
      ...{ how: [-1, -1, -1], tool: [0, 0, 0], verb: [1, 1, 1], item: [2, 3, -1], text: [4, 5, 6] },
      targets: [-1, -1, -1],
    },
    items: {
      ...{ key: [2, 3], state: [ITEM_STATES.indexOf('ok'), ITEM_STATES.indexOf('running')] },
      ...{ class: [-1, -1], message: [-1, -1], wave: [1, 2], carried: [0, 0] },
      attempts: [
        packAttempts([
          { startMs: 5, endMs: 40, state: 'failed' },
          { startMs: 50, endMs: 90, state: 'ok' },
        ]),
        packAttempts([{ startMs: 100, endMs: null, state: 'running' }]),
      ],
    },
  } as unknown as PageData)
}

test('rows: each call, or under its item; filters, and the part that is seen', () => {
  const rows = someRows()
  const all = whole(rows.lengthMs)
  const places = (filter: object, seen = all, underItems = false): string =>
    rows
      .select({ ...NO_FILTER, ...filter }, seen, underItems)
      .map(({ kind, at }) => `${kind[0]}${at}`)
      .join(' ')
  expect(places({})).toBe('c0 c1 c2')
  expect(places({}, all, true)).toBe('i0 c0 i1 c1 i-1 c2')
  expect(places({ item: 'web' }, all, true)).toBe('i0 c0')
  expect(places({ end: 'failed' })).toBe('c0')
  expect(places({ wave: 2 })).toBe('c1')
  expect(places({ text: 'get all' })).toBe('c2')
  expect(places({ items: new Set([1]) }, all, true)).toBe('i1 c1')
  // What has no end reaches to the end of what is known; an item is there while an attempt at it is.
  expect(places({}, view(400, 500), true)).toBe('i1 i-1 c2')
  expect(places({}, view(60, 80), true)).toBe('i0')
})

test('waves are bands where they do not run into each other', () => {
  expect(waveBands(someRows())).toEqual([
    { wave: 1, fromMs: 5, toMs: 90 },
    { wave: 2, fromMs: 100, toMs: 100 },
  ])
})
