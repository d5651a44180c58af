/**
 * A real Alertmanager behind a proxy that logs each request and breaks some on demand. On loopback, out of any
 * cluster, with its storage in a folder that goes with it.
 */

import { execa } from 'execa'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { alertmanagerProgram } from './alertmanager-program.ts'

/** `drop-after-apply`: Alertmanager does it, and its answer is lost. */
export type AlertmanagerFault = 'ok' | 'drop' | 'drop-after-apply' | { readonly status: number }

export interface AlertmanagerRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly body: unknown
  /** What Alertmanager said; null: it was not asked. */
  status: number | null
}

export interface SeedAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly startsAt?: string
  readonly endsAt?: string
}

export interface Silence {
  readonly id: string
  readonly comment: string
  readonly createdBy: string
  readonly endsAt: string
  readonly matchers: readonly { readonly name: string; readonly value: string; readonly isEqual: boolean }[]
  readonly status: { readonly state: string }
}

export interface Alertmanager {
  /** Of the proxy. */
  readonly url: string
  readonly requests: readonly AlertmanagerRequest[]
  /** Replaces the hook. */
  onRequest: (request: AlertmanagerRequest) => AlertmanagerFault
  /** Past the proxy: neither is in the log. Resolves once the alerts can be seen. */
  add(alerts: readonly SeedAlert[]): Promise<void>
  silences(): Promise<Silence[]>
  stop(): Promise<void>
}

/** Inhibition as sites have it: what is critical mutes the warnings of its instance. */
const CONFIG = `
route: { receiver: nobody, routes: [{ receiver: pay, matchers: [team=pay] }] }
receivers: [{ name: nobody }, { name: pay }]
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="info"]
    equal: [instance]
`

export async function startAlertmanager(): Promise<Alertmanager> {
  const [program = '', ...before] = (await alertmanagerProgram()).alertmanager
  const folder = mkdtempSync(join(tmpdir(), 'srecodex-alertmanager-'))
  writeFileSync(join(folder, 'alertmanager.yml'), CONFIG)
  const child = execa(
    program,
    [
      ...before,
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${folder}`,
      ...['--web.listen-address=127.0.0.1:0', '--cluster.listen-address='],
    ],
    { reject: false, stdin: 'ignore', stdout: 'ignore', buffer: { stderr: false } },
  )
  const real = await new Promise<string>((resolve, reject) => {
    const said: string[] = []
    createInterface({ input: child.stderr }).on('line', line => {
      said.push(line)
      const port = /msg="Listening on" address=127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`)
    })
    void child.then(() => reject(new Error(`Alertmanager ended:\n${said.join('\n')}`)))
  })

  const requests: AlertmanagerRequest[] = []
  let onRequest: Alertmanager['onRequest'] = () => 'ok'
  const server = createServer((request, response) => {
    take(request, response).catch(() => request.socket.destroy())
  })

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request)
    const path = new URL(request.url ?? '/', real).pathname
    const entry: AlertmanagerRequest = {
      method: request.method ?? 'GET',
      path,
      body: body.length === 0 ? null : JSON.parse(body.toString()),
      status: null,
    }
    requests.push(entry)
    const fault = onRequest(entry)
    if (fault === 'drop') {
      request.socket.destroy()
      return
    }
    if (typeof fault === 'object') {
      entry.status = fault.status
      response.writeHead(fault.status, { 'content-type': 'text/plain' }).end('no')
      return
    }
    const answer = await forward(real, request, body)
    entry.status = answer.status
    if (fault === 'drop-after-apply') request.socket.destroy()
    else response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body)
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get onRequest() {
      return onRequest
    },
    set onRequest(hook) {
      onRequest = hook
    },
    async add(alerts) {
      const words = { method: 'POST', headers: { 'content-type': 'application/json' } }
      const posted = await fetch(`${real}/api/v2/alerts`, { ...words, body: JSON.stringify(alerts) })
      if (!posted.ok) throw new Error(`Alertmanager took no alerts: ${await posted.text()}`)
    },
    silences: async () => (await fetch(`${real}/api/v2/silences`)).json() as Promise<Silence[]>,
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => {
        server.close(resolve)
      })
      child.kill()
      await child
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function readAll(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Not by fetch, which would not pass a body of a GET, or the caller's own headers, as they are. */
async function forward(
  base: string,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<{ status: number; type: string; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = send(new URL(url ?? '/', base), { method, headers }, answer => {
      readAll(answer).then(
        bytes =>
          resolve({
            status: answer.statusCode ?? 0,
            type: answer.headers['content-type'] ?? 'text/plain',
            body: bytes,
          }),
        reject,
      )
    })
    asked.on('error', reject)
    asked.end(body)
  })
}
