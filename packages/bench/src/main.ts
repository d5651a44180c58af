/**
 * Benchmarks: what a run costs beside the same work without srecodex (`BENCHMARKS`), and what jobs cost a model's context
 * (`context`). See `USAGE`.
 *
 * Only what is measured side by side means anything on a machine that does other work. The exit code is 0 also where a
 * target is missed: a time is no test.
 */

import { parseArgs } from 'node:util'
import { calls } from './calls.ts'
import { capture } from './capture.ts'
import { logs } from './logs.ts'
import { overhead } from './overhead.ts'
import type { RoundsOptions } from './rounds.ts'
import { renderJson, renderTable, type Comparison } from './table.ts'

interface Benchmark extends Pick<RoundsOptions, 'rounds' | 'warmUpRounds'> {
  readonly run: (options: RoundsOptions) => Promise<Comparison>
}

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  overhead: { run: overhead, rounds: 41, warmUpRounds: 3 },
  capture: { run: capture, rounds: 21, warmUpRounds: 1 },
  calls: { run: calls, rounds: 5, warmUpRounds: 1 },
  logs: { run: logs, rounds: 3, warmUpRounds: 1 },
}

const USAGE =
  `usage: node src/main.ts ${[...Object.keys(BENCHMARKS), 'all'].join('|')} [--json] [--rounds N]\n` +
  '       node src/main.ts context [--json] [--case ID]… [--write]\n'

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
const isForContext = values.write || values.case.length > 0
const wanted = Object.entries(BENCHMARKS).filter(([name]) => what === 'all' || what === name)
if (
  (isContext ? given !== null : wanted.length === 0 || isForContext) ||
  rest.length > 0 ||
  (given !== null && !(Number.isSafeInteger(given) && given > 0))
) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else if (isContext) {
  const { contextCommand } = await import('./context/command.ts')
  process.exitCode = await contextCommand({ json: values.json, write: values.write, only: values.case })
} else {
  const comparisons: Comparison[] = []
  for (const [name, { run, rounds, warmUpRounds }] of wanted)
    comparisons.push(await run({ rounds: given ?? rounds, warmUpRounds, onRound: sayRound(name) }))
  process.stdout.write(values.json ? renderJson(comparisons) : renderTable(comparisons))
}

function sayRound(name: string): (done: number, total: number) => void {
  return (done, total) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${name} ${done}/${total}${done === total ? '\n' : ''}`)
  }
}
