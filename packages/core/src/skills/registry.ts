/**
 * What an agent can do: the skills of several folders, read once and remembered.
 *
 * Every start looks at every file's stamp; only a file whose stamp is new is read. A later folder covers a skill
 * of an earlier one, and the registry says so. A file that cannot be served is a problem and covers nothing.
 */

import { createHash } from 'node:crypto'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { readCache, writeCache } from './cache-file.ts'
import { scanSkills } from './scan.ts'
import type { FoundSkill, Scan } from './scan.ts'
import type { Skill, SkillPlace, SkillProblem } from './skill.ts'

/** A skill without its text: that is read when someone asks for it. */
export interface RegisteredSkill extends Omit<Skill, 'body'> {
  /** The skills folder it was found in. */
  readonly root: string
}

/** A skill that is not served, because a later folder has one of the same id. */
export interface ShadowedSkill {
  readonly id: string
  readonly file: string
  /** The file that is served in its place. */
  readonly by: string
}

export interface SkillsFolder {
  readonly path: string
  /** Nobody asked for it: that it does not exist is no problem. @default false */
  readonly isOptional?: boolean
}

export interface LoadRegistryOptions {
  /** Later ones cover earlier ones. */
  readonly folders: readonly (string | SkillsFolder)[]
  /** Null: nothing is remembered. */
  readonly cacheFolder: string | null
}

export interface Registry {
  readonly folders: readonly string[]
  /** By id, in the order of the alphabet. */
  readonly skills: readonly RegisteredSkill[]
  readonly shadowed: readonly ShadowedSkill[]
  /** Of every file, served or not, and of the folders. */
  readonly problems: readonly SkillProblem[]
  /** Differs whenever any skill may have changed. */
  readonly fingerprint: string
  /** Where the search index of this registry is remembered; null: nowhere. */
  readonly cacheFolder: string | null
  /** How many files there are, and how many of them were read this time. */
  readonly files: { readonly total: number; readonly read: number }
}

/** Raise it with any change to what a file is read as: fields, defaults, problems. */
const FORMAT = 'srecodex-skills/1'

const TURN_MS = 20

/** What is remembered of one file: everything but where it is and its text. */
type Remembered = Omit<Skill, 'body' | 'id' | 'folder' | 'file' | 'problems'>

interface Entry {
  readonly stamp: string
  /** Null: the file cannot be served. */
  readonly skill: Remembered | null
  readonly problems: readonly SkillProblem[]
}

type Entries = Record<string, Entry>

/** The files of the registry, before any is read. */
export interface Survey {
  readonly folders: readonly string[]
  readonly scans: readonly (Scan & { readonly root: string })[]
  readonly fingerprint: string
  /** Something changed so lately that what is found now must not be remembered. */
  readonly isFresh: boolean
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32)

/** Looks at every file's stamp and reads none. */
export const surveySkills = async (options: LoadRegistryOptions): Promise<Survey> => {
  const folders = options.folders.map(folder => (typeof folder === 'string' ? { path: folder } : folder))
  const scans: (Scan & { root: string })[] = []
  for (const folder of folders) {
    const root = path.resolve(folder.path)
    const scan = await scanSkills(root)
    const isMissing = scan.problems.some(problem => problem.rule === 'folder/missing')
    scans.push({ root, ...(isMissing && folder.isOptional === true ? { found: [], problems: [] } : scan) })
  }
  const stamps = scans.map(({ root, found }) => [root, ...found.flatMap(({ file, stamp }) => [file, stamp])])
  return {
    folders: folders.map(folder => path.resolve(folder.path)),
    scans,
    fingerprint: hashOf(JSON.stringify(stamps)),
    isFresh: scans.some(({ found }) => found.some(one => one.isFresh)),
  }
}

/** One file of its kind for each list of folders. */
export const cacheFileOf = (cacheFolder: string, kind: string, folders: readonly string[]): string =>
  path.join(cacheFolder, `${kind}-${hashOf(JSON.stringify(folders))}.json`)

const isEntries = (value: unknown): value is Entries => typeof value === 'object' && value !== null

/** Every file's entry, from the cache where its stamp stands there. */
const readEntries = async (
  survey: Survey,
  cacheFolder: string | null,
  onText: (file: string, body: string) => void,
): Promise<{ entries: ReadonlyMap<string, Entry>; read: number }> => {
  const cacheFile = cacheFolder === null ? null : cacheFileOf(cacheFolder, 'skills', survey.folders)
  const cached = cacheFile === null ? null : readCache(cacheFile, FORMAT)
  const remembered = new Map(isEntries(cached) ? Object.entries(cached) : [])
  const found = survey.scans.flatMap(scan => scan.found)
  const entries = new Map<string, Entry>()
  const missing: FoundSkill[] = []
  for (const one of found) {
    const entry = remembered.get(one.file)
    if (entry?.stamp === one.stamp) entries.set(one.file, entry)
    else missing.push(one)
  }
  if (missing.length > 0) {
    // The readers of YAML cost more to load than all the rest; a warm start does without them.
    const { loadSkill } = await import('./read-skill.ts')
    let turnEnds = performance.now() + TURN_MS
    for (const one of missing) {
      const { skill, problems } = loadSkill(one)
      entries.set(one.file, { stamp: one.stamp, skill: skill && withoutPlace(skill), problems })
      if (skill !== null) onText(one.file, skill.body)
      if (performance.now() > turnEnds) {
        await nextTurn()
        turnEnds = performance.now() + TURN_MS
      }
    }
  }
  const hasChanged = missing.some(one => !one.isFresh) || remembered.size > entries.size
  if (cacheFile !== null && hasChanged) {
    const kept = found.filter(one => !one.isFresh).map(({ file }) => [file, entries.get(file)])
    writeCache(cacheFile, FORMAT, Object.fromEntries(kept))
  }
  return { entries, read: missing.length }
}

const withoutPlace = (skill: Skill): Remembered => {
  const { body: _body, id: _id, folder: _folder, file: _file, problems: _problems, ...rest } = skill
  return rest
}

/** @param onText Gets the body of each file that is read on the way, since the search index wants it too. */
export const readSurveyed = async (
  survey: Survey,
  cacheFolder: string | null,
  onText: (file: string, body: string) => void = () => {},
): Promise<Registry> => {
  const { entries, read } = await readEntries(survey, cacheFolder, onText)
  const served = new Map<string, RegisteredSkill>()
  const shadowed: ShadowedSkill[] = []
  const problems: SkillProblem[] = survey.scans.flatMap(scan => [...scan.problems])
  for (const { root, found } of survey.scans) {
    for (const { id, folder, file } of found) {
      const entry = entries.get(file)
      if (entry === undefined) continue
      problems.push(...entry.problems)
      if (entry.skill === null) continue
      const covered = served.get(id)
      if (covered !== undefined) shadowed.push({ id, file: covered.file, by: file })
      served.set(id, { ...entry.skill, problems: entry.problems, id, folder, file, root })
    }
  }
  return {
    folders: survey.folders,
    skills: [...served.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    shadowed,
    problems,
    fingerprint: survey.fingerprint,
    cacheFolder: survey.isFresh ? null : cacheFolder,
    files: { total: entries.size, read },
  }
}

/** Never fails over a skill: what is wrong with the folders and the files stands in `problems`. */
export const loadRegistry = async (options: LoadRegistryOptions): Promise<Registry> =>
  readSurveyed(await surveySkills(options), options.cacheFolder)

/** Every SKILL.md of these folders, for those who check them: covered ones and unreadable ones too. */
export const findSkills = async (
  folders: LoadRegistryOptions['folders'],
): Promise<{ readonly places: readonly SkillPlace[]; readonly problems: readonly SkillProblem[] }> => {
  const { scans } = await surveySkills({ folders, cacheFolder: null })
  return { places: scans.flatMap(scan => scan.found), problems: scans.flatMap(scan => scan.problems) }
}

/**
 * A skill with its text, read now. Null: there is none of that id, or its file is no skill any more.
 */
export const readSkill = async (registry: Registry, id: string): Promise<Skill | null> => {
  const known = registry.skills.find(skill => skill.id === id)
  if (known === undefined) return null
  const { loadSkill } = await import('./read-skill.ts')
  return loadSkill(known).skill
}

/** Ids that a person may have meant: the same last part, a slip of the hand, or the slug that agents know. */
export const similarIds = async (registry: Registry, id: string): Promise<readonly string[]> => {
  const ids = registry.skills.map(skill => skill.id)
  const last = id.split('/').at(-1)
  const same = ids.filter(one => one.split('/').at(-1) === last || one.replaceAll('/', '-') === id)
  if (same.length > 0) return same.slice(0, 3)
  const { nearest } = await import('../suggestion.ts')
  const near = nearest(id, ids)
  return near === undefined ? [] : [near]
}
