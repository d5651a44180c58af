/**
 * Watches what no kernel limit bounds: the free space and the free files of the disks that a script may write and,
 * where there is no cgroup, the memory and the number of processes of the whole tree.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'

export interface WatchdogOptions {
  /** Folders on the host that the script may write. */
  readonly writable: readonly string[]
  /** Folders of the sandbox that lie in memory. */
  readonly memoryFolders: readonly string[]
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
/** A disk has about one inode for so many bytes; a script that makes empty files uses up the inodes alone. */
const BYTES_PER_INODE = 16_384
/** What the kernel needs for a file in memory beside its content. */
const BYTES_PER_MEMORY_FILE = 1024
const TMPFS = 0x01021994

/** @returns a function that stops it. */
export function startWatchdog(options: WatchdogOptions): () => void {
  let stopped = false
  let looking = false
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
    for (const folder of options.writable) void checkDisk(folder, options.minFreeSpaceBytes, exceeded)
    const root = options.rootPid()
    if (root === null || looking || (options.memoryBytes === null && options.processes === null)) return
    looking = true
    void checkTree(root, options, exceeded).finally(() => (looking = false))
  }, INTERVAL_MS)
  timer.unref()
  return stop
}

async function checkDisk(
  folder: string,
  minFreeSpaceBytes: number,
  exceeded: WatchdogOptions['onExceeded'],
): Promise<void> {
  const disk = await statfs(folder).catch(() => null)
  if (disk === null) return // the folder is gone: the script's own trouble
  const free = disk.bavail * disk.bsize
  if (free < minFreeSpaceBytes) exceeded('free space', `${free} bytes left on the disk of ${folder}`)
  else if (disk.files > 0 && disk.ffree * BYTES_PER_INODE < minFreeSpaceBytes) {
    exceeded('free space', `${disk.ffree} files can still be made on the disk of ${folder}`)
  }
}

async function checkTree(
  root: number,
  options: WatchdogOptions,
  exceeded: WatchdogOptions['onExceeded'],
): Promise<void> {
  const tree = measureTree(root)
  if (options.processes !== null && tree.pids.length > options.processes) {
    exceeded('processes', `${tree.pids.length} processes`)
    return
  }
  if (options.memoryBytes === null) return
  const files = await memoryFilesOf(root, options.memoryFolders)
  if (tree.residentBytes + files <= options.memoryBytes) return
  const bytes = proportionalBytes(tree, files)
  if (bytes > options.memoryBytes) exceeded('memory', `${bytes} bytes in use`)
}

interface Tree {
  readonly pids: readonly number[]
  readonly resident: ReadonlyMap<number, number>
  readonly residentBytes: number
}

/** Shared pages count once for each process that maps them: the sum is an upper bound, and costs little. */
function measureTree(root: number): Tree {
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
  const pids: number[] = []
  let residentBytes = 0
  const waiting = [root]
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    pids.push(pid)
    residentBytes += resident.get(pid) ?? 0
    waiting.push(...(children.get(pid) ?? []))
  }
  return { pids, resident, residentBytes }
}

/** Files in /tmp and its like are memory that belongs to no process; five of them hold five times the limit. */
async function memoryFilesOf(root: number, folders: readonly string[]): Promise<number> {
  let bytes = 0
  for (const folder of folders) {
    const disk = await statfs(`/proc/${root}/root${folder}`).catch(() => null)
    if (disk === null || disk.type !== TMPFS) continue
    bytes += (disk.blocks - disk.bfree) * disk.bsize + (disk.files - disk.ffree) * BYTES_PER_MEMORY_FILE
  }
  return bytes
}

/**
 * What the tree really takes: a page that eight forked workers share counts once, and file pages, which the kernel
 * can drop, do not count. Asked only when the upper bound is too high, for it walks every page table.
 */
function proportionalBytes({ pids, resident }: Tree, memoryFileBytes: number): number {
  let anonymous = 0
  let shared = 0
  for (const pid of pids) {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
      const kibibytes = (name: string): number =>
        Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0)
      anonymous += kibibytes('Pss_Anon') * 1024
      shared += kibibytes('Pss_Shmem') * 1024
    } catch {
      anonymous += resident.get(pid) ?? 0 // ended meanwhile, or hides: then all of it counts
    }
  }
  return anonymous + Math.max(shared, memoryFileBytes)
}
