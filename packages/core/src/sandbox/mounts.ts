/**
 * What must stand at each path that bubblewrap mounts, told before it does.
 *
 * The script of another run may be writing to the same workspace at this moment. It can exchange a folder for a
 * link between our look and the mount, and bubblewrap follows links: the host's HOME was mounted that way. So the
 * first process of the sandbox compares before the script starts (`guest/init.pl`), and a mount that is not in its
 * place, or shows another file than the one seen here, ends the run. Each path is to be a mount of its own.
 */

import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { SrecodexError } from '../errors.ts'

export interface ExpectedMount {
  readonly path: string
  /** `device:inode`; null where an empty folder of the sandbox's own stands. */
  readonly identity: string | null
}

/** From the kernel's ABI, the same on x86-64 and arm64; Node does not name it. */
const O_PATH = 0o10_000_000

/**
 * Opens each path folder by folder, following no link.
 *
 * @param paths real paths.
 * @returns those that are there.
 * @throws {SrecodexError} SANDBOX_UNAVAILABLE, cause `workspace-changed`
 */
export function expectMounts(paths: readonly string[]): ExpectedMount[] {
  const folders = new Map<string, number>()
  const openFolder = (path: string): number => {
    const known = folders.get(path)
    if (known !== undefined) return known
    const flags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW
    const folder = openSync(path === '/' ? path : placeOf(path), flags)
    folders.set(path, folder)
    return folder
  }
  const placeOf = (path: string): string =>
    `/proc/self/fd/${openFolder(dirname(path))}/${path.slice(path.lastIndexOf('/') + 1)}`
  try {
    return paths.flatMap(path => {
      try {
        return [{ path, identity: identityOf(path === '/' ? path : placeOf(path)) }]
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
        throw error
      }
    })
  } catch (error) {
    throw new SrecodexError('SANDBOX_UNAVAILABLE', 'the workspace changed while the sandbox was made', {
      hint: 'something else writes to this workspace, such as another run: start it again',
      details: { cause: 'workspace-changed' },
      cause: error,
    })
  } finally {
    for (const folder of folders.values()) closeSync(folder)
  }
}

function identityOf(place: string): string {
  const file = openSync(place, O_PATH | constants.O_NOFOLLOW)
  try {
    const stat = fstatSync(file, { bigint: true })
    if (stat.isSymbolicLink()) throw new Error('a link stands in its place')
    return `${stat.dev}:${stat.ino}`
  } finally {
    closeSync(file)
  }
}
