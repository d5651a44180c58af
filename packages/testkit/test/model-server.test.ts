/** What the scripted models share, whichever API they speak: nothing that was not foreseen passes in silence. */

import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startChatCompletionsServer } from '../src/agents/chat-completions.ts'
import type { ModelServer } from '../src/agents/model.ts'
import { startResponsesServer } from '../src/agents/responses.ts'

const TOOLS = [{ type: 'function', name: 'find', function: { name: 'find' } }]

/** With a request that each of them takes. */
const APIS = [
  ['chat completions', startChatCompletionsServer, '/chat/completions', { messages: [], tools: TOOLS }],
  ['responses', startResponsesServer, '/responses', { input: [], tools: TOOLS }],
] as const

async function started(start: (typeof APIS)[number][1]): Promise<ModelServer> {
  const server = await start(() => ({ text: 'done' }))
  onTestFinished(server.close)
  return server
}

const post = (url: string, body: string, headers = {}): Promise<Response> =>
  fetch(url, { method: 'POST', body, headers })

test.for(APIS)('%s: what it takes is answered and kept', async ([, start, path, request]) => {
  const server = await started(start)
  const body = JSON.stringify(request)
  const response = await post(server.url + path, body)
  expect(response.status).toBe(200)
  expect(await response.text()).toContain('done')
  expect(server).toMatchObject({ bodies: [body], faults: [] })
})

test.for(APIS)('%s: what it does not take is a fault', async ([, start, path, request]) => {
  const server = await started(start)
  const body = JSON.stringify(request)
  const answers = [
    await post(`${server.url}/models`, body),
    await post(server.url + path, body, { 'content-encoding': 'zstd' }),
    await post(server.url + path, 'no json'),
  ]
  expect(answers.map(({ status }) => status)).toEqual([400, 400, 400])
  expect(server.faults.map(({ message }) => message)).toEqual([
    'nobody answers POST /v1/models',
    'the body is encoded as zstd: it could not be looked at',
    expect.stringContaining('no json'),
  ])
  expect(server.bodies).toEqual([body, body, 'no json'])
})

test.for(APIS)(
  '%s: who goes away in the middle of a request is forgotten',
  async ([, start, path, request]) => {
    const server = await started(start)
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.write(`POST /v1${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{"half":`)
    await new Promise(resolve => setTimeout(resolve, 50))
    socket.resetAndDestroy()
    expect((await post(server.url + path, JSON.stringify(request))).status).toBe(200)
    expect(server).toMatchObject({ bodies: [JSON.stringify(request)], faults: [] })
  },
)
