/**
 * The words of calls, fit to be shown: arguments and messages are a script's, and a journal has them as they were.
 *
 * Promises: one line each; sanitised, redacted, bounded; a value that stands behind a flag with a secret's name
 * (`--password x`) goes as `--password=x` does. Hides nothing else: what was called stays to be seen.
 */

import {
  isHarmlessValue,
  isPlaceholder,
  labelOfName,
  MIN_VALUE_CHARS,
  secrecyOfName,
} from './redact/secrecy.ts'
import type { Redactor } from './redact.ts'
import { sanitise } from './sanitise.ts'
import { cutText } from './summary.ts'

/** Of one word: a manifest that was handed over as an argument says nothing by its end. */
const MAX_WORD_CHARS = 1000
const MAX_WORDS = 500

/** Texts of one entry of a journal, in an order of the caller's; as many come back. */
export type Words = readonly (string | readonly string[])[]

/** Rows that are looked at together: a rule of the redactor costs by the text, not by the row. */
export async function redactRows<Row extends Words>(
  rows: readonly Row[],
  redactor: Redactor,
): Promise<Row[]> {
  const lines = rows.map(row =>
    JSON.stringify(row.map(part => (typeof part === 'string' ? shown(part) : argvOf(part)))),
  )
  const redacted = await redactor.redactLines(lines)
  return redacted.map(line => (JSON.parse(line) as (string | string[])[]).map(cutPart)) as unknown as Row[]
}

/** As a shell would take them. */
export function commandText(tool: string, argv: readonly string[]): string {
  return [tool, ...argv].map(quoted).join(' ')
}

function quoted(word: string): string {
  return /^[\w./:=@%+,[\]{}-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** A carriage return would hide what stands before it. */
function shown(text: string): string {
  return sanitise(text.replaceAll('\r', '\n')).replaceAll(/[\n\t]+/g, ' ')
}

function argvOf(argv: readonly string[]): string[] {
  const words = argv.slice(0, MAX_WORDS).map(shown)
  const more = argv.length > MAX_WORDS ? [`… ${argv.length - MAX_WORDS} more`] : []
  return [...words.map((word, index) => secretOfFlag(words[index - 1], word) ?? word), ...more]
}

function secretOfFlag(flag: string | undefined, value: string): string | null {
  if (flag === undefined || !/^--?[A-Za-z]/.test(flag) || flag.includes('=')) return null
  const secrecy = secrecyOfName(flag.replace(/^-+/, ''))
  if (secrecy === null || value.startsWith('-') || value.length < MIN_VALUE_CHARS) return null
  if (isHarmlessValue(value) || isPlaceholder(value)) return null
  // `--key` and `--sort-key` name what is no secret more often than one.
  if (secrecy === 'likely' && /key$/i.test(flag)) return null
  return `[redacted:${labelOfName(flag)}]`
}

function cutPart(part: string | readonly string[]): string | string[] {
  return typeof part === 'string'
    ? cutText(part, MAX_WORD_CHARS)
    : part.map(word => cutText(word, MAX_WORD_CHARS))
}
