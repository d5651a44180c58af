/**
 * Takes back what init put into a client's files, and nothing else.
 *
 * A file that nobody has touched since gets its old bytes again. In any other one, each piece goes that still is as init
 * wrote it; what somebody changed since is theirs now: it stays, and is told. What another client shares stays too.
 */

import { isDeepStrictEqual } from 'node:util'
import { originalOf } from './apply.ts'
import { CLIENT_NAMES, type Client, type ClientName } from './client.ts'
import {
  checkedEdit,
  isTable,
  plainOf,
  valueAt,
  type ClientDocument,
  type ParseDocument,
} from './documents/document.ts'
import { readText, type FileChange } from './files.ts'
import { unmarked } from './plan.ts'
import type { ClientRecord, FileRecord, InitRecord, Piece } from './record.ts'
import { presentSection, withoutSection } from './section.ts'

export interface UndoneFile extends FileChange {
  /** Folders that were made for it, where it goes. */
  readonly folders: readonly string[]
  /** What stays, and why. */
  readonly kept: readonly string[]
}

export interface UndoPlan {
  readonly files: readonly UndoneFile[]
  /** Ids of skills that go. */
  readonly skills: readonly string[]
  /** Files and skills that stay for other clients. */
  readonly shared: readonly { readonly what: string; readonly by: readonly ClientName[] }[]
  /** The record without this client. */
  readonly record: InitRecord
}

/** @returns Null where init has not set this client up here. */
export function planUndo(
  client: Client,
  record: InitRecord,
  folderOf: (client: ClientName) => string,
): UndoPlan | null {
  const own = record.clients[client.name]
  if (own === undefined) return null
  const others = CLIENT_NAMES.flatMap(name => {
    const one = record.clients[name]
    return one === undefined || name === client.name ? [] : [[name, one] as const]
  })
  const users = (path: string): ClientName[] =>
    others.filter(([, { files }]) => files.includes(path)).map(([name]) => name)
  const going = own.files.filter(path => users(path).length === 0)
  const staying = own.files.filter(path => users(path).length > 0)
  const heirs = others.filter(([name]) => folderOf(name) === folderOf(client.name)).map(([name]) => name)
  const [heir] = heirs
  const clients = others.map(([name, one]) => [name, name === heir ? inherited(one, own.skills) : one])
  return {
    files: going.map(path => undoFile(path, record.files[path]!, client)),
    skills: heir === undefined ? own.skills : [],
    shared: [
      ...staying.map(path => ({ what: path, by: users(path) })),
      ...(heir === undefined || own.skills.length === 0 ? [] : [{ what: folderOf(client.name), by: heirs }]),
    ],
    record: {
      ...record,
      files: Object.fromEntries(Object.entries(record.files).filter(([path]) => !going.includes(path))),
      clients: Object.fromEntries(clients),
    },
  }
}

function inherited(heir: ClientRecord, skills: readonly string[]): ClientRecord {
  return { ...heir, skills: [...new Set([...heir.skills, ...skills])] }
}

function undoFile(path: string, record: FileRecord, client: Client): UndoneFile {
  const before = readText(path)
  const base = { path, before, folders: record.folders }
  if (before === null) return { ...base, after: null, kept: [] }
  const original = originalOf(record, before)
  if (original !== null) return { ...base, after: record.isNew ? null : original, kept: [] }
  const isSection = record.pieces.some(({ kind }) => kind === 'section')
  const { text, kept } = isSection
    ? undoSection(path, before, record.pieces)
    : undoPieces(path, before, record, client)
  const goes = record.isNew && kept.length === 0 && text === ''
  return { ...base, after: goes ? null : text, kept }
}

interface Undone {
  /** Empty where nothing is left but what init began the file with. */
  readonly text: string
  readonly kept: readonly string[]
}

function undoSection(path: string, text: string, pieces: readonly Piece[]): Undone {
  const present = presentSection(text, path)
  if (present === null) return { text, kept: [] }
  const isOurs = pieces.some(piece => piece.kind === 'section' && piece.text === present)
  if (!isOurs) return { text, kept: ['what stands between the markers of srecodex was changed since'] }
  const rest = withoutSection(text, path)
  return { text: rest.trim() === '' ? '' : rest, kept: [] }
}

function undoPieces(path: string, before: string, { isNew, pieces }: FileRecord, client: Client): Undone {
  const parse = client.files.find(({ places }) => places.some(place => path.endsWith(`/${place}`)))?.parse
  if (parse === undefined) return { text: before, kept: [] }
  const { mark, text } = unmarked(before)
  let document = parse(text, path)
  const kept: string[] = []
  for (const piece of pieces.toReversed()) {
    if (piece.kind === 'append') document = undoAppend(document, piece, path, parse)
    if (piece.kind !== 'set') continue
    const present = valueAt(document.value, piece.path)
    if (present === undefined) continue
    if (!isDeepStrictEqual(plainOf(present), plainOf(piece.value)) || document.commented(piece.path)) {
      kept.push(`${piece.path.join('.')} was changed since`)
    } else document = undoSet(document, piece, path, parse)
  }
  const isEmpty = isTable(document.value) && Object.keys(document.value).length === 0
  return { text: isNew && isEmpty ? '' : mark + document.text, kept }
}

function undoSet(
  document: ClientDocument,
  piece: Extract<Piece, { kind: 'set' }>,
  file: string,
  parse: ParseDocument,
): ClientDocument {
  const { path, before, present } = piece
  if (before !== undefined) {
    return checkedEdit(document, here => here.set(path, before), { path, expected: before, file, parse })
  }
  let result = checkedEdit(document, here => here.remove(path), { path, expected: undefined, file, parse })
  // Parents that were made for it, as far as nobody has put anything else there.
  for (let depth = path.length - 1; depth > present; depth -= 1) {
    const parent = path.slice(0, depth)
    const value = valueAt(result.value, parent)
    if (!isTable(value) || Object.keys(value).length > 0) break
    result = checkedEdit(result, here => here.remove(parent), {
      path: parent,
      expected: undefined,
      file,
      parse,
    })
  }
  return result
}

function undoAppend(
  document: ClientDocument,
  { path, items }: Extract<Piece, { kind: 'append' }>,
  file: string,
  parse: ParseDocument,
): ClientDocument {
  let result = document
  for (const item of items) {
    const list = valueAt(result.value, path)
    const index = Array.isArray(list) ? list.lastIndexOf(item) : -1
    if (index === -1 || !Array.isArray(list)) continue
    const expected = list.toSpliced(index, 1)
    result = checkedEdit(result, here => here.removeItem(path, index), { path, expected, file, parse })
  }
  return result
}
