/**
 * Finds every SKILL.md below a skills folder, and what tells that one has changed.
 *
 * Folders are read to depth 6. Linked folders are followed, each once, after all folders that are really there:
 * a link can neither make a circle nor take the place of what it leads to. Hidden folders and node_modules are
 * passed over, and below a skill the folders that hold its material.
 *
 * Synchronous calls in short turns: on thousands of files they cost a third of what promises do.
 */

import { readdirSync, realpathSync, statSync } from 'node:fs'
import type { BigIntStats, Dirent } from 'node:fs'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SkillPlace, SkillProblem } from './skill.ts'

export interface FoundSkill extends SkillPlace {
  /** Differs whenever the file may have changed: times in nanoseconds, size, inode. */
  readonly stamp: string
  /** Changed so lately that another change could leave the same stamp: not to be cached. */
  readonly isFresh: boolean
}

export interface Scan {
  readonly found: readonly FoundSkill[]
  readonly problems: readonly SkillProblem[]
}

export const SKILL_FILE = 'SKILL.md'

const MAX_DEPTH = 6
const MAX_FOLDERS = 100_000
const TURN_MS = 20

/** The kernel stamps files by a clock that ticks every few milliseconds. */
const FRESH_MS = 100

/** What a skill keeps beside its text: examples of skills in it are no skills. */
const MATERIAL = new Set([
  'scripts',
  'references',
  'assets',
  'templates',
  'examples',
  'test',
  'tests',
  'fixtures',
])

interface Place {
  readonly folder: string
  /** The same folder without symlinks on the way. */
  readonly real: string
  /** Below the skills folder, with `/`; empty for the skills folder itself. */
  readonly below: string
  readonly depth: number
  /** The nearest folder above, or this one, holds a skill. */
  readonly isInSkill: boolean
}

const reasonOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ELOOP') return 'its symlinks go in a circle'
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied'
  if (code === 'ENOENT') return 'it leads nowhere'
  return error instanceof Error ? error.message : String(error)
}

const statOf = (file: string): BigIntStats | string => {
  try {
    return statSync(file, { bigint: true })
  } catch (error) {
    return reasonOf(error)
  }
}

const isPassedOver = (name: string, isInSkill: boolean): boolean =>
  name.startsWith('.') || name === 'node_modules' || (isInSkill && MATERIAL.has(name))

/** An id is typed, printed and joined to paths. */
// oxlint-disable-next-line no-control-regex -- what is looked for
const isNameable = (name: string): boolean => !/[\u0000-\u001f\u007f-\u009f\uFFFD\\]/.test(name)

/** @param folder Absolute. */
export const scanSkills = async (folder: string, nowMs: number = Date.now()): Promise<Scan> => {
  const found: FoundSkill[] = []
  const problems: SkillProblem[] = []
  const warn = (rule: string, file: string, message: string, hint?: string): void =>
    void problems.push({
      severity: 'warning',
      rule,
      message,
      at: { file },
      ...(hint === undefined ? {} : { hint }),
    })
  const refuse = (rule: string, file: string, message: string): void =>
    void problems.push({ severity: 'error', rule, message, at: { file, line: 1 } })

  const visited = new Set<string>()
  const links: Place[] = []
  const freshFromNs = BigInt(nowMs - FRESH_MS) * 1_000_000n

  const take = (place: Place): void => {
    const file = path.join(place.folder, SKILL_FILE)
    const status = statOf(file)
    if (typeof status === 'string')
      return refuse('file/unreadable', file, `the file cannot be read: ${status}`)
    if (!status.isFile())
      return refuse('file/unreadable', file, 'the file cannot be read: it is not a regular file')
    const { mtimeNs, ctimeNs, size, ino, dev } = status
    found.push({
      id: place.below === '' ? path.basename(place.folder) : place.below,
      folder: place.folder,
      file,
      stamp: `${mtimeNs.toString(36)}.${ctimeNs.toString(36)}.${size}.${ino.toString(36)}.${dev.toString(36)}`,
      isFresh: mtimeNs > freshFromNs || ctimeNs > freshFromNs,
    })
  }

  const entriesOf = (place: Place): Dirent[] => {
    try {
      return readdirSync(place.folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    } catch (error) {
      warn('folder/unreadable', place.folder, `the folder cannot be read: ${reasonOf(error)}`)
      return []
    }
  }

  /** The folders below, those that are really there; linked ones are kept for later. */
  const open = (place: Place): Place[] => {
    const entries = entriesOf(place)
    const holdsSkill = entries.some(entry => entry.name === SKILL_FILE)
    if (holdsSkill) take(place)
    else {
      const misspelt = entries.find(entry => entry.name.toLowerCase() === 'skill.md')
      if (misspelt !== undefined) {
        const file = path.join(place.folder, misspelt.name)
        warn('file/name', file, `\`${misspelt.name}\` is not read`, `rename it to ${SKILL_FILE}`)
      }
    }
    const isInSkill = place.isInSkill || (holdsSkill && place.below !== '')
    const next: Place[] = []
    for (const entry of entries) {
      const isLink = entry.isSymbolicLink()
      if ((!entry.isDirectory() && !isLink) || isPassedOver(entry.name, isInSkill)) continue
      if (entry.name === SKILL_FILE) continue
      const below = place.below === '' ? entry.name : `${place.below}/${entry.name}`
      const child: Place = {
        folder: path.join(place.folder, entry.name),
        real: path.join(place.real, entry.name),
        below,
        depth: place.depth + 1,
        isInSkill,
      }
      if (!isNameable(entry.name)) {
        warn(
          'folder/name',
          place.folder,
          `the folder ${JSON.stringify(entry.name)} cannot be the id of a skill`,
        )
      } else if (child.depth <= MAX_DEPTH) (isLink ? links : next).push(child)
    }
    return next
  }

  let turnEnds = performance.now() + TURN_MS
  const walk = async (from: Place): Promise<void> => {
    const queue = [from]
    for (let place = queue.pop(); place !== undefined; place = queue.pop()) {
      if (visited.size >= MAX_FOLDERS) {
        warn('folder/too-many', folder, `more than ${MAX_FOLDERS} folders: what lies further is not read`)
        return
      }
      if (visited.has(place.real)) continue
      visited.add(place.real)
      queue.push(...open(place).toReversed())
      if (performance.now() > turnEnds) {
        await nextTurn()
        turnEnds = performance.now() + TURN_MS
      }
    }
  }

  const follow = async (link: Place): Promise<void> => {
    const status = statOf(link.folder)
    if (typeof status === 'string') {
      warn('folder/link', link.folder, `the link cannot be followed: ${status}`)
      return
    }
    if (!status.isDirectory()) return
    const real = realpathSync(link.folder)
    // A link to a folder above itself, the common case of a circle, is worth its own words.
    const above = path.relative(real, path.dirname(link.real))
    if (above === '' || !(above.startsWith('..') || path.isAbsolute(above))) {
      warn('folder/loop', link.folder, 'the link leads to a folder above it; it is not followed')
    } else if (visited.has(real)) {
      warn('folder/twice', link.folder, `the link leads to a folder that is read already: ${real}`)
    } else await walk({ ...link, real })
  }

  const status = statSync(folder, { throwIfNoEntry: false })
  if (status?.isDirectory() !== true) {
    const [rule, message] =
      status === undefined
        ? ['folder/missing', 'the skills folder does not exist']
        : ['folder/unreadable', 'the skills folder is not a folder']
    problems.push({ severity: 'error', rule, message, at: { file: folder } })
    return { found, problems }
  }
  await walk({ folder, real: realpathSync(folder), below: '', depth: 0, isInSkill: false })
  for (let link = links.shift(); link !== undefined; link = links.shift()) await follow(link)
  return { found: found.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)), problems }
}
