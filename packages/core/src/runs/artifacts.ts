/** Files that a script left as artifacts. Regular ones only: what else it leaves there is kept, and not followed. */

import { lstatSync, readdirSync, type Dirent } from 'node:fs'
import { join } from 'node:path'
import { runFolder } from './store.ts'

export interface Artifact {
  /** Relative, as the script wrote it: not fit to be shown as it is. */
  readonly name: string
  readonly bytes: number
}

/** More is not looked for; the run's folder keeps all. */
const MAX_SEEN = 10_000

/** By name. @param run its whole id. */
export function listArtifacts(stateFolder: string, run: string): Artifact[] {
  return artifactsIn(runFolder(stateFolder, run).artifacts)
}

/** @param folder of artifacts. */
export function artifactsIn(folder: string): Artifact[] {
  const found: Artifact[] = []
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
