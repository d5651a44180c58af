/**
 * The OpenAI chat completions API on the loopback, with a scripted model behind it: streams, and calls tools in pieces as
 * the real one does.
 *
 * A request that offers no tools is one on the side (opencode asks for a title): it is kept as well, gets a short
 * answer, and is no turn of the conversation.
 */

import type { Model, ModelCall, ModelReply, ModelServer, ModelTurn } from './model.ts'
import { startModelServer, type ModelAnswer } from './model-server.ts'

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

export function startChatCompletionsServer(model: Model): Promise<ModelServer> {
  let [serial, index] = [0, 0]
  const answer = (body: string): ModelAnswer => {
    serial += 1
    const asked = JSON.parse(body) as ChatRequest
    const reply = isOnTheSide(asked) ? SIDE_REPLY : said(model, turnOf(asked, index++))
    return asked.stream === true ? streamed(asked, reply, serial) : whole(asked, reply, serial)
  }
  return startModelServer({ path: '/chat/completions', answer })
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

function whole(asked: ChatRequest, reply: ModelReply, serial: number): ModelAnswer {
  const calls = callsIn(reply, serial)
  const message = {
    role: 'assistant',
    content: 'text' in reply ? reply.text : null,
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  }
  const choices = [{ index: 0, message, finish_reason: finishOf(reply) }]
  const completion = { ...common(asked, serial), object: 'chat.completion', choices, usage: USAGE }
  return { type: 'application/json', parts: [JSON.stringify(completion)] }
}

function streamed(asked: ChatRequest, reply: ModelReply, serial: number): ModelAnswer {
  const event = (rest: object): string => {
    const chunk = { ...common(asked, serial), object: 'chat.completion.chunk', ...rest }
    return `data: ${JSON.stringify(chunk)}\n\n`
  }
  const changed = (delta: object, finish: string | null = null): string =>
    event({ choices: [{ index: 0, delta, finish_reason: finish }] })
  const text = 'text' in reply ? pieces(reply.text).map(content => changed({ content })) : []
  const calls = callsIn(reply, serial).flatMap(({ id, type, function: wanted }, index) => [
    changed({ tool_calls: [{ index, id, type, function: { name: wanted.name, arguments: '' } }] }),
    ...pieces(wanted.arguments).map(piece =>
      changed({ tool_calls: [{ index, function: { arguments: piece } }] }),
    ),
  ])
  const usage = asked.stream_options?.include_usage === true ? [event({ choices: [], usage: USAGE })] : []
  const [begin, end] = [changed({ role: 'assistant', content: '' }), changed({}, finishOf(reply))]
  return {
    type: 'text/event-stream',
    parts: [begin, ...text, ...calls, end, ...usage, 'data: [DONE]\n\n'],
  }
}

function common({ model }: ChatRequest, serial: number) {
  return { id: `chatcmpl-${serial}`, created: 0, model }
}

function finishOf(reply: ModelReply): string {
  return 'calls' in reply ? 'tool_calls' : 'stop'
}

function callsIn(reply: ModelReply, serial: number): ChatCall[] {
  const calls: readonly ModelCall[] = 'calls' in reply ? reply.calls : []
  return calls.map(({ name, arguments: given }, at) => ({
    id: `call_${serial}_${at}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(given) },
  }))
}

/** By code points: half of a pair is no text. */
function pieces(text: string): readonly string[] {
  return text.match(/[\s\S]{1,400}/gu) ?? []
}
