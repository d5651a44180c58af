/** Values as TOML 1.0 writes them. Pure. */

import { stringify } from 'smol-toml'
import { isTable, type Path } from './document.ts'

const MAX_LINE = 100

/** On one line, without line breaks and commas at the end, which TOML 1.0 forbids in an inline table. */
export function inlineValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inlineValue).join(', ')}]`
  if (!isTable(value))
    return stringify({ value })
      .replace(/^value = /, '')
      .trimEnd()
  const pairs = Object.entries(value).map(([key, one]) => `${keyText([key])} = ${inlineValue(one)}`)
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
}

/** A pair on a line of its own; a long list goes over several. */
export function pairText(key: string, value: unknown, eol: string): string {
  const start = `${keyText([key])} = `
  const flat = inlineValue(value)
  if (!Array.isArray(value) || start.length + flat.length <= MAX_LINE) return start + flat
  const lines = listLines(value, '  ')
  return `${start}[${eol}${lines.join(eol)}${eol}]`
}

/** Items with their commas, as many on a line as fit. */
export function listLines(items: readonly unknown[], indent: string): string[] {
  const lines: string[] = []
  for (const item of items.map(inlineValue)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + item.length + 2 <= MAX_LINE) {
      lines[lines.length - 1] = `${last} ${item},`
    } else lines.push(`${indent}${item},`)
  }
  return lines
}

/** A table with its sub-tables, each under a header. */
export function tableText(path: Path, table: Readonly<Record<string, unknown>>, eol: string): string {
  const own = Object.entries(table).filter(([, value]) => !isTable(value))
  const inner = Object.entries(table).filter((pair): pair is [string, Record<string, unknown>] =>
    isTable(pair[1]),
  )
  const isBare = own.length === 0 && inner.length > 0
  const head = isBare
    ? []
    : [[`[${keyText(path)}]`, ...own.map(([key, value]) => pairText(key, value, eol))].join(eol) + eol]
  return [...head, ...inner.map(([key, value]) => tableText([...path, key], value, eol))].join(eol)
}

export function keyText(path: Path): string {
  return path.map(key => (/^[\w-]+$/.test(key) ? key : JSON.stringify(key))).join('.')
}
