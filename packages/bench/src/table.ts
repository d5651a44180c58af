/** Measurements as text and as JSON. */

import type { Timing } from './rounds.ts'

export interface Target {
  readonly name: string
  readonly measured: number
  readonly unit: 'ratio' | 'ms' | 'GiB'
  readonly most: number
}

export interface Comparison {
  readonly title: string
  readonly timings: readonly Timing[]
  readonly targets: readonly Target[]
  /** Lines below the table. @default [] */
  readonly facts?: readonly string[]
}

export function renderTable(comparisons: readonly Comparison[]): string {
  return comparisons.map(renderComparison).join('\n')
}

function renderComparison({ title, timings, targets, facts = [] }: Comparison): string {
  const rounds = timings[0]?.samplesMs.length ?? 0
  const rows = [
    [title, 'median ms', 'middle half', `of ${rounds} rounds`],
    ...timings.map(({ name, medianMs, quartilesMs: [low, high] }) => [
      name,
      medianMs.toFixed(1),
      `${low.toFixed(1)} – ${high.toFixed(1)}`,
      '',
    ]),
    ['', '', '', ''],
    ['target', 'measured', 'at most', ''],
    ...targets.map(({ name, measured, unit, most }) => [
      name,
      inUnit(measured.toFixed(2), unit),
      inUnit(String(most), unit),
      measured <= most ? 'holds' : 'MISSED',
    ]),
  ]
  const widths = [0, 1, 2, 3].map(column => Math.max(...rows.map(row => row[column]!.length)))
  return rows
    .map(([first = '', ...rest]) =>
      [first.padEnd(widths[0]!), ...rest.map((cell, at) => cell.padStart(widths[at + 1]!))]
        .join('  ')
        .trimEnd(),
    )
    .concat(facts)
    .map(line => `${line}\n`)
    .join('')
}

function inUnit(number: string, unit: Target['unit']): string {
  return unit === 'ratio' ? number : `${number} ${unit}`
}

export function renderJson(comparisons: readonly Comparison[]): string {
  return `${JSON.stringify(comparisons, null, 2)}\n`
}
