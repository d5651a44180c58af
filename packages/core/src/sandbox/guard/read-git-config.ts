/**
 * Reads git config with the git of the host, so that no other parser can disagree with it.
 *
 * Git gets the bytes on its standard input: it opens no file that a script made, discovers no repository, reads
 * no config of the user or the system, and follows no include.
 */

import { spawnSync } from 'node:child_process'
import { accessSync, constants, realpathSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

import type { ConfigPair } from './harmless-git-config.ts'

const TIMEOUT_MS = 5_000
const MAX_LISTING_BYTES = 16 * 1024 * 1024

/**
 * The git to ask, or null.
 *
 * Never one from the workspace: `npm run` puts the workspace's own `node_modules/.bin` at the head of PATH.
 *
 * @param firstFolders Looked into before PATH. @default ['/usr/bin']
 */
export function findGit(
  workspace: string,
  searchPath: string = process.env['PATH'] ?? '',
  firstFolders: readonly string[] = ['/usr/bin'],
): string | null {
  const folders = [...firstFolders, ...searchPath.split(':').filter(folder => isAbsolute(folder))]
  for (const folder of folders) {
    const program = join(folder, 'git')
    try {
      accessSync(program, constants.X_OK)
      const isPlanted = [program, realpathSync(program)].some(path => path.startsWith(`${workspace}/`))
      if (!isPlanted) return program
    } catch {
      // Not here: the next folder.
    }
  }
  return null
}

/** Every key and value of the config as latin1 strings, or null where git cannot parse it. */
export function listGitConfig(git: string, content: Uint8Array): ConfigPair[] | null {
  const listing = spawnSync(git, ['config', '--file', '-', '--no-includes', '--list', '-z'], {
    input: content,
    cwd: '/',
    env: {
      PATH: '/usr/bin:/bin',
      HOME: '/nonexistent',
      LC_ALL: 'C',
      GIT_DIR: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_SYSTEM: '/dev/null',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
    },
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_LISTING_BYTES,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  if (listing.error !== undefined || listing.status !== 0) return null
  return listing.stdout
    .toString('latin1')
    .split('\0')
    .slice(0, -1)
    .map(record => {
      const end = record.indexOf('\n')
      return end < 0 ? [record, null] : [record.slice(0, end), record.slice(end + 1)]
    })
}
