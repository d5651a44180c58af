/**
 * The OpenAI Responses API on the loopback, with a scripted model behind it. It speaks what Codex needs: functions,
 * also in namespaces, tools of bare text (`exec` of code mode), and the search for tools that are held back.
 *
 * What the model did not foresee is a failed request, never a guess.
 */

import type { Model, ModelCall, ModelReply, ModelServer } from './model.ts'
import { startModelServer, type ModelAnswer } from './model-server.ts'

export interface ResponsesRequest {
  readonly model: string
  readonly input: readonly InputItem[]
  /** Absent where they are an item of `input`. */
  readonly tools?: readonly ToolItem[]
}

interface InputItem {
  readonly type: string
  readonly role?: string
  readonly content?: readonly { readonly type: string; readonly text?: string }[]
  readonly call_id?: string
  readonly output?: string | readonly { readonly type: string; readonly text?: string }[]
  readonly tools?: readonly ToolItem[]
}

interface ToolItem {
  readonly type: string
  readonly name?: string
  readonly tools?: readonly ToolItem[]
}

/** By the name that a call of it has. */
type Offered = ReadonlyMap<string, 'function' | 'custom' | 'tool_search'>

export function startResponsesServer(model: Model): Promise<ModelServer> {
  let index = 0
  let asked: readonly string[] = []
  const answer = (body: string): ModelAnswer => {
    const request = JSON.parse(body) as ResponsesRequest
    const offered = offeredIn(request)
    const results = asked.map(id => outputOf(request, id))
    const reply = model({ index, tools: [...offered.keys()], results })
    const items = itemsOf(reply, index, offered)
    asked = 'calls' in reply ? items.map(({ call_id }) => String(call_id)) : []
    index += 1
    return { type: 'text/event-stream', parts: eventsOf(`resp_${index}`, items) }
  }
  return startModelServer({ path: '/responses', answer })
}

/** In the request itself, in an item that brings them, or found by a search; `functions` is what has no namespace. */
function offeredIn({ tools = [], input }: ResponsesRequest): Offered {
  const offered = new Map<string, 'function' | 'custom' | 'tool_search'>()
  const add = (tool: ToolItem, prefix: string): void => {
    const { type, name = type } = tool
    if (type === 'namespace') {
      for (const one of tool.tools ?? []) add(one, name === 'functions' ? '' : `${name}.`)
    } else if (type === 'function' || type === 'custom' || type === 'tool_search') {
      offered.set(prefix + name, type)
    }
  }
  for (const tool of [...tools, ...input.flatMap(item => item.tools ?? [])]) add(tool, '')
  return offered
}

function outputOf({ input }: ResponsesRequest, id: string): string {
  const item = input.find(({ type, call_id }) => type.endsWith('_output') && call_id === id)
  if (item === undefined) throw new Error(`the answer to ${id} is not in the request`)
  const { output, tools } = item
  if (output === undefined) return JSON.stringify(tools)
  if (typeof output === 'string') return output
  return output.map(part => part.text ?? JSON.stringify(part)).join('\n')
}

function itemsOf(reply: ModelReply, index: number, offered: Offered): Readonly<Record<string, unknown>>[] {
  if ('calls' in reply) return reply.calls.map((call, at) => callItem(call, `call_${index}_${at}`, offered))
  return [
    {
      type: 'message',
      role: 'assistant',
      id: `msg_${index}`,
      content: [{ type: 'output_text', text: reply.text }],
    },
  ]
}

function callItem({ name, arguments: given }: ModelCall, id: string, offered: Offered) {
  const kind = offered.get(name)
  switch (kind) {
    case 'function': {
      const [own = name, namespace] = name.split('.').toReversed()
      return {
        ...{ type: 'function_call', call_id: id, name: own, arguments: JSON.stringify(given) },
        ...(namespace === undefined ? {} : { namespace }),
      }
    }
    case 'custom':
      return { type: 'custom_tool_call', call_id: id, name, input: String(given['input']) }
    case 'tool_search':
      return { type: 'tool_search_call', call_id: id, execution: 'client', arguments: given }
    case undefined:
      throw new Error(`the agent offers no ${name}, but ${[...offered.keys()].join(', ')}`)
  }
}

const USAGE = {
  input_tokens: 1,
  input_tokens_details: null,
  output_tokens: 1,
  output_tokens_details: null,
  total_tokens: 2,
}

function eventsOf(id: string, items: readonly object[]): string[] {
  return [
    event('response.created', { response: { id } }),
    ...items.map(item => event('response.output_item.done', { item })),
    event('response.completed', { response: { id, usage: USAGE } }),
  ]
}

function event(type: string, fields: Readonly<Record<string, unknown>>): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
}
