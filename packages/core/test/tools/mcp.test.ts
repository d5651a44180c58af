import { Buffer } from 'node:buffer'
import { realpathSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { LINES_PER_TEAM, TEAMS, violations } from '../../../testkit/src/mcp/launch.ts'
import { failureOf, finance, opened, serverConfig, until } from './mcp-stage.ts'

const PERIOD = '2026-Q3'
const cents = (amount: string): number => Number(amount.replace('.', ''))

interface Page {
  readonly lines: readonly { readonly amount: string }[]
  readonly next: string | null
}

describe('a budget check', () => {
  test('sees all lines of all teams, side by side, and finds the violations', async () => {
    const { servers } = finance()
    const get = async <T>(name: string, args: Record<string, unknown> = {}): Promise<T> =>
      (await servers.call('finance', name, args)).value as T
    const teams = await get<{ id: string; name: string }[]>('get_teams')
    const checked = await Promise.all(
      teams.map(async team => {
        let [spent, lines, cursor] = [0, 0, {}]
        for (;;) {
          const page = await get<Page>('get_expenses', { team: team.id, period: PERIOD, ...cursor })
          lines += page.lines.length
          spent += page.lines.reduce((sum, line) => sum + cents(line.amount), 0)
          if (page.next === null) break
          cursor = { cursor: page.next }
        }
        const budget = await get<{ amount: string } | null>('get_budget', { team: team.id, period: PERIOD })
        return { team: team.name, lines, over: budget === null ? null : spent - cents(budget.amount) }
      }),
    )
    expect(teams).toEqual(TEAMS)
    expect(checked.reduce((sum, one) => sum + one.lines, 0)).toBe(TEAMS.length * LINES_PER_TEAM)
    expect(checked.filter(one => one.over === null).map(one => one.team)).toEqual(['Tundra'])
    expect(
      checked
        .filter(one => one.over !== null && one.over > 0)
        .sort((a, b) => b.over! - a.over!)
        .map(one => ({ team: one.team, over: (one.over! / 100).toFixed(2) })),
    ).toEqual(violations())
  })
})

describe('what a script gets', () => {
  test('structured content, JSON text and plain text', async () => {
    const { servers, log } = finance()
    const page = await servers.call('finance', 'get_expenses', {
      team: 'atlas',
      period: PERIOD,
      cursor: 'page-2',
    })
    expect(page).toEqual({ value: { lines: [], next: 'page-3' } })
    expect(await servers.call('finance', 'get_budget', { team: 'tundra', period: PERIOD })).toEqual({
      value: null,
    })
    expect(await servers.call('finance', 'slow', { ms: 1 })).toEqual({ value: 'done' })
    const ticket = await servers.call('finance', 'create_ticket', { team: 'delta', text: 'over' })
    expect(ticket).toEqual({ value: { ticket: 'T-delta' } })
    expect(log().filter(entry => entry.tool === 'create_ticket')).toEqual([
      { tool: 'create_ticket', team: 'delta', text: 'over' },
    ])
  })

  test('a description of what is no text, with the bytes of small pictures only', async () => {
    const { servers } = finance()
    const { value } = await servers.call('finance', 'chart', {})
    expect(value).toEqual([
      { type: 'image', mimeType: 'image/png', bytes: 70, base64: expect.stringMatching(/^iVBOR/) },
      { type: 'image', mimeType: 'image/png', bytes: 150_000 },
      { type: 'resource_link', uri: 'ledger://2026', name: 'ledger', mimeType: null, bytes: null },
    ])
  })

  test('a large result whole, a larger one as TOO_LARGE, and the server goes on', async () => {
    const { servers } = finance()
    const report = async (mebibytes: number): Promise<unknown> =>
      (await servers.call('finance', 'large_report', { bytes: mebibytes * 1024 * 1024 })).value
    expect(await report(5)).toHaveLength(5 * 1024 * 1024)
    // Within a message's bound, and past it: the second is never held in memory as a whole.
    for (const mebibytes of [16, 80]) {
      const failure = await failureOf(report(mebibytes))
      expect(failure).toMatchObject({ code: 'TOO_LARGE', kind: { class: 'too large', definite: false } })
      expect(failure.hint).toBe('ask for less: a page, a filter, fewer fields')
    }
    expect(await report(0)).toBe('')
  })

  test('a failure in the words of the tool, bounded and without control sequences', async () => {
    const { servers } = finance()
    const failure = await failureOf(
      servers.call('finance', 'fail', { words: `\u001b[31mno\u001b[0m ${'x'.repeat(3000)}` }),
    )
    expect(failure).toMatchObject({ code: 'TOOL_FAILED', kind: { class: 'failed', definite: false } })
    expect(failure.message).toMatch(/^`fail` of MCP server `finance`: no x{990,996}…$/)
    expect((await failureOf(servers.call('finance', 'fail', {}))).message).toBe(
      '`fail` of MCP server `finance`: the ledger is locked',
    )
  })

  test('a refusal of what would ask a person', async () => {
    const { servers } = finance()
    const failure = await failureOf(servers.call('finance', 'ask_person', {}))
    expect(failure.code).toBe('TOOL_FAILED')
    expect(failure.message).toContain('nobody answers')
  })
})

describe('effects', () => {
  test('only what says so is a read; silence is a mutation', async () => {
    const { servers } = finance()
    const told = async (name: string): Promise<unknown> => {
      const { effect, why, idempotent, title } = await servers.describe('finance', name)
      return { effect, why, idempotent, title }
    }
    expect(await told('get_teams')).toEqual({
      effect: 'read',
      why: 'its server says that it only reads',
      idempotent: true,
      title: 'Teams',
    })
    expect(await told('create_ticket')).toEqual({
      effect: 'mutate',
      why: 'its server says that it changes something, and destroys nothing',
      idempotent: false,
      title: 'Create a ticket',
    })
    expect(await told('close_books')).toEqual({
      effect: 'mutate',
      why: 'its server does not say that it only reads',
      idempotent: false,
      title: 'close_books',
    })
  })

  test('all pages of the list are read, and it is read again when the server says so', async () => {
    const { servers } = finance()
    const names = async (): Promise<string[]> =>
      (await servers.list()).flatMap(one => (one.state === 'listed' ? one.tools.map(tool => tool.name) : []))
    const before = await names()
    expect(before).toHaveLength(15)
    expect((await failureOf(servers.describe('finance', 'extra_1'))).code).toBe('INVALID_PARAMS')
    await servers.call('finance', 'add_tool', {})
    await expect.poll(names).toEqual([...before, 'extra_1'].sort())
    expect(await servers.call('finance', 'extra_1', {})).toEqual({ value: { extra: 1 } })
  })

  test('a server that fails, or is disabled, does not hide the others', async () => {
    const servers = opened({
      finance: serverConfig({ enabledTools: ['get_teams'] }),
      broken: serverConfig({ command: 'no-such-program' }),
      off: serverConfig({ enabled: false }),
    })
    expect(servers.names).toEqual(['finance', 'broken'])
    expect(await servers.list()).toEqual([
      {
        server: 'broken',
        state: 'failed',
        message: 'MCP server `broken` cannot start: there is no program `no-such-program`',
        hint: 'it is `command` in [mcp_servers.broken]; looked for on PATH',
      },
      {
        server: 'finance',
        state: 'listed',
        tools: [expect.objectContaining({ name: 'get_teams', effect: 'read' })],
      },
      { server: 'off', state: 'disabled' },
    ])
  })
})

describe('what is not called', () => {
  test('a server or a tool that is not there, with the name that was meant', async () => {
    const { servers } = finance()
    expect(await failureOf(servers.call('finanze', 'get_teams', {}))).toMatchObject({
      code: 'INVALID_PARAMS',
      message: 'there is no MCP server `finanze`',
      hint: 'did you mean `finance`?',
    })
    expect((await failureOf(servers.call('payroll', 'get_teams', {}))).hint).toBe(
      'servers are configured as [mcp_servers.NAME]: finance',
    )
    expect(await failureOf(servers.call('finance', 'get_team', {}))).toMatchObject({
      code: 'INVALID_PARAMS',
      message: 'MCP server `finance` has no tool `get_team`',
      hint: 'did you mean `get_teams`?',
      kind: { definite: true },
    })
    expect((await failureOf(servers.call('constructor', 'x', {}))).code).toBe('INVALID_PARAMS')
  })

  test('what the operator did not allow, without starting the server', async () => {
    const listed = serverConfig({ command: '/no/such/program', disabledTools: ['fail'] })
    const servers = opened({
      off: { ...listed, enabled: false },
      some: { ...listed, enabledTools: ['get_teams', 'fail'] },
    })
    expect(await failureOf(servers.call('off', 'get_teams', {}))).toMatchObject({
      code: 'REFUSED',
      hint: '`enabled = true` in [mcp_servers.off] would allow it',
    })
    expect(await failureOf(servers.call('some', 'fail', {}))).toMatchObject({
      code: 'REFUSED',
      hint: 'it is listed in `disabled_tools` in [mcp_servers.some]',
    })
    expect(await failureOf(servers.describe('some', 'crash'))).toMatchObject({
      code: 'REFUSED',
      hint: 'it is not among `enabled_tools` in [mcp_servers.some]',
    })
    // The control: what is allowed gets as far as the program.
    expect((await failureOf(servers.call('some', 'get_teams', {}))).message).toContain('no program')
  })

  test('arguments that do not fit, with the place and what was expected', async () => {
    const { servers, log } = finance()
    const refused = async (args: Record<string, unknown>): Promise<string> => {
      const failure = await failureOf(servers.call('finance', 'create_ticket', args))
      expect(failure).toMatchObject({ code: 'INVALID_PARAMS', kind: { definite: true } })
      return failure.message.replace(
        'the arguments of `create_ticket` of MCP server `finance` do not fit: ',
        '',
      )
    }
    expect(await refused({ team: 'atlas' })).toBe(
      'the whole: Instance does not have required property "text".',
    )
    expect(await refused({ team: 7, text: '' })).toBe(
      'team: Instance type "number" is invalid. Expected "string".; text: String is too short (0 < 1).',
    )
    expect(await refused({ team: 'atlas', text: 'x', priority: 'urgent' })).toBe(
      'priority: Instance does not match any of ["low","high"].',
    )
    expect(await refused({ team: 'atlas', text: 'x', tex: 1 })).toMatch(/^tex: |Property "tex"/)
    expect(log()).toEqual([])
  })
})

describe('a server process', () => {
  test('has the five variables and those that are named, and starts in the home folder', async () => {
    const { servers } = finance(
      { env: { LEDGER: 'main' }, envVars: ['LEDGER_REGION', 'LEDGER_UNSET'] },
      {
        ...process.env,
        GITHUB_TOKEN: 'ghp_secret',
        LEDGER_REGION: 'eu',
        HOME: '/usr',
        TERM: 'dumb',
        LANG: 'C',
      },
    )
    const { value } = await servers.call('finance', 'environment', {})
    const { variables, folder } = value as { variables: Record<string, string>; folder: string }
    const own = new Set(['HOME', 'LANG', 'PATH', 'TERM', 'TMPDIR', 'LEDGER', 'LEDGER_REGION'])
    expect(Object.keys(variables).filter(name => !own.has(name))).toEqual([])
    expect(variables).toMatchObject({ LEDGER: 'main', LEDGER_REGION: 'eu', HOME: '/usr', TERM: 'dumb' })
    expect(folder).toBe('/usr')
  })

  test('starts in `cwd` where one is set', async () => {
    const { servers, folder } = finance()
    const elsewhere = opened({ finance: serverConfig({ cwd: folder }) })
    const { value } = await elsewhere.call('finance', 'environment', {})
    expect((value as { folder: string }).folder).toBe(realpathSync(folder))
    await servers.close()
  })

  test('is told about once, however many calls come first', async () => {
    const { servers } = finance()
    const pids = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const { value } = await servers.call('finance', 'start_helper', {})
        return (value as { server: number }).server
      }),
    )
    expect(new Set(pids).size).toBe(1)
  })

  test('works on 64 calls at the same time', async () => {
    const { servers } = finance()
    const met = await Promise.all(
      Array.from({ length: 64 }, () => servers.call('finance', 'meet', { count: 64 })),
    )
    expect(met).toEqual(Array.from({ length: 64 }, () => ({ value: { met: 64 } })))
  })

  test('hears of a cancelled call, and the others go on', async () => {
    const { servers, log } = finance()
    const stop = new AbortController()
    const other = servers.call('finance', 'slow', { ms: 800, key: 'b' })
    const pending = failureOf(
      servers.call('finance', 'slow', { ms: 60_000, key: 'a' }, { signal: stop.signal }),
    )
    await until(() => log().length === 2)
    stop.abort()
    expect(await pending).toMatchObject({
      code: 'TOOL_FAILED',
      kind: { class: 'cancelled', definite: false },
    })
    await until(() => log().some(entry => entry.key === 'a' && entry.cancelled === true))
    expect(await other).toEqual({ value: 'done' })
  })

  test('that does not answer in time fails the call, and is told so', async () => {
    const { servers, log } = finance({ toolTimeoutMs: 300 })
    const failure = await failureOf(servers.call('finance', 'slow', { ms: 60_000, key: 'a' }))
    expect(failure).toMatchObject({
      code: 'TOOL_FAILED',
      message: '`slow` of MCP server `finance` did not answer within 0.3 s',
      kind: { class: 'timed out', definite: false },
    })
    expect(failure.hint).toContain('`tool_timeout_sec` in [mcp_servers.finance]')
    await until(() => log().some(entry => entry.cancelled === true))
  })

  test('tells how far it is', async () => {
    const { servers } = finance()
    const steps: unknown[] = []
    await servers.call('finance', 'slow', { ms: 40 }, { onProgress: step => steps.push(step) })
    // The last may be overtaken by the result, after which nobody listens any more.
    const all = [1, 2, 3, 4].map(done => ({ done, total: 4, note: `step ${done}` }))
    expect(steps.length).toBeGreaterThanOrEqual(3)
    expect(steps).toEqual(all.slice(0, steps.length))
  })

  test('that speaks only the revision of 2026 is spoken to', async () => {
    const { servers } = finance({ args: [...serverConfig().args, '--modern-only'] })
    expect(await servers.call('finance', 'get_budget', { team: 'tundra', period: PERIOD })).toEqual({
      value: null,
    })
    const { value } = await servers.call('finance', 'get_teams', {})
    expect(value).toHaveLength(20)
  })

  test('has an identity without its arguments and secrets', async () => {
    const { servers } = finance({ env: { LEDGER_TOKEN: 'tok_secret_123' } })
    const identity = await servers.identity('finance')
    expect(identity).toEqual({
      tool: 'mcp:finance',
      summary: 'finance 2.1.0, started as node',
      fields: {
        command: process.execPath,
        arguments: expect.stringMatching(/^sha256:[0-9a-f]{16}$/),
        name: 'finance',
        version: '2.1.0',
      },
    })
    expect(Buffer.from(JSON.stringify(identity)).includes('tok_secret')).toBe(false)
  })
})
