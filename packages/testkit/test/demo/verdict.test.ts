import { expect, test } from 'vitest'
import { judge, parseSummary } from '../../src/demo/verdict.ts'

const SUMMARY = `app.log: 1,200 lines, 1,013 errors of 2 types (samples of each: samples.jsonl)

count  type                first  last   message
1,001  connection refused  00:00  23:59  dial 12  in 00:00  00:01  x
   12  HTTP 503            03:00  04:00  upstream`
const TRUTH = {
  bytes: 1,
  lines: 1200,
  mentions: 1300,
  errors: { 'connection refused': 1001, 'HTTP 503': 12 },
}

test('counts are read from the text that came back', () => {
  expect(parseSummary(SUMMARY)).toEqual({
    lines: 1200,
    errors: 1013,
    types: { 'connection refused': 1001, 'HTTP 503': 12 },
  })
  expect(parseSummary('nothing of the kind')).toEqual({ lines: null, errors: null, types: {} })
})

test('equal counts differ in nothing', () => {
  expect(judge(parseSummary(SUMMARY), TRUTH)).toEqual({ matched: 2, types: 2, differences: [] })
})

test('each difference is named: a wrong count, a lost type, an invented one', () => {
  const counts = { lines: 1200, errors: 1012, types: { 'connection refused': 1000, ghost: 12 } }
  expect(judge(counts, TRUTH)).toEqual({
    matched: 0,
    types: 2,
    differences: [
      'errors: the summary says 1012, the generator wrote 1013',
      'connection refused: the summary says 1000, the generator wrote 1001',
      'HTTP 503: the summary says nothing, the generator wrote 12',
      'ghost: the generator wrote no such error',
    ],
  })
})
