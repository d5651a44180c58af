/** `srecodex init` into files that people have written in every way that their formats allow, and installed as they install. */

import { execa } from 'execa'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { expectStays, FOREIGN, machine } from './init-project.ts'

test.for(FOREIGN)('%s (%s)', row => expectStays(row))

test('installed in the project, npx starts it from there and asks no registry', async () => {
  const at = machine()
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const own = at.path('node_modules/srecodex')
  cpSync(join(root, 'packages/cli/dist'), join(own, 'dist'), { recursive: true })
  cpSync(join(root, 'packages/cli/package.json'), join(own, 'package.json'))
  for (const folder of ['@srecodex', '.bin']) mkdirSync(at.path(`node_modules/${folder}`))
  symlinkSync(join(root, 'dotcodex'), at.path('node_modules/@srecodex/dotcodex'))
  symlinkSync('../srecodex/dist/bin.js', at.path('node_modules/.bin/srecodex'))
  at.write('package.json', '{ "private": true }\n')
  const PATH = `${dirname(process.execPath)}:${process.env.PATH}`
  const env = { PATH, HOME: at.home, npm_config_registry: 'http://127.0.0.1:9', NO_UPDATE_NOTIFIER: '1' }
  const here = { cwd: at.workspace, env, extendEnv: false }
  await execa(process.execPath, [join(own, 'dist/bin.js'), 'init', '--client', 'cursor', '--yes'], here)
  const { command, args } = JSON.parse(at.read('.cursor/mcp.json')).mcpServers.srecodex
  expect([command, ...args]).toEqual(['npx', '--no', '--', 'srecodex', 'mcp'])
  const hello = {
    ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
  }
  const started = execa(command, args, { ...here, stdin: 'pipe', reject: false })
  started.stdin.write(`${JSON.stringify(hello)}\n`)
  for await (const line of started) {
    expect(JSON.parse(line)).toMatchObject({ id: 1, result: { serverInfo: { name: 'srecodex' } } })
    started.stdin.end()
  }
})
