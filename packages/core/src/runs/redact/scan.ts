/**
 * Takes text apart into what is looked at as a whole, and looks: JSON token by token, lines of JSON line by
 * line, everything else in stretches.
 *
 * Promises: JSON inside a string of JSON is taken apart too, a few levels deep; the name of a JSON value says
 * whether it is secret. Where nothing is, the pieces render as the text they came from.
 */

import { spansOfForms, type FormIndex } from './known-values.ts'
import { spansOfPatterns } from './patterns.ts'
import type { Json, JsonToken, Leaf, Piece } from './pieces.ts'
import {
  isHarmlessValue,
  isSecretName,
  isSecretValue,
  labelOfName,
  secrecyOfName,
  type Secrecy,
} from './secrecy.ts'
import type { Span } from './spans.ts'

/** JSON in a string of JSON in a string …: each level escapes the last, so honest text stays shallow. */
const MAX_JSON_DEPTH = 4

export interface Scan {
  readonly root: Piece
  /** The leaves under the root, but not those of numbers; who finds more in one adds to its spans. */
  readonly leaves: readonly Leaf[]
}

export function scan(text: string, known: FormIndex): Scan {
  const leaves: Leaf[] = []
  return { root: scanText(text, known, leaves, 0), leaves }
}

function scanText(text: string, known: FormIndex, leaves: Leaf[], depth: number): Piece {
  if (depth < MAX_JSON_DEPTH && isJson(text)) return scanJson(text, known, leaves, depth)
  if (depth >= MAX_JSON_DEPTH || !/^[ \t]*[[{]/m.test(text)) return scanPlain(text, known, leaves)
  const pieces: Piece[] = []
  let plainFrom = 0
  let at = 0
  while (at < text.length) {
    const newline = text.indexOf('\n', at)
    const end = newline === -1 ? text.length : newline
    const line = text.slice(at, end)
    if (isJson(line)) {
      if (at > plainFrom) pieces.push(scanPlain(text.slice(plainFrom, at), known, leaves))
      pieces.push(scanJson(line, known, leaves, depth))
      plainFrom = end
    }
    at = end + 1
  }
  if (plainFrom < text.length) pieces.push(scanPlain(text.slice(plainFrom), known, leaves))
  return { kind: 'sequence', pieces }
}

function isJson(text: string): boolean {
  if (!/^\s*[[{"]/.test(text) || !/[\]}"]\s*$/.test(text.slice(-64))) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function scanPlain(text: string, known: FormIndex, leaves: Leaf[]): Leaf {
  const leaf: Leaf = { kind: 'leaf', text, spans: [...spansOfForms(text, known), ...spansOfPatterns(text)] }
  leaves.push(leaf)
  return leaf
}

interface Frame {
  readonly names: Set<string> | null
  /** What the name of the current value, or of the array around it, says of it. */
  secrecy: Secrecy
  name: string
  /** The value of a sibling `name`: `{"name": "DB_PASSWORD", "value": "…"}`. */
  statedName: string
}

/** `text` parses, so the tokens need no checking. */
function scanJson(text: string, known: FormIndex, leaves: Leaf[], depth: number): Json {
  const parts: (string | JsonToken)[] = []
  const frames: Frame[] = [{ names: null, secrecy: null, name: '', statedName: '' }]
  let kept = 0
  let at = 0
  let expectsName = false
  while (at < text.length) {
    const char = text.charAt(at)
    const frame = frames[frames.length - 1]
    if (frame === undefined) break
    if (char === '{') {
      frames.push({ names: new Set(), secrecy: null, name: '', statedName: '' })
      expectsName = true
    } else if (char === '[') {
      frames.push({ names: null, secrecy: frame.secrecy, name: frame.name, statedName: '' })
    } else if (char === '}' || char === ']') {
      frames.pop()
      expectsName = false
    } else if (char === ',') {
      expectsName = frame.names !== null
    } else if (char === '"') {
      const end = stringEnd(text, at)
      const source = text.slice(at, end)
      const said = String(JSON.parse(source))
      parts.push(text.slice(kept, at))
      if (expectsName) {
        parts.push({ kind: 'token', source, content: scanPlain(said, known, leaves), siblings: frame.names })
        enterName(frame, said)
        expectsName = false
      } else {
        if (/^(?:name|key)$/i.test(frame.name)) frame.statedName = said
        parts.push({
          kind: 'token',
          source,
          content: scanValue(said, frame, known, leaves, depth),
          siblings: null,
        })
      }
      kept = end
      at = end
      continue
    } else if (char === '-' || (char >= '0' && char <= '9')) {
      const end = numberEnd(text, at)
      const source = text.slice(at, end)
      const spans = spansOfNumber(source, frame, known)
      if (spans.length > 0) {
        const content: Leaf = { kind: 'leaf', text: source, spans }
        parts.push(text.slice(kept, at), { kind: 'token', source, content, siblings: null })
        kept = end
      }
      at = end
      continue
    }
    at++
  }
  parts.push(text.slice(kept))
  return { kind: 'json', parts }
}

function enterName(frame: Frame, name: string): void {
  frame.name = name
  frame.secrecy = secrecyOfName(name)
  if (/^value$/i.test(name) && isSecretName(frame.statedName)) frame.secrecy = 'certain'
}

function scanValue(said: string, frame: Frame, known: FormIndex, leaves: Leaf[], depth: number): Piece {
  if (!isSecretValue(said, frame.secrecy) || isHarmlessValue(said))
    return scanText(said, known, leaves, depth + 1)
  const label = labelOfName(/^value$/i.test(frame.name) ? frame.statedName : frame.name)
  const leaf: Leaf = { kind: 'leaf', text: said, spans: [{ start: 0, end: said.length, label }] }
  leaves.push(leaf)
  return leaf
}

function spansOfNumber(source: string, frame: Frame, known: FormIndex): Span[] {
  const all = { start: 0, end: source.length }
  const found = spansOfForms(source, known)[0]
  if (found !== undefined) return [{ ...all, label: found.label }]
  return frame.secrecy === 'certain' && !/id$/i.test(frame.name)
    ? [{ ...all, label: labelOfName(frame.name) }]
    : []
}

function stringEnd(text: string, start: number): number {
  let at = start + 1
  while (text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1
  return at + 1
}

function numberEnd(text: string, start: number): number {
  let at = start + 1
  while (/[\d.eE+-]/.test(text.charAt(at))) at++
  return at
}
