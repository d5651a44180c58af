/** MCP Inspector as a client: its own reading of the protocol, in both eras, and its strict look at every schema. */

import { project, type Project } from '@srecodex/testkit'
import { installAgent } from '@srecodex/testkit/agents'
import { execa } from 'execa'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { TOOL_NAMES } from '../src/mcp/definitions.ts'

const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
const VERSION = '2.12.0'
const LONG_MS = 120_000
const ERAS = ['legacy', 'modern'] as const

let inspector = ''

beforeAll(async () => {
  const name = '@modelcontextprotocol/inspector'
  const member = `${name}/clients/launcher/build/index.js`
  inspector = await installAgent({ name: 'inspector', package: name, version: VERSION, member })
  console.info(`MCP Inspector ${VERSION}`)
}, 600_000)

interface Inspected {
  readonly exitCode: number | undefined
  // oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
  readonly result: any
  readonly stderr: string
}

async function inspect(
  { workspace, home, srecodexHome }: Project,
  flags: readonly string[],
  server: readonly string[] = [BIN, 'mcp'],
): Promise<Inspected> {
  const own = ['--cwd', workspace, '-e', `SRECODEX_HOME=${srecodexHome}`, '--format', 'json']
  const args = [inspector, '--cli', ...flags, ...own, '--', process.execPath, ...server]
  const { exitCode, stdout, stderr } = await execa(process.execPath, args, {
    cwd: workspace,
    env: { PATH: process.env.PATH, HOME: home },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: LONG_MS,
  })
  return { exitCode, result: stdout === '' ? null : JSON.parse(stdout).result, stderr }
}

describe.for(ERAS)('%s', { timeout: LONG_MS }, era => {
  test('every schema is one that all clients understand', async () => {
    const flags = ['--method', 'tools/list', '--strict', '--protocol-era', era]
    const { exitCode, result, stderr } = await inspect(project(), flags)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(result.tools.map(({ name }: { name: string }) => name)).toEqual(TOOL_NAMES)
  })

  test('a script is run, and what comes back is what its schema says', async () => {
    const input = JSON.stringify({ script: 'echo raw; summary "forty two"', language: 'shell' })
    const call = ['--method', 'tools/call', '--tool-name', 'run_script', '--tool-args-json', input]
    const { exitCode, result, stderr } = await inspect(project(), [...call, '--protocol-era', era])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(result.structuredContent).toMatchObject({ status: 'succeeded', summary: 'forty two' })
    expect(result.content).toEqual([
      { type: 'text', text: expect.stringMatching(/^forty two\n\nsucceeded: run /) },
    ])
  })

  test('an input that is not in the schema is an error of the tool', async () => {
    const input = JSON.stringify({ script: 'true', language: 'ruby', more: 1 })
    const call = ['--method', 'tools/call', '--tool-name', 'run_script', '--tool-args-json', input]
    const { result } = await inspect(project(), [...call, '--protocol-era', era])
    expect(result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('error[USAGE]') }],
    })
  })
})

test('strict is strict: a schema that says only `true` is refused', { timeout: LONG_MS }, async () => {
  const place = project()
  place.write('bad.mjs', BAD_SERVER)
  const flags = ['--method', 'tools/list', '--strict']
  const { exitCode, stderr } = await inspect(place, flags, [place.path('bad.mjs')])
  expect(exitCode).toBe(6)
  expect(stderr).toContain('Bare `true` used where a schema object is expected')
})

const BAD_SERVER = `import { createInterface } from 'node:readline'
const answers = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'bad', version: '1' } }),
  'tools/list': () => ({ tools: [{ name: 'bad', inputSchema: { type: 'object', properties: { any: true } } }] }),
}
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line)
  const answer = id === undefined ? undefined : answers[method]
  if (answer) process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result: answer(params) }) + '\\n')
}
`
