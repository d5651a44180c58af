/** What the network tests stand on: servers on the host's loopback, the proxy, the forwarder, raw clients. */

import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { parseAllowlist } from '../../../src/sandbox/network/allowlist.ts'
import { networkEnvironment } from '../../../src/sandbox/network/environment.ts'
import { openProxy, type NetworkProxy, type ProxyOptions } from '../../../src/sandbox/network/proxy.ts'

export const FORWARDER = fileURLToPath(new URL('../../../src/guest/forwarder.pl', import.meta.url))

const run = promisify(execFile)

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'srecodex-network-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A proxy for these entries; its socket is in a folder of its own. */
export async function proxyFor(
  entries: readonly string[],
  options: Partial<ProxyOptions> = {},
): Promise<NetworkProxy & { readonly path: string }> {
  const { allow, problems } = parseAllowlist(entries)
  if (problems.length > 0) throw new Error(problems.map(one => one.message).join('; '))
  const path = join(await temporaryFolder(), 'network.sock')
  const proxy = await openProxy({ allow, listenPath: path, ...options })
  onTestFinished(async () => void (await proxy.close()))
  return { ...proxy, path: options.listenPath ?? path }
}

/** The forwarder in front of a socket, on a free port of this machine's loopback. */
export async function forwarderTo(path: string): Promise<number> {
  const port = await freePort()
  const child = spawn('/usr/bin/perl', [FORWARDER, String(port), path, '3'], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ready = child.stdio[3]
  const first = await new Promise<string>(resolve => {
    ready?.once('data', bytes => resolve(String(bytes)))
    ready?.once('end', () => resolve(''))
  })
  if (first !== '1') throw new Error('the forwarder does not listen')
  return port
}

/** The environment of a script whose forwarder listens at this port. */
export const scriptEnvironment = (entries: readonly string[], port: number): NodeJS.ProcessEnv => ({
  PATH: '/usr/bin:/bin',
  ...networkEnvironment(parseAllowlist(entries).allow, port),
})

async function listening(server: Server, host = '127.0.0.1', port = 0): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => void server.listen(port, host, resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>(resolve => void server.close(() => resolve()))
  })
  return portOf(server)
}

export interface Remote {
  readonly port: number
  /** Request lines and `Host`, in the order of arrival. */
  readonly requests: { readonly line: string; readonly host: string | undefined }[]
  /** What a client of the HTTPS server has to trust. */
  readonly certificate: string | null
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** Answers every request with `hello`, and with the body that came after it. */
const echo: Answer = (request, response) => {
  response.write('hello ')
  request.pipe(response)
}

export async function httpRemote(answer: Answer = echo): Promise<Remote> {
  const requests: Remote['requests'] = []
  const server = createHttpServer((request, response) => {
    requests.push({ line: `${request.method} ${request.url}`, host: request.headers.host })
    answer(request, response)
  })
  return { port: await listening(server), requests, certificate: null }
}

/** Its certificate is for `localhost` and `api.example.test`. */
export async function httpsRemote(): Promise<Remote & { readonly certificate: string }> {
  const folder = await temporaryFolder()
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    certificate,
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost,DNS:api.example.test,IP:127.0.0.1',
  ])
  const requests: Remote['requests'] = []
  const server = createHttpsServer(
    { key: await readFile(key), cert: await readFile(certificate) },
    (request, response) => {
      requests.push({ line: `${request.method} ${request.url}`, host: request.headers.host })
      echo(request, response)
    },
  )
  return { port: await listening(server), requests, certificate }
}

/** Keeps what it is sent and says nothing of its own accord. */
export async function rawRemote(
  onConnection: (socket: Socket) => void = () => {},
  at: { readonly host?: string; readonly port?: number } = {},
): Promise<{
  readonly port: number
  readonly received: () => string
  readonly connections: () => number
}> {
  let text = ''
  let count = 0
  const server = createServer({ allowHalfOpen: true }, socket => {
    count += 1
    socket.on('data', bytes => {
      text += bytes.toString('latin1')
    })
    onConnection(socket)
  })
  return { port: await listening(server, at.host, at.port), received: () => text, connections: () => count }
}

/** Sends bytes to the proxy and collects the answer until it ends, or `until` is in it. */
export function exchange(path: string, bytes: string | Buffer, until?: string): Promise<string> {
  return new Promise(resolve => {
    const socket = connect(path)
    let text = ''
    const done = (): void => {
      resolve(text)
      socket.destroy()
    }
    socket.on('data', part => {
      text += part.toString('latin1')
      if (until !== undefined && text.includes(until)) done()
    })
    socket.on('error', () => {})
    socket.once('close', done)
    socket.once('end', done)
    socket.write(bytes)
  })
}

export interface Finished {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a client to its end. */
export function client(command: string, argv: readonly string[], env: NodeJS.ProcessEnv): Promise<Finished> {
  return new Promise(resolve => {
    execFile(command, argv, { env, timeout: 20_000 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ status, stdout, stderr })
    })
  })
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  const port = portOf(server)
  await new Promise<void>(resolve => void server.close(() => resolve()))
  return port
}

export async function eventually(check: () => boolean | Promise<boolean>, withinMs = 5000): Promise<void> {
  const end = Date.now() + withinMs
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms`)
    await new Promise<void>(resolve => void setTimeout(resolve, 20))
  }
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
