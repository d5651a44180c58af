/** The attack suite as a table, counted from the suite's own data: what it runs is what the page says. */

import {
  GUARDED_FILES,
  LEGITIMATE,
  LONE_ATTACKS,
  PROBES,
  SECRET_FILES,
  type Arms,
} from '../../../packages/core/test/attacks/probes.ts'
import { cell, code, table } from './markdown.ts'

interface Attack {
  readonly area: string
  readonly title: string
  readonly id: string
  readonly arms: Arms
}

export const attacks = (): readonly Attack[] => [...PROBES, ...LONE_ATTACKS]

export const honestWork = (): readonly { readonly id: string; readonly title: string }[] => LEGITIMATE

export function attackCounts(): string {
  const byArea = Map.groupBy(attacks(), ({ area }) => area)
  const rows = [...byArea].map(([area, ofArea]) => [
    `[${cell(area)}](#${anchor(area)})`,
    String(ofArea.length),
    cell(
      ofArea
        .slice(0, 3)
        .map(({ title }) => title)
        .join('; '),
    ),
  ])
  return [
    `${attacks().length} attacks, each of which succeeds without the sandbox and fails in it, as root and as an ordinary user; beside them ${LEGITIMATE.length} pieces of honest work that must succeed in it. ${SECRET_FILES.length} kinds of secrets and ${GUARDED_FILES.length} kinds of guarded files are tried one by one.`,
    table(['area', 'attacks', 'such as'], rows),
  ].join('\n\n')
}

export function attackList(): string {
  const byArea = Map.groupBy(attacks(), ({ area }) => area)
  return [
    ...[...byArea].flatMap(([area, ofArea]) => [
      `### ${heading(area)}`,
      table(
        ['a script that', 'id'],
        ofArea.map(({ title, id }) => [cell(title), code(id)]),
      ),
    ]),
    '### Honest work',
    'What must go on working: a sandbox that breaks it would soon be switched off.',
    table(
      ['a script that', 'id'],
      LEGITIMATE.map(({ title, id }) => [cell(title), code(id)]),
    ),
  ].join('\n\n')
}

const heading = (area: string): string => `${area.charAt(0).toUpperCase()}${area.slice(1)}`
const anchor = (area: string): string => area.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
