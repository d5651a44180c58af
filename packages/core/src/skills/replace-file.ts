/** Writes a file so that whoever reads it sees the old text or the new one, and keeps its mode. */

import { randomBytes } from 'node:crypto'
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises'

/** A symlink stays one: what it leads to is replaced. */
export const replaceFile = async (file: string, text: string): Promise<void> => {
  const target = await realpath(file).catch(() => file)
  const mode = await stat(target).then(
    status => status.mode & 0o777,
    () => 0o644,
  )
  const temporary = `${target}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await writeFile(temporary, text, { flag: 'wx', mode })
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
