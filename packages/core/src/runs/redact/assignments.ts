/**
 * Finds values that a name beside them makes secret, in text that is not JSON: `password=…`, `--token=…`,
 * `api_key: …`, and the environment of a container in YAML.
 *
 * Promises: a value that is secret goes to its end: its closing quote, the next `&` of a query, or where the
 * characters of a token end. Prose that merely mentions a secret (`the token is old`) stays.
 */

import {
  isHarmlessValue,
  isPlaceholder,
  isSecretName,
  isSecretValue,
  labelOfName,
  MIN_VALUE_CHARS,
  secrecyOfName,
} from './secrecy.ts'
import type { Span } from './spans.ts'

const MAX_QUOTED_CHARS = 4096
const MAX_NAME_CHARS = 64
/** Enough of an unquoted value to judge it; what is judged secret goes to its end. */
const MAX_BARE_CHARS = 256

const ASSIGNMENT =
  /(?:pass|pwd|secret|token|key|cred|auth|dsn|conn|jwt|sig)[\w-]{0,40}(?:\\{0,3}["'])?\]?[ \t]{0,3}(?:=>|:=|=|:)[ \t]{0,3}/gi

/** `password=…`, `--token=…`, `api_key: …`, `"clientSecret": "…"` in text that is not JSON. */
export function spansOfAssignments(text: string): Span[] {
  const spans: Span[] = []
  let covered = 0
  for (const match of text.matchAll(ASSIGNMENT)) {
    if (match.index < covered) continue
    const name = nameAround(text, match.index, match[0])
    const secrecy = secrecyOfName(name)
    if (secrecy === null) continue
    const from = match.index + match[0].length
    const value = valueAt(text, from, isQuery(text, match.index - 1))
    if (value === null) continue
    const raw = text.slice(value.start, Math.min(value.end, value.start + MAX_BARE_CHARS))
    const isAssigned = /[^:\s]=$/.test(match[0]) && raw.length >= MIN_VALUE_CHARS && !/key$/i.test(name)
    const isStated =
      value.quoted || match[0].trimEnd().endsWith('=') || endsLine(text, value.end) || /\d/.test(raw)
    const isCertain = isAssigned || (secrecy === 'certain' && isStated)
    if (!isSecretValue(raw, isCertain ? 'certain' : 'likely')) continue
    const end = value.quoted ? value.end : bareEnd(text, value.end)
    spans.push({ start: value.start, end, label: labelOfName(name) })
    covered = end
  }
  return spans
}

/** The environment of a container, as YAML writes it: a name on one line, its value on the next. */
const NAMED_VALUE =
  /\bname:[ \t]{0,3}["']?(?<name>[\w.-]{1,64})["']?[ \t]{0,8}\r?\n[ \t]{0,40}value:[ \t]{0,3}["']?(?<secret>[^\s"']+)/dg

export function spansOfNamedValues(text: string): Span[] {
  const spans: Span[] = []
  for (const match of text.matchAll(NAMED_VALUE)) {
    const name = match.groups?.['name'] ?? ''
    const range = match.indices?.groups?.['secret']
    if (range === undefined || !isSecretName(name)) continue
    const value = text.slice(...range)
    if (isPlaceholder(value) || isHarmlessValue(value)) continue
    spans.push({ start: range[0], end: range[1], label: labelOfName(name) })
  }
  return spans
}

function nameAround(text: string, at: number, match: string): string {
  let start = at
  while (start > at - MAX_NAME_CHARS && /[\w.-]/.test(text.charAt(start - 1))) start--
  return text.slice(start, at) + (/^[\w-]+/.exec(match)?.[0] ?? '')
}

/** In a URL's query the value ends at the next `&`. */
function isQuery(text: string, at: number): boolean {
  let start = at
  while (start > at - MAX_NAME_CHARS && /[\w.-]/.test(text.charAt(start))) start--
  return text[start] === '?' || text[start] === '&'
}

interface ValueRange {
  readonly start: number
  readonly end: number
  readonly quoted: boolean
}

const QUOTE = /\\{0,3}["'`]/y
const BARE = /[^\s"'`<>\\]{1,256}/y
const QUERY = /[^\s"'`<>\\&#]{1,256}/y

function valueAt(text: string, from: number, query: boolean): ValueRange | null {
  QUOTE.lastIndex = from
  const quote = QUOTE.exec(text)?.[0]
  if (quote !== undefined) {
    const start = from + quote.length
    const end = quotedEnd(text, start, quote)
    return end === start ? null : { start, end, quoted: true }
  }
  const bare = query ? QUERY : BARE
  bare.lastIndex = from
  const raw = bare.exec(text)?.[0].replace(/[,;)\]}]{1,4}$/, '') ?? ''
  return raw === '' ? null : { start: from, end: from + raw.length, quoted: false }
}

/** The rest of a value that is longer than what was looked at. */
function bareEnd(text: string, from: number): number {
  let end = from
  while (end < text.length && /[\w+/=.~-]/.test(text.charAt(end))) end++
  return end
}

/** Where the closing quote stands; else where the line ends. A `\"` inside a plain `"…"` closes nothing. */
function quotedEnd(text: string, start: number, quote: string): number {
  const limit = Math.min(text.length, start + MAX_QUOTED_CHARS)
  const mark = quote.charAt(quote.length - 1)
  const escapes = quote.length - 1
  let backslashes = 0
  for (let at = start; at < limit; at++) {
    const char = text.charAt(at)
    if (char === '\n') return at
    if (char === mark && (escapes === 0 ? backslashes % 2 === 0 : backslashes <= escapes))
      return at - (escapes === 0 ? 0 : backslashes)
    backslashes = char === '\\' ? backslashes + 1 : 0
  }
  return limit
}

function endsLine(text: string, at: number): boolean {
  return /^[,;)\]}]{0,4}[ \t]{0,8}(?:#|$|\n)/.test(text.slice(at, at + 16))
}
