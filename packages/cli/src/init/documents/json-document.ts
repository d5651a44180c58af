/**
 * JSON, with comments and trailing commas where its client takes them.
 *
 * Where a key stands twice, the last one counts, as it does for whoever reads the file.
 */

import {
  createScanner,
  parseTree,
  printParseErrorCode,
  type Node,
  type ParseError,
} from 'jsonc-parser/lib/esm/main.js'
import {
  indentAt,
  lineEnd,
  lineStart,
  nextLine,
  placeOf,
  plainOf,
  refuse,
  splice,
  type ClientDocument,
  type Path,
} from './document.ts'

/** Deeper than any config; what is read here by recursion would overflow. */
const MAX_DEPTH = 200

export function parseJson(text: string, file: string): ClientDocument {
  const source = text.trim() === '' ? `{}${lineEnd(text)}` : text
  const errors: ParseError[] = []
  refuseDepth(source, file)
  const tree = parseTree(source, errors, { allowTrailingComma: true })
  const [first] = errors
  if (first !== undefined) {
    refuse(`it is no valid JSON: ${wordsOf(first)}`, placeOf(source, first.offset, file))
  }
  if (tree === undefined || tree.type !== 'object') {
    refuse('it must hold an object: { … }', placeOf(source, tree?.offset ?? 0, file))
  }
  return {
    text,
    value: valueOf(tree),
    commented: path => {
      const node = find(tree, path)
      return node !== null && hasComments(source.slice(node.offset, endOf(node)))
    },
    set: (path, value) => set(source, tree, path, value, file),
    append: (path, items) => {
      const list = find(tree, path)
      if (list?.type !== 'array') return refuse(`\`${path.join('.')}\` must be a list`, { file })
      return insert(
        source,
        list,
        items.map(item => ({ key: null, value: item })),
      )
    },
    remove: path => {
      const node = find(tree, path)?.parent
      return node === undefined ? source : cut(source, node)
    },
    removeItem: (path, index) => {
      const item = find(tree, path)?.children?.[index]
      return item === undefined ? source : cut(source, item)
    },
  }
}

function wordsOf({ error }: ParseError): string {
  return printParseErrorCode(error)
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
}

interface Token {
  /** As the library numbers them: its `const enum` cannot be imported by a single file. */
  readonly kind: number
  readonly offset: number
}

const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET, COMMA] = [1, 2, 3, 4, 5]
const COMMENTS: ReadonlySet<number> = new Set([12, 13])
const END_OF_FILE = 17

function* tokensOf(text: string, from: number, withoutTrivia: boolean): Generator<Token> {
  const scanner = createScanner(text, withoutTrivia)
  scanner.setPosition(from)
  for (;;) {
    const kind: number = scanner.scan()
    if (kind === END_OF_FILE) return
    yield { kind, offset: scanner.getTokenOffset() }
  }
}

function refuseDepth(text: string, file: string): void {
  let depth = 0
  for (const { kind, offset } of tokensOf(text, 0, true)) {
    if (kind === OPEN_BRACE || kind === OPEN_BRACKET) depth += 1
    if (kind === CLOSE_BRACE || kind === CLOSE_BRACKET) depth -= 1
    if (depth > MAX_DEPTH) refuse('it is nested too deeply', placeOf(text, offset, file))
  }
}

function valueOf(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(valueOf)
  if (node.type !== 'object') return node.value
  const table = Object.create(null) as Record<string, unknown>
  for (const { children = [] } of node.children ?? []) {
    const [key, value] = children
    if (key !== undefined && value !== undefined) table[String(key.value)] = valueOf(value)
  }
  return table
}

function find(tree: Node, path: Path): Node | null {
  let at = tree
  for (const key of path) {
    const property =
      at.type === 'object' ? at.children?.findLast(one => one.children?.[0]?.value === key) : undefined
    const value = property?.children?.[1]
    if (value === undefined) return null
    at = value
  }
  return at
}

const endOf = ({ offset, length }: Node): number => offset + length

function hasComments(text: string): boolean {
  return [...tokensOf(text, 0, false)].some(({ kind }) => COMMENTS.has(kind))
}

function set(text: string, tree: Node, path: Path, value: unknown, file: string): string {
  const present = find(tree, path)
  if (present !== null) return splice(text, present.offset, endOf(present), rendered(text, present, value))
  let depth = path.length - 1
  while (find(tree, path.slice(0, depth)) === null) depth -= 1
  const parent = find(tree, path.slice(0, depth))!
  if (parent.type !== 'object') {
    refuse(`\`${path.slice(0, depth).join('.')}\` must be an object`, placeOf(text, parent.offset, file))
  }
  const nested = path.slice(depth + 1).reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)
  return insert(text, parent, [{ key: path[depth]!, value: nested }])
}

interface Member {
  /** Null in a list. */
  readonly key: string | null
  readonly value: unknown
}

/** After what the object or list holds: on the same line where that is how it is written. */
function insert(text: string, parent: Node, members: readonly Member[]): string {
  const close = endOf(parent) - 1
  const last = parent.children?.at(-1)
  const eol = lineEnd(text)
  const isOneLine = last !== undefined && !text.slice(parent.offset, close).includes('\n')
  if (isOneLine) {
    const added = members.map(member => memberText(member, null, eol)).join(', ')
    const comma = commaAfter(text, endOf(last))
    return comma === null
      ? splice(text, endOf(last), endOf(last), `, ${added}`)
      : splice(text, comma + 1, comma + 1, ` ${added},`)
  }
  const unit = unitOf(text)
  const indent = last === undefined ? indentAt(text, parent.offset) + unit : indentAt(text, last.offset)
  const lines = members.map(member => `${indent}${memberText(member, { indent, unit }, eol)}`).join(`,${eol}`)
  if (last === undefined) {
    const from = lastContent(text, parent.offset + 1, close)
    const isBroken = text.slice(from, close).includes('\n')
    return splice(text, from, from, `${eol}${lines}${isBroken ? '' : eol + indentAt(text, parent.offset)}`)
  }
  const comma = commaAfter(text, endOf(last))
  const end = comma === null ? endOf(last) : comma + 1
  // A comment behind the last member stays behind it.
  const from = Math.min(lastContent(text, end, restOfLine(text, end)), close)
  const added = `${eol}${lines}${comma === null ? '' : ','}`
  return splice(text, end, from, `${comma === null ? ',' : ''}${text.slice(end, from)}${added}`)
}

function restOfLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset)
  return end === -1 ? text.length : end
}

/** The end of the last thing in a range that is no white space. */
function lastContent(text: string, from: number, to: number): number {
  return from + text.slice(from, to).trimEnd().length
}

/** Where the comma after a member stands, or null. */
function commaAfter(text: string, offset: number): number | null {
  const [next] = tokensOf(text, offset, true)
  return next?.kind === COMMA ? next.offset : null
}

interface Layout {
  readonly indent: string
  readonly unit: string
}

function memberText({ key, value }: Member, layout: Layout | null, eol: string): string {
  return `${key === null ? '' : `${JSON.stringify(key)}: `}${valueText(value, layout, eol)}`
}

/** Items of a list that stand on one line. */
const MAX_IN_LINE = 4

/** Short lists on one line, everything else on lines of its own; null: all on one line. */
function valueText(value: unknown, layout: Layout | null, eol: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const isList = Array.isArray(value)
  const members: Member[] = isList
    ? value.map(item => ({ key: null, value: item }))
    : Object.entries(value).map(([key, one]) => ({ key, value: one }))
  const [open, close] = isList ? ['[', ']'] : ['{', '}']
  const flat = members.map(member => memberText(member, null, eol)).join(', ')
  if (members.length === 0) return `${open}${close}`
  if (layout === null || (isList && members.length <= MAX_IN_LINE))
    return isList ? `[${flat}]` : `{ ${flat} }`
  const inner = { indent: layout.indent + layout.unit, unit: layout.unit }
  const lines = members.map(member => `${inner.indent}${memberText(member, inner, eol)}`)
  return `${open}${eol}${lines.join(`,${eol}`)}${eol}${layout.indent}${close}`
}

/** In the place of what is there: on one line where that was. */
function rendered(text: string, present: Node, value: unknown): string {
  const wasOneLine = !text.slice(present.offset, endOf(present)).includes('\n')
  const layout = { indent: indentAt(text, present.offset), unit: unitOf(text) }
  return valueText(plainOf(value), wasOneLine && present.type === 'array' ? null : layout, lineEnd(text))
}

function unitOf(text: string): string {
  return /^([ \t]+)\S/m.exec(text)?.[1] ?? '  '
}

/** A member with its comma: whole lines where it has them for itself. */
function cut(text: string, member: Node): string {
  const siblings = member.parent?.children ?? []
  const index = siblings.indexOf(member)
  const [before, after] = [siblings[index - 1], siblings[index + 1]]
  const comma = commaAfter(text, endOf(member))
  const end = comma === null ? endOf(member) : comma + 1
  const start = lineStart(text, member.offset)
  const ownsLines =
    text.slice(start, member.offset).trim() === '' && text.slice(end, nextLine(text, end)).trim() === ''
  // The one before it was given a comma for it, unless commas at the end are how this file is written.
  const dangling =
    after === undefined && comma === null && before !== undefined ? commaAfter(text, endOf(before)) : null
  if (ownsLines) {
    const rest = splice(text, start, nextLine(text, end), '')
    return dangling === null ? rest : splice(rest, dangling, dangling + 1, '')
  }
  if (after !== undefined) return splice(text, member.offset, after.offset, '')
  if (before !== undefined) return splice(text, endOf(before), comma === null ? endOf(member) : comma, '')
  return splice(text, member.offset, end, '')
}
