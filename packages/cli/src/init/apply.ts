/**
 * Writes what was planned for a client, and remembers it.
 *
 * The record is written first: were this to end half way, what is there can still be taken back. A file that is not in
 * it was never touched by init.
 */

import { createTwoFilesPatch, applyPatch, parsePatch, reversePatch } from 'diff'
import type { ClientName } from './client.ts'
import { missingFolders, writeAll } from './files.ts'
import type { PlannedFile } from './plan.ts'
import type { FileRecord, InitRecord, Piece } from './record-schema.ts'
import { readRecord, sha256, writeRecord } from './record.ts'

export interface PlannedClient {
  readonly client: ClientName
  readonly project: string
  /** Every file of the client, changed or not. */
  readonly files: readonly PlannedFile[]
  /** Ids of skills that were not there before. */
  readonly skills: readonly string[]
}

/** @throws {SrecodexError} STATE_UNWRITABLE | DISK_FULL | CONFIG_INVALID: nothing has been written then. */
export function applyFiles(planned: PlannedClient, env: NodeJS.ProcessEnv): void {
  const changed = planned.files.filter(({ before, after }) => before !== after)
  const old = readRecord(planned.project, env)
  writeRecord(recorded(old, planned, changed), env)
  try {
    writeAll(changed)
  } catch (error) {
    writeRecord(old, env)
    throw error
  }
}

function recorded(
  old: InitRecord,
  { client, files, skills }: PlannedClient,
  changed: readonly PlannedFile[],
): InitRecord {
  const updated = changed.map(file => [file.path, fileRecord(old.files[file.path], file)] as const)
  const all = { ...old.files, ...Object.fromEntries(updated) }
  const before = old.clients[client]
  return {
    ...old,
    files: all,
    clients: {
      ...old.clients,
      [client]: {
        // Those of before, too: a link may lead elsewhere now, and what is in its old place is to be taken back.
        files: [...new Set([...(before?.files ?? []), ...files.map(({ path }) => path)])].filter(path =>
          Object.hasOwn(all, path),
        ),
        skills: [...new Set([...(before?.skills ?? []), ...skills])],
      },
    },
  }
}

function fileRecord(
  old: FileRecord | undefined,
  { path, file, before, after, pieces }: PlannedFile,
): FileRecord {
  const first = { isNew: before === null, folders: before === null ? missingFolders(path) : [] }
  if (old === undefined || before === null) {
    return { place: file, ...first, sha256: sha256(after), patch: patchOf(before ?? '', after), pieces }
  }
  const original = originalOf(old, before)
  return {
    place: file,
    isNew: old.isNew,
    folders: old.folders,
    sha256: sha256(after),
    patch: original === null ? null : patchOf(original, after),
    pieces: pieces.reduce(merged, old.pieces),
  }
}

/** What stood there before init came; null: somebody else has changed the file since. */
export function originalOf({ sha256: sum, patch }: FileRecord, text: string): string | null {
  if (patch === null || sha256(text) !== sum) return null
  const [parsed] = parsePatch(patch)
  const original = parsed === undefined ? false : applyPatch(text, reversePatch(parsed), EXACT)
  return original === false ? null : original
}

const EXACT = { fuzzFactor: 0, autoConvertLineEndings: false }

function patchOf(before: string, after: string): string {
  return createTwoFilesPatch('file', 'file', before, after, '', '', { context: 0 })
}

/** A later piece at the same place stands for both: what was before the first is what was before. */
function merged(pieces: readonly Piece[], piece: Piece): readonly Piece[] {
  if (piece.kind === 'section') return [...pieces.filter(({ kind }) => kind !== 'section'), piece]
  if (piece.kind === 'append') return [...pieces, piece]
  const same = pieces.find(one => one.kind === 'set' && one.path.join('\0') === piece.path.join('\0'))
  if (same?.kind !== 'set') return [...pieces, piece]
  const { before: _, ...rest } = piece
  const first = same.before === undefined ? {} : { before: same.before }
  return pieces.map(one => (one === same ? { ...rest, ...first, present: same.present } : one))
}
