/** `context`: prints the figures, and with `--write` puts them where the guides are. */

import { OPENCODE_VERSION } from '@srecodex/testkit/agents'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CASES } from './cases.ts'
import { contextMarkdown, renderContext } from './table.ts'
import { context } from './context.ts'

const GUIDE = join(import.meta.dirname, '../../../..', 'dotcodex', 'docs', 'CONTEXT-FIGURES.md')

export interface ContextCommand {
  readonly json: boolean
  readonly write: boolean
  /** Ids of cases; empty: all of them. */
  readonly only: readonly string[]
}

/** @returns The exit code: 1 where an answer was wrong, 2 where there is no such case. */
export async function contextCommand({ json, write, only }: ContextCommand): Promise<0 | 1 | 2> {
  const unknown = only.filter(id => CASES.every(one => one.id !== id))
  if (unknown.length > 0 || (write && only.length > 0)) {
    const why = unknown.length > 0 ? `no case ${unknown.join(', ')}` : '--write is for all cases'
    process.stderr.write(`${why}; there are ${CASES.map(({ id }) => id).join(', ')}\n`)
    return 2
  }
  // So that what was started is ended.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const cases = only.length === 0 ? CASES : CASES.filter(({ id }) => only.includes(id))
  const figures = await context({
    cases,
    onArm: (name, arm) => process.stderr.write(`${name}: ${arm}\n`),
  })
  const facts = { command: 'pnpm bench context --write', opencodeVersion: OPENCODE_VERSION }
  if (write) writeFileSync(GUIDE, contextMarkdown(figures, facts))
  process.stdout.write(json ? `${JSON.stringify(figures, null, 2)}\n` : renderContext(figures))
  return figures.every(({ script, chat }) => script.wrong === null && chat.wrong === null) ? 0 : 1
}
