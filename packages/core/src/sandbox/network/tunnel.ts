/** One CONNECT: bytes both ways until both sides have ended. What is inside (TLS) is not looked at. */

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { openWay, type Gate } from './dial.ts'
import { parseConnectTarget } from './target.ts'

/** Settles when the client's connection is gone. `head` is what came after the request's headers. */
export async function tunnel(gate: Gate, authority: string, client: Duplex, head: Buffer): Promise<void> {
  if (!client.writable) return
  const ended = new Promise<void>(resolve => void client.once('close', resolve))
  const target = parseConnectTarget(authority)
  if (target === null) {
    gate.record.refuse('(unreadable)', 0, null)
    end(client, 400, 'srecodex: the network proxy takes CONNECT HOST:PORT\n')
  } else {
    const way = await openWay(gate, target)
    if (way.kind === 'shut') end(client, way.status, way.message)
    else if (client.destroyed) way.socket.destroy()
    else join(client, way.socket, head)
  }
  await ended
}

function join(client: Duplex, socket: Socket, head: Buffer): void {
  // A side that ends is passed on by `pipe`; a side that is gone takes the other with it, once that has sent
  // what it still holds.
  client.once('close', () => socket.destroySoon())
  socket.once('close', failed => (failed ? client.destroy() : client.end(() => client.destroy())))
  client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
  if (head.length > 0) socket.write(head)
  client.pipe(socket)
  socket.pipe(client)
}

/** The message is the reason phrase too: of a CONNECT that fails, many clients show no more than that. */
function end(client: Duplex, status: number, message: string): void {
  client.end(
    [
      `HTTP/1.1 ${status} ${message.trimEnd()}`,
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(message)}`,
      'Connection: close',
      '',
      message,
    ].join('\r\n'),
    () => client.destroy(),
  )
}
