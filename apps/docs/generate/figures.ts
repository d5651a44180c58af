/** Figures that were measured, with the command for each. `figures.json` is what `node figures/main.ts` recorded. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { attacks, honestWork } from './attacks.ts'
import { cell, table } from './markdown.ts'
import { DOCS } from './repository.ts'

/** What the benchmarks print with `--json`. */
export interface Comparison {
  readonly title: string
  readonly timings: readonly {
    readonly name: string
    readonly medianMs: number
    readonly quartilesMs: readonly [number, number]
  }[]
  readonly targets: readonly { readonly name: string; readonly ratio: number; readonly most: number }[]
}

export const BENCHMARKS = ['overhead', 'capture', 'calls'] as const
export type Benchmark = (typeof BENCHMARKS)[number]

export interface Circumstances {
  readonly on: string
  readonly machine: string
  /** How many programs wanted a core when the measuring began. */
  readonly load: number
  readonly cores: number
}

/** What was measured beside other work is shown as such, and claimed nowhere. */
export const isQuiet = ({ load, cores }: Pick<Circumstances, 'load' | 'cores'>): boolean => load <= cores

export interface Figures {
  readonly demo: { readonly megabytes: number; readonly logTokens: number; readonly summaryTokens: number }
  readonly benchmarks: Readonly<Record<Benchmark, Comparison & Circumstances>>
}

export const figures = (): Figures => JSON.parse(readFileSync(join(DOCS, 'figures.json'), 'utf8')) as Figures

export const grouped = (value: number): string => Math.round(value).toLocaleString('en-US')

/** The table of the first page and of the README: their figures are compared by a test. */
export function differences(): readonly (readonly [what: string, figure: string, command: string])[] {
  const { demo, benchmarks: recorded } = figures()
  const ratio = (benchmark: Benchmark, name: string): string => {
    const found = recorded[benchmark].targets.find(target => target.name === name)
    if (found === undefined) throw new Error(`no figure \`${name}\` was recorded`)
    return found.ratio.toFixed(2)
  }
  const times = grouped(Number((demo.logTokens / demo.summaryTokens).toPrecision(2)))
  return [
    [
      'Only the summary returns',
      `${demo.megabytes} MB of log, about ${grouped(demo.logTokens)} tokens, come back as ${demo.summaryTokens}: 1 in ${times}`,
      '`pnpm demo`',
    ],
    [
      'The sandbox is attacked by its tests',
      `${attacks().length} attacks that succeed without it fail in it; ${honestWork().length} pieces of honest work still work`,
      '`pnpm test`',
    ],
    [
      'One approval, for exact targets',
      'a plan names each of 50 restarts; what appears later, or in another cluster, is not touched',
      '`pnpm test`',
    ],
    [
      'Nothing is done twice',
      '200 random kills of srecodex, scripts and kubectl: each change once, or told as unknown',
      '`pnpm test:full`',
    ],
    ...(isQuiet(recorded.overhead)
      ? ([
          [
            'What a sandbox costs',
            `a Python script takes ${ratio('overhead', 'python: runScript / bubblewrap')} times what it takes under bare bubblewrap`,
            '`pnpm bench overhead`',
          ],
        ] as const)
      : []),
    ...(isQuiet(recorded.calls)
      ? ([
          [
            'What a call costs',
            `${ratio('calls', 'a brokered command, ms more than the bare one')} ms more than the bare command`,
            '`pnpm bench calls`',
          ],
        ] as const)
      : []),
  ]
}

export const differencesTable = (): string =>
  table(
    ['', 'figure', 'command'],
    differences().map(([what, figure, command]) => [`**${what}**`, cell(figure), command]),
  )

export function benchmarks(): string {
  const recorded = figures().benchmarks
  return BENCHMARKS.flatMap(name => {
    const { title, timings, targets, on, machine, ...rest } = recorded[name]
    return [
      `## ${title.replace(/ \(.*/, '')}`,
      `\`pnpm bench ${name}\`, on ${on}: ${machine}.`,
      isQuiet(rest)
        ? ''
        : `The machine was busy with other work: ${rest.load} programs wanted its ${rest.cores} cores. Read these as a record of that moment, not as what it costs.`,
      table(
        ['', 'median ms', 'middle half'],
        timings.map(({ name: what, medianMs, quartilesMs: [low, high] }) => [
          cell(what),
          medianMs.toFixed(1),
          `${low.toFixed(1)} to ${high.toFixed(1)}`,
        ]),
      ),
      table(
        ['ratio', 'measured', 'target'],
        targets.map(({ name: what, ratio, most }) => [cell(what), ratio.toFixed(2), `at most ${most}`]),
      ),
    ]
  }).join('\n\n')
}

const QUIET = 'November 2026: Debian 12, 2 cores, nothing else running'

/** Of others, what was measured once: the start of `/bin/true`, medians. Ours are those that are recorded. */
const OTHERS_STARTS = {
  commands: [
    ['no sandbox', 0.6],
    ['`codex sandbox`, its binary', 40],
    ['`codex sandbox`, by its npm package', 72],
    ['the command of sandbox-runtime', 275],
  ],
  fromNode: [
    ['no sandbox', 2.2],
    ['bubblewrap alone', 6.6],
    ['sandbox-runtime', 37.6],
  ],
} as const

/** A start as whoever starts it sees it: everything that comes with it is in the figure. */
export function startUp(): string {
  const { timings, on, load, cores } = figures().benchmarks.overhead
  const circumstances = isQuiet({ load, cores })
    ? `${on}: \`pnpm bench overhead\`, ${cores} cores`
    : `${on}: \`pnpm bench overhead\`, ${cores} cores that ${load} programs wanted: too high`
  const ours = (what: string, name: string): string[] => {
    const found = timings.find(timing => timing.name === name)
    if (found === undefined) throw new Error(`no time of \`${name}\` was recorded`)
    return [what, String(Math.round(found.medianMs)), circumstances]
  }
  const theirs = (starts: readonly (readonly [what: string, ms: number])[]): string[][] =>
    starts.map(([what, ms]) => [`\`/bin/true\`: ${what}`, String(ms), QUIET])
  const head = ['what was started', 'median ms', 'measured']
  return [
    'A whole command, from its start to its exit:',
    table(head, [
      ...theirs(OTHERS_STARTS.commands),
      ours('an empty Bash script: `srecodex run`', 'srecodex run empty.sh'),
    ]),
    'From a program in Node, as a library, until it is over:',
    table(head, [
      ...theirs(OTHERS_STARTS.fromNode),
      ours('an empty Bash script: `runScript` of @srecodex/core', 'bash: runScript'),
    ]),
  ].join('\n\n')
}
