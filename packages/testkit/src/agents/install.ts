/**
 * Agent programs, as npm has them: too large to be dependencies, so the first test that wants one installs it below
 * node_modules/.cache.
 *
 * Promises: the version is exact, no script of a package is run, and half of an installation does not look like one,
 * also where several processes install at once.
 */

import { execa } from 'execa'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const AGENTS = fileURLToPath(new URL('../../../../node_modules/.cache/agents', import.meta.url))

export interface AgentPackage {
  /** Name of its folder in the cache. */
  readonly name: string
  readonly package: string
  readonly version: string
  /** There once it is whole: a path below node_modules. */
  readonly member: string
}

/** @returns Absolute path of the member. */
export async function installAgent({
  name,
  package: wanted,
  version,
  member,
}: AgentPackage): Promise<string> {
  const folder = join(AGENTS, `${name}-${version}`)
  const path = join(folder, 'node_modules', member)
  if (existsSync(path)) return path
  mkdirSync(AGENTS, { recursive: true })
  const partial = mkdtempSync(join(AGENTS, 'partial-'))
  try {
    writeFileSync(join(partial, 'package.json'), '{ "private": true }\n')
    const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts']
    await execa('npm', ['install', ...flags, `${wanted}@${version}`], { cwd: partial })
    if (!existsSync(join(partial, 'node_modules', member)))
      throw new Error(`${wanted}@${version} has no ${member} on this machine`)
    try {
      renameSync(partial, folder)
    } catch (error) {
      // Somebody else was first, with the same version.
      if (!existsSync(path)) throw error
    }
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  return path
}
