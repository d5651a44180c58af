/** The table knows every verb and every flag that amtool's own help lists: `amtool --help-long` of 0.25. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseOptionSpecs, type OptionSpec } from '../../../src/tools/effects/options.ts'
import { AMTOOL_GLOBAL_FLAGS, AMTOOL_VERBS } from '../../../src/tools/effects/tables/amtool.ts'

const help = readFileSync(new URL('fixtures/amtool-help.txt', import.meta.url), 'utf8')

/** `  -d, --duration="1h"    Duration of silence`; a flag without `=` is a switch. Prose is not set apart so. */
const FLAG = /^ {2,8}(?:-(\w), )?--([\w.-]*\w)(="[^"]*"|=\S+)?(?: \.\.\.)?(?: {2}|$)/gm

const flagsOf = (text: string): OptionSpec[] =>
  [...text.matchAll(FLAG)].map(([, short, long = '', value]) => ({
    long,
    short: short ?? null,
    takes: value === undefined ? 'nothing' : 'value',
  }))

const [head = '', body = ''] = help.split(/^Commands:$/m)
const verbs = new Map(
  body
    .split(/\n(?=[a-z])/)
    .map(part => part.trim())
    .filter(part => part !== '')
    .map(part => [/^[a-z-]+(?: [a-z]+)*/.exec(part)?.[0] ?? '', flagsOf(`\n${part}`)] as const),
)

/** In the source of amtool, and hidden from its help; or of later versions. */
const UNLISTED: Readonly<Record<string, readonly string[]>> = {
  '': ['enable-feature'],
  'silence add': ['require-comment'],
  'silence query': ['id'],
  // Flags of `config routes`, which its own page lists.
  'config routes show': ['config.file'],
  'config routes test': ['config.file'],
}

const sorted = (specs: readonly OptionSpec[]): OptionSpec[] =>
  specs.toSorted((one, other) => (one.long < other.long ? -1 : 1))

test('the verbs', () => {
  expect([...verbs.keys()].sort()).toEqual(Object.keys(AMTOOL_VERBS).sort())
})

test.each(['', ...Object.keys(AMTOOL_VERBS)])('the flags of `%s`, with their short forms', verb => {
  const table = parseOptionSpecs(verb === '' ? AMTOOL_GLOBAL_FLAGS : (AMTOOL_VERBS[verb]?.flags ?? ''))
  const listed = verb === '' ? flagsOf(head) : (verbs.get(verb) ?? [])
  const unlisted = UNLISTED[verb] ?? []
  expect(sorted(table.filter(({ long }) => !unlisted.includes(long)))).toEqual(sorted(listed))
})

test('what the help does not list is in the table all the same', () => {
  for (const [verb, flags] of Object.entries(UNLISTED)) {
    const table = parseOptionSpecs(verb === '' ? AMTOOL_GLOBAL_FLAGS : (AMTOOL_VERBS[verb]?.flags ?? ''))
    expect(table.map(({ long }) => long)).toEqual(expect.arrayContaining([...flags]))
  }
})
