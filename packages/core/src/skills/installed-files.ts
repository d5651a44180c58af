/**
 * Files of an installed skill: what stands at a path, and how it is written and taken away.
 *
 * Nothing here follows a symlink below the folder that it is given.
 */

import { createHash } from 'node:crypto'
import {
  lstat,
  mkdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  symlink,
  writeFile,
} from 'node:fs/promises'
import path from 'node:path'

export interface WantedFile {
  /** Below the folder of the skill, with `/`. */
  readonly path: string
  readonly content:
    | { readonly kind: 'file'; readonly bytes: Buffer; readonly mode: number }
    | { readonly kind: 'link'; readonly target: string }
}

/** What may stand at a path as our own work: hashes, more than one while an update is under way. */
export type Sums = readonly string[]

export const sumOf = (content: WantedFile['content']): string =>
  content.kind === 'link'
    ? `link:${content.target}`
    : `sha256:${createHash('sha256').update(content.bytes).digest('hex')}`

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : ''

export const statusOf = async (file: string) => {
  try {
    return await lstat(file)
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null
    throw error
  }
}

/** What stands at a path: nothing, a file or a link with its sum, or something else. */
export const presentSum = async (file: string): Promise<string | null> => {
  const status = await statusOf(file)
  if (status === null) return null
  if (status.isSymbolicLink()) return sumOf({ kind: 'link', target: await readlink(file) })
  if (!status.isFile()) return 'other'
  return sumOf({ kind: 'file', bytes: await readFile(file), mode: 0 })
}

export const isBelow = (folder: string, file: string): boolean => {
  const relative = path.relative(folder, file)
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative)
}

/** The nearest part of a path that exists, without symlinks. */
export const nearestReal = async (folder: string): Promise<string> => {
  for (let at = folder; ; at = path.dirname(at)) {
    if ((await statusOf(at)) !== null) return realpath(at)
    if (at === path.dirname(at)) return at
  }
}

/** A folder on the way that is a link would lead somewhere else. */
export const linkOnTheWay = async (folder: string, file: string): Promise<string | null> => {
  const parts = file.split('/').slice(0, -1)
  for (let length = 0; length <= parts.length; length += 1) {
    const at = path.join(folder, ...parts.slice(0, length))
    const status = await statusOf(at)
    if (status !== null && !status.isDirectory()) return at
  }
  return null
}

export const writeBeside = async (
  file: string,
  write: (temporary: string) => Promise<void>,
): Promise<void> => {
  const temporary = path.join(path.dirname(file), `.srecodex-${process.pid}-${path.basename(file)}`)
  try {
    await rm(temporary, { force: true })
    await write(temporary)
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

export const writeWanted = async (folder: string, { path: name, content }: WantedFile): Promise<void> => {
  const file = path.join(folder, name)
  await mkdir(path.dirname(file), { recursive: true })
  await writeBeside(file, temporary =>
    content.kind === 'link'
      ? symlink(content.target, temporary)
      : writeFile(temporary, content.bytes, { flag: 'wx', mode: content.mode }),
  )
}

/** Removes files, then the folders that are empty for it. */
export const removeFiles = async (folder: string, files: readonly string[]): Promise<void> => {
  for (const file of files) {
    await rm(path.join(folder, file), { force: true })
    for (let at = path.dirname(file); at !== '.'; at = path.dirname(at)) {
      await rmdir(path.join(folder, at)).catch(() => {})
    }
  }
  await rmdir(folder).catch(() => {})
}
