/** The table knows every verb and every flag that kubectl's own help lists. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseOptionSpecs } from '../../../src/tools/effects/options.ts'
import { KUBECTL_CLIENT_VERSION, KUBECTL_FLAGS } from '../../../src/tools/effects/tables/kubectl-flags.ts'
import { KUBECTL_VERBS } from '../../../src/tools/effects/tables/kubectl.ts'
import { installedHelp, isKubectlInstalled } from './kubectl-help.ts'
import type { HelpPage } from './kubectl-help.ts'

const fixture: {
  clientVersion: string
  commands: Record<string, { subcommands: string[]; flags: string[] }>
} = JSON.parse(readFileSync(new URL('fixtures/kubectl-help.json', import.meta.url), 'utf8'))

const committed = new Map<string, HelpPage>(
  Object.entries(fixture.commands).map(([path, page]) => [
    path,
    {
      subcommands: page.subcommands,
      flags: parseOptionSpecs(page.flags.join(' ')).map(({ long, short, takes }) => ({
        long,
        short,
        isSwitch: takes === 'nothing',
      })),
    },
  ]),
)

/** Without kubectl the committed help stands alone; with it, the real one is asked as well. */
const SOURCES = [
  ['the committed help', committed],
  ...(isKubectlInstalled() ? [['the installed kubectl', installedHelp()] as const] : []),
] as const

const isGroup = (pages: ReadonlyMap<string, HelpPage>, path: string): boolean =>
  (pages.get(path)?.subcommands.length ?? 0) > 0

describe.each(SOURCES)('held to %s', (_name, pages) => {
  test('every verb is in the table', () => {
    const missing = [...pages.keys()].filter(
      path => path !== '' && KUBECTL_VERBS[path] === undefined && !isGroup(pages, path),
    )
    expect(missing).toEqual([])
    expect(pages.size).toBeGreaterThan(90)
  })

  test('every flag is in the table, with its short form, as a switch or not', () => {
    const wrong: string[] = []
    for (const [path, page] of pages) {
      const known = new Map(parseOptionSpecs(KUBECTL_FLAGS[path] ?? '').map(spec => [spec.long, spec]))
      for (const { long, short, isSwitch } of page.flags) {
        const spec = known.get(long)
        if (spec?.short !== short || (spec.takes === 'nothing') !== isSwitch) wrong.push(`${path} --${long}`)
      }
    }
    expect(wrong).toEqual([])
  })
})

test('the table and the committed help are of one version', () => {
  expect(fixture.clientVersion).toBe(KUBECTL_CLIENT_VERSION)
})

test('every row of the table is a command that the help lists, or one that lists none', () => {
  const unlisted = Object.keys(KUBECTL_VERBS).filter(path => !committed.has(path))
  expect(unlisted).toEqual(['help', 'options'])
})
