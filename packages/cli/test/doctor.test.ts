/** `srecodex doctor`: what this machine has, what it lacks. */

import { project, WITHOUT_BUBBLEWRAP } from '@srecodex/testkit'
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
  expect(json().checks.map(({ id }: { id: string }) => id)).toEqual([
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
  expect(stdout.slice(stdout.indexOf('! config'))).toMatchInlineSnapshot(`
    "! config      dotcodex/config.toml (not trusted)
                  what it loosens is not applied (1): srecodex config show lists it, srecodex trust applies it
    "
  `)
})
