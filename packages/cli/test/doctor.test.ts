/** `srecodex doctor`: what this machine has, what it lacks. */

import { project, WITHOUT_BUBBLEWRAP } from '@srecodex/testkit'
import { chmodSync } from 'node:fs'
import { expect, test } from 'vitest'

test('every check, where all is well', async () => {
  const { run } = project()
  const { exitCode, json, stderr } = await run('doctor --json')
  expect({ exitCode, stderr, ok: json().ok, repair: json().repair }).toEqual({
    exitCode: 0,
    stderr: '',
    ok: true,
    repair: null,
  })
  const ids: string[] = json().checks.map(({ id }: { id: string }) => id)
  expect(ids.slice(0, 12)).toEqual([
    ...['node', 'platform', 'perl', 'bubblewrap', 'sandbox', 'limits'],
    ...['python', 'shell', 'javascript', 'git', 'store', 'config'],
  ])
  const { stdout } = await run('doctor --fix')
  expect(stdout).toMatch(/^✔ node +v\d+/)
  expect(stdout).toMatch(/\n✔ sandbox +namespaces, mounts and a private \/proc work\n/)
})

test('what is wrong is named, with its place and the way out', async () => {
  const { run } = project({ files: { 'dotcodex/config.toml': '[limits]\nmemroy = 1\n' } })
  const { exitCode, stdout, stderr } = await run('doctor', { within: WITHOUT_BUBBLEWRAP })
  expect(exitCode).toBe(1)
  expect(stdout).toContain('✘ bubblewrap  not installed\n')
  expect(stdout).toContain('✘ config      unknown key `limits.memroy` (dotcodex/config.toml:2:1)\n')
  expect(stderr).toContain('3 checks failed: bubblewrap, sandbox, config\n')
  expect(stderr).toContain('hint: srecodex doctor --fix, or by hand: ')
})

test('an untrusted project is a warning', async () => {
  const { run } = project({ files: { 'dotcodex/config.toml': '[limits]\nmemory = "9GiB"\n' } })
  const { exitCode, stdout } = await run('doctor')
  expect(exitCode).toBe(0)
  expect(/! config.*\n.*\n/.exec(stdout)?.[0]).toMatchInlineSnapshot(`
    "! config      dotcodex/config.toml (not trusted)
                  what it loosens is not applied (1): srecodex config show lists it, srecodex trust applies it
    "
  `)
})

/** Says its version, as a program of the operator's own would. */
const DEPLOYCTL = '#!/bin/sh\necho "deployctl 2.1 $*"\n'

test('each tool is started once in its sandbox; what one lacks is a warning with the next step', async () => {
  const { run, path, write } = project({
    files: { '~/bin/deployctl': DEPLOYCTL, '~/bin/brokenctl': '#!/nowhere/sh\n' },
  })
  for (const name of ['deployctl', 'brokenctl']) chmodSync(path(`~/bin/${name}`), 0o755)
  // Nothing of the machine: each start of a tool takes its time.
  const env = { PATH: path('~/bin') }
  const configure = (toml: string): void => write('../srecodex/config/config.toml', toml)
  const look = async (): Promise<(id: string) => unknown> => {
    const { checks } = (await run('doctor --json', { env })).json()
    return id => checks.find((one: { id: string }) => one.id === id)
  }

  configure('[tools.deployctl]\n')
  expect((await look())('deployctl')).toEqual({
    ...{ id: 'deployctl', state: 'ok', hint: null, missingPackage: null },
    found: 'deployctl 2.1 --version (~/bin/deployctl)',
  })

  configure(`[tools.deployctl]
credentials = ["~/.deploy/token"]
helpers = ["no-such-login"]
[tools.no-such-tool]
[tools.brokenctl]
`)
  const checkOf = await look()
  expect(checkOf('deployctl')).toMatchObject({
    state: 'warn',
    hint:
      '~/.deploy/token is not there: log in with deployctl, or mend credentials in [tools.deployctl]; ' +
      'install no-such-login, or take it out of helpers in [tools.deployctl]',
  })
  expect(checkOf('no-such-tool')).toMatchObject({
    ...{ state: 'warn', found: 'not on PATH' },
    hint: 'install no-such-tool, or take [tools.no-such-tool] out of the config',
  })
  expect(checkOf('brokenctl')).toMatchObject({ state: 'warn', hint: expect.stringMatching(/./) })
})
