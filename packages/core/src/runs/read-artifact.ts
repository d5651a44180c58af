/**
 * A file that a script left as an artifact, read bounded and redacted.
 *
 * Only what a listing finds is read, and no link is followed: a script chose the names.
 */

import { isUtf8 } from 'node:buffer'
import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { artifactsIn } from './artifacts.ts'
import { sanitise } from './sanitise.ts'
import { runFolder } from './store.ts'
import { redactorOf } from './timeline.ts'

export interface ArtifactContent {
  /** On the host. */
  readonly path: string
  readonly bytes: number
  /** What it holds, sanitised and redacted; a base64 of what is no text; null: see `withheld`. */
  readonly content: { readonly text: string } | { readonly base64: string } | null
  /** Why its content is not given. */
  readonly withheld: 'too large' | 'holds a secret' | null
}

export interface ReadArtifactOptions {
  readonly maxBytes: number
  /** Its secrets are taken out. @default process.env */
  readonly callerEnvironment?: NodeJS.ProcessEnv
}

/** @returns null: the run left no such file. @param run its whole id. */
export async function readArtifact(
  stateFolder: string,
  run: string,
  name: string,
  { maxBytes, callerEnvironment = process.env }: ReadArtifactOptions,
): Promise<ArtifactContent | null> {
  const folder = runFolder(stateFolder, run)
  if (!artifactsIn(folder.artifacts).some(one => one.name === name)) return null
  const path = join(folder.artifacts, name)
  if (realpathSync(path) !== join(realpathSync(folder.artifacts), name)) return null
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) return null
    const bytes = stat.size
    if (bytes > maxBytes) return { path, bytes, content: null, withheld: 'too large' }
    const raw = readFileSync(file)
    const redactor = redactorOf(folder, callerEnvironment)
    if (isUtf8(raw)) {
      const text = await redactor.redact(sanitise(raw))
      return { path, bytes, content: { text }, withheld: null }
    }
    // What is no text cannot lose a part and stay what it is.
    if (readings(raw).some(text => redactor.redactKnown(text) !== text))
      return { path, bytes, content: null, withheld: 'holds a secret' }
    return { path, bytes, content: { base64: raw.toString('base64') }, withheld: null }
  } finally {
    closeSync(file)
  }
}

/** What is no text may hold one, in whichever encoding and wherever it begins. */
function readings(raw: Buffer): string[] {
  const wide = [raw, raw.subarray(1)].map(bytes => bytes.subarray(0, bytes.length - (bytes.length % 2)))
  return [
    raw.toString('latin1'),
    raw.toString('utf8'),
    ...wide.map(bytes => bytes.toString('utf16le')),
    ...wide.map(bytes => Buffer.from(bytes).swap16().toString('utf16le')),
  ]
}
