/**
 * Watches what no kernel limit bounds: the free space of the workspace's disk and, where there is no cgroup,
 * the memory and the number of processes of the whole tree.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'

export interface WatchdogOptions {
  readonly workspace: string
  readonly minFreeSpaceBytes: number
  /** Null where a cgroup bounds it. */
  readonly memoryBytes: number | null
  readonly processes: number | null
  readonly rootPid: () => number | null
  /** Called once, with what was exceeded. */
  readonly onExceeded: (limit: 'free space' | 'memory' | 'processes', detail: string) => void
}

const INTERVAL_MS = 100
const PAGE_BYTES = 4096

/** @returns a function that stops it. */
export function startWatchdog(options: WatchdogOptions): () => void {
  let stopped = false
  const stop = (): void => {
    stopped = true
    clearInterval(timer)
  }
  const exceeded: WatchdogOptions['onExceeded'] = (limit, detail) => {
    if (stopped) return
    stop()
    options.onExceeded(limit, detail)
  }
  const timer = setInterval(() => {
    void statfs(options.workspace).then(
      disk => {
        const free = disk.bavail * disk.bsize
        if (free < options.minFreeSpaceBytes) exceeded('free space', `${free} bytes left on the workspace's disk`)
      },
      () => {}, // the workspace is gone: the script's own trouble
    )
    const root = options.rootPid()
    if (root === null || (options.memoryBytes === null && options.processes === null)) return
    const tree = measureTree(root)
    if (options.processes !== null && tree.processes > options.processes) {
      exceeded('processes', `${tree.processes} processes`)
    } else if (options.memoryBytes !== null && tree.residentBytes > options.memoryBytes) {
      exceeded('memory', `${tree.residentBytes} bytes resident`)
    }
  }, INTERVAL_MS)
  timer.unref()
  return stop
}

/** Shared pages count once for each process that maps them: the sum is an upper bound. */
export function measureTree(root: number): { processes: number; residentBytes: number } {
  const children = new Map<number, number[]>()
  const resident = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const parent = Number(fields[1])
      resident.set(Number(name), Number(fields[21]) * PAGE_BYTES)
      children.set(parent, [...(children.get(parent) ?? []), Number(name)])
    } catch {
      // ended while we looked
    }
  }
  let processes = 0
  let residentBytes = 0
  const waiting = [root]
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    processes += 1
    residentBytes += resident.get(pid) ?? 0
    waiting.push(...(children.get(pid) ?? []))
  }
  return { processes, residentBytes }
}
