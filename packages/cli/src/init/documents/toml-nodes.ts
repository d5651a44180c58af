/** Where each value of a TOML text stands, with the whole path of its keys. Pure. */

import { parseTOML, type AST } from 'toml-eslint-parser'
import type { Path } from './document.ts'

/** `key = value`, in a table, at the top, or inside an inline table. */
export interface PairNode {
  readonly path: Path
  readonly from: number
  readonly to: number
  /** Where the last part of the key begins: what stands before it in a dotted key is its prefix. */
  readonly lastKey: number
  readonly value: ValueNode
  /** The inline table that it stands in; null: it has a line of its own. */
  readonly inside: ValueNode | null
}

export interface ValueNode {
  readonly from: number
  readonly to: number
  readonly kind: 'list' | 'inline' | 'scalar'
  /** Of a list. */
  readonly items: readonly { readonly from: number; readonly to: number }[]
}

/** `[a.b]`; a table of an array (`[[a.b]]`) has a path that no one else can have. */
export interface HeaderNode {
  readonly path: Path
  readonly from: number
  /** Behind its bracket, or the last pair of its body. */
  readonly to: number
}

export interface TomlNodes {
  readonly headers: readonly HeaderNode[]
  readonly pairs: readonly PairNode[]
  readonly comments: readonly { readonly from: number; readonly to: number }[]
}

/** @throws {SyntaxError} This parser refuses what another one took. */
export function tomlNodes(text: string): TomlNodes {
  const program = parseTOML(text, { tomlVersion: '1.1' })
  const headers: HeaderNode[] = []
  const pairs: PairNode[] = []
  for (const node of program.body[0].body) {
    if (node.type === 'TOMLKeyValue') {
      collect(node, [], null, pairs)
      continue
    }
    const path = node.resolvedKey.map(part => (typeof part === 'number' ? `[${part}]` : part))
    const last = node.body.at(-1)
    headers.push({ path, from: node.range[0], to: last?.range[1] ?? headerEnd(text, node) })
    for (const pair of node.body) collect(pair, path, null, pairs)
  }
  return {
    headers,
    pairs,
    comments: program.comments.map(({ range }) => ({ from: range[0], to: range[1] })),
  }
}

function headerEnd(text: string, { key }: AST.TOMLTable): number {
  return text.indexOf(']', key.range[1]) + 1
}

function collect(node: AST.TOMLKeyValue, above: Path, inside: ValueNode | null, pairs: PairNode[]): void {
  const path = [...above, ...node.key.keys.map(key => (key.type === 'TOMLBare' ? key.name : key.value))]
  const value = valueNode(node.value)
  const lastKey = node.key.keys.at(-1)!.range[0]
  pairs.push({ path, from: node.range[0], to: node.range[1], lastKey, value, inside })
  if (node.value.type !== 'TOMLInlineTable') return
  for (const inner of node.value.body) collect(inner, path, value, pairs)
}

function valueNode(node: AST.TOMLContentNode): ValueNode {
  const [from, to] = node.range
  if (node.type === 'TOMLInlineTable') return { from, to, kind: 'inline', items: [] }
  if (node.type !== 'TOMLArray') return { from, to, kind: 'scalar', items: [] }
  const items = node.elements.map(({ range }) => ({ from: range[0], to: range[1] }))
  return { from, to, kind: 'list', items }
}
