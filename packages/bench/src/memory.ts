/**
 * How much memory processes take that are started meanwhile: all below this one, together, without pages of files, which
 * the system may take back. Looked at often, so a peak between two looks is missed.
 */

import { readdirSync, readFileSync } from 'node:fs'

const EVERY_MS = 25

export async function watchMemory<Result>(
  act: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly mostBytes: number }> {
  let mostBytes = 0
  const look = (): void => {
    mostBytes = Math.max(
      mostBytes,
      descendants(process.pid).reduce((sum, pid) => sum + ownBytes(pid), 0),
    )
  }
  const timer = setInterval(look, EVERY_MS)
  try {
    const result = await act()
    return { result, mostBytes }
  } finally {
    clearInterval(timer)
  }
}

function descendants(root: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : ''
    if (stat !== '') parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
  }
  const descends = (pid: number): boolean => {
    const parent = parents.get(pid)
    return parent !== undefined && (parent === root || descends(parent))
  }
  return [...parents.keys()].filter(descends)
}

/** A share of what several have in common, so that nothing is counted twice. */
function ownBytes(pid: number): number {
  const rollup = read(`/proc/${pid}/smaps_rollup`)
  const kib = ['Pss_Anon', 'Pss_Shmem'].map(name =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0),
  )
  return kib.reduce((sum, one) => sum + one, 0) * 1024
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // it ended
  }
}
