/** What setting a client up changes in each of its files. Reads them, and writes nothing. */

import type { Change, Client, ClientFile, Setup } from './client.ts'
import { checkedEdit, isTable, valueAt, type Path } from './documents/document.ts'
import { placeInProject, readText, type FileChange } from './files.ts'
import type { Piece } from './record.ts'
import { presentSection, withSection } from './section.ts'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export interface PlannedFile extends FileChange {
  /** As a person knows it. */
  readonly file: string
  readonly after: string
  readonly pieces: readonly Piece[]
  /** What it lacked, in words. */
  readonly lacks: readonly string[]
}

/** Those that are well as they are included. */
export function planFiles(client: Client, setup: Setup, section: string, project: string): PlannedFile[] {
  return [
    ...client.files.map(file => planFile(file, setup, project)),
    planSection(instructionsFile(client, project), section, project),
  ]
}

export function chosenPlace({ places }: ClientFile, project: string): string {
  return places.find(place => existsSync(join(project, place))) ?? places[0]
}

function planFile(clientFile: ClientFile, setup: Setup, project: string): PlannedFile {
  const { parse, needs } = clientFile
  const file = chosenPlace(clientFile, project)
  const path = placeInProject(project, file)
  const before = readText(path)
  const { mark, text } = unmarked(before ?? '')
  let document = parse(text, path)
  const changes = needs(document.value, setup)
  const pieces: Piece[] = []
  for (const change of changes) {
    pieces.push(pieceOf(change, document.value))
    const expected = expectedOf(change, document.value)
    const edit = (here: typeof document): string =>
      change.kind === 'set' ? here.set(change.path, change.value) : here.append(change.path, change.items)
    document = checkedEdit(document, edit, { path: change.path, expected, file: path, parse })
  }
  const after = changes.length === 0 ? (before ?? '') : mark + document.text
  return { file, path, before, after, pieces, lacks: [...new Set(changes.map(({ why }) => why))] }
}

/** Editors of Windows begin a file with a mark of its encoding: it stays, and no parser sees it. */
export function unmarked(text: string): { readonly mark: string; readonly text: string } {
  return text.startsWith('\uFEFF') ? { mark: '\uFEFF', text: text.slice(1) } : { mark: '', text }
}

function expectedOf(change: Change, value: unknown): unknown {
  if (change.kind === 'set') return change.value
  return [...(valueAt(value, change.path) as readonly unknown[]), ...change.items]
}

function pieceOf(change: Change, value: unknown): Piece {
  const { path } = change
  if (change.kind === 'append') return { kind: 'append', path, items: change.items }
  const before = valueAt(value, path)
  return {
    ...{ kind: 'set', path, value: change.value, present: presentKeys(value, path) },
    ...(before === undefined ? {} : { before }),
  }
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
  const path = placeInProject(project, file)
  const before = readText(path)
  const present = presentSection(before ?? '', path)
  if (present === section) return { file, path, before, after: before ?? '', pieces: [], lacks: [] }
  const after = withSection(before ?? '', section, path)
  const lack =
    present === null ? 'it does not tell when to write a script' : 'what it tells of srecodex is not current'
  return { file, path, before, after, pieces: [{ kind: 'section', text: section }], lacks: [lack] }
}

/** Whether an entry of the server stands in the client's file. */
export function hasEntry(client: Client, project: string): boolean {
  const [clientFile] = client.files
  const path = placeInProject(project, chosenPlace(clientFile, project))
  const text = readText(path)
  return text !== null && isTable(valueAt(clientFile.parse(unmarked(text).text, path).value, client.entry))
}
