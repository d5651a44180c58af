/** The scripted model behind chat completions: what an agent offers and is told; opencode itself is in the long run. */

import { expect, onTestFinished, test } from 'vitest'
import { conversation, startChatCompletionsServer } from '../src/agents/chat-completions.ts'
import type { Model, ModelServer, ModelTurn } from '../src/agents/model.ts'

const TOOLS = [{ type: 'function', function: { name: 'find' } }]
const CALL = { name: 'find', arguments: { query: 'ü'.repeat(500) } }

async function started(model: Model): Promise<ModelServer> {
  const server = await startChatCompletionsServer(model)
  onTestFinished(server.close)
  return server
}

async function ask({ url }: ModelServer, body: object): Promise<string> {
  const response = await fetch(`${url}/chat/completions`, { method: 'POST', body: JSON.stringify(body) })
  return response.text()
}

/** Its chunks put together again, as a client does it. */
function joined(stream: string) {
  const chunks = [...stream.matchAll(/^data: (\{.*)$/gm)].map(([, json]) => JSON.parse(json!))
  const deltas = chunks.flatMap(({ choices }) => choices).map(({ delta }) => delta)
  const calls = deltas.flatMap(({ tool_calls: pieces = [] }) => pieces)
  return {
    text: deltas.map(({ content = '' }) => content).join(''),
    names: calls.flatMap(({ function: { name } }) => name ?? []),
    given: calls.map(({ function: { arguments: piece } }) => piece).join(''),
    finish: chunks.flatMap(({ choices: [choice] }) => choice?.finish_reason ?? []),
    usage: chunks.filter(({ usage }) => usage !== undefined).length,
  }
}

test('a call comes in pieces, its result is told, and the text ends the turn', async () => {
  const turns: ModelTurn[] = []
  const server = await started(turn => {
    turns.push(turn)
    return turn.index === 0 ? { calls: [CALL] } : { text: 'done' }
  })
  const asked = { stream: true, stream_options: { include_usage: true }, tools: TOOLS }
  const called = joined(await ask(server, { ...asked, messages: [{ role: 'user', content: 'Find it.' }] }))
  expect(called).toMatchObject({ text: '', names: ['find'], finish: ['tool_calls'], usage: 1 })
  expect(JSON.parse(called.given)).toEqual(CALL.arguments)
  const messages = [
    { role: 'assistant', tool_calls: [{ id: 'call_1_0', type: 'function', function: CALL }] },
    { role: 'tool', tool_call_id: 'call_1_0', content: [{ type: 'text', text: 'found' }] },
  ]
  const said = joined(await ask(server, { ...asked, stream_options: {}, messages }))
  expect(said).toMatchObject({ text: 'done', names: [], finish: ['stop'], usage: 0 })
  expect(turns).toEqual([
    { index: 0, tools: ['find'], results: [] },
    { index: 1, tools: ['find'], results: ['found'] },
  ])
})

test('a question on the side is answered, and is no turn', async () => {
  const turns: number[] = []
  const server = await started(({ index }) => {
    turns.push(index)
    return { text: 'done' }
  })
  const answers = [
    JSON.parse(await ask(server, { messages: [] })),
    JSON.parse(await ask(server, { messages: [], tools: TOOLS })),
  ]
  expect(answers.map(({ choices: [{ message }] }) => message.content)).toEqual(['A job', 'done'])
  expect(turns).toEqual([0])
  expect(server.bodies).toHaveLength(2)
  expect(conversation(server.bodies)).toEqual([{ messages: [], tools: TOOLS }])
})

test('a tool that is not offered is a failed request', async () => {
  const server = await started(() => ({ calls: [{ name: 'rm', arguments: {} }] }))
  expect(await ask(server, { messages: [], tools: TOOLS })).toContain('the agent offers no rm, only find')
  expect(server.faults).toHaveLength(1)
})
