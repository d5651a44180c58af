/**
 * srecodex's own folders, as a script could reach them: by their real paths, and made before it runs.
 *
 * A dotfiles repository that is the workspace holds `~/.config/srecodex` behind a link, or will hold it once it is
 * there. A script that may write it decides what the next script may do.
 */

import { mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { contains } from './workspace.ts'

export interface OwnPlaces {
  /** Real paths of folders that are there. */
  readonly folders: readonly string[]
  /** Files in the workspace that one of srecodex's folders links to: a config kept among dotfiles. */
  readonly files: readonly string[]
}

/** The real path, also of what does not exist yet. */
export function realOwnFolder(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realOwnFolder(parent), basename(path))
  }
}

/** Makes those that would lie in the workspace: a folder that is not there cannot be covered. */
export function ownPlaces(ownFolders: readonly string[], workspace: string): OwnPlaces {
  const folders: string[] = []
  const files: string[] = []
  for (const own of ownFolders) {
    const real = realOwnFolder(own)
    if (contains(workspace, real)) mkdirSync(real, { recursive: true, mode: 0o700 })
    if (!statSync(real, { throwIfNoEntry: false })?.isDirectory()) continue
    folders.push(real)
    for (const entry of readdirSync(real, { withFileTypes: true })) {
      if (!entry.isSymbolicLink()) continue
      const target = realOwnFolder(join(real, entry.name))
      if (!contains(workspace, target) || contains(real, target)) continue
      const stat = statSync(target, { throwIfNoEntry: false })
      if (stat?.isDirectory()) folders.push(target)
      else if (stat?.isFile()) files.push(target)
    }
  }
  return { folders: [...new Set(folders)].sort(), files: [...new Set(files)].sort() }
}
