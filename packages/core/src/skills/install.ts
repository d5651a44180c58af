/**
 * Puts skills where agents look for them, in the strict Agent Skills form, and takes them away again.
 *
 * A manifest beside them remembers every file that was written and its hash. Whatever is not in it, or is not
 * what was written, belongs to somebody else: it is reported and left as it is. Nothing is written through a
 * symlink that leads out of the project (or the home).
 */

import { mkdir, rmdir } from 'node:fs/promises'
import path from 'node:path'
import { extrasOf, renderAgentSkill, slugOf } from './agent-skills.ts'
import { insertDirective } from './directive.ts'
import { readManifest, writeManifest } from './install-manifest.ts'
import {
  isBelow,
  linkOnTheWay,
  nearestReal,
  presentSum,
  removeFiles,
  sumOf,
  writeWanted,
} from './installed-files.ts'
import type { Sums, WantedFile } from './installed-files.ts'
import { wantedPayload } from './payload-files.ts'
import type { SkillPlace, SkillProblem } from './skill.ts'

export { MANIFEST_NAME } from './install-manifest.ts'

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
  /** Only says what would be done. @default false */
  readonly dryRun?: boolean
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
    const isChanged = plan.write.length > 0 || plan.remove.length > 0
    if (isChanged && options.dryRun !== true) {
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
    const action = plan.isNew ? 'created' : isChanged ? 'updated' : 'unchanged'
    skills.push({ id: place.id, slug, folder, action })
  }
  if (skills.length > 0 && options.dryRun !== true) await writeManifest(root, manifest)
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
