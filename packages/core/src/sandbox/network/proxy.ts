/**
 * The way out of a sandbox whose network is an allowlist: a proxy on a unix socket that the sandbox sees.
 *
 * Takes CONNECT and absolute-form HTTP, puts every request to the allowlist (also each one on a connection
 * that is kept), and connects to the very address that was decided. What it cannot see: inside CONNECT, TLS
 * may name another server at the same address; the address is still one that the list leads to.
 *
 * The client is hostile. It gets one request at a time for each connection, a bounded number of connections,
 * and never more than one outside connection for each of its own. Closing ends everything at once.
 *
 * Built on `node:http`, not on `proxy-chain` 3.0.1, for reasons that were reproduced: it drops clients of a
 * unix socket (they have no remote address), forwards a GET's chunked body without its framing (a second
 * request on the same connection) with the client's own `Host`, and answers a failed CONNECT with nothing.
 *
 * Load it by dynamic import: only a run that uses an allowlist pays for it.
 */

import { setMaxListeners } from 'node:events'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { listen } from '../listen.ts'
import type { Allowlist } from './allowlist.ts'
import type { Gate, Lookup } from './dial.ts'
import { forwardRequest, MAX_HEADER_BYTES } from './forward.ts'
import { startRecord, type NetworkReport } from './report.ts'
import { systemLookup } from './resolve.ts'
import { tunnel } from './tunnel.ts'

export interface ProxyOptions {
  readonly allow: Allowlist
  /** A path that does not exist yet, in a folder that the script cannot write. */
  readonly listenPath: string
  /** @default the system's resolver, as every program of the host uses it */
  readonly lookup?: Lookup
}

export interface NetworkProxy {
  /** What has happened up to now. */
  report(): NetworkReport
  /** Ends every connection, removes the socket and says what happened. A second call says the same. */
  close(): Promise<NetworkReport>
}

/** The forwarder waits rather than open more, so an ordinary script never meets this. */
const MAX_CONNECTIONS = 512
/** Requests that one connection may send before the first is answered. */
const MAX_WAITING_REQUESTS = 4
const HEADERS_TIMEOUT_MS = 30_000
const KEEP_ALIVE_TIMEOUT_MS = 30_000

/** @throws {SrecodexError} STATE_UNWRITABLE */
export async function openProxy(options: ProxyOptions): Promise<NetworkProxy> {
  const over = new AbortController()
  setMaxListeners(0, over.signal)
  const gate: Gate = {
    allow: options.allow,
    lookup: options.lookup ?? systemLookup(over.signal),
    record: startRecord(),
    outside: new Set(),
    closing: over.signal,
  }
  const clients = new Set<Socket>()
  const inTurn = oneAtATime()
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // An upload may take as long as the script may run.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: 5000,
    // The target comes from the request line alone, and older clients send CONNECT without a Host.
    requireHostHeader: false,
  })
  server.maxConnections = MAX_CONNECTIONS
  // By default headers past the 2,000th are dropped after they have framed the body. The size bounds them.
  server.maxHeadersCount = 0
  server.on('connection', socket => {
    clients.add(socket)
    // After CONNECT the server no longer listens for errors, and an error that nobody hears ends the process.
    socket.on('error', () => socket.destroy())
    socket.once('close', () => clients.delete(socket))
  })
  server.on('request', (request, response) => {
    inTurn(request.socket, () => forwardRequest(gate, request, response))
  })
  server.on('connect', (request, client, head) => {
    inTurn(client, () => tunnel(gate, request.url ?? '', client, head))
  })

  const release = await listen(server, options.listenPath)

  const shutDown = async (): Promise<NetworkReport> => {
    over.abort()
    const closed = new Promise<void>(resolve => void server.close(() => resolve()))
    // The outside connections add their bytes to the report when they close.
    const counted = [...gate.outside].map(
      socket => new Promise<void>(resolve => void socket.once('close', () => resolve())),
    )
    for (const socket of [...clients, ...gate.outside]) socket.destroy()
    await Promise.all([closed, ...counted])
    release()
    return gate.record.report()
  }
  let closing: Promise<NetworkReport> | null = null
  return {
    report: () => gate.record.report(),
    close: () => (closing ??= shutDown()),
  }
}

/**
 * Runs the steps of each connection one after the other, so that pipelined requests are answered in order and
 * hold one outside connection between them. A connection that sends too far ahead, or whose step fails, ends.
 */
function oneAtATime(): (connection: Duplex, step: () => Promise<void>) => void {
  const lines = new WeakMap<Duplex, { waiting: number; last: Promise<void> }>()
  return (connection, step) => {
    if (connection.destroyed) return
    const line = lines.get(connection) ?? { waiting: 0, last: Promise.resolve() }
    lines.set(connection, line)
    if (line.waiting >= MAX_WAITING_REQUESTS) {
      connection.destroy()
      return
    }
    line.waiting += 1
    line.last = line.last
      .then(() => (connection.destroyed ? undefined : step()))
      .catch(() => void connection.destroy())
      .finally(() => {
        line.waiting -= 1
      })
  }
}
