/** `srecodex init --undo` where a project was changed since: what it still reaches, and what it must not touch. */

import {
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Project } from '@srecodex/testkit'
import { initialised, machine, snapshot } from './init-project.ts'

const undo = (at: Project, client: string): ReturnType<Project['run']> =>
  at.run(`init --client ${client} --undo --yes`)

/** Where init keeps what it did in the one project that there is. */
function recordOf(at: Project): string {
  const folder = '../srecodex/state/init'
  const [name = 'none'] = at.exists(folder) ? readdirSync(at.path(folder)) : []
  return `${folder}/${name}`
}

describe('behind a link inside of the project', () => {
  test('undo of an edited file behind a link', async () => {
    const at = machine({ files: { 'shared/config.toml': 'model = "a"\n' } })
    symlinkSync('shared', at.path('.codex'))
    await initialised(at, 'codex')
    at.write('shared/config.toml', `${at.read('shared/config.toml')}# since\n`)
    const { exitCode, stdout, stderr } = await undo(at, 'codex')
    expect({ exitCode, notes: stderr.match(/^note.*/gm) }).toEqual({ exitCode: 0, notes: null })
    expect(stdout).toContain('restored  .codex/config.toml\n')
    expect(at.read('shared/config.toml')).toBe('model = "a"\n# since\n')
    expect(at.exists(recordOf(at))).toBe(false)
  })

  test('a file that two clients share by a link is undone with the last of them', async () => {
    const at = machine()
    await initialised(at, 'claude')
    mkdirSync(at.path('.cursor'))
    symlinkSync('../.mcp.json', at.path('.cursor/mcp.json'))
    await initialised(at, 'cursor')
    expect((await undo(at, 'claude')).stdout).toContain('stays     .mcp.json, for cursor\n')
    at.write('.mcp.json', at.read('.mcp.json').replace('{\n', '{\n  // since\n'))
    expect((await undo(at, 'cursor')).exitCode).toBe(0)
    expect(at.read('.mcp.json')).toBe('{\n  // since\n}\n')
  })

  test('a link that leads to another folder since: neither is touched, until it leads back', async () => {
    const at = machine({
      files: { 'shared/config.toml': 'model = "a"\n', 'other/config.toml': 'model = "b"\n' },
    })
    symlinkSync('shared', at.path('.codex'))
    await initialised(at, 'codex')
    unlinkSync(at.path('.codex'))
    symlinkSync('other', at.path('.codex'))
    const written = at.read('shared/config.toml')
    const first = await undo(at, 'codex')
    expect(first.exitCode).toBe(1)
    expect(first.stderr).toContain(
      'note: .codex/config.toml: it leads to other/config.toml now, no longer to shared/config.toml, and was left as it is\n',
    )
    expect(at.read('shared/config.toml')).toBe(written)
    expect(at.read('other/config.toml')).toBe('model = "b"\n')
    expect(at.exists('AGENTS.md')).toBe(false)
    unlinkSync(at.path('.codex'))
    symlinkSync('shared', at.path('.codex'))
    expect((await undo(at, 'codex')).exitCode).toBe(0)
    expect(at.read('shared/config.toml')).toBe('model = "a"\n')
    expect(at.exists(recordOf(at))).toBe(false)
  })

  test('a file that went with its link is undone', async () => {
    const at = machine({ files: { 'shared/config.toml': 'model = "a"\n' } })
    symlinkSync('shared', at.path('.codex'))
    await initialised(at, 'codex')
    for (const name of ['.codex', 'shared']) rmSync(at.path(name), { recursive: true })
    expect((await undo(at, 'codex')).exitCode).toBe(0)
    expect(at.exists(recordOf(at))).toBe(false)
  })

  test('what init wrote where a link led before is not forgotten when it writes elsewhere', async () => {
    const at = machine({ files: { 'shared/config.toml': 'model = "a"\n' } })
    symlinkSync('shared', at.path('.codex'))
    await initialised(at, 'codex')
    unlinkSync(at.path('.codex'))
    await initialised(at, 'codex')
    const { exitCode, stderr } = await undo(at, 'codex')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('no longer to shared/config.toml, and was left as it is\n')
    expect(at.exists('.codex')).toBe(false)
  })
})

describe('attack: after init a link out of the project takes the place of', () => {
  test.for([
    ['a folder', 'codex', '.codex', '.codex/config.toml'],
    ['a file', 'claude', '.mcp.json', '.mcp.json'],
    ['the instructions', 'codex', 'AGENTS.md', 'AGENTS.md'],
    ['a folder that undo would remove', 'opencode', '.opencode', '.opencode/opencode.json'],
  ] as const)('%s', async ([, client, link, file]) => {
    for (const since of ['', '\n']) {
      const at = machine(client === 'opencode' ? { files: { '.opencode/opencode.json': '{}\n' } } : {})
      await initialised(at, client)
      at.write(file, at.read(file) + since)
      mkdirSync(at.path('../elsewhere'))
      renameSync(at.path(link), at.path(`../elsewhere/${link}`))
      symlinkSync(at.path(`../elsewhere/${link}`), at.path(link))
      const foreign = snapshot(at.path('../elsewhere'))
      const { exitCode, stderr } = await undo(at, client)
      expect(snapshot(at.path('../elsewhere'))).toEqual(foreign)
      expect(stderr).toContain(`note: ${file}: it leads out of the project now, and was left as it is\n`)
      expect(exitCode).toBe(1)
      // What is still in reach is taken back at once, the rest once the project has it again.
      const other = link === 'AGENTS.md' ? '.codex/config.toml' : 'AGENTS.md'
      expect(at.exists(other)).toBe(false)
      unlinkSync(at.path(link))
      renameSync(at.path(`../elsewhere/${link}`), at.path(link))
      expect((await undo(at, client)).exitCode).toBe(0)
      expect(at.exists(recordOf(at))).toBe(false)
    }
  })

  test('the folder of skills', async () => {
    const at = machine()
    await initialised(at, 'codex')
    cpSync(at.path('.agents'), at.path('../elsewhere'), { recursive: true })
    rmSync(at.path('.agents'), { recursive: true })
    symlinkSync(at.path('../elsewhere'), at.path('.agents'))
    const foreign = snapshot(at.path('../elsewhere'))
    const { exitCode, stderr } = await undo(at, 'codex')
    expect(snapshot(at.path('../elsewhere'))).toEqual(foreign)
    expect(stderr).toMatch(/leads out of/)
    expect(exitCode).toBe(1)
    unlinkSync(at.path('.agents'))
    renameSync(at.path('../elsewhere'), at.path('.agents'))
    expect((await undo(at, 'codex')).exitCode).toBe(0)
    expect(snapshot(at.workspace)).toEqual({})
  })
})

describe('a record that cannot be relied on', () => {
  const broken = (text: (record: string) => string) => text
  test.for([
    ['no JSON', broken(() => '{'), 'it is no JSON'],
    ['null', broken(() => 'null'), 'it is not as init writes it'],
    ['nothing in it', broken(() => '{}'), 'it is not as init writes it'],
    ['a list', broken(() => '[]'), 'it is not as init writes it'],
    [
      'a later version',
      broken(text => text.replace('"version": 1', '"version": 2')),
      'it has version 2, and this srecodex reads version 1',
    ],
    [
      'another project',
      broken(text => text.replace(/"project": "/, '$&/other')),
      'it is not as init writes it',
    ],
    [
      'a file without its place',
      broken(text => text.replace(/"place": .*\n/, '')),
      'it is not as init writes it',
    ],
    [
      'an unknown piece',
      broken(text => text.replace('"kind": "set"', '"kind": "put"')),
      'it is not as init writes it',
    ],
    [
      'a file that it says nothing of',
      broken(text => text.replace(/^ {4}"(.*AGENTS.md)": \{/m, '    "$1.old": {')),
      'it is not as init writes it',
    ],
    [
      'a folder outside of the project',
      broken(text => text.replace(/("folders": \[\s*")[^"]*/, '$1/tmp')),
      'it is not as init writes it',
    ],
  ] as const)('%s', async ([, change, told]) => {
    const at = machine()
    await initialised(at, 'codex')
    const record = recordOf(at)
    const text = change(at.read(record))
    expect(text).not.toBe(at.read(record))
    at.write(record, text)
    const before = snapshot(at.workspace)
    for (const flags of ['--client codex --undo --yes', '--client cursor --yes', '--undo']) {
      const { exitCode, stdout, stderr } = await at.run(`init ${flags}`)
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
      expect(stderr).toContain('error[STORE_CORRUPT]: cannot rely on `')
      expect(stderr).toContain(told)
      expect(stderr).toMatch(/^hint: /m)
    }
    expect(snapshot(at.workspace)).toEqual(before)
    expect(at.read(record)).toBe(text)
  })
})

test('a record that is larger than any is not read', async () => {
  const at = machine()
  await initialised(at, 'cursor')
  truncateSync(at.path(recordOf(at)), 2 ** 30)
  const { exitCode, stderr } = await undo(at, 'cursor')
  expect(exitCode).toBe(1)
  expect(stderr).toContain('which says what init did: it has 1024 MiB, and may have 256\n')
})

test('a file of one long line is undone to the byte, and one that was edited since is, too', async () => {
  const text = `{"long":"${'\\"'.repeat(700_000)}"}`
  for (const since of ['', '\n']) {
    const at = machine({ files: { '.mcp.json': text } })
    await initialised(at, 'claude')
    at.write('.mcp.json', at.read('.mcp.json') + since)
    expect((await undo(at, 'claude')).exitCode).toBe(0)
    expect(at.read('.mcp.json')).toBe(text + since)
  }
})

test('a value that no record can keep is told before anything is written', async () => {
  for (const value of ['1979-05-27', '[9223372036854775807]', 'inf']) {
    const text = `[mcp_servers.srecodex]\ncommand = "/gone"\nargs = ${value}\n`
    const at = machine({ files: { '.codex/config.toml': text } })
    const { exitCode, stderr } = await at.run('init --client codex --yes')
    expect(exitCode).toBe(2)
    expect(stderr).toContain(
      '`mcp_servers.srecodex.args` holds a date, or a number that no record can keep\n',
    )
    expect(stderr).toContain('hint: nothing was written: ')
    expect(snapshot(at.workspace)).toEqual({ '.codex/': '', '.codex/config.toml': text })
  }
})
