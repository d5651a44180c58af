/**
 * What every scripted model has of a server: it listens on the loopback, keeps each body that it is sent, and says in a
 * failed request what nobody foresaw. How a body reads, and how an answer is said, is the affair of the API.
 *
 * Another path, or a body that could not be looked at, is a fault as well: it is never passed over.
 */

import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ModelServer } from './model.ts'

export interface ModelServerOptions {
  /** The one that it answers, below its url. */
  readonly path: `/${string}`
  /** @throws {Error} What was not foreseen; the agent gets a failed request. */
  readonly answer: (body: string) => ModelAnswer
}

export interface ModelAnswer {
  readonly type: 'application/json' | 'text/event-stream'
  /** Written one after the other. */
  readonly parts: readonly string[]
}

export async function startModelServer({ path, answer }: ModelServerOptions): Promise<ModelServer> {
  const bodies: string[] = []
  const faults: Error[] = []
  const server = createServer((request, response) => {
    const whole = bodyOf(request).then(body => {
      bodies.push(body)
      try {
        refuseOthers(request, `/v1${path}`)
        const { type, parts } = answer(body)
        response.writeHead(200, { 'content-type': type })
        for (const part of parts) response.write(part)
        response.end()
      } catch (error) {
        const fault = error instanceof Error ? error : new Error(String(error))
        faults.push(fault)
        const told = { message: fault.message, type: 'invalid_request_error', param: null, code: null }
        // Anything from 500 on would be asked again.
        response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: told }))
      }
    })
    // Who asked went away in the middle of it.
    whole.catch(() => response.destroy())
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

function refuseOthers({ method, url, headers }: IncomingMessage, path: string): void {
  if (method !== 'POST' || url !== path) throw new Error(`nobody answers ${method} ${url}`)
  const encoding = headers['content-encoding']
  if (encoding !== undefined) throw new Error(`the body is encoded as ${encoding}: it could not be looked at`)
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
