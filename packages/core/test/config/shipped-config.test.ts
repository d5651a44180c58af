import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { configKeys } from '../../src/config/schema.ts'
import { tomlText } from '../../src/config/toml-text.ts'
import { place } from './fixture.ts'

const FILE = path.resolve(import.meta.dirname, '../../../../dotcodex/config.toml')

/** Every `key = value` of the file by its dotted key, commented out or not. */
const lines = async (): Promise<Map<string, { value: string; isComment: boolean }>> => {
  const found = new Map<string, { value: string; isComment: boolean }>()
  let section = ''
  for (const line of (await readFile(FILE, 'utf8')).split('\n')) {
    const header = /^(?:# )?\[([\w.]+)\]$/.exec(line)?.[1]
    if (header !== undefined) section = header.replace(/^(tools|mcp_servers)\..*/, '$1.NAME')
    const [, comment, key, value] = /^(# )?([a-z_]+) = (.+)$/.exec(line) ?? []
    if (key !== undefined) found.set(`${section}.${key}`, { value: value!, isComment: comment !== undefined })
  }
  return found
}

test('dotcodex/config.toml loads, loosens nothing, and changes no default', async () => {
  const p = await place()
  const shipped = await p.load({ projectFile: FILE })
  expect(shipped.notices).toEqual([])
  expect(shipped.config).toEqual((await p.load()).config)
})

test('it sets the four keys of the specification, and shows every other one commented out', async () => {
  const shown = await lines()
  const set = [...shown].filter(([, one]) => !one.isComment).map(([key, one]) => `${key} = ${one.value}`)
  expect(set).toEqual([
    'execution_environment.sandbox_mode = "workspace-write"',
    'scripts.allowed_extensions = [".py", ".sh", ".js"]',
    'scripts.execution_timeout = 300',
    'scripts.cleanup_after_run = true',
  ])
  expect(new Set(shown.keys())).toEqual(new Set(configKeys().map(({ key }) => key)))
})

test('what it shows of the fixed keys is their default', async () => {
  const shown = await lines()
  const fixed = configKeys().filter(({ key }) => !key.includes('.NAME.'))
  expect(fixed.map(({ key }) => [key, shown.get(key)?.value])).toEqual(
    fixed.map(one => [one.key, tomlText(one.default)]),
  )
})
