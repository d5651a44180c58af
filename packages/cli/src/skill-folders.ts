/** Which folders of skills count: shipped, the user's, the project's, each later one over the earlier. */

import { homes, SrecodexError } from '@srecodex/core'
import { existsSync, realpathSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { givenPath } from './render/path.ts'
import type { Terminal } from './terminal.ts'

/** The content that ships with the CLI. */
export function shippedFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('@srecodex/dotcodex/package.json'))
}

/**
 * @param given `--skills-dir`: these folders and no others. Absent: the usual ones, as far as they exist.
 * @throws {SrecodexError} USAGE A given folder is none: an answer from fewer skills than were named would be wrong.
 */
export function skillFolders(given: readonly string[] | undefined, terminal: Terminal): string[] {
  if (given === undefined) {
    const usual = [
      join(shippedFolder(), 'skills'),
      join(homes(terminal.env).config, 'skills'),
      projectSkills(terminal),
    ]
    return withoutRepeats(usual.filter(existsSync))
  }
  const folders = given.map(folder => givenPath(folder, terminal))
  const missing = folders.findIndex(folder => !statSync(folder, { throwIfNoEntry: false })?.isDirectory())
  if (missing !== -1) {
    throw new SrecodexError('USAGE', `\`--skills-dir\` is "${given[missing]}"; there is no such folder`, {
      hint: 'it is the folder that holds the skills, such as dotcodex/skills',
    })
  }
  return withoutRepeats(folders)
}

/** Where a new skill goes; the folder need not be there. */
export function newSkillsFolder(given: readonly string[] | undefined, terminal: Terminal): string {
  const folder = given?.at(-1)
  return folder === undefined ? projectSkills(terminal) : givenPath(folder, terminal)
}

export function projectSkills(terminal: Terminal): string {
  return join(terminal.cwd, 'dotcodex', 'skills')
}

/** The later place counts. In the project that makes the shipped skills, the first and the last are one. */
function withoutRepeats(folders: readonly string[]): string[] {
  const real = folders.map(folder => realpathSync(folder))
  return folders.filter((_, index) => real.lastIndexOf(real[index]!) === index)
}
