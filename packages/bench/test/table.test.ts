/** What a benchmark prints: figures with their units, and what was missed. */

import { expect, test } from 'vitest'
import { renderJson, renderTable, type Comparison } from '../src/table.ts'

const COMPARISON: Comparison = {
  title: 'A job',
  timings: [
    { name: 'ours', medianMs: 12.345, quartilesMs: [10, 20.06], samplesMs: [10, 12.345, 20.06] },
    { name: 'theirs', medianMs: 6, quartilesMs: [5, 7], samplesMs: [5, 6, 7] },
  ],
  targets: [
    { name: 'ours / theirs', measured: 2.057, unit: 'ratio', most: 2 },
    { name: 'first reply', measured: 250, unit: 'ms', most: 250 },
    { name: 'memory', measured: 0.01, unit: 'GiB', most: 0.25 },
  ],
  facts: ['and a fact'],
}

test('a target is told in its unit, and whether it holds', () => {
  expect(renderTable([COMPARISON])).toMatchInlineSnapshot(`
    "A job          median ms  middle half  of 3 rounds
    ours                12.3  10.0 – 20.1
    theirs               6.0    5.0 – 7.0

    target          measured      at most
    ours / theirs       2.06            2       MISSED
    first reply    250.00 ms       250 ms        holds
    memory          0.01 GiB     0.25 GiB        holds
    and a fact
    "
  `)
})

test('as JSON it is what it is', () => {
  expect(JSON.parse(renderJson([COMPARISON]))).toEqual([COMPARISON])
})
