/** What calls of the built-in tools do, from the tables that judge them. */

import { builtInTools, describeTable, type TableRow } from '@srecodex/core'
import { cell, code, page, table } from './markdown.ts'

export function effectsPage(): string {
  const names = new Intl.ListFormat('en-GB').format(builtInTools())
  return page(
    'Effects of commands',
    `Which calls of ${names} read, change, reveal a credential or are refused.`,
    [
      'What is not known to be a read is a mutation. `srecodex tools show kubectl` prints the same for one tool, with the patterns that the operator has added.',
      ...builtInTools().flatMap(tool => [
        `## ${tool}`,
        table(
          ['effect', 'call', 'note'],
          describeTable(tool).map((row: TableRow) => [row.effect, code(row.verb), cell(row.note)]),
        ),
      ]),
    ],
  )
}
