/**
 * The part of a project's AGENTS.md, or CLAUDE.md, that tells agents when to write a script, between two markers. Pure.
 *
 * What stands between the markers is written anew each time; nothing outside of them is touched.
 */

import { lineEnd, placeOf, refuse, splice } from './documents/document.ts'

/** Of every version: what begins otherwise may be somebody's own. */
const WRITTEN = '<!-- srecodex:begin: written by `srecodex init`'
const BEGIN = `${WRITTEN}; what you change up to srecodex:end is lost -->`
const END = '<!-- srecodex:end -->'
const MARKERS = /^<!-- srecodex:(begin|end)\b.*-->[ \t]*$/gm

/** Told where a call is made from a program of the agent's own: such a program is otherwise answered too soon. */
const FROM_CODE =
  'Where you call tools from code, begin that code with `// @exec: {"yield_time_ms": 300000}`: a script may run for minutes.'

/** @param shipped The AGENTS.md that comes with srecodex: its links lead to files that the project has not. */
export function sectionText(shipped: string): string {
  const own = shipped
    .replaceAll('\r\n', '\n')
    .replace(/^## More\n[\s\S]*$/m, '')
    .replaceAll(/^#/gm, '##')
    .replaceAll(/\[([^\]]*)\]\((?!https?:)[^)]*\)/g, '$1')
    .trim()
  return `${BEGIN}\n${own}\n\n${FROM_CODE}\n${END}`
}

export interface FoundSection {
  readonly from: number
  readonly to: number
}

/** @throws {SrecodexError} CONFIG_INVALID: the markers are no pair. */
export function findSection(text: string, file: string): FoundSection | null {
  const marks = [...text.matchAll(MARKERS)].map(match => ({
    kind: match[1],
    from: match.index,
    to: match.index + match[0].trimEnd().length,
  }))
  const [begin, end, more] = marks
  if (begin === undefined) return null
  if (begin.kind !== 'begin' || end?.kind !== 'end' || more !== undefined) {
    const odd = more ?? (begin.kind === 'begin' && end?.kind === 'begin' ? end : begin)
    refuse(
      'the markers of srecodex are not one srecodex:begin and one srecodex:end',
      placeOf(text, odd.from, file),
    )
  }
  if (!text.slice(begin.from).startsWith(WRITTEN)) {
    refuse('what stands behind this marker was not written by srecodex', placeOf(text, begin.from, file))
  }
  return { from: begin.from, to: end.to }
}

/** In its place, or at the end. */
export function withSection(text: string, section: string, file: string): string {
  const eol = lineEnd(text)
  const wanted = section.replaceAll('\n', eol)
  const found = findSection(text, file)
  if (found !== null) return splice(text, found.from, found.to, wanted)
  const gap = text.trim() === '' ? '' : text.endsWith('\n') ? eol : eol + eol
  return `${text.trim() === '' ? '' : text}${gap}${wanted}${eol}`
}

/** With one empty line of those around it. */
export function withoutSection(text: string, file: string): string {
  const found = findSection(text, file)
  if (found === null) return text
  const before = text.slice(0, found.from)
  const after = text.slice(found.to).replace(/^\r?\n/, '')
  const isGap = after === '' || /^\r?\n/.test(after)
  return (isGap ? before.replace(/\r?\n(\r?\n)$/, '$1') : before) + after
}

/** Null where there is none. */
export function presentSection(text: string, file: string): string | null {
  const found = findSection(text, file)
  return found === null ? null : text.slice(found.from, found.to).replaceAll('\r\n', '\n')
}
