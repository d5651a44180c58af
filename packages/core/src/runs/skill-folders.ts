/** Which folders of skills a run is shown, and may call. */

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { realOwnFolder } from '../sandbox/own-folders.ts'
import { contains } from '../sandbox/workspace.ts'
import type { RunOptions } from './options.ts'

/**
 * Folders of skills as they really are. One below the workspace that leads out of it is left out: a script can put
 * a link there, and the next one would be shown what it leads to.
 */
export function skillFoldersOf(
  options: Pick<RunOptions, 'skillFolders'>,
  around: { workspace: string },
): string[] {
  return (options.skillFolders ?? []).flatMap(given => {
    const path = resolve(given)
    const real = realOwnFolder(path)
    if (!statSync(real, { throwIfNoEntry: false })?.isDirectory()) return []
    return contains(around.workspace, path) && !contains(around.workspace, real) ? [] : [real]
  })
}
