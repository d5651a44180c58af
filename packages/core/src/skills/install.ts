/**
 * Puts skills where agents look for them, in the strict Agent Skills form, and takes them away again.
 *
 * A manifest beside them remembers every file that was written and its hash. Whatever is not in it, or is not
 * what was written, belongs to somebody else: it is reported and left as it is. Nothing is written through a
 * symlink that leads out of the project (or the home).
 */

import { createHash } from 'node:crypto'
import {
  lstat,
  mkdir,
  readdir,
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
import { extrasOf, renderAgentSkill, slugOf } from './agent-skills.ts'
import { insertDirective } from './directive.ts'
import type { SkillPlace, SkillProblem } from './skill.ts'

export type InstallClient = 'codex' | 'claude' | 'cursor' | 'agents'
export type InstallScope = 'project' | 'user'
export type InstallMode = 'link' | 'copy'

export interface InstallTarget {
  readonly client: InstallClient
  readonly scope: InstallScope
  readonly projectFolder: string
  readonly home: string
}

export interface InstallOptions extends InstallTarget {
  readonly skills: readonly SkillPlace[]
  /** Payload files: as links to where they are, or as copies. SKILL.md is always written. */
  readonly mode: InstallMode
}

export interface InstalledSkill {
  readonly id: string
  readonly slug: string
  readonly folder: string
  readonly action: 'created' | 'updated' | 'unchanged' | 'removed'
}

export interface InstallConflict {
  readonly id: string
  readonly path: string
  readonly reason: string
}

export interface InstallResult {
  /** Where this client looks for skills. */
  readonly folder: string
  readonly skills: readonly InstalledSkill[]
  /** Left as they are, with the rest of their skill. */
  readonly conflicts: readonly InstallConflict[]
  readonly problems: readonly SkillProblem[]
}

export const MANIFEST_NAME = '.srecodex-skills.json'

/** Codex, Cursor and others read `.agents/skills`; Claude Code reads its own folder only. */
const FOLDERS: Readonly<Record<InstallClient, string>> = {
  codex: '.agents/skills',
  cursor: '.agents/skills',
  agents: '.agents/skills',
  claude: '.claude/skills',
}

const baseOf = ({ scope, projectFolder, home }: InstallTarget): string =>
  path.resolve(scope === 'project' ? projectFolder : home)

export const installFolder = (target: InstallTarget): string =>
  path.join(baseOf(target), FOLDERS[target.client])

interface WantedFile {
  /** Below the folder of the skill, with `/`. */
  readonly path: string
  readonly content:
    | { readonly kind: 'file'; readonly bytes: Buffer; readonly mode: number }
    | { readonly kind: 'link'; readonly target: string }
}

/** What may stand at a path as our own work: hashes, more than one while an update is under way. */
type Sums = readonly string[]

interface Manifest {
  readonly version: 1
  readonly skills: Record<string, { readonly id: string; readonly files: Record<string, Sums> }>
}

const sumOf = (content: WantedFile['content']): string =>
  content.kind === 'link'
    ? `link:${content.target}`
    : `sha256:${createHash('sha256').update(content.bytes).digest('hex')}`

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : ''

const statusOf = async (file: string) => {
  try {
    return await lstat(file)
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null
    throw error
  }
}

/** What stands at a path: nothing, a file or a link with its sum, or something else. */
const presentSum = async (file: string): Promise<string | null> => {
  const status = await statusOf(file)
  if (status === null) return null
  if (status.isSymbolicLink()) return sumOf({ kind: 'link', target: await readlink(file) })
  if (!status.isFile()) return 'other'
  return sumOf({ kind: 'file', bytes: await readFile(file), mode: 0 })
}

const isBelow = (folder: string, file: string): boolean => {
  const relative = path.relative(folder, file)
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative)
}

/** The nearest part of a path that exists, without symlinks. */
const nearestReal = async (folder: string): Promise<string> => {
  for (let at = folder; ; at = path.dirname(at)) {
    if ((await statusOf(at)) !== null) return realpath(at)
    if (at === path.dirname(at)) return at
  }
}

/** Why nothing may be written there, or null. */
const refusalOf = async (target: InstallTarget): Promise<string | null> => {
  const base = baseOf(target)
  try {
    const real = await nearestReal(installFolder(target))
    return isBelow(await nearestReal(base), real) ? null : `it leads out of ${base}, to ${real}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const isPathOfSkill = (file: string): boolean =>
  file !== '' &&
  !path.isAbsolute(file) &&
  !file.includes('\\') &&
  file.split('/').every(part => part !== '' && part !== '.' && part !== '..')

/** A project's manifest is a stranger's text: whatever does not look like ours is as if it were not there. */
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
    if (slug !== slugOf(slug) || typeof id !== 'string' || typeof files !== 'object' || files === null)
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

const readManifest = async (folder: string): Promise<Manifest> => {
  const file = path.join(folder, MANIFEST_NAME)
  const status = await statusOf(file)
  return parseManifest(status?.isFile() === true ? await readFile(file, 'utf8') : '')
}

const writeBeside = async (file: string, write: (temporary: string) => Promise<void>): Promise<void> => {
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

const sorted = <T>(map: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)))

const writeManifest = async (folder: string, manifest: Manifest): Promise<void> => {
  const file = path.join(folder, MANIFEST_NAME)
  if (Object.keys(manifest.skills).length === 0) return rm(file, { force: true })
  const skills = sorted(manifest.skills)
  for (const [slug, { id, files }] of Object.entries(skills)) skills[slug] = { id, files: sorted(files) }
  const text = `${JSON.stringify({ version: 1, skills }, null, 2)}\n`
  if ((await statusOf(file))?.isFile() === true && (await readFile(file, 'utf8')) === text) return
  await writeBeside(file, temporary => writeFile(temporary, text, { flag: 'wx' }))
}

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

const wantedPayload = async (
  place: SkillPlace,
  mode: InstallMode,
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

type SkillPlan =
  | { readonly kind: 'conflict'; readonly conflicts: readonly InstallConflict[] }
  | {
      readonly kind: 'write'
      readonly write: readonly WantedFile[]
      readonly remove: readonly string[]
      readonly isNew: boolean
    }

const FOREIGN = 'srecodex did not write it'
const EDITED = 'it has been changed since srecodex wrote it'

/** A folder on the way that is a link would lead somewhere else. */
const linkOnTheWay = async (folder: string, file: string): Promise<string | null> => {
  const parts = file.split('/').slice(0, -1)
  for (let length = 0; length <= parts.length; length += 1) {
    const at = path.join(folder, ...parts.slice(0, length))
    const status = await statusOf(at)
    if (status !== null && !status.isDirectory()) return at
  }
  return null
}

const planOne = async (
  id: string,
  folder: string,
  wanted: readonly WantedFile[],
  known: Record<string, Sums>,
): Promise<SkillPlan> => {
  const conflicts: InstallConflict[] = []
  const write: WantedFile[] = []
  const remove: string[] = []
  for (const file of wanted) {
    const at = path.join(folder, file.path)
    const blocked = await linkOnTheWay(folder, file.path)
    if (blocked !== null) {
      conflicts.push({ id, path: blocked, reason: FOREIGN })
      continue
    }
    const present = await presentSum(at)
    if (present === null) write.push(file)
    else if (!Object.hasOwn(known, file.path)) conflicts.push({ id, path: at, reason: FOREIGN })
    else if (present !== sumOf(file.content)) {
      if (known[file.path]?.includes(present) === true) write.push(file)
      else conflicts.push({ id, path: at, reason: EDITED })
    }
  }
  const isWanted = new Set(wanted.map(file => file.path))
  for (const [file, sums] of Object.entries(known)) {
    if (isWanted.has(file) || (await linkOnTheWay(folder, file)) !== null) continue
    const present = await presentSum(path.join(folder, file))
    if (present !== null && sums.includes(present)) remove.push(file)
    else if (present !== null) conflicts.push({ id, path: path.join(folder, file), reason: EDITED })
  }
  const unique = [...new Map(conflicts.map(conflict => [conflict.path, conflict])).values()]
  return unique.length > 0
    ? { kind: 'conflict', conflicts: unique }
    : { kind: 'write', write, remove, isNew: Object.keys(known).length === 0 }
}

const writeWanted = async (folder: string, { path: name, content }: WantedFile): Promise<void> => {
  const file = path.join(folder, name)
  await mkdir(path.dirname(file), { recursive: true })
  await writeBeside(file, temporary =>
    content.kind === 'link'
      ? symlink(content.target, temporary)
      : writeFile(temporary, content.bytes, { flag: 'wx', mode: content.mode }),
  )
}

/** Removes files, then the folders that are empty for it. */
const removeFiles = async (folder: string, files: readonly string[]): Promise<void> => {
  for (const file of files) {
    await rm(path.join(folder, file), { force: true })
    for (let at = path.dirname(file); at !== '.'; at = path.dirname(at)) {
      await rmdir(path.join(folder, at)).catch(() => {})
    }
  }
  await rmdir(folder).catch(() => {})
}

const problemOf = (place: SkillPlace, message: string): SkillProblem => ({
  severity: 'error',
  rule: 'install/skill',
  message: `skill \`${place.id}\` is not installed: ${message}`,
  at: { file: place.file, line: 1 },
})

/** The whole of an installed skill, in memory; a sentence where it cannot be installed. */
const wantedFiles = async (
  place: SkillPlace,
  options: InstallOptions,
  folder: string,
): Promise<WantedFile[] | string> => {
  const { loadSkill } = await import('./read-skill.ts')
  const { skill, frontMatter, problems } = loadSkill(place)
  if (skill === null) return problems[0]?.message ?? 'it cannot be read'
  if (skill.description === '') return 'it has no description, and agents do not load such a skill'
  const body = skill.scriptFirst ? insertDirective(skill.body) : skill.body
  const text = renderAgentSkill(skill, body, extrasOf(frontMatter.fields))
  try {
    const payload = await wantedPayload(place, options.mode, folder, baseOf(options))
    return [
      { path: 'SKILL.md', content: { kind: 'file', bytes: Buffer.from(text), mode: 0o644 } },
      ...payload,
    ]
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const refused = (target: InstallTarget, message: string): InstallResult => ({
  folder: installFolder(target),
  skills: [],
  conflicts: [],
  problems: [
    {
      severity: 'error',
      rule: 'install/folder',
      message: `nothing is written there: ${message}`,
      at: { file: installFolder(target) },
    },
  ],
})

/** Installs or updates skills. A second call with the same skills changes nothing. */
export const installSkills = async (options: InstallOptions): Promise<InstallResult> => {
  const refusal = await refusalOf(options)
  if (refusal !== null) return refused(options, refusal)
  const root = installFolder(options)
  const manifest = await readManifest(root)
  const skills: InstalledSkill[] = []
  const conflicts: InstallConflict[] = []
  const problems: SkillProblem[] = []
  const taken = new Map<string, string>()

  for (const place of options.skills) {
    const slug = slugOf(place.id)
    const other = taken.get(slug) ?? manifest.skills[slug]?.id
    if (slug === '' || (other !== undefined && other !== place.id)) {
      problems.push(
        problemOf(
          place,
          slug === '' ? 'its id makes no name' : `\`${other}\` has the same name, \`${slug}\``,
        ),
      )
      continue
    }
    taken.set(slug, place.id)
    const folder = path.join(root, slug)
    const wanted = await wantedFiles(place, options, folder)
    if (typeof wanted === 'string') {
      problems.push(problemOf(place, wanted))
      continue
    }
    const known = manifest.skills[slug]?.files ?? {}
    const plan = await planOne(place.id, folder, wanted, known)
    if (plan.kind === 'conflict') {
      conflicts.push(...plan.conflicts)
      continue
    }
    const sums = Object.fromEntries(wanted.map(file => [file.path, [sumOf(file.content)]]))
    if (plan.write.length > 0 || plan.remove.length > 0) {
      await mkdir(root, { recursive: true })
      // Written ahead: were this to end half way, old and new files alike would still be known as ours.
      const both = Object.keys({ ...known, ...sums }).map(file => [
        file,
        [...(known[file] ?? []), ...(sums[file] ?? [])],
      ])
      manifest.skills[slug] = { id: place.id, files: Object.fromEntries(both) as Record<string, Sums> }
      await writeManifest(root, manifest)
      for (const file of plan.write) await writeWanted(folder, file)
      await removeFiles(folder, plan.remove)
    }
    manifest.skills[slug] = { id: place.id, files: sums }
    const action = plan.isNew
      ? 'created'
      : plan.write.length + plan.remove.length > 0
        ? 'updated'
        : 'unchanged'
    skills.push({ id: place.id, slug, folder, action })
  }
  if (skills.length > 0) await writeManifest(root, manifest)
  return { folder: root, skills, conflicts, problems }
}

/** Takes away what was installed: all of it, or the skills with these ids. Files that were changed stay. */
export const uninstallSkills = async (
  target: InstallTarget,
  ids?: readonly string[],
): Promise<InstallResult> => {
  const refusal = await refusalOf(target)
  if (refusal !== null) return refused(target, refusal)
  const root = installFolder(target)
  const manifest = await readManifest(root)
  const skills: InstalledSkill[] = []
  const conflicts: InstallConflict[] = []
  for (const [slug, { id, files }] of Object.entries(manifest.skills)) {
    if (ids !== undefined && !ids.includes(id)) continue
    const folder = path.join(root, slug)
    const plan = await planOne(id, folder, [], files)
    const kept = plan.kind === 'conflict' ? plan.conflicts : []
    conflicts.push(...kept)
    const edited = new Set(kept.map(conflict => conflict.path))
    const gone: string[] = []
    for (const [file, sums] of Object.entries(files)) {
      if (edited.has(path.join(folder, file)) || (await linkOnTheWay(folder, file)) !== null) continue
      const present = await presentSum(path.join(folder, file))
      if (present !== null && sums.includes(present)) gone.push(file)
    }
    await removeFiles(folder, gone)
    delete manifest.skills[slug]
    skills.push({ id, slug, folder, action: 'removed' })
  }
  if (skills.length > 0) await writeManifest(root, manifest)
  for (const folder of [root, path.dirname(root)]) {
    if (skills.length > 0 && folder !== baseOf(target)) await rmdir(folder).catch(() => {})
  }
  return { folder: root, skills, conflicts, problems: [] }
}
