/**
 * Artifacts of the runs that began here, as resources.
 *
 * Only what a listing finds is read, and no link is followed: a script chose the names.
 */

import { homes } from '@srecodex/core'
import {
  lstatSync,
  openSync,
  closeSync,
  constants,
  fstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from 'node:fs'
import { join } from 'node:path'
import { isUtf8 } from 'node:buffer'
import { bytes } from '../render/units.ts'
import { MAX_RESOURCE_BYTES } from './limits.ts'
import type { Session } from './session.ts'

const MAX_LISTED = 1000
const SCHEME = 'srecodex://runs/'

export interface Artifact {
  readonly uri: string
  readonly name: string
  readonly size: number
}

export async function listArtifacts(session: Session): Promise<Artifact[]> {
  const found: Artifact[] = []
  for (const run of session.runs.known.toReversed()) {
    if (session.runs.find(run) !== null) continue // still writing
    for (const [name, size] of filesIn(folderOf(session, run))) {
      if (found.length >= MAX_LISTED) return found
      found.push({ uri: uriOf(run, name), name: `${run}/${name}`, size })
    }
  }
  return found
}

export interface ResourceText {
  readonly uri: string
  readonly text?: string
  readonly blob?: string
}

/** Null: there is no such artifact. */
export async function readArtifact(session: Session, uri: string): Promise<ResourceText | null> {
  const [, run = ''] = /^srecodex:\/\/runs\/(\w{26})\/artifacts\/./.exec(uri) ?? []
  if (!session.runs.known.includes(run) || session.runs.find(run) !== null) return null
  const folder = folderOf(session, run)
  const name = filesIn(folder).find(([one]) => uriOf(run, one) === uri)?.[0]
  if (name === undefined) return null
  const path = join(folder, name)
  if (realpathSync(path) !== join(realpathSync(folder), name)) return null
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) return null
    if (stat.size > MAX_RESOURCE_BYTES) {
      const text = `This artifact has ${bytes(stat.size)}, too much to be read whole. It is kept in ${path}\n`
      return { uri, text }
    }
    const content = readFileSync(file)
    return isUtf8(content)
      ? { uri, text: content.toString('utf8') }
      : { uri, blob: content.toString('base64') }
  } finally {
    closeSync(file)
  }
}

function folderOf({ terminal }: Session, run: string): string {
  return join(homes(terminal.env).state, 'runs', run, 'artifacts')
}

function uriOf(run: string, name: string): string {
  return `${SCHEME}${run}/artifacts/${name.split('/').map(encodeURIComponent).join('/')}`
}

function filesIn(folder: string): [name: string, size: number][] {
  const found: [string, number][] = []
  const folders = ['']
  for (let at = folders.pop(); at !== undefined && found.length < MAX_LISTED; at = folders.pop()) {
    let entries
    try {
      entries = readdirSync(join(folder, at), { withFileTypes: true })
    } catch {
      continue // shut, or gone
    }
    for (const entry of entries) {
      const name = join(at, entry.name)
      if (entry.isDirectory()) folders.push(name)
      else if (entry.isFile()) found.push([name, lstatSync(join(folder, name)).size])
    }
  }
  return found.sort(([a], [b]) => (a < b ? -1 : 1))
}
