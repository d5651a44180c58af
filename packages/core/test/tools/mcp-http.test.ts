import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  startFinanceServer,
  type FinanceHttpOptions,
  type FinanceHttpServer,
} from '../../../testkit/src/mcp/launch.ts'
import type { ResolvedMcpServer } from '../../src/config/schema.ts'
import type { McpServers } from '../../src/tools/mcp.ts'
import { temporaryFolder } from './listening.ts'
import { failureOf, opened, serverConfig, until } from './mcp-stage.ts'

const TOKEN = 'fin_5f0c1a7e9b'

interface Stage {
  readonly server: FinanceHttpServer
  readonly servers: McpServers
  readonly log: () => string
}

async function reached(
  options: Partial<FinanceHttpOptions> = {},
  config: Partial<ResolvedMcpServer> = {},
  environment: NodeJS.ProcessEnv = { FINANCE_TOKEN: TOKEN },
): Promise<Stage> {
  const log = join(temporaryFolder(), 'log.jsonl')
  const server = await startFinanceServer({ token: TOKEN, log, ...options })
  onTestFinished(() => server.close())
  const servers = opened({ finance: overHttp(server.url, config) }, environment)
  return { server, servers, log: () => readFileSync(log, 'utf8') }
}

const overHttp = (url: string, config: Partial<ResolvedMcpServer> = {}): ResolvedMcpServer =>
  serverConfig({ command: null, args: [], url, bearerTokenEnvVar: 'FINANCE_TOKEN', ...config })

describe.each([
  ['without sessions', false],
  ['with the sessions of earlier revisions', true],
])('streamable HTTP %s', (_, sessions) => {
  test('lists all pages, calls, reads structured content, tells progress', async () => {
    const { servers } = await reached({ sessions })
    const [listing] = await servers.list()
    expect(listing).toMatchObject({ state: 'listed' })
    expect(listing?.state === 'listed' ? listing.tools : []).toHaveLength(15)
    const page = await servers.call('finance', 'get_expenses', {
      team: 'atlas',
      period: '2026',
      cursor: 'page-2',
    })
    expect(page).toEqual({ value: { lines: [], next: 'page-3' } })
    expect((await servers.call('finance', 'get_teams', {})).value).toHaveLength(20)
    const steps: number[] = []
    await servers.call('finance', 'slow', { ms: 40 }, { onProgress: step => steps.push(step.done) })
    expect(steps).toEqual([1, 2, 3, 4])
  })

  test('64 calls overlap', async () => {
    const { servers } = await reached({ sessions })
    const met = await Promise.all(
      Array.from({ length: 64 }, () => servers.call('finance', 'meet', { count: 64 })),
    )
    expect(met).toHaveLength(64)
  })

  test('a cancelled call is heard of by the server', async () => {
    const { servers, log } = await reached({ sessions })
    const stop = new AbortController()
    const pending = failureOf(
      servers.call('finance', 'slow', { ms: 60_000, key: 'a' }, { signal: stop.signal }),
    )
    await expect.poll(() => log()).toContain('"started":true')
    stop.abort()
    expect(await pending).toMatchObject({ code: 'TOOL_FAILED', kind: { class: 'cancelled' } })
    await until(() => log().includes('"cancelled":true'))
  })

  test('a change of the tools is noticed', async () => {
    const { servers } = await reached({ sessions })
    expect((await failureOf(servers.describe('finance', 'extra_1'))).code).toBe('INVALID_PARAMS')
    await servers.call('finance', 'add_tool', {})
    await expect
      .poll(() => servers.describe('finance', 'extra_1').catch(() => null), { timeout: 5000 })
      .toMatchObject({ effect: 'read' })
  })

  test('a result past the bound is TOO_LARGE, and the next call is answered', async () => {
    const { servers } = await reached({ sessions })
    for (const mebibytes of [16, 80]) {
      const failure = await failureOf(
        servers.call('finance', 'large_report', { bytes: mebibytes * 1024 * 1024 }),
      )
      expect(failure).toMatchObject({ code: 'TOO_LARGE' })
    }
    expect(await servers.call('finance', 'large_report', { bytes: 3 })).toEqual({ value: 'xxx' })
  })
})

describe('who the calls come from', () => {
  test('the bearer token and the headers are sent, and no other variable', async () => {
    const { server, servers } = await reached(
      {},
      {
        httpHeaders: { 'x-cost-centre': 'sre' },
        envHttpHeaders: { 'x-tenant': 'TENANT', 'x-none': 'UNSET' },
      },
      { FINANCE_TOKEN: TOKEN, TENANT: 'acme', GITHUB_TOKEN: 'ghp_secret' },
    )
    await servers.call('finance', 'get_teams', {})
    expect(server.requests.length).toBeGreaterThan(1)
    for (const headers of server.requests) {
      expect(headers).toMatchObject({
        authorization: `Bearer ${TOKEN}`,
        'x-cost-centre': 'sre',
        'x-tenant': 'acme',
      })
      expect(headers).not.toHaveProperty('x-none')
    }
    expect(JSON.stringify(server.requests)).not.toContain('ghp_secret')
  })

  test('a wrong token is an expired login, and no error repeats it', async () => {
    const { servers } = await reached({}, {}, { FINANCE_TOKEN: 'fin_wrong_0001' })
    const failure = await failureOf(servers.call('finance', 'get_teams', {}))
    expect(failure).toMatchObject({
      code: 'TOOL_FAILED',
      message: 'MCP server `finance` did not start: it answered with HTTP 401',
      kind: { class: 'expired login', definite: true },
    })
    expect(failure.hint).toContain('`bearer_token_env_var`')
    expect(`${failure.message} ${failure.hint} ${String(failure.stack)}`).not.toContain('fin_wrong')
  })

  test('a token that is not set is said before anything is sent', async () => {
    const { server, servers } = await reached({}, {}, {})
    expect(await failureOf(servers.call('finance', 'get_teams', {}))).toMatchObject({
      code: 'TOOL_FAILED',
      hint: 'set FINANCE_TOKEN, which `bearer_token_env_var` in [mcp_servers.finance] names',
    })
    expect(server.requests).toEqual([])
  })

  test('what a tool or a server repeats of a header is taken out of its errors', async () => {
    const { servers } = await reached({}, { httpHeaders: { 'x-key': 'key "one" 77' } })
    const words = `seen Bearer ${TOKEN} and ${JSON.stringify('key "one" 77')}`
    const failure = await failureOf(servers.call('finance', 'fail', { words }))
    expect(failure.message).toBe('`fail` of MCP server `finance`: seen [redacted] and "[redacted]"')
  })

  test('its identity names the host and neither the path nor a secret', async () => {
    const { server, servers } = await reached()
    const { host } = new URL(server.url)
    expect(await servers.identity('finance')).toEqual({
      tool: 'mcp:finance',
      summary: `finance 2.1.0 at ${host}`,
      fields: {
        host: `http://${host}`,
        path: expect.stringMatching(/^sha256:[0-9a-f]{16}$/),
        name: 'finance',
        version: '2.1.0',
      },
    })
  })

  test('a redirect to another origin is not followed with the token', async () => {
    const stranger: unknown[] = []
    const elsewhere = await listen((headers, answer) => {
      stranger.push(headers)
      answer(200, {})
    })
    const near = await listen((_, answer) => answer(307, { location: `${elsewhere}/mcp` }))
    const servers = opened({ finance: overHttp(`${near}/mcp`) }, { FINANCE_TOKEN: TOKEN })
    expect(await failureOf(servers.call('finance', 'get_teams', {}))).toMatchObject({ code: 'TOOL_FAILED' })
    expect(stranger).toEqual([])
  })
})

describe('a server that is lost', () => {
  test('nobody listens there: said so, and certain that nothing was done', async () => {
    const { server, servers } = await reached()
    await server.close()
    expect(await failureOf(servers.call('finance', 'get_teams', {}))).toMatchObject({
      code: 'TOOL_FAILED',
      message: expect.stringContaining('ECONNREFUSED'),
      hint: 'it is `url` in [mcp_servers.finance]',
      kind: { class: 'unreachable', definite: true },
    })
  })

  test.each([false, true])('in the middle of a call (sessions: %s)', async sessions => {
    const { server, servers } = await reached({ sessions })
    await servers.call('finance', 'get_teams', {})
    const pending = failureOf(servers.call('finance', 'slow', { ms: 60_000 }, { onProgress: () => {} }))
    await expect.poll(() => server.requests.length).toBeGreaterThan(3)
    await server.close()
    expect(await pending).toMatchObject({
      code: 'TOOL_FAILED',
      kind: { class: 'unreachable', definite: false },
    })
  })

  test('a session that it forgot is opened anew by the next call', async () => {
    const { server, servers } = await reached({ sessions: true })
    await servers.call('finance', 'get_teams', {})
    server.forgetSessions()
    expect(await failureOf(servers.call('finance', 'get_teams', {}))).toMatchObject({
      code: 'TOOL_FAILED',
      kind: { class: 'unreachable', definite: true },
    })
    expect((await servers.call('finance', 'get_teams', {})).value).toHaveLength(20)
  })

  test('a call that takes too long', async () => {
    const { servers, log } = await reached({}, { toolTimeoutMs: 300 })
    expect(await failureOf(servers.call('finance', 'slow', { ms: 60_000 }))).toMatchObject({
      code: 'TOOL_FAILED',
      kind: { class: 'timed out', definite: false },
    })
    await until(() => log().includes('"cancelled":true'))
  })
})

type Answer = (status: number, headers: Record<string, string>) => void

async function listen(onRequest: (headers: unknown, answer: Answer) => void): Promise<string> {
  const server = createServer((request, response) => {
    onRequest(request.headers, (status, headers) => response.writeHead(status, headers).end())
  })
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
