/** The tables as rows for people: `srecodex tools show kubectl`. */

import { lookup } from './decision.ts'
import type { Effect } from './decision.ts'
import { AMTOOL_VERBS } from './tables/amtool.ts'
import { AWS_OPERATIONS, AWS_READ_WORDS } from './tables/aws.ts'
import { CURL_REFUSED } from './tables/curl.ts'
import { HELM_VERBS } from './tables/helm.ts'
import { HOUSE_TOOLS } from './tables/house.ts'
import { KUBECTL_VERBS } from './tables/kubectl.ts'

export interface TableRow {
  readonly verb: string
  readonly effect: Effect
  /** Empty where there is nothing to add. */
  readonly note: string
}

const rows = (table: Readonly<Record<string, { effect: Effect; note: string }>>): TableRow[] =>
  Object.entries(table).map(([verb, { effect, note }]) => ({ verb, effect, note }))

const PSQL_ROWS: readonly TableRow[] = [
  { verb: 'sql', effect: 'mutate', note: 'a read with `reads = ["sql"]`, for a role that can only read' },
  { verb: String.raw`\d…, \l, \conninfo`, effect: 'read', note: 'backslash commands that only look' },
  { verb: '--list, --version, --help', effect: 'read', note: '' },
  {
    verb: String.raw`\!, \copy, \o, \i, \c, backticks`,
    effect: 'refuse',
    note: 'programs, files, other servers',
  },
  { verb: '--host, --port, --username', effect: 'refuse', note: "only the operator's `args` may say" },
]

const CURL_ROWS: readonly TableRow[] = [
  { verb: 'GET, HEAD', effect: 'read', note: 'of addresses in `reads` or `mutates`' },
  { verb: 'POST, PUT, PATCH, DELETE, …', effect: 'mutate', note: 'of addresses in `mutates`' },
  { verb: 'any other address', effect: 'refuse', note: 'the operator names no such address' },
  ...Object.entries(CURL_REFUSED).map(([flag, note]): TableRow => ({
    verb: `--${flag}`,
    effect: 'refuse',
    note,
  })),
]

const houseRows = (tool: string): TableRow[] => {
  const known = lookup(HOUSE_TOOLS, tool)
  if (known === undefined) return []
  return [
    ...known.refuses.map((verb): TableRow => ({ verb, effect: 'refuse', note: '' })),
    ...known.reveals.map((verb): TableRow => ({ verb, effect: 'reveal', note: '' })),
    { verb: 'any other', effect: 'mutate', note: 'unless a pattern of the operator says otherwise' },
  ]
}

export const describeBuiltIn = (tool: string): readonly TableRow[] => {
  switch (tool) {
    case 'kubectl':
      return rows(KUBECTL_VERBS)
    case 'helm':
      return rows(HELM_VERBS)
    case 'aws':
      return [
        ...AWS_READ_WORDS.map((word): TableRow => ({ verb: `${word}-…`, effect: 'read', note: '' })),
        ...rows(AWS_OPERATIONS),
        { verb: 'any other operation', effect: 'mutate', note: 'of a service in the table' },
      ]
    case 'psql':
      return PSQL_ROWS
    case 'amtool':
      return rows(AMTOOL_VERBS)
    case 'curl':
      return CURL_ROWS
    default:
      return houseRows(tool)
  }
}
