/**
 * What a model does, in srecodex's own words: calls of its tools, and a text at the end. How such a call is said is the
 * agent's affair, and stands in a `Dialect`.
 */

import type { Model, ModelCall, ModelReply, ModelTurn } from '@srecodex/testkit/agents'

/** A call of one of the tools of `srecodex mcp`. */
export interface Move {
  readonly tool: string
  readonly input: Readonly<Record<string, unknown>>
}

/** Yields calls one after the other, is given what each returned, as the model reads it, and ends in an answer. */
export type Moves = Generator<Move, string, string>

export interface Dialect {
  /** What the model does to see the tools at all. */
  readonly opening?: ModelCall
  readonly say: (move: Move) => ModelCall
}

/** opencode: the name of the server before that of the tool. */
export const OPENCODE: Dialect = {
  say: ({ tool, input }) => ({ name: `srecodex_${tool}`, arguments: input }),
}

const inNamespace = ({ tool, input }: Move): ModelCall => ({
  name: `mcp__srecodex.${tool}`,
  arguments: input,
})

/** Codex, by how it shows tools. */
export const CODEX: Readonly<Record<'classic' | 'search' | 'code', Dialect>> = {
  classic: { say: inNamespace },
  search: {
    opening: { name: 'tool_search', arguments: { query: 'run a script, find skills' } },
    say: inNamespace,
  },
  // The first line is what the description of run_script asks for: otherwise code that takes 30 s comes back unfinished.
  code: {
    say: ({ tool, input }) => ({
      name: 'exec',
      arguments: {
        input:
          '// @exec: {"yield_time_ms": 300000}\n' +
          `const result = await tools.mcp__srecodex__${tool}(${JSON.stringify(input)})\n` +
          'text(result.structuredContent ?? result.content)\n',
      },
    }),
  },
}

/** @param onTold Hears what each move returned. */
export function modelOf(
  moves: Moves,
  { opening, say }: Dialect,
  onTold: (told: string) => void = () => {},
): Model {
  let opened = opening === undefined
  let begun = false
  return ({ results }: ModelTurn): ModelReply => {
    if (!opened) {
      opened = true
      return { calls: [opening!] }
    }
    const next = begun ? moves.next(heard(results, onTold)) : moves.next()
    begun = true
    return next.done === true ? { text: next.value } : { calls: [say(next.value)] }
  }
}

function heard([told]: readonly string[], onTold: (told: string) => void): string {
  if (told === undefined) throw new Error('a call was answered by nothing')
  onTold(told)
  return told
}

interface ToldReport {
  readonly run: string
  readonly status: string
  readonly summary: string
}

/**
 * A report as a model reads it: Codex hands on the fields, opencode the text.
 *
 * @throws {Error} It is no report.
 */
export function reportIn(told: string): ToldReport {
  const json = /\{"version":1,.*\}/s.exec(told)?.[0]
  if (json !== undefined) return JSON.parse(json) as ToldReport
  const line = /^([a-z-]+): run (\w{26})\b/m.exec(told)
  if (line === null) throw new Error(`no report: ${told}`)
  const [, status = '', run = ''] = line
  return { run, status, summary: told.slice(0, line.index).trim() }
}
