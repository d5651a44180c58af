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
export function listResources(session: Session): ArtifactResource[] {
  const found: ArtifactResource[] = []
  for (const run of session.runs.known.toReversed()) {
    if (session.runs.find(run) !== null) continue // still writing
    for (const { name, bytes: size } of listArtifacts(stateOf(session), run)) {
      if (found.length >= MAX_LISTED) return found
      found.push({ uri: uriOf(run, name), name: `${run}/${name}`, size })
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
  const name = listArtifacts(state, run).find(one => uriOf(run, one.name) === uri)?.name
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

function uriOf(run: string, name: string): string {
  return `srecodex://runs/${run}/artifacts/${name.split('/').map(encodeURIComponent).join('/')}`
}
