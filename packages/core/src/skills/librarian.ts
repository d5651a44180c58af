/**
 * Finds the skill for a task: the registry and the ranker, tied together by an index that is remembered.
 *
 * The index belongs to a fingerprint of all files. While that stands, a search reads the stamps and the index,
 * and no skill at all.
 */

import { readCache, writeCache } from './cache-file.ts'
import { cacheFileOf, readSurveyed, surveySkills } from './registry.ts'
import type { LoadRegistryOptions, RegisteredSkill, Registry } from './registry.ts'
import type { SearchableSkill, SearchIndex } from './search/build-index.ts'

export interface FoundSkill {
  readonly id: string
  readonly name: string
  readonly score: number
  /** Its SKILL.md. */
  readonly path: string
  /** Which words matched where. */
  readonly why: readonly string[]
}

export interface SearchOptions {
  /** @default 5 */
  readonly limit?: number
}

export interface Librarian {
  /** Best first; empty where nothing fits. */
  search(query: string, options?: SearchOptions): readonly FoundSkill[]
  /** That of the files it knows. */
  readonly fingerprint: string
  readonly skills: number
}

/** Raise it with any change to what stands in the file; the version of the index itself comes on top. */
const FORMAT = 'srecodex-search/1'

const DEFAULT_LIMIT = 5

interface Remembered {
  readonly fingerprint: string
  /** SKILL.md by the number of the skill in the index. */
  readonly files: readonly string[]
  readonly index: SearchIndex
}

const formatOf = async (): Promise<string> => {
  const { INDEX_VERSION } = await import('./search/build-index.ts')
  return `${FORMAT}/${INDEX_VERSION}`
}

const librarianOf = async ({ fingerprint, files, index }: Remembered): Promise<Librarian> => {
  const { search } = await import('./search/search.ts')
  const fileOf = new Map(index.ids.map((id, at) => [id, files[at] ?? '']))
  return {
    fingerprint,
    skills: files.length,
    search: (query, { limit = DEFAULT_LIMIT } = {}) =>
      search(index, query, { limit }).map(({ id, name, score, why }) => ({
        id,
        name,
        score,
        path: fileOf.get(id) ?? '',
        why,
      })),
  }
}

const remembered = async (
  cacheFolder: string | null,
  folders: readonly string[],
  fingerprint: string,
): Promise<Remembered | null> => {
  if (cacheFolder === null) return null
  const cached = readCache(cacheFileOf(cacheFolder, 'search', folders), await formatOf()) as Remembered | null
  return cached?.fingerprint === fingerprint ? cached : null
}

const build = async (registry: Registry, texts: ReadonlyMap<string, string>): Promise<Remembered> => {
  const [{ buildIndex }, { loadSkill }] = await Promise.all([
    import('./search/build-index.ts'),
    import('./read-skill.ts'),
  ])
  const searchable = (skill: RegisteredSkill): SearchableSkill => ({
    id: skill.id,
    name: skill.name,
    description: skill.description,
    tags: skill.tags,
    intent: skill.intent,
    body: texts.get(skill.file) ?? loadSkill(skill).skill?.body ?? '',
  })
  const index = buildIndex(registry.skills.map(searchable))
  const made = { fingerprint: registry.fingerprint, files: registry.skills.map(({ file }) => file), index }
  if (registry.cacheFolder !== null) {
    writeCache(cacheFileOf(registry.cacheFolder, 'search', registry.folders), await formatOf(), made)
  }
  return made
}

/** Opens the index of these folders; reads skills only where a file has changed. */
export const openLibrarian = async (options: LoadRegistryOptions): Promise<Librarian> => {
  const survey = await surveySkills(options)
  const known = survey.isFresh
    ? null
    : await remembered(options.cacheFolder, survey.folders, survey.fingerprint)
  if (known !== null) return librarianOf(known)
  const texts = new Map<string, string>()
  const registry = await readSurveyed(survey, options.cacheFolder, (file, body) => void texts.set(file, body))
  return librarianOf(await build(registry, texts))
}

const librarians = new WeakMap<Registry, Promise<Librarian>>()

/** The librarian of a registry that is loaded already; made once. */
export const librarianFor = (registry: Registry): Promise<Librarian> => {
  const open = async (): Promise<Librarian> => {
    const known = await remembered(registry.cacheFolder, registry.folders, registry.fingerprint)
    return librarianOf(known ?? (await build(registry, new Map())))
  }
  const librarian = librarians.get(registry) ?? open()
  librarians.set(registry, librarian)
  return librarian
}

export const searchSkills = async (
  registry: Registry,
  query: string,
  options: SearchOptions = {},
): Promise<readonly FoundSkill[]> => (await librarianFor(registry)).search(query, options)
