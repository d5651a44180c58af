/** The HTTP side: TLS, tokens, rules, throttling, faults, the log; and what the API itself answers. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { isAllowed, type ForbiddenRule, type User } from './access.ts'
import { answer, type ApiRequest } from './api.ts'
import { makeCertificate } from './certificate.ts'
import { discover } from './discovery.ts'
import { ApiFailure, badRequest, forbidden, noSuchPath, tooManyRequests, unauthorized } from './failure.ts'
import { parseProtobuf } from './protobuf.ts'
import type { Fault, RequestEntry } from './request-log.ts'
import { reviewAccess, reviewUser } from './review.ts'
import { parseRoute, type Route } from './route.ts'
import type { Store } from './store.ts'
import { watch } from './watch.ts'

export interface ServerOptions {
  readonly port: number
  readonly users: readonly User[]
  /** Looked at for each request: a test may change it. */
  readonly forbidden: readonly ForbiddenRule[]
  readonly throttle: { readonly every: number; readonly retryAfterSeconds: number | null } | null
  readonly onRequest: (request: RequestEntry) => Fault | Promise<Fault>
  /** Called once the outcome of a request is known. */
  readonly onLogged: (request: RequestEntry) => void
}

export interface RunningServer {
  readonly url: string
  /** PEM. */
  readonly certificate: string
  readonly requests: readonly RequestEntry[]
  close(): Promise<void>
}

interface Prepared {
  readonly entry: RequestEntry
  readonly route: Route | null
  readonly user: User | null
  readonly query: URLSearchParams
}

export async function serve(store: Store, options: ServerOptions): Promise<RunningServer> {
  const { key, certificate } = makeCertificate()
  const requests: RequestEntry[] = []
  const watches = new Set<() => void>()
  let counted = 0
  const server = createServer({ key, cert: certificate }, (request, response) => {
    take(request, response).catch((error: unknown) => {
      // A client that went away is no fault of the server; anything else must be seen.
      if (!request.destroyed && !response.headersSent) {
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
        sendFailure(response, new ApiFailure(500, 'InternalError', message))
      }
    })
  })

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await readBody(request)
    const prepared = prepare(request, bytes)
    const { entry } = prepared
    requests.push(entry)
    const fault = prepared.user === null ? 'ok' : await options.onRequest(entry)
    try {
      if (fault === 'hang') return
      if (fault === 'drop') {
        request.socket.destroy()
        return
      }
      if (typeof fault === 'object') throw failureOf(fault)
      if (throttles(prepared)) throw tooManyRequests(options.throttle?.retryAfterSeconds ?? null)
      const before = store.version
      try {
        perform(prepared, request, response, fault)
      } finally {
        entry.applied = store.version !== before
      }
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error
      entry.status = error.code
      if (fault === 'drop-after-apply') request.socket.destroy()
      else {
        entry.answered = true
        sendFailure(response, error)
      }
    } finally {
      options.onLogged(entry)
    }
  }

  function prepare(request: IncomingMessage, bytes: Buffer): Prepared {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'https://127.0.0.1')
    const method = request.method ?? 'GET'
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1]
    const user = options.users.find(each => each.token === token) ?? null
    const route = parseRoute(method, pathname, query)
    const below = route?.subresource === null ? '' : `/${route?.subresource}`
    const body = parseBody(request, bytes)
    const asked = query.get('dryRun') === 'All'
    const inBody = typeof body === 'object' && body !== null && 'dryRun' in body && isAll(body.dryRun)
    const entry: RequestEntry = {
      number: requests.length + 1,
      at: Date.now(),
      method,
      path: pathname,
      query: Object.fromEntries(query),
      userAgent: request.headers['user-agent'] ?? '',
      user: user?.name ?? null,
      verb: route?.verb ?? null,
      resource: route === null ? null : `${route.resource.plural}${below}`,
      namespace: route?.namespace ?? null,
      name: route?.name ?? nameIn(body),
      dryRun: asked || inBody,
      fieldManager: query.get('fieldManager'),
      body: body ?? null,
      status: null,
      applied: false,
      answered: false,
    }
    return { entry, route, user, query }
  }

  function throttles({ route, user }: Prepared): boolean {
    if (options.throttle === null || route === null || user === null) return false
    return ++counted % options.throttle.every === 0
  }

  function perform(
    { entry, route, user, query }: Prepared,
    request: IncomingMessage,
    response: ServerResponse,
    fault: Fault,
  ): void {
    const { accept = 'application/json', 'content-type': contentType = 'application/json' } = request.headers
    const respond = (code: number, body: unknown, type = 'application/json'): void => {
      entry.status = code
      if (fault === 'drop-after-apply') {
        request.socket.destroy()
        return
      }
      entry.answered = true
      send(response, code, body, type)
    }
    if (user === null) throw unauthorized()
    if (route === null) {
      const found = entry.method === 'GET' ? discover(entry.path, accept) : null
      if (found === null) throw noSuchPath()
      respond(200, found.body, found.contentType)
      return
    }
    // A namespace lies in itself, as far as rights go.
    const access = route.resource.kind === 'Namespace' ? { ...route, namespace: route.name } : route
    if (!isAllowed(user, access, options.forbidden)) {
      throw forbidden(route.resource, { ...access, user: user.name })
    }
    if (!route.resource.verbs.includes(route.verb) && route.subresource === null) {
      throw new ApiFailure(
        405,
        'MethodNotAllowed',
        'the server does not allow this method on the requested resource',
      )
    }
    if (route.resource.plural === 'selfsubjectaccessreviews') {
      respond(201, reviewAccess(user, entry.body, options.forbidden))
      return
    }
    if (route.resource.plural === 'selfsubjectreviews') {
      respond(201, reviewUser(user))
      return
    }
    if (entry.body === UNREADABLE) throw badRequest('the body of the request cannot be read')
    const manager = entry.fieldManager ?? entry.userAgent.split('/')[0] ?? 'unknown'
    const { dryRun, body } = entry
    const asked: ApiRequest = { route, query, accept, contentType, manager, dryRun, body: body ?? undefined }
    if (route.verb === 'watch') {
      const end = watch(store, asked, response)
      watches.add(end)
      response.on('close', () => watches.delete(end))
      entry.status = 200
      entry.answered = true
      return
    }
    const { code, body: result } = answer(store, asked)
    respond(code, result, typeof result === 'string' ? 'text/plain' : 'application/json')
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}`,
    certificate,
    requests,
    async close() {
      for (const end of watches) end()
      server.closeAllConnections()
      await new Promise(resolve => {
        server.close(resolve)
      })
    },
  }
}

function isAll(value: unknown): boolean {
  return Array.isArray(value) && value.includes('All')
}

function nameIn(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('metadata' in body)) return null
  const { metadata } = body
  if (typeof metadata !== 'object' || metadata === null || !('name' in metadata)) return null
  return typeof metadata.name === 'string' ? metadata.name : null
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const UNREADABLE = 'unreadable'

function parseBody(request: IncomingMessage, bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined
  try {
    if (request.headers['content-type']?.includes('protobuf') === true) return parseProtobuf(bytes)
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch {
    return UNREADABLE
  }
}

function failureOf(fault: { status: number; message?: string; retryAfterSeconds?: number }): ApiFailure {
  const { status, message, retryAfterSeconds = null } = fault
  if (status === 429 && message === undefined) return tooManyRequests(retryAfterSeconds)
  const reason = REASONS[status] ?? 'InternalError'
  return new ApiFailure(
    status,
    reason,
    message ?? `an error on the server (${reason})`,
    undefined,
    retryAfterSeconds,
  )
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

function sendFailure(response: ServerResponse, failure: ApiFailure): void {
  if (failure.retryAfter !== null) response.setHeader('retry-after', String(failure.retryAfter))
  send(response, failure.code, failure.status(), 'application/json')
}

function send(response: ServerResponse, code: number, body: unknown, type: string): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(code, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}
