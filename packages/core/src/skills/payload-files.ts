/** The files beside a SKILL.md, as an installed skill gets them. */

import { lstat, readdir, readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import { isBelow } from './installed-files.ts'
import type { WantedFile } from './installed-files.ts'
import type { SkillPlace } from './skill.ts'

const NOT_PAYLOAD = /^(\.|node_modules$|__pycache__$)|\.pyc$/

const MAX_FILES = 2000
const MAX_BYTES = 64 * 2 ** 20

/** The files beside a SKILL.md. Links count where they stay in the folder; other skills below it do not. */
const payloadFiles = async (folder: string): Promise<{ path: string; source: string; mode: number }[]> => {
  const root = await realpath(folder)
  const files: { path: string; source: string; mode: number }[] = []
  const walk = async (at: string, below: string, depth: number): Promise<void> => {
    const entries = await readdir(at, { withFileTypes: true })
    if (below !== '' && entries.some(entry => entry.name === 'SKILL.md')) return
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (NOT_PAYLOAD.test(entry.name) || (below === '' && entry.name === 'SKILL.md')) continue
      const source = path.join(at, entry.name)
      const name = below === '' ? entry.name : `${below}/${entry.name}`
      const real = entry.isSymbolicLink() ? await realpath(source).catch(() => null) : source
      if (real === null || !isBelow(root, real)) continue
      const status = await lstat(real)
      // A linked folder could hold itself.
      if (status.isDirectory() && !entry.isSymbolicLink() && depth < 8) await walk(source, name, depth + 1)
      else if (status.isFile()) files.push({ path: name, source: real, mode: status.mode & 0o777 })
    }
  }
  await walk(root, '', 0)
  return files
}

export const wantedPayload = async (
  place: SkillPlace,
  mode: 'link' | 'copy',
  folder: string,
  base: string,
): Promise<WantedFile[]> => {
  const files = await payloadFiles(place.folder)
  if (files.length > MAX_FILES) throw new Error(`it has more than ${MAX_FILES} files`)
  let bytes = 0
  const wanted: WantedFile[] = []
  for (const file of files) {
    if (mode === 'link') {
      // Within one project a link that begins at itself survives a move and a checkout elsewhere.
      const from = path.dirname(path.join(folder, file.path))
      const isNear = isBelow(base, file.source) && isBelow(base, from)
      const target = isNear ? path.relative(from, file.source) : file.source
      wanted.push({ path: file.path, content: { kind: 'link', target } })
      continue
    }
    const content = await readFile(file.source)
    bytes += content.length
    if (bytes > MAX_BYTES) throw new Error(`its files are larger than ${MAX_BYTES / 2 ** 20} MiB`)
    wanted.push({
      path: file.path,
      content: { kind: 'file', bytes: content, mode: file.mode & 0o111 ? 0o755 : 0o644 },
    })
  }
  return wanted
}
