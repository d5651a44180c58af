/**
 * A client's file as text that stays as it is: edits insert and remove, and touch no other byte.
 *
 * Libraries parse; none of them writes, for each that was tried reformats its surroundings. So whatever an edit makes is
 * parsed again by `checkedEdit`, and is refused unless the one value has changed and all others have not.
 */

import { SrecodexError, type SourcePlace } from '@srecodex/core'
import { isDeepStrictEqual } from 'node:util'

export type Path = readonly string[]

export interface ClientDocument {
  readonly text: string
  /** As the client reads it. A key such as `__proto__` is a key: none reaches a prototype. */
  readonly value: unknown
  /** Whether the value at a path holds comments. */
  commented(path: Path): boolean
  /** @returns The new text; each makes the parents that are not there. */
  set(path: Path, value: unknown): string
  /** To the end of a list that is there. */
  append(path: Path, items: readonly unknown[]): string
  remove(path: Path): string
  removeItem(path: Path, index: number): string
}

/** @throws {SrecodexError} CONFIG_INVALID, with file, line and column. */
export type ParseDocument = (text: string, file: string) => ClientDocument

export type Edit = (document: ClientDocument) => string

/** What stands at a path; undefined: nothing. */
export function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const key of path) {
    if (!isTable(at) || !Object.hasOwn(at, key)) return undefined
    at = at[key]
  }
  return at
}

export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/**
 * One edit, and the proof of it.
 *
 * @param expected what stands at the path then; undefined: nothing.
 * @throws {SrecodexError} CONFIG_INVALID: the file is written in a way that the edit does not get right.
 */
export function checkedEdit(
  document: ClientDocument,
  edit: Edit,
  { path, expected, file, parse }: { path: Path; expected: unknown; file: string; parse: ParseDocument },
): ClientDocument {
  const text = edit(document)
  const edited = attempt(() => parse(text, file))
  if (
    edited === null ||
    !isDeepStrictEqual(plainOf(valueAt(edited.value, path)), plainOf(expected)) ||
    !isDeepStrictEqual(without(document.value, path), without(edited.value, path))
  ) {
    throw new SrecodexError('CONFIG_INVALID', `\`${path.join('.')}\` cannot be changed in this file safely`, {
      at: { file },
      hint: 'it is written in an unusual way: write it as plain tables, each key once, then run this again',
    })
  }
  return edited
}

function attempt(parse: () => ClientDocument): ClientDocument | null {
  try {
    return parse()
  } catch (error) {
    if (error instanceof SrecodexError) return null
    throw error
  }
}

/** Without prototypes, so that values of two parsers compare. */
export function plainOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainOf)
  if (!isTable(value)) return value
  return pairs(Object.entries(value).map(([key, one]) => [key, plainOf(one)]))
}

/** All but what stands at a path; a parent that is empty for it does not count. */
function without(value: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined) return undefined
  if (!isTable(value)) return plainOf(value)
  const entries = Object.entries(value).flatMap(([name, one]): [string, unknown][] => {
    if (name !== key) return [[name, plainOf(one)]]
    const kept = without(one, rest)
    return kept === undefined ? [] : [[name, kept]]
  })
  return entries.length === 0 ? undefined : pairs(entries)
}

function pairs(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const table = Object.create(null) as Record<string, unknown>
  for (const [key, value] of entries) table[key] = value
  return table
}

/** @throws {SrecodexError} CONFIG_INVALID */
export function refuse(message: string, at: SourcePlace): never {
  throw new SrecodexError('CONFIG_INVALID', message, {
    at,
    hint: 'nothing was written: mend the file, then run this again',
  })
}

export function placeOf(text: string, offset: number, file: string): SourcePlace {
  const before = text.slice(0, offset).split('\n')
  return { file, line: before.length, column: before.at(-1)!.length + 1 }
}

/** How a text ends its lines. */
export function lineEnd(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}

export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1
}

/** Where the next line begins, or the end of the text. */
export function nextLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset)
  return end === -1 ? text.length : end + 1
}

/** White space at the beginning of the line that holds an offset. */
export function indentAt(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, offset)))![0]
}

export function splice(text: string, from: number, to: number, inserted: string): string {
  return text.slice(0, from) + inserted + text.slice(to)
}
