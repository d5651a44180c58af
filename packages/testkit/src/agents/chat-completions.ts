/**
 * The OpenAI chat completions API on the loopback, with a scripted model behind it: streams, calls tools in pieces as
 * the real one does, and keeps every byte that it is sent.
 *
 * A request that offers no tools is one on the side (opencode asks for a title): it is kept as well, gets a short
 * answer, and is no turn of the conversation.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Model, ModelReply, ModelServer, ModelTurn } from './model.ts'

/** What of a request is looked at. */
export interface ChatRequest {
  readonly model: string
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage?: boolean }
  readonly messages: readonly ChatMessage[]
  readonly tools?: readonly { readonly function: { readonly name: string } }[]
}

export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool'
  readonly content?: string | null | readonly { readonly type: string; readonly text?: string }[]
  readonly tool_calls?: readonly ChatCall[]
  readonly tool_call_id?: string
}

interface ChatCall {
  readonly id: string
  readonly type: 'function'
  readonly function: { readonly name: string; readonly arguments: string }
}

export async function startChatCompletionsServer(model: Model): Promise<ModelServer> {
  const bodies: string[] = []
  const faults: Error[] = []
  let turns = 0
  const server = createServer((request, response) => {
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
      response.writeHead(404).end()
      return
    }
    void bodyOf(request).then(body => {
      bodies.push(body)
      try {
        const asked = JSON.parse(body) as ChatRequest
        const reply = isOnTheSide(asked) ? SIDE_REPLY : said(model, turnOf(asked, turns++))
        answer(response, asked, reply, bodies.length)
      } catch (fault) {
        faults.push(fault instanceof Error ? fault : new Error(String(fault)))
        // Anything from 500 on would be asked again.
        const error = { message: String(fault), type: 'invalid_request_error', param: null, code: null }
        response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
      }
    })
  })
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    bodies,
    faults,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Of recorded bodies those that carry the conversation. */
export function conversation(bodies: readonly string[]): ChatRequest[] {
  return bodies.map(body => JSON.parse(body) as ChatRequest).filter(request => !isOnTheSide(request))
}

const SIDE_REPLY: ModelReply = { text: 'A job' }

/** @throws {Error} By the model, or it wants what is not there. */
function said(model: Model, turn: ModelTurn): ModelReply {
  const reply = model(turn)
  const unknown = 'calls' in reply ? reply.calls.find(({ name }) => !turn.tools.includes(name)) : undefined
  if (unknown === undefined) return reply
  throw new Error(`the agent offers no ${unknown.name}, only ${turn.tools.join(', ')}`)
}

function isOnTheSide({ tools = [] }: ChatRequest): boolean {
  return tools.length === 0
}

function turnOf({ messages, tools = [] }: ChatRequest, index: number): ModelTurn {
  const at = messages.findLastIndex(({ role }) => role === 'assistant')
  const outputs = new Map(messages.slice(at + 1).map(one => [one.tool_call_id, textOf(one)]))
  const calls = messages[at]?.tool_calls ?? []
  return {
    index,
    tools: tools.map(tool => tool.function.name),
    results: calls.flatMap(({ id }) => outputs.get(id) ?? []),
  }
}

export function textOf({ content }: ChatMessage): string {
  if (typeof content === 'string') return content
  return (content ?? []).map(({ text = '' }) => text).join('')
}

/** Nobody is billed, and an agent that believed in large numbers would begin to shorten its context. */
const USAGE = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }

function answer(response: ServerResponse, asked: ChatRequest, reply: ModelReply, serial: number): void {
  const common = { id: `chatcmpl-${serial}`, created: 0, model: asked.model }
  const finish = 'calls' in reply ? 'tool_calls' : 'stop'
  const calls = 'calls' in reply ? reply.calls.map((call, at) => chatCall(call, serial, at)) : []
  if (asked.stream !== true) {
    const message = {
      role: 'assistant',
      content: 'text' in reply ? reply.text : null,
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    }
    const choices = [{ index: 0, message, finish_reason: finish }]
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ ...common, object: 'chat.completion', choices, usage: USAGE }))
    return
  }
  const chunk = (delta: object, finishReason: string | null = null): string =>
    event({
      ...common,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason: finishReason }],
    })
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(chunk({ role: 'assistant', content: '' }))
  if ('text' in reply) for (const piece of pieces(reply.text)) response.write(chunk({ content: piece }))
  for (const [index, { id, type, function: wanted }] of calls.entries()) {
    const begin = { index, id, type, function: { name: wanted.name, arguments: '' } }
    response.write(chunk({ tool_calls: [begin] }))
    for (const piece of pieces(wanted.arguments))
      response.write(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }))
  }
  response.write(chunk({}, finish))
  if (asked.stream_options?.include_usage === true)
    response.write(event({ ...common, object: 'chat.completion.chunk', choices: [], usage: USAGE }))
  response.end('data: [DONE]\n\n')
}

function chatCall(
  call: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> },
  serial: number,
  at: number,
): ChatCall {
  return {
    id: `call_${serial}_${at}`,
    type: 'function',
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }
}

/** By code points: half of a pair is no text. */
function pieces(text: string): readonly string[] {
  return text.match(/[\s\S]{1,400}/gu) ?? []
}

function event(chunk: object): string {
  return `data: ${JSON.stringify(chunk)}\n\n`
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
