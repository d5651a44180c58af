/** Artifacts of the runs that began here, as resources: bounded and redacted as results are. */

import { homes, listArtifacts, readArtifact } from '@srecodex/core'
import { bytes } from '../render/units.ts'
import { MAX_RESOURCE_BYTES } from './limits.ts'
import type { Session } from './session.ts'

const MAX_LISTED = 1000

export interface ArtifactResource {
  readonly uri: string
  readonly name: string
  readonly size: number
}

/** Of the runs that have ended, the latest first. */
export async function listResources(session: Session): Promise<ArtifactResource[]> {
  const found: ArtifactResource[] = []
  for (const run of session.runs.known.toReversed()) {
    if (session.runs.find(run) !== null) continue // still writing
    for (const { shown, bytes: size } of await listArtifacts(stateOf(session), run, session.terminal.env)) {
      if (found.length >= MAX_LISTED) return found
      found.push({ uri: uriOf(run, shown), name: `${run}/${shown}`, size })
    }
  }
  return found
}

export interface ResourceContent {
  readonly uri: string
  readonly text?: string
  readonly blob?: string
}

/** Null: there is no such artifact. */
export async function readResource(session: Session, uri: string): Promise<ResourceContent | null> {
  const [, run = ''] = /^srecodex:\/\/runs\/(\w{26})\/artifacts\/./.exec(uri) ?? []
  if (!session.runs.known.includes(run) || session.runs.find(run) !== null) return null
  const state = stateOf(session)
  const artifacts = await listArtifacts(state, run, session.terminal.env)
  const name = artifacts.find(({ shown }) => uriOf(run, shown) === uri)?.name
  if (name === undefined) return null
  const limits = { maxBytes: MAX_RESOURCE_BYTES, callerEnvironment: session.terminal.env }
  const read = await readArtifact(state, run, name, limits)
  if (read === null) return null
  const { content, path } = read
  if (content === null) {
    const why =
      read.withheld === 'too large'
        ? `This artifact has ${bytes(read.bytes)}, too much to be read whole.`
        : 'This artifact is no text and holds a secret.'
    return { uri, text: `${why} It is kept in ${path}\n` }
  }
  return 'text' in content ? { uri, text: content.text } : { uri, blob: content.base64 }
}

function stateOf({ terminal }: Session): string {
  return homes(terminal.env).state
}

/** By its shown name: a client shows it, and its model reads it. */
function uriOf(run: string, shown: string): string {
  return `srecodex://runs/${run}/artifacts/${shown.split('/').map(encodeURIComponent).join('/')}`
}
