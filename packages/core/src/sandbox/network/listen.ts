/** Binds a server to a unix socket, however long its path is. */

import { constants } from 'node:fs'
import { chmod, open } from 'node:fs/promises'
import type { Server } from 'node:net'
import { basename, dirname } from 'node:path'

/** `sun_path` holds 108 bytes, its NUL included. */
const MAX_PATH_BYTES = 107

/** Settles when the server listens; the function it returns frees what the binding holds. */
export async function listenAt(server: Server, path: string): Promise<() => Promise<void>> {
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) {
    await listen(server, path)
    await chmod(path, 0o600)
    return async () => {}
  }
  const folder = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await listen(server, `/proc/self/fd/${folder.fd}/${basename(path)}`)
    await chmod(path, 0o600)
  } catch (error) {
    await folder.close()
    throw error
  }
  // The server removes its socket by the path it was bound to, so the folder stays open until then.
  return () => folder.close()
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
