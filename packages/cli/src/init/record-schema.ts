/**
 * What a record of init holds. Its types are read off these checks.
 *
 * Plain code, as for the config: a schema library would cost more than reading the record.
 */

import { sep } from 'node:path'
import { CLIENT_NAMES, type ClientName } from './client.ts'

type Check<T> = (value: unknown) => value is T
type Checked<C> = C extends Check<infer T> ? T : never
type Checks = Readonly<Record<string, Check<unknown>>>
type Fields<F extends Checks> = { readonly [K in keyof F]: Checked<F[K]> }

const text = (value: unknown): value is string => typeof value === 'string'
const flag = (value: unknown): value is boolean => typeof value === 'boolean'
const count = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const anything = (value: unknown): value is unknown => value !== undefined

function only<const T>(expected: T): Check<T> {
  return (value): value is T => value === expected
}

function listOf<T>(item: Check<T>): Check<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(one => item(one))
}

function tableOf<T, K extends string = string>(
  item: Check<T>,
  key?: (name: string) => name is K,
): Check<Readonly<Record<K, T>>> {
  return (value): value is Readonly<Record<K, T>> =>
    isObject(value) && Object.entries(value).every(([name, one]) => key?.(name) !== false && item(one))
}

function eitherOf<C extends readonly Check<unknown>[]>(...checks: C): Check<Checked<C[number]>> {
  return (value): value is Checked<C[number]> => checks.some(check => check(value))
}

function object<F extends Checks>(fields: F): Check<Fields<F>> {
  return (value): value is Fields<F> =>
    isObject(value) &&
    Object.entries(fields).every(([name, check]) => Object.hasOwn(value, name) && check(value[name]))
}

function partial<F extends Checks>(fields: F): Check<Partial<Fields<F>>> {
  return (value): value is Partial<Fields<F>> =>
    isObject(value) &&
    Object.entries(fields).every(([name, check]) => !Object.hasOwn(value, name) || check(value[name]))
}

function both<A, B>(one: Check<A>, other: Check<B>): Check<A & B> {
  return (value): value is A & B => one(value) && other(value)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const path = listOf(text)

const piece = eitherOf(
  both(
    object({
      kind: only('set'),
      path,
      value: anything,
      /** How many keys of the path were there before. */
      present: count,
    }),
    /** What it replaced; absent: nothing. */
    partial({ before: anything }),
  ),
  object({ kind: only('append'), path, items: listOf(text) }),
  object({ kind: only('section'), text }),
)

const fileRecord = object({
  /** Below the project, with `/`: where it was looked for, which may be a link. */
  place: text,
  isNew: flag,
  /** That were made for it. */
  folders: listOf(text),
  /** Of the file as init left it. */
  sha256: text,
  /** From what it was to what init left, without the lines around it; null: it was changed in between. */
  patch: eitherOf(text, only(null)),
  pieces: listOf(piece),
})

const clientRecord = object({
  /** Paths of its files. */
  files: listOf(text),
  /** Ids of the skills that init put there. */
  skills: listOf(text),
})

function clientName(name: string): name is ClientName {
  return (CLIENT_NAMES as readonly string[]).includes(name)
}

export const RECORD_VERSION = 1

const initRecord = object({
  version: only(RECORD_VERSION),
  project: text,
  /** By path, without symlinks. Clients share some of them. */
  files: tableOf(fileRecord),
  clients: tableOf(clientRecord, clientName),
})

/** One thing that init put into a file. */
export type Piece = Checked<typeof piece>
export type FileRecord = Checked<typeof fileRecord>
export type ClientRecord = Checked<typeof clientRecord>
/** A client that is not in it has not been set up. */
export type InitRecord = Omit<Checked<typeof initRecord>, 'clients'> & {
  readonly clients: Readonly<Partial<Record<ClientName, ClientRecord>>>
}

/** Whether it is one of this project, and its parts fit one another. */
export function isInitRecord(value: unknown, project: string): value is InitRecord {
  if (!initRecord(value) || value.project !== project) return false
  const { files, clients } = value
  const made = Object.values(files).flatMap(({ folders }) => folders)
  const listed = Object.values(clients).flatMap(client => client.files)
  return (
    made.every(folder => folder.startsWith(project + sep)) &&
    listed.every(listedPath => Object.hasOwn(files, listedPath))
  )
}

/** Of anything that has one. */
export function versionOf(value: unknown): number | null {
  return isObject(value) && count(value['version']) ? value['version'] : null
}
