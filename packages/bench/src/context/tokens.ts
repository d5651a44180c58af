/**
 * Tokens of a conversation, exactly, as o200k_base counts them: out of the bytes that the agent sent to its model.
 *
 * Not counted is what a provider wraps around a message, for each has its own: a few tokens a message.
 */

import { conversation, textOf, type ChatRequest } from '@srecodex/testkit/agents'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'

export interface ContextTokens {
  /** Turns of the model, the last of which is its answer. */
  readonly turns: number
  /** Each call and each result once: what the work itself brought into the context. */
  readonly entered: number
  /** Input of all requests together, those on the side too: each turn sends all that came before. */
  readonly billed: number
  /** Tools that the agent offers its model, its own and those of its servers. */
  readonly tools: number
  /** What is there before the first call: the agent's own prompt, its tools, and the person's request. */
  readonly fixed: number
  /** Characters of the longest result. */
  readonly longestResultChars: number
}

export function measure(bodies: readonly string[]): ContextTokens {
  const turns = conversation(bodies)
  const [first] = turns
  const results = resultsIn(turns)
  return {
    turns: turns.length,
    entered: [...callsIn(turns), ...results].reduce((sum, text) => sum + tokensOf(text), 0),
    billed: bodies.reduce((sum, body) => sum + inputTokens(JSON.parse(body) as ChatRequest), 0),
    tools: first?.tools?.length ?? 0,
    fixed: first === undefined ? 0 : inputTokens(first),
    longestResultChars: Math.max(0, ...results.map(text => text.length)),
  }
}

/** By their ids: an agent may shorten in later requests what it has sent before. */
function callsIn(turns: readonly ChatRequest[]): string[] {
  const calls = new Map<string, string>()
  for (const { id, function: wanted } of turns
    .flatMap(({ messages }) => messages)
    .flatMap(one => one.tool_calls ?? [])) {
    if (!calls.has(id)) calls.set(id, `${wanted.name} ${wanted.arguments}`)
  }
  return [...calls.values()]
}

function resultsIn(turns: readonly ChatRequest[]): string[] {
  const results = new Map<string, string>()
  for (const message of turns.flatMap(({ messages }) => messages)) {
    const { role, tool_call_id: id } = message
    if (role === 'tool' && id !== undefined && !results.has(id)) results.set(id, textOf(message))
  }
  return [...results.values()]
}

function inputTokens({ messages, tools = [] }: ChatRequest): number {
  const said = messages.flatMap(message => [
    textOf(message),
    ...(message.tool_calls ?? []).map(call => `${call.function.name} ${call.function.arguments}`),
  ])
  const offered = tools.map(tool => JSON.stringify(tool.function))
  return [...said, ...offered].reduce((sum, text) => sum + tokensOf(text), 0)
}

/** A conversation is sent again and again, and counted once. */
const counted = new Map<string, number>()

function tokensOf(text: string): number {
  const known = counted.get(text)
  if (known !== undefined) return known
  // Text that looks like a control token is text.
  const tokens = countTokens(text, { disallowedSpecial: new Set() })
  counted.set(text, tokens)
  return tokens
}
