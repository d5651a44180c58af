/** What is counted of a conversation: each call and result once, and every request as often as it was sent. */

import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { expect, test } from 'vitest'
import { measure } from '../../src/context/tokens.ts'

const SYSTEM = { role: 'system', content: 'You are an agent.' }
const PROMPT = { role: 'user', content: [{ type: 'text', text: 'Which pods crash?' }] }
const RESULT = 'NAME  READY\napp-1 0/1 <|endoftext|>'
const ANSWER = { role: 'assistant', content: 'app-1 crashes.' }
const FUNCTIONS = ['bash', 'read'].map(name => ({ name, parameters: { type: 'object' } }))
const tools = FUNCTIONS.map(one => ({ type: 'function', function: one }))

const call = (id: string, command: string) => ({
  ...{ role: 'assistant', content: null },
  tool_calls: [{ id, type: 'function', function: { name: 'bash', arguments: JSON.stringify({ command }) } }],
})
const result = (id: string, content: string) => ({ role: 'tool', tool_call_id: id, content })

/** `<|endoftext|>` in an output is text, no control token. */
function tokens(...texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + countTokens(text, { disallowedSpecial: new Set() }), 0)
}

const OFFERED = tokens(...FUNCTIONS.map(one => JSON.stringify(one)))
const FIXED = OFFERED + tokens('You are an agent.', 'Which pods crash?')
const CALL_1 = tokens('bash {"command":"kubectl get pods"}')
const CALL_2 = tokens('bash {"command":"kubectl logs app-1"}')

const asBodies = (...messages: readonly (readonly object[])[]): string[] =>
  messages.map(one => JSON.stringify({ model: 'm', messages: one, tools }))

const FIRST = [SYSTEM, PROMPT]
const SECOND = [...FIRST, call('1', 'kubectl get pods'), result('1', RESULT)]
const THIRD = [...SECOND, call('2', 'kubectl logs app-1'), result('2', 'boom')]

test('a conversation of three turns', () => {
  expect(measure(asBodies(FIRST, SECOND, THIRD))).toEqual({
    turns: 3,
    entered: CALL_1 + CALL_2 + tokens(RESULT, 'boom'),
    billed: 3 * FIXED + 2 * (CALL_1 + tokens(RESULT)) + CALL_2 + tokens('boom'),
    tools: 2,
    fixed: FIXED,
    longestResultChars: RESULT.length,
  })
})

test('a result that the agent shortens later entered as it was first', () => {
  const shortened = [...FIRST, call('1', 'kubectl get pods'), result('1', '[old output]'), ANSWER, PROMPT]
  const measured = measure(asBodies(FIRST, SECOND, shortened))
  expect(measured.entered).toBe(CALL_1 + tokens(RESULT))
  expect(measured.longestResultChars).toBe(RESULT.length)
})

test('a question on the side is billed, and is no turn', () => {
  const title = JSON.stringify({ model: 'm', messages: [PROMPT] })
  expect(measure([title, ...asBodies(FIRST)])).toEqual({
    ...{ turns: 1, entered: 0, tools: 2, fixed: FIXED, longestResultChars: 0 },
    billed: FIXED + tokens('Which pods crash?'),
  })
})
