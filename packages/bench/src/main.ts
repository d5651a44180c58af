/**
 * Benchmarks: `node src/main.ts overhead|capture|calls|logs|all [--json] [--rounds N]`, and what jobs cost a model's context:
 * `node src/main.ts context [--json] [--case ID]… [--write]`.
 *
 * Only ratios taken side by side mean anything on a machine that does other work. The exit code is 0 also where a
 * target is missed: a time is no test.
 */

import { parseArgs } from 'node:util'
import { calls } from './calls.ts'
import { capture } from './capture.ts'
import { logs } from './logs.ts'
import { overhead } from './overhead.ts'
import { renderJson, renderTable, type Comparison } from './table.ts'

const USAGE =
  'usage: node src/main.ts overhead|capture|calls|logs|all [--json] [--rounds N]\n' +
  '       node src/main.ts context [--json] [--case ID]… [--write]\n'
const ROUNDS = { overhead: 41, capture: 21, calls: 5, logs: 3 } as const

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    write: { type: 'boolean', default: false },
    case: { type: 'string', multiple: true, default: [] },
  },
  allowPositionals: true,
})
const [what = 'all', ...rest] = positionals
const given = values.rounds === undefined ? null : Number(values.rounds)
const isContext = what === 'context'
const known = isContext ? given === null : what === 'all' || Object.hasOwn(ROUNDS, what)
const isForContext = values.write || values.case.length > 0
if (
  !known ||
  (isForContext && !isContext) ||
  rest.length > 0 ||
  (given !== null && !(Number.isSafeInteger(given) && given > 0))
) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else if (isContext) {
  const { contextCommand } = await import('./context-command.ts')
  process.exitCode = await contextCommand({ json: values.json, write: values.write, only: values.case })
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
  if (what === 'logs' || what === 'all') {
    comparisons.push(await logs({ rounds: given ?? ROUNDS.logs, warmUpRounds: 1, onRound: sayRound('logs') }))
  }
  process.stdout.write(values.json ? renderJson(comparisons) : renderTable(comparisons))
}

function sayRound(name: string): (done: number, total: number) => void {
  return (done, total) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${name} ${done}/${total}${done === total ? '\n' : ''}`)
  }
}
