/**
 * Reads front matter as YAML, strictly, or says why that cannot be done. Pure.
 *
 * The one wrapper around gray-matter. As it comes, gray-matter runs `---js` front matter through `eval` and
 * answers `{}` for a text that once failed. Here it sees only text whose first line is exactly `---`, always
 * with options (which turns its cache off), with a strict YAML engine and no other.
 */

import matter from 'gray-matter'
import { isAlias, isMap, isNode, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import type { Document, YAMLError } from 'yaml'
import { readPlainYaml } from './plain-yaml.ts'
import type { PlainReading } from './plain-yaml.ts'
import type { SkillProblem } from './skill.ts'

export type Report = (
  severity: SkillProblem['severity'],
  rule: string,
  line: number,
  message: string,
  hint?: string,
) => void

/** A payload's schema may be repeated; what unfolds into thousands of nodes is an attack. */
const MAX_ALIASES = 20

const refusedLanguage = (language: string) => ({
  parse: (): never => {
    throw new Error(`front matter in ${language} is never read`)
  },
  stringify: (): never => {
    throw new Error(`front matter in ${language} is never written`)
  },
})

const keyText = (key: unknown): string => (isScalar(key) ? String(key.value) : String(key))

/** Without yaml's own check, which compares each key with each other: a flow map of 16,000 keys took it 10 s. */
const duplicateKeys = (document: Document): { key: string; offset: number }[] => {
  const found: { key: string; offset: number }[] = []
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<string>()
      for (const pair of map.items) {
        const key = keyText(pair.key)
        if (seen.has(key)) found.push({ key, offset: isNode(pair.key) ? (pair.key.range?.[0] ?? 0) : 0 })
        seen.add(key)
      }
    },
  })
  return found
}

const firstAnchor = (document: Document): number | null => {
  let offset: number | null = null
  visit(document, {
    Node: (_, node) => {
      if (!isAlias(node) && node.anchor === undefined) return undefined
      offset = node.range?.[0] ?? 0
      return visit.BREAK
    },
  })
  return offset
}

/** What to do about it, from the look of the line: yaml's own words describe its grammar. */
const hintFor = (source: string, error: YAMLError): string => {
  const line = source.slice(0, 300)
  const value = /^[\s-]*[\w-]+\s*:\s+(.*)$/.exec(line)?.[1] ?? line.trim()
  if (/^[ ]*\t/.test(line)) return 'indent with spaces'
  if (/^[[{]/.test(value)) return 'close the bracket'
  if (/^["']/.test(value) || error.code === 'MISSING_CHAR') return 'close the quote, or quote the whole value'
  if (/^[*&@`%!|>]/.test(value)) return `quote the value: it begins with \`${value[0]}\``
  if (/: /.test(value)) return 'quote the value: it contains `: `'
  return 'put the value in double quotes'
}

const OFTEN_AN_OPEN_ONE: ReadonlySet<string> = new Set([
  'MISSING_CHAR',
  'BAD_INDENT',
  'MULTILINE_IMPLICIT_KEY',
])

const CLOSING: Readonly<Record<string, string>> = { '"': '"', "'": "'", '[': ']', '{': '}' }

/** YAML notices at the end of the text that a quote is open; the author wants the line on which it began. */
const openingLine = (lines: readonly string[], upTo: number): number | null => {
  const found = lines.findIndex((line, index) => {
    const value = /^[\w-]+:[ \t]+(["'[{].*)$/.exec(line)?.[1]?.trimEnd()
    const closing = CLOSING[value?.[0] ?? '']
    return index <= upTo && value !== undefined && closing !== undefined && value.lastIndexOf(closing) < 1
  })
  return found === -1 ? null : found
}

const FRIENDLY: Readonly<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY: 'a value without quotes contains `: `',
  TAB_AS_INDENT: 'a tab indents this line',
  MISSING_CHAR: 'a quote or a bracket is not closed',
}

export interface StrictReading {
  readonly fields: Record<string, unknown>
  readonly lineOf: (path: readonly (string | number)[]) => number
  readonly sourceOf: (key: string) => string | null
}

const offsetOf = (document: Document, path: readonly (string | number)[]): number | null => {
  for (let length = path.length; length > 1; length -= 1) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range !== undefined && node.range !== null) return node.range[0]
  }
  if (!isMap(document.contents)) return null
  const pair = document.contents.items.findLast(one => isPair(one) && keyText(one.key) === path[0])
  return isNode(pair?.key) ? (pair.key.range?.[0] ?? null) : null
}

const ENGINES_REFUSED = {
  json: refusedLanguage('JSON'),
  js: refusedLanguage('JavaScript'),
  javascript: refusedLanguage('JavaScript'),
  coffee: refusedLanguage('CoffeeScript'),
  coffeescript: refusedLanguage('CoffeeScript'),
  toml: refusedLanguage('TOML'),
}

/** What gray-matter makes of the block, by the one engine that it may use. */
const matterOf = (block: string, parse: (text: string) => object): unknown => {
  const engine = { parse, stringify: refusedLanguage('YAML').stringify }
  // gray-matter looks for a language behind the opening fence; that line is ours and names none.
  const options = {
    language: 'yaml',
    delimiters: '---',
    engines: { ...ENGINES_REFUSED, yaml: engine, yml: engine },
  }
  return matter(`---\n${block}\n---\n`, options as object).data
}

const reportSyntax = (
  document: Document,
  block: string,
  lineAt: (offset: number) => number,
  firstLine: number,
  report: Report,
): void => {
  // What follows the first error is mostly its echo.
  const [error] = document.errors
  if (error === undefined) return
  const lines = block.split('\n')
  const noticed = lineAt(error.pos[0]) - firstLine
  const opened = OFTEN_AN_OPEN_ONE.has(error.code) ? openingLine(lines, noticed) : null
  const at = opened ?? noticed
  const line = firstLine + at
  const friendly = FRIENDLY[opened === null ? error.code : 'MISSING_CHAR']
  const message = friendly ?? `it is not YAML: ${error.message.split('\n')[0] ?? ''}`
  report('warning', 'front-matter/yaml', line, message, hintFor(lines[at] ?? '', error))
}

const reportOddities = (document: Document, lineAt: (offset: number) => number, report: Report): void => {
  for (const warning of document.warnings) {
    report('warning', 'front-matter/tag', lineAt(warning.pos[0]), warning.message.split('\n')[0] ?? '')
  }
  for (const { key, offset } of duplicateKeys(document)) {
    const message = `\`${key}\` stands here a second time; the last one counts`
    report('warning', 'front-matter/duplicate-key', lineAt(offset), message, 'remove one of them')
  }
  const anchor = firstAnchor(document)
  if (anchor !== null) {
    const message = 'an anchor or an alias: many agents do not read them'
    report('warning', 'front-matter/anchor', lineAt(anchor), message, 'write the value out')
  }
}

/** The fields of a strict reading, or null once a problem says why there is none. */
export const readStrictly = (block: string, firstLine: number, report: Report): StrictReading | null => {
  const lines = new LineCounter()
  // What gray-matter hands to an engine begins with the line end of the opening fence.
  const lineAt = (offset: number): number => lines.linePos(offset).line + firstLine - 2
  let plain: PlainReading | null = null
  let document: Document | undefined
  let data: unknown
  try {
    data = matterOf(block, text => {
      plain = readPlainYaml(text)
      if (plain !== null) return plain.fields
      document = parseDocument(text, {
        lineCounter: lines,
        prettyErrors: false,
        strict: true,
        stringKeys: true,
        uniqueKeys: false,
        version: '1.2',
        schema: 'core',
        merge: false,
      })
      return document.errors.length > 0 ? {} : (document.toJS({ maxAliasCount: MAX_ALIASES }) as object)
    })
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
    const anchor = document === undefined ? null : firstAnchor(document)
    if (anchor === null) report('warning', 'front-matter/yaml', firstLine, `it is not YAML: ${message}`)
    else
      report(
        'warning',
        'front-matter/anchor',
        lineAt(anchor),
        `an alias cannot be resolved: ${message}`,
        'write it out',
      )
    return null
  }
  if (plain !== null) {
    const { fields, lineOf, sourceOf }: PlainReading = plain
    return {
      fields,
      lineOf: ([key]) => (lineOf.get(String(key)) ?? 1) + firstLine - 2,
      sourceOf: key => sourceOf.get(key) ?? null,
    }
  }
  const read: Document | undefined = document
  if (read === undefined) return { fields: {}, lineOf: () => firstLine - 1, sourceOf: () => null }
  if (read.errors.length > 0) {
    reportSyntax(read, block, lineAt, firstLine, report)
    return null
  }
  if (!isMap(read.contents) || typeof data !== 'object' || data === null) {
    report('warning', 'front-matter/not-a-map', firstLine, 'the front matter holds no `key: value` lines')
    return null
  }
  reportOddities(read, lineAt, report)
  return {
    fields: data as Record<string, unknown>,
    lineOf: path => {
      const offset = offsetOf(read, path)
      return offset === null ? firstLine - 1 : lineAt(offset)
    },
    sourceOf: key => {
      const node = read.get(key, true)
      return isScalar(node) && typeof node.source === 'string' ? node.source : null
    },
  }
}
