/** Files that a script left as artifacts. Regular ones only: what else it leaves there is kept, and not followed. */

import { lstatSync, readdirSync, type Dirent } from 'node:fs'
import { join } from 'node:path'
import { redactRows } from './call-words.ts'
import type { Redactor } from './redact.ts'
import { runFolder } from './store.ts'
import { redactorOf } from './timeline.ts'

export interface FoundArtifact {
  /** Relative, as the script wrote it: what it is read by. Not fit to be shown. */
  readonly name: string
  readonly bytes: number
}

export interface Artifact extends FoundArtifact {
  /** Its name, fit to be shown: one line, without secrets. Where two would be shown alike, the later has a number. */
  readonly shown: string
}

/** More is not looked for; the run's folder keeps all. */
const MAX_SEEN = 10_000

/** By name. @param run its whole id. @param environment its secrets are taken out. */
export function listArtifacts(
  stateFolder: string,
  run: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Artifact[]> {
  const folder = runFolder(stateFolder, run)
  return withShownNames(artifactsIn(folder.artifacts), redactorOf(folder, environment))
}

/** A script may write a secret into a name as it may into a file. */
export async function withShownNames(
  found: readonly FoundArtifact[],
  redactor: Redactor,
): Promise<Artifact[]> {
  const rows = await redactRows(
    found.map(({ name }) => [name]),
    redactor,
  )
  const taken = new Set<string>()
  const times = new Map<string, number>()
  return found.map((artifact, index) => {
    const [words] = rows[index] as [string]
    let shown = words
    for (let time = times.get(words) ?? 2; taken.has(shown); time += 1) {
      shown = `${words} (${time})`
      times.set(words, time + 1)
    }
    taken.add(shown)
    return { ...artifact, shown }
  })
}

/** @param folder of artifacts. */
export function artifactsIn(folder: string): FoundArtifact[] {
  const found: FoundArtifact[] = []
  const folders = ['']
  for (let at = folders.pop(); at !== undefined && found.length < MAX_SEEN; at = folders.pop()) {
    for (const entry of entriesOf(join(folder, at))) {
      const name = join(at, entry.name)
      if (entry.isDirectory()) folders.push(name)
      else if (entry.isFile()) found.push({ name, bytes: sizeOf(join(folder, name)) })
    }
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** A folder that a script shut, or nested past what a path can hold, costs its own files and no others. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

function sizeOf(file: string): number {
  try {
    return lstatSync(file).size
  } catch {
    return 0
  }
}
