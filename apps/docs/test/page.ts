/**
 * A written page as its tests read it: files that it shows, and blocks of console whose lines after a `$` are typed
 * and whose other lines are what was printed. A line `…` stands for any number of lines.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { settled } from '../../../packages/cli/test/jobs-page.ts'
import { GENERATED, PAGES } from '../generate/repository.ts'

export interface Block {
  readonly language: string
  /** Of the file that it is; null: it is none. */
  readonly file: string | null
  readonly text: string
  /** Line of its first line, from 1. */
  readonly line: number
}

export interface Step {
  readonly command: string
  readonly printed: string
}

const FENCED = /^(`{3,})([\w-]*)[ \t]*(?:\[([^\]\n]+)\])?[^\n]*\n([\s\S]*?)^\1$/gm

/** Pages that are neither generated nor links to the guides, which have tests of their own. */
export function writtenPages(): readonly string[] {
  return readdirSync(PAGES, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.md'))
    .map(entry => relative(PAGES, join(entry.parentPath, entry.name)))
    .filter(file => !GENERATED.some(folder => file.startsWith(`${folder}/`)))
    .sort()
}

export const readPage = (file: string): string => readFileSync(join(PAGES, file), 'utf8')

export function blocksOf(text: string): readonly Block[] {
  return [...text.matchAll(FENCED)].map(match => {
    const [, , language = '', file = null, content = ''] = match
    return {
      language,
      file: language === 'mermaid' ? null : file,
      text: content,
      line: lineAt(text, match.index) + 1,
    }
  })
}

export function stepsOf({ text }: Pick<Block, 'text'>): readonly Step[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map(step => {
      const [, command = '', printed = ''] = /^((?:.*\\\n)*.*)\n?([\s\S]*)$/.exec(step) ?? []
      return { command, printed: printed.trimEnd() }
    })
}

/** Whether a page tells what was printed, ids, times and sizes aside. */
export function tells(page: string, printed: string): boolean {
  const parts = laidOut(page)
    .split(/^…$/m)
    .map(part => part.trim())
  const actual = laidOut(printed)
  if (parts.length === 1) return parts[0] === actual
  let from = 0
  for (const [index, part] of parts.entries()) {
    const at = actual.indexOf(part, from)
    if (at === -1 || (index === 0 && at !== 0)) return false
    from = at + part.length
  }
  return parts.at(-1) === '' || from === actual.length
}

/** Columns are as wide as what differs from run to run. */
const laidOut = (text: string): string => settled(text).replaceAll(/ {2,}/g, '  ')

/** Puts what commands printed below them, in the order of the page. Null: what stands there stays. */
export function rewritten(page: string, printed: readonly (string | null)[]): string {
  let index = 0
  return page.replaceAll(FENCED, (whole, ticks: string, language: string, _file: string, text: string) => {
    if (language !== 'console') return whole
    const head = whole.slice(0, whole.indexOf('\n') + 1)
    const steps = stepsOf({ text }).map(({ command, printed: shown }) => {
      const now = (printed[index++] ?? shown).trimEnd().replace(/^\n+/, '')
      return `$ ${command}\n${now === '' ? '' : `${now}\n`}`
    })
    return `${head}${steps.join('')}${ticks}`
  })
}

export const rewrite = (file: string, printed: readonly (string | null)[]): void =>
  writeFileSync(join(PAGES, file), rewritten(readPage(file), printed))

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length
