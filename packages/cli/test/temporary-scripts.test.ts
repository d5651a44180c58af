/** Scripts below WORKSPACE/.srecodex/tmp/ are temporary; no other file of the user's is ever removed. */

import { project } from '@srecodex/testkit'
import { expect, test } from 'vitest'

const files = {
  '.srecodex/tmp/good.sh': 'echo done',
  '.srecodex/tmp/bad.sh': 'exit 3',
  '.srecodex/tmp/slow.sh': 'sleep 30',
  '.srecodex/tmp/notes.md': '',
  'own.sh': 'echo done',
}

test.for([
  ['success', 'run .srecodex/tmp/good.sh', 0],
  ['failure', 'run .srecodex/tmp/bad.sh', 1],
  ['timeout', 'run .srecodex/tmp/slow.sh --timeout 1', 124],
] as const)('removed after %s; its copy stays with the run', async ([, command, code]) => {
  const { run, exists } = project({ files })
  const script = command.split(' ')[1]!
  const { exitCode } = await run(command)
  expect({ exitCode, exists: exists(script) }).toEqual({ exitCode: code, exists: false })
  expect(exists('.srecodex/tmp/notes.md')).toBe(true)
  expect((await run('runs show last --json')).json()).toMatchObject({
    scriptPath: expect.stringContaining(script),
  })
})

test('removed on Ctrl-C', async () => {
  const { run, exists } = project({ files: { '.srecodex/tmp/slow.sh': 'touch begun; sleep 30' } })
  const cancel = new AbortController()
  const ending = run('run .srecodex/tmp/slow.sh', { signal: cancel.signal, killSignal: 'SIGINT' })
  await expect.poll(() => exists('begun'), { timeout: 10_000 }).toBe(true)
  cancel.abort()
  expect((await ending).exitCode).toBe(130)
  expect(exists('.srecodex/tmp/slow.sh')).toBe(false)
})

test('kept with --keep, and where the operator says so', async () => {
  const { run, exists, write } = project({ files })
  await run('run .srecodex/tmp/good.sh --keep')
  expect(exists('.srecodex/tmp/good.sh')).toBe(true)
  write('dotcodex/config.toml', '[scripts]\ncleanup_after_run = false\n')
  await run('run .srecodex/tmp/good.sh')
  expect(exists('.srecodex/tmp/good.sh')).toBe(true)
})

test('a file of the user’s own is not temporary, wherever it lies', async () => {
  const { run, exists } = project({ files: { ...files, 'sub/.srecodex/tmp/own.sh': 'echo done' } })
  expect((await run('run own.sh')).exitCode).toBe(0)
  expect((await run('run sub/.srecodex/tmp/own.sh')).exitCode).toBe(0)
  expect([exists('own.sh'), exists('sub/.srecodex/tmp/own.sh')]).toEqual([true, true])
})
