/**
 * Binds the server of a run's socket to its path, however long that is.
 *
 * Promises: the server is bound, its socket has mode 0600 and the caller goes on, all in one turn of the loop:
 * nobody is accepted, and no error of the server is raised, before the caller can hear of it.
 */

import { chmodSync, closeSync, constants, openSync } from 'node:fs'
import type { Server } from 'node:net'
import { basename, dirname } from 'node:path'
import { SrecodexError } from '../errors.ts'

/** `sun_path` holds 108 bytes, its NUL included. */
const MAX_PATH_BYTES = 107

/**
 * Binds the socket; a path that is too long for a socket address by way of a descriptor of its folder.
 *
 * @returns What to call once the server is closed: it removes its file through that descriptor.
 * @throws {SrecodexError} STATE_UNWRITABLE: the socket cannot be made there.
 */
export async function listen(server: Server, path: string): Promise<() => void> {
  let folder: number | null = null
  const release = (): void => {
    if (folder !== null) closeSync(folder)
  }
  try {
    let address = path
    if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
      folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
      address = `/proc/self/fd/${folder}/${basename(path)}`
    }
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path: address, exclusive: true }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    chmodSync(path, 0o600)
    return release
  } catch (cause) {
    server.close()
    release()
    throw new SrecodexError('STATE_UNWRITABLE', `cannot listen at ${path}`, {
      hint: 'the folder of the socket must exist, be writable and hold no file of that name',
      details: { path },
      cause,
    })
  }
}
