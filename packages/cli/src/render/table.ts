/** Columns of plain text, as wide as the terminal allows. */

import { clip, widthOf } from './layout.ts'

const GAP = '  '
const MIN_FLEXIBLE = 12

export interface Column {
  readonly title: string
  /** The column that gives way when the terminal is narrow. */
  readonly flexible?: boolean
  /** Never wider than this, however long its cells. */
  readonly most?: number
  readonly align?: 'left' | 'right'
  /** Colours a cell, once it is laid out. */
  readonly paint?: (cell: string) => string
}

export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const widths = columns.map(({ title, most = Infinity }, index) =>
    Math.max(widthOf(title), Math.min(most, Math.max(0, ...rows.map(row => widthOf(row[index] ?? ''))))),
  )
  const flexible = columns.findIndex(column => column.flexible === true)
  if (flexible !== -1) {
    const rest = widths.reduce(
      (sum, value, index) => (index === flexible ? sum : sum + value + GAP.length),
      0,
    )
    widths[flexible] = Math.max(MIN_FLEXIBLE, Math.min(widths[flexible]!, width - rest))
  }
  const line = (cells: readonly string[], isTitle: boolean): string =>
    cells
      .map((cell, index) => {
        const { align = 'left', paint } = columns[index]!
        const isLast = index === cells.length - 1
        const fitted = fit(cell, widths[index]!, align, isLast)
        return isTitle || paint === undefined ? fitted : paint(fitted)
      })
      .join(GAP)
      .trimEnd()
  return [
    line(
      columns.map(({ title }) => title),
      true,
    ),
    ...rows.map(row => line(row, false)),
  ]
    .map(text => `${text}\n`)
    .join('')
}

function fit(text: string, width: number, align: 'left' | 'right', isLast: boolean): string {
  const cut = clip(text, width)
  const space = ' '.repeat(Math.max(0, width - widthOf(cut)))
  if (align === 'right') return `${space}${cut}`
  return isLast ? cut : `${cut}${space}`
}
