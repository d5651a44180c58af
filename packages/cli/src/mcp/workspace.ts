/**
 * Which folder a client may have a script write: the server's own, one below it, or one at or below a root of the
 * client's; and none whose files make programs of the host run code.
 */

import { protectionReason, SrecodexError } from '@srecodex/core'
import { existsSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Null: it lies in none of these folders. @throws {SrecodexError} WORKSPACE_INVALID */
export function workspaceIn(bases: readonly string[], cwd: string, given: string): string | null {
  const workspace = realFolder(resolve(cwd, given), given)
  const base = bases.map(realOrNull).find(folder => folder !== null && contains(folder, workspace))
  if (base === undefined || base === null) return null
  const why = protectedBelow(base, workspace)
  if (why === null) return workspace
  throw new SrecodexError('WORKSPACE_INVALID', `${given} cannot be a workspace: ${why}`, {
    hint: 'use the project folder',
    details: { path: workspace },
  })
}

export function outside(given: string, cwd: string): SrecodexError {
  return new SrecodexError(
    'WORKSPACE_INVALID',
    `the workspace ${given} lies outside of what this client works in`,
    {
      hint: `leave it out for ${cwd}, or name a folder below it or below a root of the client`,
      details: { path: given },
    },
  )
}

/** Folders of this machine among a client's roots. */
export function rootFolders(uris: readonly string[]): string[] {
  return uris.flatMap(uri => {
    try {
      return [fileURLToPath(uri)]
    } catch {
      return []
    }
  })
}

const REPOSITORIES = new Set(['.git', '.hg', '.sl', '.jj', '.svn'])

/** Each folder on the way down counts, and the base does not: a person chose it. */
function protectedBelow(base: string, workspace: string): string | null {
  let folder = base
  for (const name of relative(base, workspace).split('/')) {
    folder = join(folder, name)
    if (folder === base) return null
    if (REPOSITORIES.has(name.toLowerCase()) || isGitFolder(folder))
      return 'a repository keeps its hooks in it'
    const reason = protectionReason(folder)
    if (reason !== null) return reason
  }
  return null
}

function isGitFolder(folder: string): boolean {
  return ['HEAD', 'objects', 'refs'].every(name => existsSync(join(folder, name)))
}

function realFolder(path: string, given: string): string {
  const real = realOrNull(path)
  if (real !== null && statSync(real).isDirectory()) return real
  throw new SrecodexError('WORKSPACE_INVALID', `there is no folder ${given}`, { details: { path: given } })
}

function realOrNull(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

function contains(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way === '' || (way !== '..' && !way.startsWith('../') && !isAbsolute(way))
}
