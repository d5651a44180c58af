/** Columns of plain text, as wide as the terminal allows. */

const GAP = '  '

export interface Column {
  readonly title: string
  /** The column that gives way when the terminal is narrow. */
  readonly flexible?: boolean
  readonly align?: 'left' | 'right'
}

export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...rows.map(row => (row[index] ?? '').length)),
  )
  const flexible = columns.findIndex(column => column.flexible === true)
  if (flexible !== -1) {
    const rest = widths.reduce((sum, value, index) => (index === flexible ? sum : sum + value + GAP.length), 0)
    widths[flexible] = Math.max(12, Math.min(widths[flexible]!, width - rest))
  }
  return [columns.map(column => column.title), ...rows]
    .map(row =>
      row
        .map((cell, index) => fit(cell, widths[index]!, columns[index]!.align ?? 'left'))
        .join(GAP)
        .trimEnd(),
    )
    .map(line => `${line}\n`)
    .join('')
}

function fit(text: string, width: number, align: 'left' | 'right'): string {
  const cut = text.length <= width ? text : `${text.slice(0, width - 1)}…`
  return align === 'left' ? cut.padEnd(width) : cut.padStart(width)
}
