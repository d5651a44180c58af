/**
 * Lines and columns of the keys and values of a TOML text.
 *
 * smol-toml gives values without places, so the text is parsed a second time by a parser that keeps them.
 * This module is imported only to say where something is: it must never be on the way of a good config.
 */

import { parseTOML } from 'toml-eslint-parser'
import type { AST } from 'toml-eslint-parser'

interface Place {
  readonly line: number
  readonly column: number
}

/** By `JSON.stringify` of the path. */
export type Places = ReadonlyMap<string, { readonly key: Place; readonly value: Place }>

const startOf = (node: AST.TOMLNode): Place => ({
  line: node.loc.start.line,
  column: node.loc.start.column + 1,
})

/** Empty where this parser refuses what the other took: then a problem names its file only. */
export const placesOf = (text: string): Places => {
  const places = new Map<string, { key: Place; value: Place }>()
  const note = (path: readonly (string | number)[], key: Place, value: Place): void => {
    const id = JSON.stringify(path)
    if (!places.has(id)) places.set(id, { key, value })
  }
  const visitKey = (base: readonly (string | number)[], key: AST.TOMLKey): (string | number)[] => {
    const path = [...base]
    for (const part of key.keys) {
      path.push(part.type === 'TOMLBare' ? part.name : part.value)
      // The last part is noted with its value, by whoever reads that.
      if (part !== key.keys.at(-1)) note(path, startOf(part), startOf(part))
    }
    return path
  }
  const visitValue = (path: readonly (string | number)[], key: Place, value: AST.TOMLContentNode): void => {
    note(path, key, startOf(value))
    if (value.type === 'TOMLArray') {
      for (const [index, element] of value.elements.entries()) {
        visitValue([...path, index], startOf(element), element)
      }
    } else if (value.type === 'TOMLInlineTable') visitPairs(path, value.body)
  }
  const visitPairs = (base: readonly (string | number)[], pairs: readonly AST.TOMLKeyValue[]): void => {
    for (const pair of pairs) {
      const last = pair.key.keys.at(-1)
      visitValue(visitKey(base, pair.key), startOf(last ?? pair.key), pair.value)
    }
  }
  try {
    const [top] = parseTOML(text, { tomlVersion: '1.1' }).body
    for (const node of top.body) {
      if (node.type === 'TOMLKeyValue') {
        visitPairs([], [node])
        continue
      }
      visitKey([], node.key)
      const place = startOf(node.key.keys.at(-1) ?? node.key)
      // [[tools]] is the first element of a list; who looks for the list means this place too.
      if (node.kind === 'array') note(node.resolvedKey.slice(0, -1), place, place)
      note(node.resolvedKey, place, place)
      visitPairs(node.resolvedKey, node.body)
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return places
}
