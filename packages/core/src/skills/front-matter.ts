/**
 * Splits a SKILL.md into front matter and body, and reads the front matter.
 *
 * The one wrapper around gray-matter. As it comes, gray-matter runs `---js` front matter through `eval` and
 * answers `{}` for a text that once failed. Here it sees only text whose first line is exactly `---`, always
 * with options (which turns its cache off), with a strict YAML engine and no other.
 *
 * Front matter that strict YAML refuses is read line by line instead: one skill in 28 has it, and dropping the
 * skill would help nobody.
 */

import matter from 'gray-matter'
import { isAlias, isMap, isNode, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import type { Document, YAMLError } from 'yaml'
import type { SkillProblem } from './skill.ts'
import { readPlainYaml } from './plain-yaml.ts'
import type { PlainReading } from './plain-yaml.ts'
import { salvage } from './salvage.ts'

export interface FrontMatter {
  /** `yaml`: all of it, strictly; `lines`: what could be read; `none`: there is none. */
  readonly form: 'yaml' | 'lines' | 'none'
  readonly fields: Readonly<Record<string, unknown>>
  readonly body: string
  /** Line of the file on which the body begins. */
  readonly bodyLine: number
  /** Line on which the value at a path stands; that of the nearest part that exists, else of the front matter. */
  readonly lineOf: (path: readonly (string | number)[]) => number
  /** The text of a scalar as the author wrote it: `1.0`, where the value is the number 1. */
  readonly sourceOf: (key: string) => string | null
}

export type Report = (
  severity: SkillProblem['severity'],
  rule: string,
  line: number,
  message: string,
  hint?: string,
) => void

/** A front matter above this is no front matter; below it, no construct of YAML takes long to read. */
const MAX_FRONT_MATTER_CHARS = 32_768
/** A payload's schema may be repeated; what unfolds into thousands of nodes is an attack. */
const MAX_ALIASES = 20

interface Fence {
  /** Index of the first line inside. */
  readonly from: number
  /** Index of the line that closes it. */
  readonly to: number
}

const isBlank = (line: string): boolean => line.trim() === ''

/** Skips blank lines and HTML comments: licence headers stand there. */
const firstTextLine = (lines: readonly string[]): number => {
  let index = 0
  for (;;) {
    while (index < lines.length && isBlank(lines[index] ?? '')) index += 1
    if (!(lines[index] ?? '').trimStart().startsWith('<!--')) return index
    while (index < lines.length && !(lines[index] ?? '').includes('-->')) index += 1
    index += 1
  }
}

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
const hintFor = (line: string, error: YAMLError): string => {
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

interface StrictReading {
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
const readStrictly = (block: string, firstLine: number, report: Report): StrictReading | null => {
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

/** Where the text of an unclosed front matter ends: at a blank line or a heading. */
const endOfUnclosed = (lines: readonly string[], from: number): number => {
  const end = lines.findIndex((line, index) => index >= from && (isBlank(line) || /^#{1,6} /.test(line)))
  return end === -1 ? lines.length : end
}

const findFence = (lines: readonly string[], report: Report): (Fence & { closed: boolean }) | null => {
  const open = firstTextLine(lines)
  const first = lines[open] ?? ''
  if (!first.startsWith('---') || /^-{4,}/.test(first)) return null
  const label = first.slice(3).trim()
  if (label !== '') {
    // A thematic break or a sentence is text; a word is a language, and reading it could mean running it.
    if (!/^[A-Za-z0-9.+_-]+$/.test(label)) return null
    const message = `front matter in \`${label}\` is not read`
    report(
      'error',
      'front-matter/language',
      open + 1,
      message,
      'begin the file with a line that is exactly `---`',
    )
    return null
  }
  if (first !== '---') {
    const message = 'the opening fence is followed by spaces: many agents do not see it'
    report('warning', 'front-matter/fence', open + 1, message, 'make the line exactly `---`')
  }
  if (open > 0) {
    const message = 'the front matter does not begin on the first line: many agents do not see it'
    report('warning', 'front-matter/not-first', open + 1, message, 'move what stands above it into the body')
  }
  const close = lines.findIndex((line, index) => index > open && line.trimEnd() === '---')
  if (close !== -1) return { from: open + 1, to: close, closed: true }
  const message = 'the front matter is not closed'
  report('warning', 'front-matter/unclosed', open + 1, message, 'end it with a line that is exactly `---`')
  return { from: open + 1, to: endOfUnclosed(lines, open + 1), closed: false }
}

const withoutFrontMatter = (lines: readonly string[]): FrontMatter => ({
  form: 'none',
  fields: {},
  body: lines.join('\n'),
  bodyLine: 1,
  lineOf: () => 1,
  sourceOf: () => null,
})

/** @param text Without a byte order mark, line ends as `\n`. */
export const readFrontMatter = (text: string, report: Report): FrontMatter => {
  const lines = text.split('\n')
  let refused = false
  const fence = findFence(lines, (severity, ...rest) => {
    refused ||= severity === 'error'
    report(severity, ...rest)
  })
  if (fence === null) {
    if (!refused) {
      const message = 'there is no front matter: name and description are taken from the text'
      report('warning', 'front-matter/absent', 1, message, 'begin the file with `---` and a `name`')
    }
    return withoutFrontMatter(lines)
  }
  const inside = lines.slice(fence.from, fence.to)
  const firstLine = fence.from + 1
  const bodyFrom = fence.closed ? fence.to + 1 : fence.to
  const rest = { body: lines.slice(bodyFrom).join('\n'), bodyLine: bodyFrom + 1 }

  const strict = readableStrictly(inside, firstLine, fence.closed, report)
    ? readStrictly(inside.join('\n'), firstLine, report)
    : null
  if (strict !== null) return { form: 'yaml', ...rest, ...strict }
  const { fields, lineOf } = salvage(inside)
  return {
    form: 'lines',
    fields,
    ...rest,
    lineOf: ([key]) => firstLine + (lineOf.get(String(key)) ?? -1),
    sourceOf: key => (typeof fields[key] === 'string' ? fields[key] : null),
  }
}

/** What gray-matter and yaml are not even shown. */
const readableStrictly = (
  inside: readonly string[],
  firstLine: number,
  isClosed: boolean,
  report: Report,
): boolean => {
  if (!isClosed) return false
  const size = inside.reduce((sum, line) => sum + line.length + 1, 0)
  if (size > MAX_FRONT_MATTER_CHARS) {
    const message = `the front matter is longer than ${MAX_FRONT_MATTER_CHARS} characters: only its plain lines are read`
    report('warning', 'front-matter/too-long', firstLine, message)
    return false
  }
  // gray-matter ends the front matter at any line that begins with three dashes.
  const dashes = inside.findIndex(line => line.startsWith('---'))
  if (dashes === -1) return true
  const message = 'a line inside the front matter begins with `---` and is not its end'
  report('warning', 'front-matter/fence', firstLine + dashes, message, 'make it exactly `---`, or indent it')
  return false
}
