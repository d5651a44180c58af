/**
 * What srecodex has installed in a folder of skills: each file with the hash of what was written.
 *
 * The manifest of a project is a stranger's text: whatever does not look like ours is as if it were not there.
 */

import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { slugOf } from './agent-skills.ts'
import { statusOf, writeBeside } from './installed-files.ts'
import type { Sums } from './installed-files.ts'

export const MANIFEST_NAME = '.srecodex-skills.json'

export interface Manifest {
  readonly version: 1
  readonly skills: Record<string, { readonly id: string; readonly files: Record<string, Sums> }>
}

const isPathOfSkill = (file: string): boolean =>
  file !== '' &&
  !path.isAbsolute(file) &&
  !file.includes('\\') &&
  file.split('/').every(part => part !== '' && part !== '.' && part !== '..')

const parseManifest = (text: string): Manifest => {
  const skills: Manifest['skills'] = {}
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return { version: 1, skills }
  }
  const listed = (parsed as { skills?: unknown } | null)?.skills
  if (typeof listed !== 'object' || listed === null) return { version: 1, skills }
  for (const [slug, entry] of Object.entries(listed as Record<string, unknown>)) {
    const { id, files } = (entry ?? {}) as { id?: unknown; files?: unknown }
    if (
      slug === '' ||
      typeof id !== 'string' ||
      slug !== slugOf(id) ||
      typeof files !== 'object' ||
      files === null
    )
      continue
    const sums = Object.entries(files as Record<string, unknown>).filter(
      (pair): pair is [string, string[]] =>
        isPathOfSkill(pair[0]) &&
        Array.isArray(pair[1]) &&
        pair[1].every(sum => typeof sum === 'string' && sum !== 'other'),
    )
    skills[slug] = { id, files: Object.fromEntries(sums) }
  }
  return { version: 1, skills }
}

export const readManifest = async (folder: string): Promise<Manifest> => {
  const file = path.join(folder, MANIFEST_NAME)
  const status = await statusOf(file)
  return parseManifest(status?.isFile() === true ? await readFile(file, 'utf8') : '')
}

const sorted = <T>(map: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)))

export const writeManifest = async (folder: string, manifest: Manifest): Promise<void> => {
  const file = path.join(folder, MANIFEST_NAME)
  if (Object.keys(manifest.skills).length === 0) return rm(file, { force: true })
  const skills = sorted(manifest.skills)
  for (const [slug, { id, files }] of Object.entries(skills)) skills[slug] = { id, files: sorted(files) }
  const text = `${JSON.stringify({ version: 1, skills }, null, 2)}\n`
  if ((await statusOf(file))?.isFile() === true && (await readFile(file, 'utf8')) === text) return
  await writeBeside(file, temporary => writeFile(temporary, text, { flag: 'wx' }))
}
