/**
 * What init has done in a project, so that it can be taken back; kept outside of it, with srecodex's own state.
 *
 * A project's own files could say anything: what they claim that init did is not believed. One record a project.
 */

import { homes, SrecodexError } from '@srecodex/core'
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import type { ClientName } from './client.ts'
import type { Path } from './documents/document.ts'
import { makePrivateFolder, readText, writeAll } from './files.ts'

/** One thing that init put into a file. */
export type Piece =
  | {
      readonly kind: 'set'
      readonly path: Path
      readonly value: unknown
      /** What it replaced; absent: nothing. */
      readonly before?: unknown
      /** How many keys of the path were there before. */
      readonly present: number
    }
  | { readonly kind: 'append'; readonly path: Path; readonly items: readonly string[] }
  | { readonly kind: 'section'; readonly text: string }

export interface FileRecord {
  readonly isNew: boolean
  /** Folders that were made for it. */
  readonly folders: readonly string[]
  /** Of the file as init left it. */
  readonly sha256: string
  /** From what it was to what init left, without the lines around it; null: it was changed in between. */
  readonly patch: string | null
  readonly pieces: readonly Piece[]
}

export interface ClientRecord {
  /** Paths of its files. */
  readonly files: readonly string[]
  /** Ids of the skills that init put there. */
  readonly skills: readonly string[]
}

export interface InitRecord {
  readonly version: 1
  readonly project: string
  /** By path. Clients share some of them. */
  readonly files: Readonly<Record<string, FileRecord>>
  readonly clients: Readonly<Partial<Record<ClientName, ClientRecord>>>
}

/** @throws {SrecodexError} STORE_CORRUPT */
export function readRecord(project: string, env: NodeJS.ProcessEnv): InitRecord {
  const path = recordPath(project, env)
  const text = readText(path)
  if (text === null) return { version: 1, project, files: {}, clients: {} }
  try {
    return JSON.parse(text) as InitRecord
  } catch (error) {
    throw new SrecodexError('STORE_CORRUPT', `${path} cannot be read: what init did here is not known`, {
      cause: error,
      hint: 'remove it to set clients up anew; what is there then stays where it is on --undo',
      details: { path, line: null },
    })
  }
}

export function writeRecord(record: InitRecord, env: NodeJS.ProcessEnv): void {
  const path = recordPath(record.project, env)
  makePrivateFolder(dirname(path))
  const before = readText(path)
  const isEmpty = Object.keys(record.files).length + Object.keys(record.clients).length === 0
  const after = isEmpty ? null : `${JSON.stringify(record, null, 2)}\n`
  if (before !== after) writeAll([{ path, before, after }])
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function recordPath(project: string, env: NodeJS.ProcessEnv): string {
  return join(homes(env).state, 'init', `${sha256(project).slice(0, 32)}.json`)
}
