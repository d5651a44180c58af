/**
 * Text taken apart by `scan.ts`, and put together again without its secrets.
 *
 * Promises: what was JSON is JSON of the same shape; what holds no secret is written as it was, escapes and
 * all; two names of one object that are redacted alike stay two.
 */

import { replaceSpans, type Span } from './spans.ts'

/** Text that is looked at as a whole: a plain stretch, or what one JSON string or number says. */
export interface Leaf {
  readonly kind: 'leaf'
  readonly text: string
  readonly spans: Span[]
}

/** JSON text: what stays as it is written, and the tokens that may change. */
export interface Json {
  readonly kind: 'json'
  readonly parts: readonly (string | JsonToken)[]
}

export interface JsonToken {
  readonly kind: 'token'
  /** As written, kept when nothing in it is secret. */
  readonly source: string
  readonly content: Piece
  /** The names already used in this object: two that are redacted alike would become one. */
  readonly siblings: Set<string> | null
}

interface Sequence {
  readonly kind: 'sequence'
  readonly pieces: readonly Piece[]
}

export type Piece = Leaf | Json | Sequence

export function render(piece: Piece, keepLines: boolean): string {
  if (piece.kind === 'leaf') return renderLeaf(piece, keepLines)
  if (piece.kind === 'sequence') return piece.pieces.map(part => render(part, keepLines)).join('')
  return piece.parts.map(part => (typeof part === 'string' ? part : renderToken(part))).join('')
}

export function renderLeaf({ text, spans }: Leaf, keepLines: boolean): string {
  return replaceSpans(text, spans, keepLines)
}

function renderToken(token: JsonToken): string {
  const { content, source, siblings } = token
  const unchanged = content.kind === 'leaf' && content.spans.length === 0
  const text = unchanged ? source : changed(render(content, false), source)
  if (siblings === null) return text
  const name = text === source ? text : unusedName(text, siblings)
  siblings.add(name)
  return name
}

function unusedName(name: string, used: ReadonlySet<string>): string {
  let unused = name
  for (let count = 2; used.has(unused); count++) unused = `${name.slice(0, -1)} ${count}"`
  return unused
}

/** Keeps the way a string was escaped when nothing in it was replaced. */
function changed(text: string, source: string): string {
  return source.startsWith('"') && JSON.parse(source) === text ? source : JSON.stringify(text)
}
