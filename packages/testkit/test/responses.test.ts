/** The scripted model behind the Responses API: what an agent offers, asks and is told; Codex itself is in the long run. */

import { afterEach, expect, test } from 'vitest'
import type { Model, ModelServer, ModelTurn } from '../src/agents/model.ts'
import { startResponsesServer } from '../src/agents/responses.ts'

let server: ModelServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
})

const FIND = { type: 'function', name: 'find' }
const TOOLS = [
  { type: 'function', name: 'shell' },
  { type: 'custom', name: 'exec' },
  { type: 'tool_search' },
  { type: 'namespace', name: 'mcp__x', tools: [FIND] },
]

interface Asked {
  readonly status: number
  readonly items: readonly Readonly<Record<string, unknown>>[]
}

async function ask(body: object, path = '/responses'): Promise<Asked> {
  const response = await fetch(`${server!.url}${path}`, { method: 'POST', body: JSON.stringify(body) })
  const events = [...(await response.text()).matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json!))
  return { status: response.status, items: events.flatMap(({ item }) => item ?? []) }
}

test('each kind of call as the API says it, and its outputs in the order of the calls', async () => {
  const turns: ModelTurn[] = []
  const calls = [
    { name: 'mcp__x.find', arguments: { query: 'a' } },
    { name: 'exec', arguments: { input: 'text(1)' } },
    { name: 'tool_search', arguments: { query: 'b' } },
  ]
  const model: Model = turn => {
    turns.push(turn)
    return turn.index === 0 ? { calls } : { text: 'done' }
  }
  server = await startResponsesServer(model)
  const { items } = await ask({ tools: TOOLS, input: [] })
  expect(items).toEqual([
    {
      type: 'function_call',
      call_id: 'call_0_0',
      namespace: 'mcp__x',
      name: 'find',
      arguments: '{"query":"a"}',
    },
    { type: 'custom_tool_call', call_id: 'call_0_1', name: 'exec', input: 'text(1)' },
    { type: 'tool_search_call', call_id: 'call_0_2', execution: 'client', arguments: { query: 'b' } },
  ])
  const found = [{ type: 'namespace', name: 'mcp__y', tools: [{ type: 'function', name: 'run' }] }]
  const input = [
    { type: 'tool_search_output', call_id: 'call_0_2', tools: found },
    { type: 'function_call_output', call_id: 'call_0_0', output: 'one' },
    { type: 'custom_tool_call_output', call_id: 'call_0_1', output: [{ type: 'input_text', text: 'two' }] },
  ]
  const { items: said } = await ask({ tools: TOOLS, input })
  expect(said).toMatchObject([{ type: 'message', content: [{ text: 'done' }] }])
  const offered = ['shell', 'exec', 'tool_search', 'mcp__x.find']
  expect(turns).toEqual([
    { index: 0, tools: offered, results: [] },
    { index: 1, tools: [...offered, 'mcp__y.run'], results: ['one', 'two', JSON.stringify(found)] },
  ])
  expect(server).toMatchObject({
    bodies: [expect.any(String), JSON.stringify({ tools: TOOLS, input })],
    faults: [],
  })
})

test('tools that an item brings are offered too; `functions` is no namespace', async () => {
  let offered: readonly string[] = []
  server = await startResponsesServer(({ tools }) => {
    offered = tools
    return { text: 'done' }
  })
  const tools = [{ type: 'namespace', name: 'functions', tools: [{ type: 'custom', name: 'exec' }] }]
  await ask({ input: [{ type: 'additional_tools', tools }] })
  expect(offered).toEqual(['exec'])
})

test.for<[string, Model, object, string, RegExp]>([
  [
    'a model that throws',
    () => {
      throw new Error('not as foreseen')
    },
    { input: [] },
    '/responses',
    /^not as foreseen$/,
  ],
  [
    'a tool that is not offered',
    () => ({ calls: [{ name: 'rm', arguments: {} }] }),
    { tools: TOOLS, input: [] },
    '/responses',
    /^the agent offers no rm, but shell, exec/,
  ],
  ['another path', () => ({ text: 'done' }), {}, '/models', /^nobody answers POST \/v1\/models$/],
])('%s is a failed request, which is kept', async ([, model, body, path, words]) => {
  server = await startResponsesServer(model)
  expect(await ask(body, path)).toEqual({ status: 400, items: [] })
  expect(server.faults.map(({ message }) => message)).toEqual([expect.stringMatching(words)])
  expect(server.bodies).toEqual([JSON.stringify(body)])
})

test('a call that was never answered is a failed request', async () => {
  server = await startResponsesServer(() => ({ calls: [{ name: 'shell', arguments: {} }] }))
  await ask({ tools: TOOLS, input: [] })
  expect(await ask({ tools: TOOLS, input: [] })).toMatchObject({ status: 400 })
  expect(server.faults).toMatchObject([{ message: 'the answer to call_0_0 is not in the request' }])
})
