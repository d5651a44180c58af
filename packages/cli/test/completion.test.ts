/** Shell completion: the scripts load, and what they ask is answered. */

import { project } from '@srecodex/testkit'
import { execa } from 'execa'
import { expect, test } from 'vitest'

test.for(['bash', 'zsh', 'fish', 'powershell'])('%s', async shell => {
  const { exitCode, stdout, stderr } = await project().run(`completion ${shell}`)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toMatch(/srecodex complete '?--/)
})

test('in a real bash: commands, flags, values, file names; loaded twice without a word', async () => {
  const { run, write, workspace } = project({ files: { 'group_errors.py': '' } })
  write(
    'srecodex',
    `#!/bin/sh\nexec '${process.execPath}' '${new URL('../dist/bin.js', import.meta.url).pathname}' "$@"\n`,
  )
  write('completion.bash', (await run('completion bash')).raw.stdout)
  const ask = String.raw`
    chmod +x srecodex; PATH=$PWD:$PATH
    . ./completion.bash; . ./completion.bash
    ask() {
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMPREPLY=()
      __srecodex_complete 2>/dev/null
      echo "$* -> ${'$'}{COMPREPLY[*]}"
    }
    ask srecodex ru
    ask srecodex run --ti
    ask srecodex run --sandbox ''
    ask srecodex runs s
    ask srecodex runs rep
    complete -p srecodex`
  const { stdout, stderr } = await execa('bash', ['--norc', '-c', ask], { cwd: workspace })
  expect(stderr).toBe('')
  expect(stdout).toMatchInlineSnapshot(`
    "srecodex ru -> run runs
    srecodex run --ti -> --timeout
    srecodex run --sandbox  -> read-only workspace-write danger-full-access
    srecodex runs s -> show stop search
    srecodex runs rep -> report
    complete -o default -F __srecodex_complete srecodex"
  `)
})

test('where only a file fits, the shell is let to offer its own', async () => {
  const { run } = project()
  expect((await run('complete -- run gr')).stdout).toBe(':0\n')
  expect((await run('complete -- run --sandbox r')).stdout).toBe('read-only\t\n:4\n')
})
