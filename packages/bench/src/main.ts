/**
 * Benchmarks: `node src/main.ts overhead|capture|calls|all [--json] [--rounds N]`.
 *
 * Only ratios taken side by side mean anything on a machine that does other work. The exit code is 0 also where a
 * target is missed: a time is no test.
 */

import { parseArgs } from 'node:util'
import { calls } from './calls.ts'
import { capture } from './capture.ts'
import { overhead } from './overhead.ts'
import { renderJson, renderTable, type Comparison } from './table.ts'

const USAGE = 'usage: node src/main.ts overhead|capture|calls|all [--json] [--rounds N]\n'
const ROUNDS = { overhead: 41, capture: 21, calls: 5 } as const

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string' } },
  allowPositionals: true,
})
const [what = 'all', ...rest] = positionals
const given = values.rounds === undefined ? null : Number(values.rounds)
const known = what === 'all' || Object.hasOwn(ROUNDS, what)
if (!known || rest.length > 0 || (given !== null && !(Number.isSafeInteger(given) && given > 0))) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  const comparisons: Comparison[] = []
  if (what === 'overhead' || what === 'all') {
    comparisons.push(
      await overhead({ rounds: given ?? ROUNDS.overhead, warmUpRounds: 3, onRound: sayRound('overhead') }),
    )
  }
  if (what === 'capture' || what === 'all') {
    comparisons.push(
      await capture({ rounds: given ?? ROUNDS.capture, warmUpRounds: 1, onRound: sayRound('capture') }),
    )
  }
  if (what === 'calls' || what === 'all') {
    comparisons.push(
      await calls({ rounds: given ?? ROUNDS.calls, warmUpRounds: 1, onRound: sayRound('calls') }),
    )
  }
  process.stdout.write(values.json ? renderJson(comparisons) : renderTable(comparisons))
}

function sayRound(name: string): (done: number, total: number) => void {
  return (done, total) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${name} ${done}/${total}${done === total ? '\n' : ''}`)
  }
}
