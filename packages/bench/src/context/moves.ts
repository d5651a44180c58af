/**
 * What a model does with its tools, script-first and by chat.
 *
 * The policy of chat: one command a turn, without pipes, loops and filters, for those are scripts; each output is read
 * to its end. opencode shows the last 50 KB of a long one and keeps the whole in a file, which is then read from its
 * beginning in the pages that opencode's `read` gives.
 */

import type { ModelCall } from '@srecodex/testkit/agents'
import type { Moves } from './arm.ts'

type Part<Result> = Generator<ModelCall, Result, string>

export function* shell(command: string): Part<string> {
  const told = yield { name: 'bash', arguments: { command, description: 'Runs one command' } }
  const cut = /^\.\.\.output truncated\.\.\.\n\nFull output saved to: (\S+)\n\n/.exec(told)
  if (cut === null) return told
  const [head, path = ''] = cut
  const shown = told.slice(head.length)
  return `${yield* readUpTo(path, shown.slice(0, shown.indexOf('\n')))}${shown}`
}

/** The lines before a line that is known already. */
function* readUpTo(filePath: string, known: string): Part<string> {
  const lines: string[] = []
  for (;;) {
    const offset = lines.length + 1
    const page = yield { name: 'read', arguments: { filePath, offset } }
    const read = [...page.matchAll(/^\d+: (.*)$/gm)].map(([, line = '']) => line)
    if (read.length === 0) throw new Error(`no page: ${page.slice(0, 300)}`)
    const end = read.indexOf(known)
    lines.push(...(end === -1 ? read : read.slice(0, end)))
    if (end !== -1) return lines.map(line => `${line}\n`).join('')
  }
}

/** Cells of a table of kubectl, its headings left out. */
export function* rows(command: string): Part<readonly (readonly string[])[]> {
  const table = yield* shell(command)
  return table
    .trimEnd()
    .split('\n')
    .slice(1)
    .map(line => line.split(/ {2,}/))
}

/** One script; where it makes a plan, the person says yes. */
export function* script(text: string, language = 'python'): Moves {
  const first = reportIn(yield { name: 'srecodex_run_script', arguments: { script: text.trim(), language } })
  if (first.status !== 'planned') return first.summary
  const applied = reportIn(yield { name: 'srecodex_apply_plan', arguments: { plan: first.run } })
  return applied.summary
}

/** As the server's instructions have it: skills are looked for before the script is written. */
export function* findSkill(query: string, id: string): Part<void> {
  const found = yield { name: 'srecodex_find_skills', arguments: { query, limit: 1 } }
  if (!found.includes(id)) throw new Error(`${id} was not found: ${found}`)
}

export interface ToldReport {
  readonly status: string
  readonly run: string
  readonly summary: string
}

/** As opencode hands it to the model. */
export function reportIn(told: string): ToldReport {
  const line = /^([a-z-]+): run (\w{26})\b/m.exec(told)
  if (line === null) throw new Error(`no report: ${told}`)
  const [, status = '', run = ''] = line
  return { status, run, summary: told.slice(0, line.index).trim() }
}
