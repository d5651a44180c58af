/**
 * Finds values that are known to be secret, in whatever way they are written.
 *
 * Promises: a value is found as it is and as JSON, URL, HTML, base64, hex and the shell write it; where several
 * begin at one place the longest is taken; the time does not grow with their number.
 */

import type { Span } from './spans.ts'

export interface NamedValue {
  readonly name: string
  readonly value: string
}

interface Form {
  readonly text: string
  readonly name: string
  /** In base64 the characters beside it hold bits of the value: they go with it. */
  readonly isBase64: boolean
}

export interface FormIndex {
  /** By a hash of the first four characters: one look-up for each character of the text, however many forms. */
  readonly buckets: ReadonlyMap<number, readonly Form[]>
  readonly mayStart: Uint8Array
  readonly longestChars: number
}

const MIN_HEX_VALUE_CHARS = 8
const MIN_BASE64_CHARS = 7
const PREFIX_CHARS = 4

export function indexForms(secrets: readonly NamedValue[]): FormIndex {
  const buckets = new Map<number, Form[]>()
  const mayStart = new Uint8Array(65_536)
  const seen = new Set<string>()
  let longestChars = 0
  for (const form of secrets.flatMap(formsOf)) {
    if (seen.has(form.text)) continue
    seen.add(form.text)
    longestChars = Math.max(longestChars, form.text.length)
    const hash = prefixHash(form.text)
    mayStart[hash] = 1
    const bucket = buckets.get(hash)
    if (bucket === undefined) buckets.set(hash, [form])
    else bucket.push(form)
  }
  for (const bucket of buckets.values()) bucket.sort((a, b) => b.text.length - a.text.length)
  return { buckets, mayStart, longestChars }
}

/** For text that is searched by patterns only. */
export const NO_FORMS: FormIndex = indexForms([])

export function spansOfForms(text: string, known: FormIndex): Span[] {
  const spans: Span[] = []
  if (known.longestChars === 0) return spans
  const { buckets, mayStart } = known
  let hash = 0
  for (let next = 0; next < text.length; next++) {
    hash = nextHash(hash, text.charCodeAt(next))
    if (mayStart[hash] === 0 || next < PREFIX_CHARS - 1) continue
    const at = next - PREFIX_CHARS + 1
    const form = buckets.get(hash)?.find(candidate => text.startsWith(candidate.text, at))
    if (form === undefined) continue
    const formEnd = at + form.text.length
    const start = form.isBase64 && isBase64Char(text, at - 1) ? at - 1 : at
    const end = form.isBase64 ? base64End(text, formEnd) : formEnd
    const last = spans[spans.length - 1]
    // `aaaaaa` in a long run of `a`: one span, not one for each position.
    if (last !== undefined && last.label === form.name && start < last.end) {
      spans[spans.length - 1] = { ...last, end: Math.max(last.end, end) }
    } else {
      spans.push({ start, end, label: form.name })
    }
  }
  return spans
}

function prefixHash(text: string): number {
  let hash = 0
  for (let at = 0; at < PREFIX_CHARS; at++) hash = nextHash(hash, text.charCodeAt(at))
  return hash
}

/** Of 16 bits, each character shifts 4 out: the hash is always that of the last four characters. */
function nextHash(hash: number, code: number): number {
  return ((hash << 4) ^ code) & 0xffff
}

function formsOf({ name, value }: NamedValue): Form[] {
  const bytes = Buffer.from(value)
  const json = JSON.stringify(value).slice(1, -1)
  const url = encodeURIComponent(value)
  const strictUrl = url.replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const urls = [url, strictUrl, strictUrl.replaceAll('%2F', '/'), strictUrl.replaceAll('%20', '+')]
  const plain = [
    value,
    json,
    JSON.stringify(json).slice(1, -1),
    json.replaceAll('/', '\\/'),
    asciiJson(json),
    asciiJson(json).replace(/[<>&]/g, char => `\\u00${char.charCodeAt(0).toString(16)}`),
    ...urls,
    ...urls.map(form => form.replace(/%[0-9A-F]{2}/g, escape => escape.toLowerCase())),
    value.replaceAll("'", "'\\''"),
    value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  ]
  const hex = bytes.toString('hex')
  if (bytes.length >= MIN_HEX_VALUE_CHARS) plain.push(hex, hex.toUpperCase())
  const base64 = [0, 1, 2]
    .map(shift => base64Core(bytes, shift))
    .filter(form => form.length >= MIN_BASE64_CHARS)
  return [
    ...plain.map(text => ({ text, name, isBase64: false })),
    ...base64.map(text => ({ text, name, isBase64: true })),
    ...base64.map(text => ({ text: text.replaceAll('+', '-').replaceAll('/', '_'), name, isBase64: true })),
  ]
}

/** The way Python and PHP write JSON: every other character than ASCII as `\uXXXX`. */
function asciiJson(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The characters of base64 that the value alone decides, `shift` bytes after a multiple of three. */
function base64Core(bytes: Buffer, shift: number): string {
  const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
  return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6))
}

function isBase64Char(text: string, at: number): boolean {
  return /[A-Za-z0-9+/_-]/.test(text.charAt(at))
}

function base64End(text: string, at: number): number {
  let end = isBase64Char(text, at) ? at + 1 : at
  while (end < at + 3 && text[end] === '=') end++
  return end
}
