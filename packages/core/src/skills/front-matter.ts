/**
 * Splits a SKILL.md into front matter and body, and reads the front matter. Only a fence that is exactly `---`
 * opens one; whatever names a language behind it is refused.
 *
 * Front matter that strict YAML refuses is read line by line instead: one skill in 28 has it, and dropping the
 * skill would help nobody.
 */

import { salvage } from './salvage.ts'
import { readStrictly } from './strict-yaml.ts'
import type { Report } from './strict-yaml.ts'

export type { Report } from './strict-yaml.ts'

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

/** A front matter above this is no front matter; below it, no construct of YAML takes long to read. */
const MAX_FRONT_MATTER_CHARS = 32_768

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
