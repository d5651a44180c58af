/**
 * Takes back what init put into a client's files, and nothing else.
 *
 * A file that nobody has touched since gets its old bytes again. In any other one, each piece goes that still is as init
 * wrote it; what somebody changed since is theirs now: it stays, and is told. What another client shares stays too.
 *
 * A file is only looked at while its place in the project still leads to it. Where it does not, it stays, is told, and
 * stays in the record: it can be taken back once its place leads there again.
 */

import { SrecodexError } from '@srecodex/core'
import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { NamedFile } from '../write-file.ts'
import { originalOf } from './apply.ts'
import { CLIENT_NAMES, type Client, type ClientName } from './client.ts'
import { CLIENTS } from './clients.ts'
import {
  checkedEdit,
  isTable,
  plainOf,
  valueAt,
  type ClientDocument,
  type ParseDocument,
} from './documents/document.ts'
import { placeInProject, readText, type FileChange } from './files.ts'
import { unmarked } from './plan.ts'
import type { ClientRecord, FileRecord, InitRecord, Piece } from './record-schema.ts'
import { presentSection, withoutSection } from './section.ts'

export interface UndoneFile extends FileChange {
  /** Folders that were made for it, where it goes. */
  readonly folders: readonly string[]
  /** What stays, and why. */
  readonly kept: readonly string[]
  /** It was not even looked at: init's part of it is still to be taken back. */
  readonly isOutOfReach: boolean
}

export interface UndoPlan {
  readonly files: readonly UndoneFile[]
  /** Ids of skills that go. */
  readonly skills: readonly string[]
  /** Files and skills that stay for other clients. */
  readonly shared: readonly { readonly what: string; readonly by: readonly ClientName[] }[]
  /** The record without what goes or is kept. */
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
  const files = going.map(path => undoFile(path, record.files[path]!, record.project))
  const left = files.filter(({ isOutOfReach }) => isOutOfReach).map(({ path }) => path)
  const gone = new Set(going.filter(path => !left.includes(path)))
  return {
    files,
    skills: heir === undefined ? own.skills : [],
    shared: [
      ...staying.map(path => ({ what: path, by: users(path) })),
      ...(heir === undefined || own.skills.length === 0 ? [] : [{ what: folderOf(client.name), by: heirs }]),
    ],
    record: {
      ...record,
      files: Object.fromEntries(Object.entries(record.files).filter(([path]) => !gone.has(path))),
      clients: {
        ...Object.fromEntries(clients),
        ...(left.length === 0 ? {} : { [client.name]: { files: left, skills: [] } }),
      },
    },
  }
}

/** The record where its skills could not be taken away after all. */
export function withSkills(record: InitRecord, client: ClientName, skills: readonly string[]): InitRecord {
  const files = record.clients[client]?.files ?? []
  return { ...record, clients: { ...record.clients, [client]: { files, skills } } }
}

function inherited(heir: ClientRecord, skills: readonly string[]): ClientRecord {
  return { ...heir, skills: [...new Set([...heir.skills, ...skills])] }
}

function undoFile(path: string, record: FileRecord, project: string): UndoneFile {
  const at = { path, file: record.place }
  const untouched = {
    ...at,
    before: null,
    after: null,
    folders: record.folders,
    kept: [],
    isOutOfReach: false,
  }
  if (!existsSync(path)) return untouched
  const reason = isSection(record) || parserOf(record.place) !== null ? outOfReach(at, project) : UNKNOWN
  if (reason !== null) return { ...untouched, kept: [reason], isOutOfReach: true }
  const before = readText(at)
  if (before === null) return untouched
  const base = { ...at, before, folders: record.folders, isOutOfReach: false }
  const original = originalOf(record, before)
  if (original !== null) return { ...base, after: record.isNew ? null : original, kept: [] }
  const { text, kept } = isSection(record)
    ? undoSection(path, before, record.pieces)
    : undoPieces(path, before, record)
  const goes = record.isNew && kept.length === 0 && text === ''
  return { ...base, after: goes ? null : text, kept }
}

const UNKNOWN = 'this version of srecodex does not know that file'

const isSection = ({ pieces }: FileRecord): boolean => pieces.some(({ kind }) => kind === 'section')

/** Clients can share a file by a link, so the place may be another one's. */
function parserOf(place: string): ParseDocument | null {
  const files = Object.values(CLIENTS).flatMap(client => client.files)
  return files.find(({ places }) => places.includes(place))?.parse ?? null
}

/** Null: its place leads where it led when init wrote it. */
function outOfReach({ path, file }: NamedFile, project: string): string | null {
  try {
    const { path: now } = placeInProject(project, file)
    const [leads, led] = [now, path].map(one => relative(project, one))
    return now === path ? null : `it leads to ${leads} now, no longer to ${led}`
  } catch (error) {
    if (!(error instanceof SrecodexError) || error.code !== 'REFUSED') throw error
    return 'it leads out of the project now'
  }
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

function undoPieces(path: string, before: string, { place, isNew, pieces }: FileRecord): Undone {
  const parse = parserOf(place)
  if (parse === null) return { text: before, kept: [UNKNOWN] }
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
  // A comment that somebody has put there is theirs.
  const isEmpty = ['', '{}'].includes(document.text.replaceAll(/\s/g, ''))
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
