/** Paths as the user would type them, and as the user typed them. */

import { homedir } from 'node:os'
import { isAbsolute, join, relative, resolve } from 'node:path'
import type { Terminal } from '../terminal.ts'

/** Below the current folder relative, below home with `~`, else whole: always short, always good to copy. */
export function shownPath(path: string, terminal: Pick<Terminal, 'cwd' | 'env'>): string {
  const here = below(terminal.cwd, path)
  if (here !== null) return here === '' ? '.' : here
  const fromHome = below(homeOf(terminal), path)
  return fromHome === null ? path : join('~', fromHome)
}

/** The path that the user meant: `~/` is home also where no shell expanded it (`--read=~/logs`). */
export function givenPath(path: string, terminal: Pick<Terminal, 'cwd' | 'env'>): string {
  if (path === '~' || path.startsWith('~/')) return join(homeOf(terminal), path.slice(1))
  return resolve(terminal.cwd, path)
}

function homeOf(terminal: Pick<Terminal, 'env'>): string {
  return terminal.env.HOME || homedir()
}

function below(folder: string, path: string): string | null {
  const way = relative(folder, path)
  return folder === '/' || way === '..' || way.startsWith('../') || isAbsolute(way) ? null : way
}
