/** The finance server over streamable HTTP on the loopback. Who does not bring the token is turned away. */

import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { createMcpHandler, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import { financeServer, financeState } from './server.ts'

export interface FinanceHttpOptions {
  readonly token: string
  /** @default null: calls are not recorded */
  readonly log?: string | null
  /** As servers before the revision of 2026 do, or without sessions. @default false */
  readonly sessions?: boolean
}

export interface FinanceHttpServer {
  readonly url: string
  /** Headers of every request, in the order in which they came. */
  readonly requests: readonly NodeJS.Dict<string | string[]>[]
  /** As a restart of the server would. */
  forgetSessions(): void
  close(): Promise<void>
}

type Answer = (request: Request) => Promise<Response>

export async function startFinanceServer(options: FinanceHttpOptions): Promise<FinanceHttpServer> {
  const requests: NodeJS.Dict<string | string[]>[] = []
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()
  const answer = options.sessions === true ? answerWithSessions(options, sessions) : answerEach(options)
  const server = createServer((request, response) => {
    requests.push(request.headers)
    if (request.headers.authorization !== `Bearer ${options.token}`) {
      response.writeHead(401, { 'content-type': 'text/plain' })
      response.end(`not for ${request.headers.authorization ?? 'nobody'}`)
      return
    }
    void pass(request, response, answer).catch(() => response.destroy())
  })
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    requests,
    forgetSessions: () => sessions.clear(),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answerEach(options: FinanceHttpOptions): Answer {
  const state = financeState(options.log ?? null)
  const handler = createMcpHandler(() => financeServer(state))
  state.toolsChanged = () => handler.notify.toolsChanged()
  return request => handler.fetch(request)
}

function answerWithSessions(
  options: FinanceHttpOptions,
  sessions: Map<string, WebStandardStreamableHTTPServerTransport>,
): Answer {
  const state = financeState(options.log ?? null)
  return async request => {
    const id = request.headers.get('mcp-session-id')
    const known = id === null ? undefined : sessions.get(id)
    if (known !== undefined) return known.handleRequest(request)
    if (id !== null) return new Response('no such session', { status: 404 })
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: session => void sessions.set(session, transport),
    })
    const server = financeServer(state)
    state.toolsChanged = () => void server.sendToolListChanged()
    await server.connect(transport)
    return transport.handleRequest(request)
  }
}

/** Between Node's requests and those of the web. */
async function pass(incoming: IncomingMessage, outgoing: ServerResponse, answer: Answer): Promise<void> {
  const gone = new AbortController()
  outgoing.on('close', () => gone.abort())
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  const method = incoming.method ?? 'GET'
  const body = method === 'GET' || method === 'DELETE' ? null : Buffer.concat(chunks)
  const url = `http://127.0.0.1${incoming.url ?? '/'}`
  const response = await answer(new Request(url, { method, headers, body, signal: gone.signal }))
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  if (response.body === null) {
    outgoing.end()
    return
  }
  outgoing.flushHeaders()
  Readable.fromWeb(response.body)
    .on('error', () => outgoing.destroy())
    .pipe(outgoing)
}
