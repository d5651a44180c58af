/** How the benchmarks are called; what they measure takes minutes, and is no test. */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const MAIN = join(import.meta.dirname, '../src/main.ts')

function bench(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

test.for([
  ['nothing that there is', ['speed']],
  ['rounds of what has none', ['context', '--rounds', '3']],
  ['a case of what has none', ['all', '--case', 'log']],
] as const)('%s: usage, and nothing is measured', ([, args]) => {
  const usage = `usage: node src/main.ts overhead|capture|calls|logs|all [--json] [--rounds N]
       node src/main.ts context [--json] [--case ID]… [--write]
`
  expect(bench(...args)).toEqual({ status: 2, stdout: '', stderr: usage })
})
