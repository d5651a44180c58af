/**
 * An MCP connection over streamable HTTP: its headers, and a `fetch` that takes in no more than it should.
 *
 * A redirect to another origin is not followed (the SDK's default), so that a token is never sent to a stranger.
 * What cannot be had without a dependency: Node's `fetch` gives up a server that sends no byte for five minutes,
 * whatever `tool_timeout_sec` says. Servers that stream keep the connection alive.
 */

import type { ResolvedMcpServer } from '../../config/schema.ts'
import { notSent, OVERSIZED, UNANSWERED } from './failure.ts'
import { MAX_MESSAGE_BYTES } from './stdio-transport.ts'

export interface ServerHeaders {
  readonly headers: Readonly<Record<string, string>>
  /** Values that no error may repeat. */
  readonly secrets: readonly string[]
  /** Variables that the config names and that are not set. */
  readonly unset: readonly string[]
}

/** @throws {CallError} TOOL_FAILED: the variable of the token is not set. */
export function serverHeaders(
  server: string,
  config: Pick<ResolvedMcpServer, 'bearerTokenEnvVar' | 'httpHeaders' | 'envHttpHeaders' | 'url'>,
  caller: NodeJS.ProcessEnv,
): ServerHeaders {
  const headers: Record<string, string> = { ...config.httpHeaders }
  const unset: string[] = []
  for (const [header, variable] of Object.entries(config.envHttpHeaders)) {
    const value = caller[variable]
    if (value === undefined || value === '') unset.push(variable)
    else headers[header] = value
  }
  const variable = config.bearerTokenEnvVar
  if (variable !== null) {
    const token = caller[variable]
    if (token === undefined || token === '') {
      throw notSent(
        'TOOL_FAILED',
        `MCP server \`${server}\` cannot be called: its token is not in the environment`,
        `set ${variable}, which \`bearer_token_env_var\` in [mcp_servers.${server}] names`,
        'expired login',
      )
    }
    headers.Authorization = `Bearer ${token}`
  }
  return {
    headers,
    unset,
    secrets: [...Object.values(headers).flatMap(parts), ...addressSecrets(config.url)],
  }
}

/** A header's value, and what follows its scheme: `Bearer …`. */
const parts = (value: string): string[] => [value, value.replace(/^\S+\s+/, '')]

/** Some services put the token into the address. */
function addressSecrets(url: string | null): string[] {
  if (url === null) return []
  const address = new URL(url)
  const segments = address.pathname.split('/').filter(segment => segment.length >= 16)
  return [decodeURIComponent(address.password), ...address.searchParams.values(), ...segments]
}

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

/**
 * Bounds each answer; in a stream of events, each event. A stream that breaks off, or that ends without having
 * answered, answers its request with an error, so that the call does not wait for its time-out.
 */
export const boundedFetch: Fetch = async (url, init) => {
  const response = await fetch(url, init)
  if (response.body === null) return response
  const streams = response.headers.get('content-type')?.startsWith('text/event-stream') === true
  const body = streams ? boundedEvents(response.body, requestId(init?.body)) : boundedBody(response.body)
  const { status, statusText, headers } = response
  return new Response(body, { status, statusText, headers })
}

function boundedBody(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  let bytes = 0
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength
        if (bytes > MAX_MESSAGE_BYTES) controller.error(new Error(OVERSIZED))
        else controller.enqueue(chunk)
      },
    }),
  )
}

function boundedEvents(body: ReadableStream<Uint8Array>, id: number | null): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let bytes = 0
  let resumable = false
  const finish = (controller: ReadableStreamDefaultController<Uint8Array>, message: string): void => {
    if (id !== null) {
      const answer = JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32000, message } })
      controller.enqueue(Buffer.from(`\n\nevent: message\ndata: ${answer}\n\n`))
    }
    controller.close()
  }
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let chunk
      try {
        chunk = await reader.read()
      } catch (error) {
        if (resumable) controller.error(error)
        else finish(controller, UNANSWERED)
        return
      }
      if (chunk.done) {
        if (resumable) controller.close()
        else finish(controller, UNANSWERED) // ignored where the answer was among the events
        return
      }
      const text = Buffer.from(chunk.value.buffer, chunk.value.byteOffset, chunk.value.byteLength)
      // Events with ids: the server may end the stream at will, and the SDK takes it up again.
      resumable ||= text.indexOf('\nid:') !== -1 || (bytes === 0 && text.indexOf('id:') === 0)
      const end = Math.max(text.lastIndexOf('\n\n'), text.lastIndexOf('\r\n\r\n'))
      bytes = end === -1 ? bytes + text.length : text.length - end
      if (bytes > MAX_MESSAGE_BYTES) {
        finish(controller, OVERSIZED)
        await reader.cancel()
      } else controller.enqueue(chunk.value)
    },
    cancel: reason => reader.cancel(reason),
  })
}

/** Of a request that somebody waits for. A subscription has an id that is no number, and ends as it likes. */
function requestId(body: unknown): number | null {
  if (typeof body !== 'string') return null
  const message = JSON.parse(body) as { readonly id?: unknown; readonly method?: unknown }
  return typeof message.method === 'string' && typeof message.id === 'number' ? message.id : null
}
