/** Paths as the user would type them, and as the user typed them. */

import { homedir } from 'node:os'
import { isAbsolute, join, relative, resolve } from 'node:path'
import type { Terminal } from '../terminal.ts'

type Place = Pick<Terminal, 'cwd' | 'env'>

/** Below the current folder relative, else as `homePath`: short, and good to copy from here. */
export function shownPath(path: string, terminal: Place): string {
  const here = below(terminal.cwd, path)
  return here === null || here === '' ? homePath(path, terminal) : here
}

/** Below home with `~`, else whole: good to copy from anywhere. */
export function homePath(path: string, terminal: Pick<Terminal, 'env'>): string {
  const fromHome = below(homeOf(terminal), path)
  return fromHome === null ? path : join('~', fromHome)
}

/** The path that the user meant: `~/` is home also where no shell expanded it (`--read=~/logs`). */
export function givenPath(path: string, terminal: Place): string {
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
