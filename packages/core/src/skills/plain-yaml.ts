/**
 * Reads the part of YAML that most front matter is written in: one line a key, with a scalar or a list of words.
 *
 * What lies outside of it, or could be read in two ways, is left to the YAML library, which takes fifty times as
 * long. A test holds the two against each other. Pure.
 */

/** Words that YAML does not read as text. */
const SPECIAL = /^(?:true|false|null)$/i
const WORD = /^[A-Za-z][A-Za-z0-9_.+/-]*$/
const INTEGER = /^(?:0|[1-9][0-9]{0,14})$/
const COMMENT = /^#|^$/
const KEY = /^([A-Za-z_][A-Za-z0-9_-]*):(?: +(.*))?$/
const DOUBLE = /^"([^"\\]*)"$/
const SINGLE = /^'([^']*)'$/
/** Begins with a letter, holds neither `: ` nor ` #`, and does not end in a colon. */
const PLAIN = /^\p{L}(?:(?!: | #).)*$/u
// oxlint-disable-next-line no-control-regex -- what is looked for
const UNUSUAL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\uFEFF\uD800-\uDFFF]/

const NOT_PLAIN = Symbol('not plain')

const quoted = (text: string): string | typeof NOT_PLAIN =>
  DOUBLE.exec(text)?.[1] ?? SINGLE.exec(text)?.[1] ?? NOT_PLAIN

const item = (text: string): string | typeof NOT_PLAIN =>
  WORD.test(text) && !SPECIAL.test(text) ? text : quoted(text)

const scalar = (text: string): unknown => {
  if (text === 'true' || text === 'false') return text === 'true'
  if (INTEGER.test(text)) return Number(text)
  if (text.startsWith('[') && text.endsWith(']')) {
    // A quoted comma would be split here; its halves are then no items.
    const items = text
      .slice(1, -1)
      .split(',')
      .map(part => item(part.trim()))
    return items.includes(NOT_PLAIN) ? NOT_PLAIN : items
  }
  if (PLAIN.test(text) && !text.endsWith(':')) return SPECIAL.test(text) ? NOT_PLAIN : text
  return quoted(text)
}

export interface PlainReading {
  readonly fields: Record<string, unknown>
  /** Line of a key, from 1. */
  readonly lineOf: ReadonlyMap<string, number>
  /** The text of each value. */
  readonly sourceOf: ReadonlyMap<string, string>
}

/** Null: not all of it is plain. */
export const readPlainYaml = (text: string): PlainReading | null => {
  if (UNUSUAL.test(text)) return null
  const fields: Record<string, unknown> = {}
  const lineOf = new Map<string, number>()
  const sourceOf = new Map<string, string>()
  for (const [index, line] of text.split('\n').entries()) {
    if (COMMENT.test(line)) continue
    const [, key, rest] = KEY.exec(line) ?? []
    const source = (rest ?? '').trimEnd()
    if (key === undefined || source === '' || lineOf.has(key) || key === '__proto__' || SPECIAL.test(key))
      return null
    const value = scalar(source)
    if (value === NOT_PLAIN) return null
    fields[key] = value
    lineOf.set(key, index + 1)
    sourceOf.set(key, source)
  }
  return lineOf.size === 0 ? null : { fields, lineOf, sourceOf }
}
