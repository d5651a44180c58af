/** What `init --client codex` writes, as the real Codex CLI takes it: strictly, and to the end of a run. */

import { project, type Project } from '@srecodex/testkit'
import { installCodex, startCodex, type CodexResult, type Model } from '@srecodex/testkit/agents'
import { execa } from 'execa'
import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'

beforeAll(installCodex, 600_000)

/** What a person's yes to the project leaves in the config of the user. */
const trusting = ({ workspace }: Project): string =>
  `[projects.${JSON.stringify(workspace)}]\ntrust_level = "trusted"\n`

async function repository(): Promise<Project> {
  const at = project()
  await execa('git', ['init', '--quiet'], { cwd: at.workspace })
  return at
}

async function initialised(): Promise<Project> {
  const at = await repository()
  const { exitCode, stderr } = await at.run('init --client codex --yes')
  expect({ exitCode, errors: stderr.match(/error\[.*/g) }).toEqual({ exitCode: 0, errors: null })
  return at
}

/** Strict about every file that it reads; with no more of an environment than it needs, and our own folder. */
async function ask(at: Project, model: Model, config = trusting(at)): Promise<CodexResult> {
  const required = at.exists('.codex') && config !== '' ? ['-c', 'mcp_servers.srecodex.required=true'] : []
  const { ended } = await startCodex({
    ...{ prompt: 'Count.', cwd: at.workspace, home: at.home, mode: 'classic', model, config },
    // Otherwise a slow machine has the first question before it has the server.
    flags: ['--strict-config', ...required],
    env: { SRECODEX_HOME: at.srecodexHome },
  })
  return ended
}

const call = (tool: string, input: Readonly<Record<string, unknown>>) => ({
  calls: [{ name: `mcp__srecodex.${tool}`, arguments: input }],
})

const COUNT = { script: 'import srecodex\nsrecodex.summary(str(sum(range(101))))\n', language: 'python' }

/** What Codex says where there is no person to ask. */
const HELD = 'MCP tool call requires approval'
const UNKNOWN_RUN = '01ARZ3NDEKTSV4RRFFQ69G5FAV'

/** Calls one tool, and is told what came of it. */
function calling(tool: string, input: Readonly<Record<string, unknown>>): { model: Model; told: string[] } {
  const told: string[] = []
  const model: Model = ({ index, results }) => {
    if (index === 0) return call(tool, input)
    told.push(...results)
    return { text: 'done' }
  }
  return { model, told }
}

describe('in a project that is trusted', () => {
  test('Codex starts the server by what was written, and runs a script without asking', async () => {
    const at = await initialised()
    const { model, told } = calling('run_script', COUNT)
    const { exitCode, stderr, faults } = await ask(at, model)
    expect({ exitCode, stderr, faults }).toEqual({ exitCode: 0, stderr: '', faults: [] })
    expect(told).toHaveLength(1)
    expect(told[0]).toContain('"5050"')
    // By SRECODEX_HOME, which Codex hands on by its name only: agent and person see the same runs.
    expect(
      (await at.run('runs list --json')).json().runs ?? (await at.run('runs list --json')).json(),
    ).toHaveLength(1)
  })

  test.for(['apply_plan', 'resume_run'])('%s is not called without a person', async tool => {
    const at = await initialised()
    const input = { [tool === 'apply_plan' ? 'plan' : 'run']: UNKNOWN_RUN }
    const held = calling(tool, input)
    await ask(at, held.model)
    expect(held.told).toHaveLength(1)
    expect(held.told[0]).toContain(HELD)
    // The same call, approved in advance by a person's own hand, reaches the server.
    const config = at.read('.codex/config.toml')
    at.write(
      '.codex/config.toml',
      config.replace(`${tool}]\napproval_mode = "prompt"`, `${tool}]\napproval_mode = "approve"`),
    )
    const free = calling(tool, input)
    await ask(at, free.model)
    expect(free.told[0]).toContain('NOT_FOUND')
  })

  test('a looser default of the user does not reach them', async () => {
    const at = await initialised()
    at.write(
      '.codex/config.toml',
      at
        .read('.codex/config.toml')
        .replace('tool_timeout_sec', 'default_tools_approval_mode = "approve"\ntool_timeout_sec'),
    )
    const { model, told } = calling('apply_plan', { plan: UNKNOWN_RUN })
    const { exitCode, faults } = await ask(at, model)
    expect({ exitCode, faults }).toEqual({ exitCode: 0, faults: [] })
    expect(told[0]).toContain(HELD)
  })

  test('it tells its model of the skills and of AGENTS.md', async () => {
    const at = await initialised()
    const { bodies } = await ask(at, () => ({ text: 'done' }))
    expect(bodies[0]).toContain('k8s-bulk-restart')
    expect(bodies[0]).toContain('large jobs by one script')
  })

  test('after undo nothing of it is left', async () => {
    const at = await initialised()
    expect((await at.run('init --client codex --undo --yes')).exitCode).toBe(0)
    const { bodies } = await ask(at, () => ({ text: 'done' }))
    const left = ['mcp__srecodex', 'k8s-bulk-restart', 'large jobs'].filter(word => bodies[0]!.includes(word))
    expect(left).toEqual([])
  })
})

test('a project that nobody trusts starts nothing', async () => {
  const at = await initialised()
  const seen: string[] = []
  await ask(
    at,
    ({ tools }) => {
      seen.push(...tools)
      return { text: 'done' }
    },
    '',
  )
  expect(seen.filter(name => name.includes('srecodex'))).toEqual([])
})

test('an odd file stays one that Codex takes, in each of its forms', async () => {
  for (const text of [
    'mcp_servers.other.command = "x" # dotted\n',
    'mcp_servers = { other = { command = "x" } } # inline\n',
    'mcp_servers = {}\n',
    '[mcp_servers]\nsrecodex.command = "/gone"\n',
    '[mcp_servers.srecodex]\ncommand = "/gone"\nenv_vars = [\n  "MINE" # mine\n]\n',
  ]) {
    const at = await repository()
    at.write('.codex/config.toml', text)
    expect((await at.run('init --client codex --yes')).exitCode).toBe(0)
    const { codex, env } = await installed(at)
    const { stdout } = await execa(codex, ['mcp', 'get', 'srecodex', '--json'], {
      cwd: at.workspace,
      env,
      extendEnv: false,
    })
    expect(JSON.parse(stdout)).toMatchObject({
      enabled: true,
      tool_timeout_sec: 360,
      transport: {
        type: 'stdio',
        command: process.execPath,
        env_vars: expect.arrayContaining(['SRECODEX_HOME']),
      },
    })
  }
})

/** Codex as a command on PATH, with a home in which the project is trusted. */
async function installed(at: Project): Promise<{ codex: string; env: Record<string, string> }> {
  const program = await installCodex()
  at.write('../bin/codex', `#!/bin/sh\nexec '${program}' "$@"\n`)
  chmodSync(at.path('../bin/codex'), 0o755)
  at.write('~/.codex/config.toml', trusting(at))
  mkdirSync(at.path('../tmp'), { recursive: true })
  const PATH = [dirname(at.path('../bin/codex')), '/usr/bin', '/bin'].join(':')
  return { codex: at.path('../bin/codex'), env: { PATH, HOME: at.home, TMPDIR: at.path('../tmp') } }
}

test('doctor asks Codex itself what it thinks of its config', async () => {
  const at = await initialised()
  const { env } = await installed(at)
  const check = async (): Promise<unknown> => {
    const { checks } = (await at.run('doctor --json', { env })).json()
    const { state, found } = checks.find(({ id }: { id: string }) => id === 'codex')
    return { state, found }
  }
  expect(await check()).toEqual({ state: 'ok', found: 'set up' })
  at.write('.codex/config.toml', `typo = 1\n${at.read('.codex/config.toml')}`)
  expect(await check()).toEqual({
    state: 'warn',
    found: `codex --strict-config: ${at.path('.codex/config.toml')}:1:1: unknown configuration field \`typo\``,
  })
  at.write('~/.codex/config.toml', '')
  expect(await check()).toEqual({
    state: 'warn',
    found: 'Codex does not read .codex/config.toml: start it here once, and trust the project',
  })
})
