import { execFile, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FINANCE_PROGRAM } from '../../../testkit/src/mcp/launch.ts'
import { openMcpServers } from '../../src/tools/mcp.ts'
import { temporaryFolder } from './listening.ts'
import { descendants, failureOf, finance, isAlive, opened, serverConfig, until } from './mcp-stage.ts'

describe('a server that dies', () => {
  test('fails the calls in flight with its last words, and is started again once', async () => {
    const { servers } = finance({ env: { LEDGER_TOKEN: 'tok_secret_123' } })
    const inFlight = failureOf(servers.call('finance', 'slow', { ms: 60_000 }))
    const failure = await failureOf(servers.call('finance', 'crash', { words: 'bad token tok_secret_123' }))
    expect(failure).toMatchObject({ code: 'TOOL_FAILED', kind: { class: 'unreachable', definite: false } })
    expect(failure.message).toBe(
      'MCP server `finance` was lost during `crash`: it ended with code 3; its last words: fatal: bad token [redacted]',
    )
    expect(await inFlight).toMatchObject({
      code: 'TOOL_FAILED',
      kind: { class: 'unreachable', definite: false },
    })

    const teams = await Promise.all(Array.from({ length: 5 }, () => servers.call('finance', 'get_teams', {})))
    expect(teams).toHaveLength(5)

    await failureOf(servers.call('finance', 'crash', {}))
    expect(await failureOf(servers.call('finance', 'get_teams', {}))).toMatchObject({
      code: 'TOOL_FAILED',
      message: expect.stringContaining('has died twice in this run'),
      kind: { definite: true },
    })
  })

  test('as it starts says why, at both tries and after them', async () => {
    const script = "console.error('line one\\nno ledger at ' + process.env.LEDGER_URL); process.exit(4)"
    const servers = opened({
      finance: serverConfig({ args: ['-e', script], env: { LEDGER_URL: 'postgres://u:hunter22@db/x' } }),
    })
    const expected =
      'MCP server `finance` did not start: it ended with code 4; its last words: line one\nno ledger at [redacted]'
    const failures = [
      await failureOf(servers.call('finance', 'get_teams', {})),
      await failureOf(servers.call('finance', 'get_teams', {})),
    ]
    expect(failures.map(failure => failure.message)).toEqual([expected, expected])
    expect(failures[0]).toMatchObject({
      kind: { definite: true },
      hint: 'look at `command`, `args`, `env` in [mcp_servers.finance]',
    })
    expect((await failureOf(servers.call('finance', 'get_teams', {}))).message).toContain('died twice')
  })

  test('never answering at all is a time-out of its start', async () => {
    const servers = opened({
      finance: serverConfig({
        command: 'sh',
        args: ['-c', 'echo waiting for the ledger >&2; sleep 60'],
        startupTimeoutMs: 400,
      }),
    })
    expect(await failureOf(servers.call('finance', 'get_teams', {}))).toMatchObject({
      code: 'TOOL_FAILED',
      message: 'MCP server `finance` did not start within 0.4 s; its last words: waiting for the ledger',
      hint: '`startup_timeout_sec` in [mcp_servers.finance] allows more',
      kind: { class: 'timed out', definite: true },
    })
    await until(() => descendants().length === 0)
  })

  test('a caller that leaves while it starts leaves alone', async () => {
    const { servers } = finance()
    const stop = new AbortController()
    const leaving = failureOf(servers.call('finance', 'get_teams', {}, { signal: stop.signal }))
    const staying = servers.call('finance', 'get_teams', {})
    stop.abort()
    expect(await leaving).toMatchObject({ kind: { class: 'cancelled', definite: true } })
    expect((await staying).value).toHaveLength(20)
  })
})

test('nothing is loaded or started before the first call', async () => {
  const program = join(temporaryFolder(), 'host.mjs')
  const core = new URL('../../src/tools/mcp.ts', import.meta.url).href
  writeFileSync(
    program,
    `import { registerHooks } from 'node:module'
const loaded = []
registerHooks({ resolve: (name, context, next) => { loaded.push(name); return next(name, context) } })
const { openMcpServers } = await import(${JSON.stringify(core)})
const servers = openMcpServers({
  servers: { finance: ${JSON.stringify(serverConfig())} }, workspace: '/nowhere', callerEnvironment: process.env })
const seen = () => ({
  packages: ['@modelcontextprotocol/client', '@cfworker/json-schema'].filter(name => loaded.includes(name)),
  children: process.getActiveResourcesInfo().filter(name => name === 'ProcessWrap').length,
})
const before = seen()
await servers.call('finance', 'get_teams', {})
console.log(JSON.stringify([before, seen()]))
await servers.close()
`,
  )
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program], { timeout: 25_000 })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual([
    { packages: [], children: 0 },
    { packages: ['@modelcontextprotocol/client', '@cfworker/json-schema'], children: 1 },
  ])
})

describe('no survivors', () => {
  test('after close, of the server and of what it started, also what ignores signals', async () => {
    const { servers } = finance()
    const { value } = await servers.call('finance', 'start_helper', {})
    const { server, helper } = value as { server: number; helper: number }
    expect([isAlive(server), isAlive(helper)]).toEqual([true, true])
    await servers.close()
    expect([isAlive(server), isAlive(helper)]).toEqual([false, false])
    expect(descendants()).toEqual([])
    expect((await failureOf(servers.call('finance', 'get_teams', {}))).message).toContain('the run is ending')
  })

  test('after close while it starts', async () => {
    const servers = opened({ finance: serverConfig({ command: 'sh', args: ['-c', 'sleep 60 & sleep 60'] }) })
    const starting = failureOf(servers.call('finance', 'get_teams', {}))
    await until(() => descendants().length >= 3)
    await servers.close()
    expect((await starting).message).toContain('the run is ending')
    expect(descendants()).toEqual([])
  })

  test('after the signal of the run', async () => {
    const stop = new AbortController()
    const servers = openMcpServers({
      servers: { finance: serverConfig() },
      workspace: temporaryFolder(),
      callerEnvironment: process.env,
      signal: stop.signal,
    })
    onTestFinished(() => servers.close())
    await servers.call('finance', 'get_teams', {})
    const pending = failureOf(servers.call('finance', 'slow', { ms: 60_000 }))
    stop.abort()
    await pending
    await servers.close()
    expect(descendants()).toEqual([])
  })

  test('after srecodex itself was killed', async () => {
    const program = join(temporaryFolder(), 'host.mjs')
    const core = new URL('../../src/tools/mcp.ts', import.meta.url).href
    writeFileSync(
      program,
      `import { openMcpServers } from ${JSON.stringify(core)}
const servers = openMcpServers({
  servers: { finance: ${JSON.stringify(serverConfig())} }, workspace: '/nowhere', callerEnvironment: process.env })
const { value } = await servers.call('finance', 'start_helper', {})
console.log(JSON.stringify(value))
setInterval(() => {}, 1000)
`,
    )
    const host = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void host.kill('SIGKILL'))
    const line = await new Promise<string>(resolve => {
      host.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    })
    const { server, helper } = JSON.parse(line) as { server: number; helper: number }
    expect([isAlive(server), isAlive(helper)]).toEqual([true, true])
    host.kill('SIGKILL')
    await until(() => !isAlive(server) && !isAlive(helper))
  })
})

describe('a program in the workspace is not started', () => {
  const workspaceWithProgram = (): { workspace: string; program: string } => {
    const workspace = temporaryFolder()
    const program = join(workspace, 'server.sh')
    writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${FINANCE_PROGRAM}\n`)
    chmodSync(program, 0o755)
    return { workspace, program }
  }

  test('whether it is the command, an argument, or behind a link; elsewhere it is', async () => {
    const { workspace, program } = workspaceWithProgram()
    const elsewhere = temporaryFolder()
    symlinkSync(program, join(elsewhere, 'linked'))
    const attempts = [
      { command: program, args: [] },
      { command: 'sh', args: [program] },
      { command: 'sh', args: ['server.sh'], cwd: workspace },
      { command: join(elsewhere, 'linked'), args: [] },
    ]
    for (const attempt of attempts) {
      const servers = opened({ finance: serverConfig(attempt) }, process.env, workspace)
      expect(await failureOf(servers.call('finance', 'get_teams', {}))).toMatchObject({
        code: 'REFUSED',
        message: expect.stringContaining('lies in the workspace, where scripts can write'),
        kind: { definite: true },
      })
    }
    const other = opened({ finance: serverConfig(attempts[0]) }, process.env, temporaryFolder())
    expect((await other.call('finance', 'get_teams', {})).value).toHaveLength(20)
  })

  test('a folder or a database in it is an argument like any other', async () => {
    const workspace = temporaryFolder()
    mkdirSync(join(workspace, 'books'))
    writeFileSync(join(workspace, 'books.db'), 'SQLite format 3')
    const args = [FINANCE_PROGRAM, '--log', join(workspace, 'books.db')]
    const servers = opened({ finance: serverConfig({ args }) }, process.env, workspace)
    expect((await servers.call('finance', 'get_teams', {})).value).toHaveLength(20)
  })
})
