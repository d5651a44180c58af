/** Which folders of skills count: shipped, the user's, the project's, each later one over the earlier. */

import { homes } from '@srecodex/core'
import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { givenPath } from './render/path.ts'
import type { Terminal } from './terminal.ts'

/** The content that ships with the CLI. */
export function shippedFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('@srecodex/dotcodex/package.json'))
}

/** @param given `--skills-dir`: these folders and no others. Absent: the usual ones, as far as they exist. */
export function skillFolders(given: readonly string[] | undefined, terminal: Terminal): string[] {
  if (given !== undefined) return given.map(folder => givenPath(folder, terminal))
  const usual = [
    join(shippedFolder(), 'skills'),
    join(homes(terminal.env).config, 'skills'),
    projectSkills(terminal),
  ].filter(existsSync)
  // In the project that makes the shipped skills, they are one folder.
  return [...new Map(usual.map(folder => [realpathSync(folder), folder])).values()]
}

export function projectSkills(terminal: Terminal): string {
  return join(terminal.cwd, 'dotcodex', 'skills')
}
