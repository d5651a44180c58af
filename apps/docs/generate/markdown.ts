/** Markdown out of plain values. Pure. Whatever comes from a source is escaped here, and only here. */

/** One cell: no line ends, no bar that would end it. Backticks are kept: descriptions use them. */
export const cell = (text: string): string =>
  outsideCode(text, plain => plain.replaceAll('<', '&lt;').replaceAll('*', '\\*'))
    .replaceAll('|', '\\|')
    .replaceAll(/\s*\n\s*/g, ' ')

export const code = (text: string): string => {
  const [ticks, space] = text.includes('`') ? ['``', ' '] : ['`', '']
  return `${ticks}${space}${text}${space}${ticks}`
}

/** Prose of a source, as a paragraph. */
export const prose = (text: string): string =>
  outsideCode(text, plain => plain.replaceAll('<', '&lt;').replaceAll('[', '\\['))

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** A fence that the text cannot end. */
export function fence(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([ticks]) => ticks.length))
  const ticks = '`'.repeat(longest + 1)
  return `${ticks}${language}\n${text.replace(/\n$/, '')}\n${ticks}`
}

export function page(title: string, description: string, parts: readonly string[]): string {
  const front = `---\ndescription: ${JSON.stringify(description)}\neditLink: false\n---\n`
  return `${front}\n# ${title}\n\n${parts.filter(part => part !== '').join('\n\n')}\n`
}

/** What a schema says in words; nothing where it says something else, or nothing. */
export const said = (value: unknown): string => (typeof value === 'string' ? value : '')

function outsideCode(text: string, change: (plain: string) => string): string {
  return text
    .split(/(`[^`]*`)/)
    .map(part => (part.startsWith('`') ? part : change(part)))
    .join('')
}
