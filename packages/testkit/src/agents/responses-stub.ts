/**
 * The OpenAI Responses API on the loopback: keeps what it is asked, and answers each request with one short message.
 */

import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ResponsesRequest {
  readonly model: string
  readonly input: readonly {
    readonly type: string
    readonly role?: string
    readonly content?: readonly { readonly type: string; readonly text?: string }[]
  }[]
  readonly tools: readonly { readonly type: string; readonly name?: string }[]
}

export interface ResponsesStub {
  /** As an agent's `base_url`. */
  readonly url: string
  /** In the order in which they came. */
  readonly requests: readonly ResponsesRequest[]
  readonly close: () => Promise<void>
}

export async function startResponsesStub(): Promise<ResponsesStub> {
  const requests: ResponsesRequest[] = []
  const server = createServer((request, response) => {
    if (request.method !== 'POST' || request.url !== '/v1/responses') {
      response.writeHead(404).end()
      return
    }
    void bodyOf(request).then(body => {
      requests.push(JSON.parse(body) as ResponsesRequest)
      const id = `resp_${requests.length}`
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(
        [
          event('response.created', { response: { id } }),
          event('response.output_item.done', { item: MESSAGE }),
          event('response.completed', { response: { id, usage: USAGE } }),
        ].join(''),
      )
    })
  })
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const MESSAGE = {
  type: 'message',
  role: 'assistant',
  id: 'msg_1',
  content: [{ type: 'output_text', text: 'done' }],
}

const USAGE = {
  input_tokens: 1,
  input_tokens_details: null,
  output_tokens: 1,
  output_tokens_details: null,
  total_tokens: 2,
}

function event(type: string, fields: Readonly<Record<string, unknown>>): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
