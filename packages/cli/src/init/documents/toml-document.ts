/** TOML, edited where its parser says that things stand. */

import { parse, TomlError } from 'smol-toml'
import {
  indentAt,
  isTable,
  lineEnd,
  lineStart,
  nextLine,
  refuse,
  splice,
  valueAt,
  type ClientDocument,
  type Path,
} from './document.ts'
import { tomlNodes, type PairNode, type TomlNodes, type ValueNode } from './toml-nodes.ts'
import { inlineValue, keyText, listLines, pairText, tableText } from './toml-text.ts'

export function parseToml(text: string, file: string): ClientDocument {
  const value = valueOf(text, file)
  // Most files are only looked at.
  let nodes: TomlNodes | null = null
  const lookUp = (): TomlNodes => (nodes ??= nodesOf(text, file))
  return {
    text,
    value,
    commented: path => commented(lookUp(), path),
    set: (path, one) => {
      for (let depth = 1; depth < path.length; depth += 1) {
        const parent = valueAt(value, path.slice(0, depth))
        if (parent !== undefined && !isTable(parent)) {
          refuse(`\`${keyText(path.slice(0, depth))}\` must be a table`, { file })
        }
      }
      return set(text, lookUp(), path, one)
    },
    append: (path, items) => {
      const list = pairAt(lookUp(), path)?.value
      if (list?.kind !== 'list') return refuse(`\`${keyText(path)}\` must be a list`, { file })
      return append(text, list, items)
    },
    remove: path => remove(text, lookUp(), path),
    removeItem: (path, index) => {
      const list = pairAt(lookUp(), path)?.value
      return list === undefined ? text : removeItem(text, list, index)
    },
  }
}

function valueOf(text: string, file: string): unknown {
  try {
    return parse(text, { integersAsBigInt: 'asNeeded' })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [, said = error.message] = /^(?:Invalid TOML document: )?([^\n]*)/.exec(error.message) ?? []
    return refuse(`it is no valid TOML: ${said}`, { file, line: error.line, column: error.column })
  }
}

function nodesOf(text: string, file: string): TomlNodes {
  try {
    return tomlNodes(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return refuse(`it is unusual TOML: ${error.message}`, { file })
  }
}

function startsWith(path: Path, beginning: Path): boolean {
  return path.length >= beginning.length && beginning.every((key, index) => path[index] === key)
}

function isSame(one: Path, other: Path): boolean {
  return one.length === other.length && startsWith(one, other)
}

function pairAt(nodes: TomlNodes, path: Path): PairNode | undefined {
  return nodes.pairs.find(pair => isSame(pair.path, path))
}

function commented(nodes: TomlNodes, path: Path): boolean {
  const ranges = [
    ...nodes.headers.filter(header => startsWith(header.path, path)),
    ...nodes.pairs.filter(pair => startsWith(pair.path, path)),
  ]
  return nodes.comments.some(comment =>
    ranges.some(({ from, to }) => comment.from >= from && comment.to <= to),
  )
}

function set(text: string, nodes: TomlNodes, path: Path, value: unknown): string {
  const present = pairAt(nodes, path)
  if (present !== undefined) return splice(text, present.value.from, present.value.to, inlineValue(value))
  for (let depth = path.length - 1; depth > 0; depth -= 1) {
    const inline = pairAt(nodes, path.slice(0, depth))?.value
    if (inline?.kind === 'inline') return setInline(text, nodes, inline, path.slice(depth), value)
  }
  if (isTable(value)) return addTable(text, nodes, path, value)
  return (
    addPair(text, nodes, path, value) ?? addTable(text, nodes, path.slice(0, -1), { [path.at(-1)!]: value })
  )
}

function setInline(text: string, nodes: TomlNodes, table: ValueNode, path: Path, value: unknown): string {
  const last = nodes.pairs.findLast(pair => pair.inside === table)
  const pair = `${keyText(path)} = ${inlineValue(value)}`
  return last === undefined
    ? splice(text, table.from, table.to, `{ ${pair} }`)
    : splice(text, last.to, last.to, `, ${pair}`)
}

/** A line among its siblings; null where there is no such table yet. */
function addPair(text: string, nodes: TomlNodes, path: Path, value: unknown): string | null {
  const table = path.slice(0, -1)
  const eol = lineEnd(text)
  const pair = pairText(path.at(-1)!, value, eol)
  const header = nodes.headers.find(one => isSame(one.path, table))
  if (header !== undefined) {
    const indent = indentAt(text, header.to)
    return addLine(text, header.to, `${indent}${pair}`, eol)
  }
  const sibling = nodes.pairs.findLast(one => isSame(one.path.slice(0, -1), table) && one.inside === null)
  if (sibling === undefined) return null
  const prefix = text.slice(sibling.from, sibling.lastKey)
  return addLine(text, sibling.to, `${indentAt(text, sibling.from)}${prefix}${pair}`, eol)
}

/** Behind the line that ends at an offset, and behind its comment. */
function addLine(text: string, offset: number, line: string, eol: string): string {
  const at = nextLine(text, offset)
  const isBroken = text.slice(0, at).endsWith('\n')
  return splice(text, at, at, isBroken ? `${line}${eol}` : `${eol}${line}`)
}

/** Behind the tables of the same family, else at the end, with an empty line around it. */
function addTable(
  text: string,
  nodes: TomlNodes,
  path: Path,
  table: Readonly<Record<string, unknown>>,
): string {
  const eol = lineEnd(text)
  const block = tableText(path, table, eol)
  const family =
    path.length > 2 ? nodes.headers.filter(header => startsWith(header.path, path.slice(0, 2))) : []
  const last = Math.max(...family.map(({ to }) => to))
  const at = family.length === 0 ? text.length : nextLine(text, last)
  const before = text.slice(0, at)
  const gap = before === '' || /\n\r?\n$/.test(before) ? '' : before.endsWith('\n') ? eol : eol + eol
  const after = text.slice(at)
  return `${before}${gap}${block}${after === '' || /^\r?\n/.test(after) ? '' : eol}${after}`
}

function append(text: string, list: ValueNode, items: readonly unknown[]): string {
  const last = list.items.at(-1)
  const added = items.map(inlineValue).join(', ')
  if (last === undefined) return splice(text, list.to - 1, list.to - 1, added)
  const isOneLine = !text.slice(list.from, list.to).includes('\n')
  if (isOneLine) return splice(text, last.to, last.to, `, ${added}`)
  const eol = lineEnd(text)
  const lines = listLines(items, indentAt(text, last.from)).join(eol)
  const comma = commaAfter(text, last.to)
  const end = comma === null ? last.to : comma + 1
  // A comment behind the last item stays behind it.
  const from = restOfLine(text, end, list.to - 1)
  const inserted = `${eol}${comma === null ? lines.slice(0, -1) : lines}`
  return splice(text, end, from, `${comma === null ? ',' : ''}${text.slice(end, from)}${inserted}`)
}

/** Where the comma after an item stands, or null. */
function commaAfter(text: string, offset: number): number | null {
  const between = /^(?:\s|#[^\n]*)*/.exec(text.slice(offset))![0]
  const at = offset + between.length
  return text[at] === ',' ? at : null
}

/** Behind the comment that stands on the same line, if there is one. */
function restOfLine(text: string, offset: number, most: number): number {
  const comment = /^[ \t]*#[^\r\n]*/.exec(text.slice(offset, most))?.[0] ?? ''
  return offset + comment.length
}

/** With its comma, and with its line where it had one for itself; comments of others stay. */
function removeItem(text: string, list: ValueNode, index: number): string {
  const [before, item] = [list.items[index - 1], list.items[index]]
  if (item === undefined) return text
  const comma = commaAfter(text, item.to)
  if (comma !== null) return cut(text, item.from, comma + 1)
  const rest = cut(text, item.from, item.to)
  const dangling = before === undefined ? null : commaAfter(text, before.to)
  return dangling === null ? rest : splice(rest, dangling, dangling + 1, '')
}

function cut(text: string, from: number, to: number): string {
  const [start, end] = [lineStart(text, from), nextLine(text, to)]
  const isLast = text.slice(to, end).trim() === ''
  if (isLast && text.slice(start, from).trim() === '') return splice(text, start, end, '')
  if (isLast) return splice(text, start + text.slice(start, from).trimEnd().length, to, '')
  return splice(text, from, to + /^[ \t]*/.exec(text.slice(to))![0].length, '')
}

/** All lines of the tables and pairs at and below a path. */
function remove(text: string, nodes: TomlNodes, path: Path): string {
  const headers = nodes.headers.filter(header => startsWith(header.path, path))
  const pairs = nodes.pairs.filter(
    pair =>
      startsWith(pair.path, path) && !headers.some(({ from, to }) => pair.from >= from && pair.to <= to),
  )
  const outermost = pairs.filter(
    pair => !pairs.some(other => other !== pair && other.from <= pair.from && pair.to <= other.to),
  )
  const ranges = [
    ...headers.map(({ from, to }) => tableLines(text, from, to)),
    ...outermost.map(pair => pairRange(text, nodes, pair)),
  ].sort((one, other) => other[0] - one[0])
  return ranges.reduce((rest, [from, to]) => splice(rest, from, to, ''), text)
}

type Range = readonly [from: number, to: number]

/** With the empty line that parts it from what is above, or from what is below. */
function tableLines(text: string, from: number, to: number): Range {
  const [start, end] = [lineStart(text, from), nextLine(text, to)]
  const gap = /(?:^|\n)(\r?\n)$/.exec(text.slice(0, start))?.[1]?.length ?? 0
  return [start - gap, end]
}

function pairRange(text: string, nodes: TomlNodes, pair: PairNode): Range {
  if (pair.inside === null) return [lineStart(text, pair.from), nextLine(text, pair.to)]
  const siblings = nodes.pairs.filter(one => one.inside === pair.inside)
  const index = siblings.indexOf(pair)
  const [before, after] = [siblings[index - 1], siblings[index + 1]]
  if (before !== undefined) return [before.to, pair.to]
  return [pair.from, after?.from ?? pair.to]
}
