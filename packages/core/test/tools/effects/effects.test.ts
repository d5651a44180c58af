import { describe, expect, test } from 'vitest'
import { KUBECTL_CASES } from './cases-kubectl.ts'
import { AMTOOL_CASES, AWS_CASES, CURL_CASES, HELM_CASES, HOUSE_CASES, PSQL_CASES } from './cases-others.ts'
import { casesOf, decideLine, said } from './command-line.ts'

const CURL_POLICY = { reads: ['https://prom.example/*'], mutates: ['https://hooks.example/deploy/*'] }
const HOUSE_POLICY = { reads: ['compute instances list *', 'status'], reveals: ['key show *'] }

const TABLES = [
  ['kubectl', KUBECTL_CASES, {}],
  ['aws', AWS_CASES, {}],
  ['psql', PSQL_CASES, {}],
  ['helm', HELM_CASES, {}],
  ['amtool', AMTOOL_CASES, {}],
  ['curl', CURL_CASES, CURL_POLICY],
  ['house tools', HOUSE_CASES, HOUSE_POLICY],
] as const

describe.each(TABLES)('the effect of each command line: %s', (_tool, text, policy) => {
  test.each(casesOf(text))('$line', ({ expected, line }) => {
    expect(said(decideLine(line, policy))).toBe(expected)
  })
})

test('the tables hold at least 300 command lines', () => {
  expect(TABLES.flatMap(([, text]) => casesOf(text)).length).toBeGreaterThanOrEqual(300)
})
