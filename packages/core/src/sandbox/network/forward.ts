/**
 * One plain HTTP request in absolute form, sent on over a connection of its own.
 *
 * The message is built anew: `Host` is the URL's (RFC 9112, 3.2.2), headers of the hop are dropped, and the
 * body keeps the framing that was checked. So a body cannot become a second request, and a header cannot lead
 * an allowed server to serve another name.
 */

import { request as startRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import { openWay, type Gate } from './dial.ts'
import { parseAbsoluteTarget } from './target.ts'

export const MAX_HEADER_BYTES = 64 * 1024

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

/** Settles when the response has gone or its connection has. */
export async function forwardRequest(
  gate: Gate,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const ended = new Promise<void>(resolve => void response.once('close', resolve))
  response.on('error', () => void request.socket.destroy())
  if (request.socket.destroyed) return
  await answer(gate, request, response)
  await ended
}

async function answer(gate: Gate, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parsed = parseAbsoluteTarget(request.url ?? '')
  if (parsed === null) {
    gate.record.refuse('(unreadable)', 0, null)
    end(response, 400, 'srecodex: the network proxy takes http://HOST/PATH, and CONNECT HOST:PORT\n')
    return
  }
  const coding = request.headers['transfer-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    end(response, 501, 'srecodex: the network proxy takes no transfer coding but chunked\n')
    return
  }

  const way = await openWay(gate, parsed.target)
  if (way.kind === 'shut') {
    end(response, way.status, way.message)
    return
  }
  const { socket } = way
  if (response.destroyed) {
    socket.destroy()
    return
  }
  // Before anything can throw: whatever becomes of the response, the connection to the outside ends with it.
  response.once('close', () => socket.destroy())
  const headers = ['Host', parsed.target.authority, ...endToEndHeaders(request, ['host'])]
  if (coding !== undefined) headers.push('Transfer-Encoding', 'chunked')
  const upstream = startRequest({
    createConnection: () => socket,
    method: request.method ?? 'GET',
    path: parsed.path,
    headers,
    maxHeaderSize: MAX_HEADER_BYTES,
  })
  const fail = (error: unknown): void => {
    if (response.headersSent) response.destroy()
    else end(response, 502, `srecodex: ${parsed.target.authority} broke off (${codeOf(error)})\n`)
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
    if (!response.headersSent) fail(null)
    // What is left of the body of an answered request has to be read, or the next request never is.
    request.resume()
  })
  request.on('error', () => upstream.destroy())
  request.pipe(upstream)
}

/** Throws what Node will not write, such as a status of 42: an allowed server may be hostile too. */
function sendReply(reply: IncomingMessage, response: ServerResponse): void {
  response.writeHead(reply.statusCode ?? 502, reply.statusMessage ?? '', endToEndHeaders(reply, []))
  // A stream of events may have no body for a long time.
  response.flushHeaders()
  pipeline(reply, response, () => {})
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

/** The message is the reason phrase too: Python's urllib shows no more than that. */
function end(response: ServerResponse, status: number, message: string): void {
  if (response.destroyed) return
  response.writeHead(status, message.trimEnd(), {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(message),
    Connection: 'close',
  })
  response.end(message)
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'failed'
