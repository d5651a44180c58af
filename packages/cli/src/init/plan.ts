/** What setting a client up changes in each of its files. Reads them, and writes nothing. */

import type { Change, Client, ClientFile, ReadFile, Setup } from './client.ts'
import { checkedEdit, isTable, refuse, valueAt, type Path } from './documents/document.ts'
import { placeInProject, readText, type FileChange } from './files.ts'
import { ledAstray } from './led-astray.ts'
import type { Piece } from './record-schema.ts'
import { presentSection, withSection } from './section.ts'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export interface PlannedFile extends FileChange {
  /** Its place: below the project, with `/`. */
  readonly file: string
  readonly after: string
  readonly pieces: readonly Piece[]
  /** What it lacked, in words. */
  readonly lacks: readonly string[]
}

/** Those that are well as they are included. */
export function planFiles(client: Client, setup: Setup, section: string, project: string): PlannedFile[] {
  return [
    ...client.files.map((file, index) => planFile(file, setup, project, index === 0 ? client.entry : null)),
    planSection(instructionsFile(client, project), section, project),
  ]
}

export function chosenPlace({ places }: ReadFile, project: string): string {
  return places.find(place => existsSync(join(project, place))) ?? places[0]
}

/** @param entry where the server's entry stands, if it does in this file. */
function planFile(clientFile: ClientFile, setup: Setup, project: string, entry: Path | null): PlannedFile {
  const { parse, needs } = clientFile
  const at = placeInProject(project, chosenPlace(clientFile, project))
  const { path, file } = at
  const before = readText(at)
  const { mark, text } = unmarked(before ?? '')
  let document = parse(text, path)
  const changes = needs(document.value, setup)
  if (entry !== null) refuseAstray(changes, document.value, entry, path)
  const pieces: Piece[] = []
  for (const change of changes) {
    pieces.push(pieceOf(change, document.value, path))
    const expected = expectedOf(change, document.value)
    const edit = (here: typeof document): string =>
      change.kind === 'set' ? here.set(change.path, change.value) : here.append(change.path, change.items)
    document = checkedEdit(document, edit, { path: change.path, expected, file: path, parse })
  }
  const after = changes.length === 0 ? (before ?? '') : mark + document.text
  return { file, path, before, after, pieces, lacks: [...new Set(changes.map(({ why }) => why))] }
}

/** What is half there is not made whole where the other half is a trap. */
function refuseAstray(changes: readonly Change[], value: unknown, entry: Path, file: string): void {
  const completes = changes.some(
    ({ path }) => path.length > entry.length && entry.every((key, at) => path[at] === key),
  )
  const [why] = completes ? ledAstray(valueAt(value, entry)) : []
  if (why !== undefined)
    refuse(`\`${entry.join('.')}\` is half an entry, and is not completed: ${why}`, { file })
}

/** Editors of Windows begin a file with a mark of its encoding: it stays, and no parser sees it. */
export function unmarked(text: string): { readonly mark: string; readonly text: string } {
  return text.startsWith('\uFEFF') ? { mark: '\uFEFF', text: text.slice(1) } : { mark: '', text }
}

function expectedOf(change: Change, value: unknown): unknown {
  if (change.kind === 'set') return change.value
  return [...(valueAt(value, change.path) as readonly unknown[]), ...change.items]
}

/** @throws {SrecodexError} CONFIG_INVALID: what it replaces could not be put back. */
function pieceOf(change: Change, value: unknown, file: string): Piece {
  const { path } = change
  if (change.kind === 'append') return { kind: 'append', path, items: change.items }
  const before = valueAt(value, path)
  if (!isKeepable(before)) {
    refuse(`\`${path.join('.')}\` holds a date, or a number that no record can keep`, { file })
  }
  return {
    ...{ kind: 'set', path, value: change.value, present: presentKeys(value, path) },
    ...(before === undefined ? {} : { before }),
  }
}

/** Records are JSON. */
function isKeepable(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isKeepable)
  if (isTable(value)) return Object.values(value).every(isKeepable)
  return typeof value === 'number'
    ? Number.isFinite(value)
    : !(typeof value === 'bigint' || value instanceof Date)
}

function presentKeys(value: unknown, path: Path): number {
  let present = 0
  while (present < path.length && valueAt(value, path.slice(0, present + 1)) !== undefined) present += 1
  return present
}

/** Claude Code reads AGENTS.md where CLAUDE.md imports it. */
export function instructionsFile({ instructions }: Client, project: string): string {
  if (instructions === 'AGENTS.md') return instructions
  const text = readText(placeInProject(project, instructions)) ?? ''
  return /^@(?:\.\/)?AGENTS\.md[ \t]*\r?$/m.test(text) ? 'AGENTS.md' : instructions
}

function planSection(file: string, section: string, project: string): PlannedFile {
  const at = placeInProject(project, file)
  const { path } = at
  const before = readText(at)
  const present = presentSection(before ?? '', path)
  if (present === section) return { file, path, before, after: before ?? '', pieces: [], lacks: [] }
  const after = withSection(before ?? '', section, path)
  const lack =
    present === null ? 'it does not tell when to write a script' : 'what it tells of srecodex is not current'
  return { file, path, before, after, pieces: [{ kind: 'section', text: section }], lacks: [lack] }
}

/** The entry of the server in the client's file as it is; undefined: there is none. */
export function entryOf(client: Client, project: string): unknown {
  const [clientFile] = client.files
  const at = placeInProject(project, chosenPlace(clientFile, project))
  const text = readText(at)
  return text === null
    ? undefined
    : valueAt(clientFile.parse(unmarked(text).text, at.path).value, client.entry)
}
