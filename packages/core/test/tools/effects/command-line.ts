/** Command lines as tables: `EFFECT VERB… | command line`, one a line. */

import { decide } from '../../../src/tools/effects/effects.ts'
import type { Call, Decision, ToolPolicy } from '../../../src/tools/effects/effects.ts'

export const OPEN_POLICY: ToolPolicy = { reads: [], mutates: [], reveals: [], args: [] }

/** Quotes as a shell has them, and nothing else of a shell. */
export const splitWords = (line: string): string[] =>
  [...line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(match =>
    match[0].replaceAll(
      /'([^']*)'|"([^"]*)"/g,
      (_all, single?: string, double?: string) => single ?? double ?? '',
    ),
  )

export const callOf = (words: readonly string[], rest: Partial<Call> = {}): Call => ({
  tool: words[0] ?? '',
  argv: words.slice(1),
  stdin: 'inherited',
  cwd: '/ws',
  workspace: '/ws',
  tmp: '/tmp',
  ...rest,
})

export const decideLine = (
  line: string,
  policy: Partial<ToolPolicy> = {},
  rest: Partial<Call> = {},
): Decision => decide(callOf(splitWords(line), rest), { ...OPEN_POLICY, ...policy })

export interface Case {
  readonly expected: string
  readonly line: string
}

export const casesOf = (text: string): Case[] =>
  text
    .split('\n')
    .filter(line => line.includes(' | '))
    .map(line => {
      const at = line.indexOf(' | ')
      return { expected: line.slice(0, at).trim().replaceAll(/\s+/g, ' '), line: line.slice(at + 3).trim() }
    })

/** `mutate* delete`: the star is the script's own dry run. */
export const said = ({ effect, verb, ownDryRun }: Decision): string =>
  `${effect}${ownDryRun ? '*' : ''} ${verb}`.trim()
