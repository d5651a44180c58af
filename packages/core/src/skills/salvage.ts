/**
 * Reads what is readable of front matter that is not YAML, line by line: scalars and lists at the top level.
 *
 * Nothing nested is guessed at: a schema that is half understood would be worse than none.
 */

const KEY_LINE = /^([A-Za-z][A-Za-z0-9_-]*)[ \t]*:(?:[ \t]+(.*))?$/

const unquoted = (text: string): string => {
  const trimmed = text.trim()
  const quote = trimmed[0]
  if (quote !== '"' && quote !== "'") return trimmed
  const inner = trimmed.length > 1 && trimmed.endsWith(quote) ? trimmed.slice(1, -1) : trimmed.slice(1)
  return quote === '"' ? inner.replaceAll(/\\(["\\])/g, '$1') : inner.replaceAll("''", "'")
}

const listItems = (text: string): string[] =>
  text
    .replace(/^\[/, '')
    .replace(/\].*$/s, '')
    .split(',')
    .map(unquoted)
    .filter(item => item !== '')

const scalar = (text: string): unknown => {
  const word = /^(true|false|null|-?\d+(?:\.\d+)?)[ \t]*(?:#.*)?$/.exec(text.trim())?.[1]
  if (word === undefined) return unquoted(text)
  return word === 'null' ? null : word === 'true' ? true : word === 'false' ? false : Number(word)
}

/** An indented line that looks like a key is one whose indent went wrong, not more of the text. */
const endOfProse = (lines: readonly string[]): number => {
  const key = lines.findIndex(line => KEY_LINE.test(line))
  return key === -1 ? lines.length : key
}

const valueOf = (first: string, continued: readonly string[]): unknown => {
  const more = continued.map(line => line.trim()).filter(line => line !== '')
  if (first === '' && more.length > 0 && more.every(line => line.startsWith('-'))) {
    return more.map(line => unquoted(line.slice(1))).filter(item => item !== '')
  }
  if (first.startsWith('[')) return listItems([first, ...more].join(' '))
  if (/^[>|][+-]?\d?[+-]?$/.test(first)) return more.join(' ')
  // A nested map is not a text; its lines stay unread.
  if (first === '') return more.some(line => KEY_LINE.test(line)) ? undefined : unquoted(more.join(' '))
  const prose = more.slice(0, endOfProse(more))
  return prose.length === 0 ? scalar(first) : unquoted([first, ...prose].join(' '))
}

export interface Salvaged {
  readonly fields: Readonly<Record<string, unknown>>
  /** Index of the line on which a key stands. */
  readonly lineOf: ReadonlyMap<string, number>
}

/** A key that stands twice counts by its last line, as a lax reader of YAML would have it. */
export const salvage = (lines: readonly string[]): Salvaged => {
  const fields: Record<string, unknown> = Object.create(null)
  const lineOf = new Map<string, number>()
  for (let index = 0; index < lines.length; index += 1) {
    const [, key, first = ''] = KEY_LINE.exec(lines[index] ?? '') ?? []
    if (key === undefined) continue
    let end = index + 1
    // A line that is not indented continues a value only as a list item.
    while (end < lines.length && /^([ \t]|-[ \t]|$)/.test(lines[end] ?? '')) end += 1
    const value = valueOf(first.trim(), lines.slice(index + 1, end))
    if (value === undefined) continue
    fields[key] = value
    lineOf.set(key, index)
  }
  return { fields, lineOf }
}
