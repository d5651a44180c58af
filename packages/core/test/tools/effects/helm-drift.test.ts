/** The table knows every verb and every flag that the help of helm 4 lists, as a switch or not. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseOptionSpecs } from '../../../src/tools/effects/options.ts'
import { HELM_GLOBAL_FLAGS, HELM_VERBS } from '../../../src/tools/effects/tables/helm.ts'

const { commands }: { commands: Readonly<Record<string, readonly string[]>> } = JSON.parse(
  readFileSync(new URL('fixtures/helm-help.json', import.meta.url), 'utf8'),
)

/** `completion SHELL`, and what writes or verifies plug-ins: refused as verbs that no row has. */
const IN_NO_ROW = /^(completion|plugin) /

test('the help is that of a whole helm', () => {
  expect(Object.keys(commands).length).toBeGreaterThan(40)
  expect(commands['rollback']).toContain('dry-run?')
})

test('every verb is in the table', () => {
  const missing = Object.keys(commands).filter(
    verb => verb !== '' && !IN_NO_ROW.test(verb) && HELM_VERBS[verb] === undefined,
  )
  expect(missing).toEqual([])
})

test.each(
  Object.keys(commands).filter(verb => !(HELM_VERBS[verb]?.effect === 'refuse' || IN_NO_ROW.test(verb))),
)('the flags of `%s`, with their short forms', verb => {
  const specs = parseOptionSpecs(`${HELM_GLOBAL_FLAGS} ${HELM_VERBS[verb]?.flags ?? ''}`)
  const known = new Map(specs.map(spec => [spec.long, spec]))
  const wrong = parseOptionSpecs(commands[verb]?.join(' ') ?? '').filter(({ long, short, takes }) => {
    const row = known.get(long)
    // What may take a value, and what takes none, leave the next word alone.
    return row?.short !== short || (row.takes === 'value') !== (takes === 'value')
  })
  expect(wrong).toEqual([])
})
