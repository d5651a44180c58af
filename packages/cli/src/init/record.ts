/**
 * What init has done in a project, so that it can be taken back; kept outside of it, with srecodex's own state.
 *
 * A project's own files could say anything: what they claim that init did is not believed. One record a project.
 */

import { homes, SrecodexError } from '@srecodex/core'
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { homePath } from '../render/path.ts'
import { fileError, replaceFile, type NamedFile } from '../write-file.ts'
import { readText } from './files.ts'
import { isInitRecord, RECORD_VERSION, versionOf, type InitRecord } from './record-schema.ts'

/** It holds what was in the files of clients before: far more than any has. */
const MAX_BYTES = 256 * 1024 * 1024

/** @throws {SrecodexError} STORE_CORRUPT: it is no record of this project that this version can read. STATE_UNWRITABLE */
export function readRecord(project: string, env: NodeJS.ProcessEnv): InitRecord {
  const at = recordFile(project, env)
  const text = readStored(at)
  if (text === null) return { version: RECORD_VERSION, project, files: {}, clients: {} }
  const record = parse(text)
  const version = versionOf(record)
  if (version !== null && version !== RECORD_VERSION) {
    const what = `it has version ${version}, and this srecodex reads version ${RECORD_VERSION}`
    throw corrupt(at, what, 'run the srecodex that wrote it, or a later one')
  }
  if (record === undefined) throw corrupt(at, 'it is no JSON')
  if (!isInitRecord(record, project)) throw corrupt(at, 'it is not as init writes it')
  return record
}

function readStored(at: NamedFile): string | null {
  try {
    return readText(at, { maxBytes: MAX_BYTES })
  } catch (error) {
    if (!(error instanceof SrecodexError) || error.code !== 'CONFIG_INVALID') throw error
    throw corrupt(at, error.message.replace(`\`${at.file}\``, 'it'))
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function corrupt(
  { path, file }: NamedFile,
  what: string,
  hint = 'move it away to set clients up anew: what init wrote before then stays on --undo',
): SrecodexError {
  return new SrecodexError('STORE_CORRUPT', `cannot rely on \`${file}\`, which says what init did: ${what}`, {
    hint,
    details: { path, line: null },
  })
}

/** @throws {SrecodexError} STATE_UNWRITABLE | DISK_FULL */
export function writeRecord(record: InitRecord, env: NodeJS.ProcessEnv): void {
  const at = recordFile(record.project, env)
  const isEmpty = Object.keys(record.files).length + Object.keys(record.clients).length === 0
  try {
    if (isEmpty) rmSync(at.path, { force: true })
    else {
      mkdirSync(dirname(at.path), { recursive: true, mode: 0o700 })
      replaceFile(at.path, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
    }
  } catch (error) {
    throw fileError(at, isEmpty ? 'remove' : 'write', error)
  }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function recordFile(project: string, env: NodeJS.ProcessEnv): NamedFile {
  const path = join(homes(env).state, 'init', `${sha256(project).slice(0, 32)}.json`)
  return { path, file: homePath(path, { env }) }
}
