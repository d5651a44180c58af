/**
 * The script-first directive: the one text, and its section in the body of a SKILL.md.
 *
 * `dotcodex/docs/SCRIPT-FIRST-DIRECTIVE.md` holds the same text; a test compares them.
 */

import { outline, withoutComments } from './outline.ts'
import type { Heading } from './outline.ts'

export const DIRECTIVE_TITLE = '**SCRIPT-FIRST EXECUTION REQUIRED**'

export const DIRECTIVE_TEXT = `${DIRECTIVE_TITLE}

Do not execute this task row-by-row or chat turn-by-turn. Instead:

1. Write one Python, Bash or JavaScript script that:
   - Iterates through all inputs
   - Applies the required logic
   - Handles errors gracefully
   - Prints a final summary

2. Execute the script once

3. Return only the summary to the conversation`

export const DIRECTIVE_HEADING = '## Script-First Directive'

/** `standard`: the section holds exactly the text; `altered`: it holds another, or the text stands elsewhere. */
export interface DirectiveState {
  readonly state: 'absent' | 'standard' | 'altered'
  /** Line of the body on which it begins, from 1; null where it is absent. */
  readonly line: number | null
}

const isDirective = (heading: Heading): boolean => /^script-first directive\b/i.test(heading.text)

/** Comments and trailing spaces do not count; everything else does. */
const essence = (text: string): string =>
  withoutComments(text)
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
    .trim()

export const directiveState = (body: string): DirectiveState => {
  const { lines, headings, isCode } = outline(body)
  const sections = headings.filter(isDirective)
  const [section] = sections
  if (section !== undefined) {
    const content = lines.slice(section.line, section.endLine).join('\n')
    const isStandard = sections.length === 1 && section.level === 2 && essence(content) === DIRECTIVE_TEXT
    return { state: isStandard ? 'standard' : 'altered', line: section.line }
  }
  const stray = lines.findIndex((line, index) => !isCode(index + 1) && line.trim() === DIRECTIVE_TITLE)
  return stray === -1 ? { state: 'absent', line: null } : { state: 'altered', line: stray + 1 }
}

/** Without the directive's section, and without its text where that stands elsewhere. */
export const removeDirective = (body: string): string => {
  const { lines, headings } = outline(body)
  const gone = new Set<number>()
  for (const { line, endLine } of headings.filter(isDirective)) {
    for (let at = line; at <= endLine; at += 1) gone.add(at)
  }
  if (gone.size > 0) return lines.filter((_, index) => !gone.has(index + 1)).join('\n')
  return body.includes(DIRECTIVE_TEXT) ? body.replace(DIRECTIVE_TEXT, '').replace(/\n{3,}/, '\n\n') : body
}

/** The section stands where the template has it: after the usage, before the examples. */
const COMES_AFTER = /^(examples?|template|implementation|reference|notes)\b/i

/** With the standard section, exactly once; the body itself where it has that already. */
export const insertDirective = (body: string): string => {
  if (directiveState(body).state === 'standard') return body
  const bare = removeDirective(body)
  const { lines, headings } = outline(bare)
  const next = headings.find(heading => heading.level === 2 && COMES_AFTER.test(heading.text))
  const at = next === undefined ? lines.length : next.line - 1
  const before = lines.slice(0, at).join('\n').trimEnd()
  const after = lines.slice(at).join('\n')
  const lead = before === '' ? '' : `${before}\n\n`
  return `${lead}${DIRECTIVE_HEADING}\n\n${DIRECTIVE_TEXT}\n${after.trim() === '' ? '' : `\n${after}`}`
}

/** Whether a document, such as the guide to the directive, holds the standard text as it is. */
export const holdsDirective = (text: string): boolean =>
  text.replaceAll('\r\n', '\n').includes(DIRECTIVE_TEXT)
