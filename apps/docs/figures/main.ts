/**
 * Measures what the pages tell in figures: `pnpm --filter @srecodex/docs figures`, on a machine that does nothing else.
 *
 * They go into figures.json, and the README's table is written from it anew. It takes some minutes. Names of benchmarks measure these anew, and keep the others: `figures calls --rounds 3`.
 */

import { execa } from 'execa'
import { readFileSync, writeFileSync } from 'node:fs'
import { arch, cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  BENCHMARKS,
  differencesTable,
  isQuiet,
  type Benchmark,
  type Comparison,
  type Figures,
} from '../generate/figures.ts'
import { DOCS, ROOT } from '../generate/repository.ts'
import { recordDemo } from '../picture/demo.ts'

const FILE = join(DOCS, 'figures.json')
const README = join(ROOT, 'README.md')

const { values, positionals } = parseArgs({ options: { rounds: { type: 'string' } }, allowPositionals: true })
const isWanted = (name: Benchmark): boolean => positionals.length === 0 || positionals.includes(name)
/** Before anything is measured: the benchmarks themselves keep more than one core busy. */
const load = Math.round(loadavg()[0] ?? 0)
const known: Figures = JSON.parse(readFileSync(FILE, 'utf8')) as Figures
const benchmarks = { ...known.benchmarks }
for (const name of BENCHMARKS) {
  if (!isWanted(name)) continue
  const result = await measured(name)
  const on = new Date().toISOString().slice(0, 10)
  benchmarks[name] = { ...result, on, machine: machine(), load, cores: cpus().length }
  if (!isQuiet(benchmarks[name])) process.stderr.write(`${name}: the machine was busy (load ${load})\n`)
}
const figures: Figures = { demo: await demo(), benchmarks }
writeFileSync(FILE, `${JSON.stringify(figures, null, 2)}\n`)
await execa(join(ROOT, 'node_modules/.bin/oxfmt'), [FILE])
writeFileSync(README, withTable(readFileSync(README, 'utf8')))

/** The table below its heading, and nothing else. */
function withTable(readme: string): string {
  const pattern = /(?<=^## What makes it different\n\n)\|.*\n(?:\|.*\n)*/m
  if (!pattern.test(readme)) throw new Error('the README has no table under "What makes it different"')
  return readme.replace(pattern, () => `${differencesTable()}\n`)
}

async function measured(name: Benchmark): Promise<Comparison> {
  const rounds = values.rounds === undefined ? [] : ['--rounds', values.rounds]
  const program = join(ROOT, 'packages/bench/src/main.ts')
  const { stdout } = await execa(process.execPath, [program, name, '--json', ...rounds], {
    stderr: 'inherit',
  })
  const [comparison] = JSON.parse(stdout) as Measured[]
  if (comparison === undefined) throw new Error(`${name} measured nothing`)
  return rounded(comparison)
}

async function demo(): Promise<Figures['demo']> {
  const { text } = await recordDemo()
  const [, logTokens, summaryTokens] = /log ≈ ([\d,]+) tokens, summary ≈ ([\d,]+)/.exec(text) ?? []
  if (logTokens === undefined || summaryTokens === undefined)
    throw new Error(`the demo tells no tokens:\n${text}`)
  return { megabytes: 200, logTokens: count(logTokens), summaryTokens: count(summaryTokens) }
}

function count(digits: string): number {
  return Number(digits.replaceAll(',', ''))
}

function machine(): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return `${cpus().length} cores (${arch()}), ${memory}, Linux ${release()}, Node ${process.version}`
}

/** What the benchmarks print with `--json`; the unit of a target stands in its name as well. */
interface Measured extends Omit<Comparison, 'targets'> {
  readonly targets: readonly { readonly name: string; readonly measured: number; readonly most: number }[]
}

/** Samples are not shown, and a time has no more than four digits that mean something. */
function rounded({ title, timings, targets }: Measured): Comparison {
  const short = (value: number): number => Number(value.toPrecision(4))
  return {
    title,
    timings: timings.map(({ name, medianMs, quartilesMs: [low, high] }) => ({
      name,
      medianMs: short(medianMs),
      quartilesMs: [short(low), short(high)],
    })),
    targets: targets.map(({ name, measured: ratio, most }) => ({ name, ratio: short(ratio), most })),
  }
}
