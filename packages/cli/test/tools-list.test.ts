/** `srecodex tools list`: what scripts may call here, host commands and tools of MCP servers alike. */

import { FINANCE_PROGRAM, project, type Project } from '@srecodex/testkit'
import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface Place extends Project {
  readonly env: Record<string, string>
  /** A server of this very test. */
  readonly isServing: () => boolean
}

function place(toml: string): Place {
  const made = project({ files: { '~/bin/deployctl': '#!/bin/sh\n', '~/token': 'x' } })
  chmodSync(made.path('~/bin/deployctl'), 0o755)
  const log = made.path('~/finance.jsonl')
  made.write('../srecodex/config/config.toml', toml.replace('FINANCE', finance(log)))
  return {
    ...made,
    // Nothing of the machine: each tool that is found is one of the test's.
    env: { PATH: made.path('~/bin') },
    isServing: () => isRunning(log),
  }
}

test('every command with a table, and what the operator adds', async () => {
  const { run, path, env } = place(`
[tools.deployctl]
credentials = ["~/token"]
rate = "30/m"
concurrency = 3
`)
  const { exitCode, stderr, json } = await run('tools list --json', { env })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const { tools, servers } = json()
  expect(servers).toEqual([])
  expect(tools.map(({ tool }: { tool: string }) => tool)).toEqual([
    ...['kubectl', 'helm', 'aws', 'psql', 'amtool', 'curl'],
    'deployctl',
  ])
  expect(tools[6]).toMatchObject({
    ...{ builtIn: false, configured: true, callable: true, program: path('~/bin/deployctl') },
    ...{ credentials: [path('~/token')], concurrency: 3, ratePerSecond: 0.5, reads: [] },
  })
  expect(tools[0]).toMatchObject({ builtIn: true, configured: false, callable: false, program: null })
  expect((await run('tools list', { env })).transcript).toMatchInlineSnapshot(`
    "TOOL       FOUND AT         AT ONCE  RATE  CREDENTIALS
    kubectl    not on PATH
    helm       not on PATH
    aws        not on PATH
    psql       not on PATH
    amtool     not on PATH
    curl       not on PATH
    deployctl  ~/bin/deployctl        3  30/m  ~/token
    --- stderr
    note: deployctl has no patterns: each call of it counts as a change
    "
  `)
})

test('a program in the workspace is no tool: a script could have put it there', async () => {
  const { run, workspace, write, path } = place('')
  write('kubectl', '#!/bin/sh\n')
  chmodSync(path('kubectl'), 0o755)
  const kubectl = async (folder: string): Promise<unknown> =>
    (await run('tools list --json', { env: { PATH: folder } })).json().tools[0]
  expect(await kubectl(workspace)).toMatchObject({ callable: false, program: null })
  write('~/bin/kubectl', '#!/bin/sh\n')
  chmodSync(path('~/bin/kubectl'), 0o755)
  expect(await kubectl(path('~/bin'))).toMatchObject({ callable: true, program: path('~/bin/kubectl') })
})

test("kubectl's credentials are those that KUBECONFIG names, where it names any", async () => {
  const { run, write, path, env } = place('')
  for (const file of ['~/.kube/config', '~/other']) write(file, 'x')
  const credentials = async (more: Record<string, string>): Promise<unknown> =>
    (await run('tools list --json', { env: { ...env, ...more } })).json().tools[0].credentials
  expect(await credentials({})).toEqual([path('~/.kube/config')])
  expect(await credentials({ KUBECONFIG: path('~/other') })).toEqual([path('~/other')])
})

test('tools of MCP servers have their effects; a server that fails hides no other', async () => {
  const { run, env, isServing } = place(`FINANCE
[mcp_servers.broken]
command = "/no/such/program"
[mcp_servers.off]
command = "x"
enabled = false
`)
  const { transcript } = await run('tools list', { env })
  expect(transcript.slice(transcript.indexOf('MCP TOOL'))).toMatchInlineSnapshot(`
    "MCP TOOL                 EFFECT  WHAT IT DOES
    mcp:finance/close_books  mutate  Closes a period.
    mcp:finance/get_teams    read    Lists all teams.
    --- stderr
    note: MCP server broken has not answered: MCP server \`broken\` cannot start: there is no program \`/no/such/program\`

    hint: it is \`command\` in [mcp_servers.broken]; looked for on PATH
    note: MCP server off is disabled
    "
  `)
  expect((await run('tools list --json', { env })).json().servers).toMatchObject([
    { server: 'broken', state: 'failed' },
    {
      ...{ server: 'finance', state: 'listed' },
      tools: [
        { name: 'close_books', effect: 'mutate' },
        { name: 'get_teams', effect: 'read' },
      ],
    },
    { server: 'off', state: 'disabled' },
  ])
  expect(isServing()).toBe(false)
})

test('--types prints what a script would import', async () => {
  const { run, env, isServing } = place('FINANCE')
  const python = await run('tools list --types py', { env })
  expect(python).toMatchObject({ exitCode: 0, stderr: '' })
  expect(python.stdout).toContain('def tool(_server: Literal["finance"], _name: Literal["get_teams"], /)')
  expect((await run('tools list --types ts', { env })).stdout).toContain('name: "get_teams"')
  expect(isServing()).toBe(false)
})

test('show prints what one tool of a server takes', async () => {
  const { run, env } = place('FINANCE')
  const { stdout } = await run('tools show mcp:finance/close_books', { env })
  expect(stdout).toMatch(/^mcp:finance\/close_books {2}mutate /)
  expect(stdout).toContain('"period"')
  expect((await run('tools show mcp:finance --json', { env })).json()).toHaveLength(2)
  expect((await run('tools show mcp:finance/nothing', { env })).transcript).toMatchInlineSnapshot(`
    "--- stderr
    error[USAGE]: MCP server \`finance\` has no tool \`nothing\`

    hint: it has close_books, get_teams
    --- exit code 2
    "
  `)
  expect((await run('tools show mcp:nobody', { env })).transcript).toMatchInlineSnapshot(`
    "--- stderr
    error[USAGE]: there is no MCP server \`nobody\`

    hint: servers are configured as [mcp_servers.NAME]; there is finance
    --- exit code 2
    "
  `)
})

test('an untrusted project may slow a built-in tool down, and not speed it up', async () => {
  const { run, write, env } = place('')
  const kubectl = async (toml: string): Promise<{ concurrency: number }> => {
    write('dotcodex/config.toml', toml)
    return (await run('tools list --json', { env })).json().tools[0]
  }
  expect(await kubectl('[tools.kubectl]\nconcurrency = 2\n')).toMatchObject({ concurrency: 2 })
  expect(await kubectl('[tools.kubectl]\nconcurrency = 99\n')).toMatchObject({ concurrency: 10 })
})

function finance(log: string): string {
  return `[mcp_servers.finance]
command = ${JSON.stringify(process.execPath)}
args = ${JSON.stringify([FINANCE_PROGRAM, '--log', log])}
enabled_tools = ["get_teams", "close_books"]
`
}

/** Whether any process has that word. */
function isRunning(word: string): boolean {
  return readdirSync('/proc').some(pid => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(word)
    } catch {
      return false // it ended in between
    }
  })
}
