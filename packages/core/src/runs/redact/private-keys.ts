/**
 * Finds private keys in PEM.
 *
 * Promises: a key is found whole, and also when only its beginning or only its end is there, for output is
 * often cut; a key written into a string, with `\n` for its line ends, is found too.
 */

import type { Span } from './spans.ts'

/** A private key, also one of which only the beginning or only the end is there. */
export function spansOfPrivateKeys(text: string): Span[] {
  const spans: Span[] = []
  let covered = 0
  for (const match of text.matchAll(KEY_EDGE)) {
    if (match.index < covered) continue
    const isEnd = match.groups?.['side'] === 'END'
    const after = match.index + match[0].length
    const start = isEnd ? keyStart(text, covered, match.index) : match.index
    const end = isEnd ? after : keyEnd(text, after)
    spans.push({ start, end, label: 'private-key' })
    covered = end
  }
  return spans
}

const KEY_EDGE = /-----(?<side>BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g
const KEY_CLOSE = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/y
/** Lines of base64, also with `\n` written out inside a string: what a key without an end goes on with. */
const KEY_BODY =
  /(?:\s|\\[rn])*(?:[A-Za-z-]{1,32}: [^\n\\]{0,200}(?:\s|\\[rn])+)*(?:[A-Za-z0-9+/=]{16,}(?:(?:\s|\\[rn])+|$))*(?:[A-Za-z0-9+/=]{1,15}$)?/y
const MAX_KEY_CHARS = 32_768
const MIN_KEY_LINE_CHARS = 16

function keyEnd(text: string, from: number): number {
  const dashes = text.indexOf('-----', from)
  KEY_CLOSE.lastIndex = Math.max(dashes, 0)
  if (dashes !== -1 && KEY_CLOSE.test(text)) return KEY_CLOSE.lastIndex
  KEY_BODY.lastIndex = 0
  const body = KEY_BODY.exec(text.slice(from, from + MAX_KEY_CHARS))?.[0] ?? ''
  return from + body.trimEnd().length
}

/** Back over the base64 before an END line; at the beginning of the text a piece of a line counts too. */
function keyStart(text: string, floor: number, end: number): number {
  const windowStart = Math.max(floor, end - MAX_KEY_CHARS)
  let start = end
  for (const match of [...text.slice(windowStart, end).matchAll(/[A-Za-z0-9+/=]+/g)].toReversed()) {
    const from = windowStart + match.index
    const gap = text.slice(from + match[0].length, start)
    const isShort = match[0].length < MIN_KEY_LINE_CHARS && start !== end && from !== 0
    if (isShort || !/^[\s\\]*$/.test(gap)) break
    start = from
  }
  return start
}
