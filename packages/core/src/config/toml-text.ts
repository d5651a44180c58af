/** Values and keys as TOML text that is safe to print: no control or reordering character survives. */

/** Text that cannot move a terminal's cursor or reorder a line, and is a valid TOML string. */
export const quote = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

export const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

const keyText = (key: string): string => (/^[A-Za-z0-9_-]+$/.test(key) ? key : quote(key))

/** `tools."my tool".args[2]`: also what tells two keys apart, however a file spells them. */
export const dottedKey = (path: readonly (string | number)[]): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    return text === '' ? keyText(part) : `${text}.${keyText(part)}`
  }, '')

/** A string, number, boolean, list or inline table. */
export const tomlText = (value: unknown): string => {
  if (typeof value === 'string') return quote(value)
  if (Array.isArray(value)) return `[${value.map(tomlText).join(', ')}]`
  if (!isTable(value)) return String(value)
  const pairs = Object.entries(value).map(([key, one]) => `${keyText(key)} = ${tomlText(one)}`)
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
}
