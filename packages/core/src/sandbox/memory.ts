/** A small cache on disk for answers that cost a process: lost or torn, it costs one question more. */

import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export type Memory = Readonly<Record<string, string>>

export function recall(file: string): Memory {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Memory
  } catch {
    return {}
  }
}

export function remember(file: string, memory: Memory): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const draft = `${file}.${process.pid}`
    writeFileSync(draft, JSON.stringify(memory), { mode: 0o600 })
    renameSync(draft, file)
  } catch {
    // a cache that cannot be kept is no reason to fail
  }
}

/** Changes whenever the file does; `-` for one that is not there. */
export function stamp(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? '-' : `${stat.mtimeMs}:${stat.size}`
}
