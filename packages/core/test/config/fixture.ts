/** A fresh home and project for one test, and the two ways in which a load can end. */

import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { SrecodexError } from '../../src/errors.ts'
import type { Problem } from '../../src/errors.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { LoadConfigOptions, LoadedConfig } from '../../src/config/load.ts'

export interface Place {
  readonly root: string
  readonly workspace: string
  readonly userFile: string
  readonly projectFile: string
  readonly env: NodeJS.ProcessEnv
  load(options?: Partial<LoadConfigOptions>): Promise<LoadedConfig>
  /** Every problem as `FILE:LINE:COLUMN: message (hint)`, the temporary folder written as `~`. */
  problems(options?: Partial<LoadConfigOptions>): Promise<string[]>
  text(problems: readonly Problem[]): string[]
}

export const write = async (file: string, content: string | Uint8Array): Promise<string> => {
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, content)
  return file
}

export const place = async (files: { user?: string; project?: string } = {}): Promise<Place> => {
  const root = await realpath(await mkdtemp(path.join(os.tmpdir(), 'srecodex-config-')))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const workspace = path.join(root, 'project')
  const env = { HOME: root }
  const userFile = path.join(root, '.config/srecodex/config.toml')
  const projectFile = path.join(workspace, 'dotcodex/config.toml')
  await mkdir(path.join(workspace, '.git'), { recursive: true })
  if (files.user !== undefined) await write(userFile, files.user)
  if (files.project !== undefined) await write(projectFile, files.project)

  const load = (options: Partial<LoadConfigOptions> = {}): Promise<LoadedConfig> =>
    loadConfig({ workspace, env, ...options })
  const text = (problems: readonly Problem[]): string[] =>
    problems.map(({ message, at, hint }) => {
      const where = at === undefined ? [] : [at.file, at.line, at.column].filter(part => part !== undefined)
      const start = where.length === 0 ? '' : `${where.join(':')}: `
      return `${start}${message}${hint === undefined ? '' : ` (${hint})`}`.replaceAll(root, '~')
    })
  const problems = async (options: Partial<LoadConfigOptions> = {}): Promise<string[]> => {
    try {
      await load(options)
    } catch (error) {
      if (!(error instanceof SrecodexError) || error.code !== 'CONFIG_INVALID') throw error
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what CONFIG_INVALID promises to hold
      return text(error.details['problems'] as Problem[])
    }
    return []
  }
  return { root, workspace, userFile, projectFile, env, load, problems, text }
}
