/**
 * One plain HTTP request in absolute form, sent on over a connection of its own.
 *
 * The message is built anew: `Host` is the URL's (RFC 9112, 3.2.2), headers of the hop are dropped, and the
 * body keeps the framing that was checked. So a body cannot become a second request, and a header cannot lead
 * an allowed server to serve another name.
 */

import { request as startRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { finished, pipeline } from 'node:stream'
import { openWay, reasonOf, type Gate } from './dial.ts'
import { parseAbsoluteTarget, type AbsoluteTarget } from './target.ts'

export const MAX_HEADER_BYTES = 32 * 1024

/** `expect` is among them: the proxy has answered it. */
const HOP_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Of other methods Node would send a body in chunks, were it only to say that there is none. */
const BODILESS_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])

type Framing = 'none' | 'length' | 'chunked'

/** Settles when the response or its connection has gone; nothing to the outside is left open then. */
export async function forwardRequest(
  gate: Gate,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const client = request.socket
  // A connection that an earlier answer has ended has no place for this one, and `close` would never come.
  if (!client.writable) return
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  response.once('close', end)
  client.once('close', end)
  response.on('error', () => client.destroy())
  const outside = await answer(gate, request, response)
  try {
    if (outside !== null) send(outside, request, response)
    await ended
  } finally {
    outside?.socket.destroy()
    client.off('close', end)
  }
}

interface Outside {
  readonly socket: Socket
  readonly to: AbsoluteTarget
  readonly framing: Framing
}

/** The connection to send the request on, or `null` when it was answered here. */
async function answer(
  gate: Gate,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Outside | null> {
  const to = parseAbsoluteTarget(request.url ?? '')
  if (to === null) {
    gate.record.refuse('(unreadable)', 0, null)
    refuse(
      request,
      response,
      400,
      'srecodex: the network proxy takes http://HOST/PATH, and CONNECT HOST:PORT\n',
    )
    return null
  }
  const framing = framingOf(request)
  if (framing === null) {
    refuse(request, response, 501, 'srecodex: the network proxy takes no transfer coding but chunked\n')
    return null
  }
  const way = await openWay(gate, to.target)
  if (way.kind === 'open') return { socket: way.socket, to, framing }
  refuse(request, response, way.status, way.message)
  return null
}

function send({ socket, to, framing }: Outside, request: IncomingMessage, response: ServerResponse): void {
  const method = request.method ?? 'GET'
  const headers = ['Host', to.target.authority, ...endToEndHeaders(request, ['host'])]
  if (framing === 'chunked') headers.push('Transfer-Encoding', 'chunked')
  if (framing === 'none' && !BODILESS_METHODS.has(method)) headers.push('Content-Length', '0')
  const upstream = startRequest({
    createConnection: () => socket,
    method,
    path: to.path,
    headers,
    maxHeaderSize: MAX_HEADER_BYTES,
  })
  const fail = (error: unknown): void => {
    // A reply that breaks off half-way ends the response by its own pipeline.
    if (response.headersSent) return
    refuse(request, response, 502, `srecodex: ${to.target.authority} broke off (${reasonOf(error)})\n`)
  }
  upstream.on('response', reply => {
    try {
      sendReply(reply, response)
    } catch (error) {
      fail(error)
    }
  })
  upstream.on('error', fail)
  upstream.on('close', () => {
    // A switch of protocol that nobody asked for ends without an error.
    fail(null)
    // What is left of the body of an answered request has to be read, or the next request never is.
    request.resume()
  })
  request.on('error', () => upstream.destroy())
  if (framing === 'none') upstream.end()
  else request.pipe(upstream)
}

/** Throws what Node will not write, such as a status of 42: an allowed server may be hostile too. */
function sendReply(reply: IncomingMessage, response: ServerResponse): void {
  response.writeHead(reply.statusCode ?? 502, reply.statusMessage ?? '', endToEndHeaders(reply, []))
  // A stream of events may have no body for a long time.
  response.flushHeaders()
  pipeline(reply, response, () => {})
}

/** `null`: in a way that is not sent on. The parser has refused both at once, and two that differ. */
function framingOf({ headers }: IncomingMessage): Framing | null {
  const coding = headers['transfer-encoding']
  if (coding !== undefined) return coding.toLowerCase() === 'chunked' ? 'chunked' : null
  return headers['content-length'] === undefined ? 'none' : 'length'
}

/** Names and values in turn, repeated headers too. `Connection` may name more headers of the hop. */
function endToEndHeaders(message: IncomingMessage, dropped: readonly string[]): string[] {
  const named = (message.headers.connection ?? '').toLowerCase().split(/\s*,\s*/)
  const drop = new Set([...named.filter(name => name !== 'content-length'), ...dropped])
  return message.rawHeaders.filter((_, index, all) => {
    const name = all[index - (index % 2)]?.toLowerCase() ?? ''
    return !HOP_HEADERS.has(name) && !drop.has(name)
  })
}

/**
 * The message is the reason phrase too: Python's urllib shows no more than that. The response ends only when
 * the request has: a connection that closes while the client still sends would cost it the answer.
 */
function refuse(request: IncomingMessage, response: ServerResponse, status: number, message: string): void {
  if (response.destroyed) return
  if (status === 400 || status === 501) response.setHeader('Connection', 'close')
  response.writeHead(status, message.trimEnd(), {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(message),
  })
  response.write(message)
  finished(request, { writable: false }, () => response.end())
  request.resume()
}
