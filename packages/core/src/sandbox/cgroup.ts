/**
 * Limits of a whole tree of processes, where this machine lets us make a cgroup.
 *
 * rlimits bound each process; only a cgroup bounds their sum. Version 1 as root, and version 2 where the group
 * that srecodex runs in is delegated with its controllers. Elsewhere there is none, `doctor` says so, and the
 * watchdog stands in.
 */

import { mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface TreeLimits {
  readonly memoryBytes: number
  readonly processes: number
  /** Cores; 0: no limit. */
  readonly cpus: number
}

export interface ControlGroup {
  /** `cgroup.procs` files that the run's first process joins. */
  readonly joinFiles: readonly string[]
  /** What it bounds: any of `memory`, `processes`, `cpus`. */
  readonly bounds: readonly string[]
  /** True once the kernel has killed a process of the tree for its memory. */
  memoryExceeded(): boolean
  /** True once a fork was refused. */
  processesExceeded(): boolean
  remove(): Promise<void>
}

interface Hierarchy {
  readonly version: 1 | 2
  /** Folder of the group that this process is in, by controller. */
  readonly folders: ReadonlyMap<string, string>
}

/** @param id names the group; a run's id. @returns null where no group can be made. */
export function createControlGroup(id: string, limits: TreeLimits): ControlGroup | null {
  const hierarchy = ownHierarchy()
  if (hierarchy === null) return null
  const made = new Map<string, string>()
  const bounds: string[] = []
  const settings: readonly [controller: string, bound: string, values: readonly [string, string][]][] =
    hierarchy.version === 1
      ? [
          ['memory', 'memory', [['memory.limit_in_bytes', String(limits.memoryBytes)]]],
          ['pids', 'processes', [['pids.max', String(limits.processes)]]],
          [
            'cpu',
            'cpus',
            limits.cpus > 0 ? [['cpu.cfs_quota_us', String(Math.round(limits.cpus * 100_000))]] : [],
          ],
        ]
      : [
          ['memory', 'memory', [['memory.max', String(limits.memoryBytes)]]],
          ['pids', 'processes', [['pids.max', String(limits.processes)]]],
          [
            'cpu',
            'cpus',
            limits.cpus > 0 ? [['cpu.max', `${Math.round(limits.cpus * 100_000)} 100000`]] : [],
          ],
        ]
  for (const [controller, bound, values] of settings) {
    const parent = hierarchy.folders.get(controller)
    if (parent === undefined || values.length === 0) continue
    const folder = join(parent, `srecodex-${id}`)
    try {
      mkdirSync(folder, { recursive: true })
      for (const [file, value] of values) writeFileSync(join(folder, file), value)
      made.set(controller, folder)
      bounds.push(bound)
    } catch {
      if (made.get(controller) === undefined) tryRemove(folder)
    }
  }
  if (bounds.length === 0) return null
  noSwap(made.get('memory'), hierarchy.version, limits.memoryBytes)

  const folders = [...new Set(made.values())]
  return {
    joinFiles: folders.map(folder => join(folder, 'cgroup.procs')),
    bounds,
    memoryExceeded: () =>
      counter(
        made.get('memory'),
        hierarchy.version === 1 ? 'memory.oom_control' : 'memory.events',
        'oom_kill',
      ) > 0,
    processesExceeded: () => counter(made.get('pids'), 'pids.events', 'max') > 0,
    remove: () => removeAll(folders),
  }
}

/** Removes the group of a run whose srecodex was killed. */
export async function removeControlGroup(id: string): Promise<void> {
  const hierarchy = ownHierarchy()
  if (hierarchy === null) return
  await removeAll([...new Set([...hierarchy.folders.values()].map(folder => join(folder, `srecodex-${id}`)))])
}

/** Processes of a run, where it has a group: also those that left their parents and their environment. */
export function membersOf(id: string): number[] {
  const folders = new Set(ownHierarchy()?.folders.values())
  return [...folders].flatMap(folder => {
    try {
      return readFileSync(join(folder, `srecodex-${id}`, 'cgroup.procs'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map(Number)
    } catch {
      return []
    }
  })
}

/** Swap would let the tree grow past its memory unseen. Not every kernel counts it. */
function noSwap(folder: string | undefined, version: 1 | 2, memoryBytes: number): void {
  if (folder === undefined) return
  try {
    writeFileSync(
      join(folder, version === 1 ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max'),
      version === 1 ? String(memoryBytes) : '0',
    )
  } catch {
    // no swap accounting: nothing to bound
  }
}

function counter(folder: string | undefined, file: string, name: string): number {
  if (folder === undefined) return 0
  try {
    const text = readFileSync(join(folder, file), 'utf8')
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
  } catch {
    return 0
  }
}

let hierarchyOfThisProcess: Hierarchy | null | undefined

function ownHierarchy(): Hierarchy | null {
  hierarchyOfThisProcess ??= readHierarchy()
  return hierarchyOfThisProcess
}

function readHierarchy(): Hierarchy | null {
  let own: string
  try {
    own = readFileSync('/proc/self/cgroup', 'utf8')
  } catch {
    return null
  }
  const folders = new Map<string, string>()
  for (const line of own.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    for (const controller of controllers?.split(',') ?? []) {
      if (controller !== 'memory' && controller !== 'pids' && controller !== 'cpu') continue
      const folder = join('/sys/fs/cgroup', controllers!, path!)
      const alias = join('/sys/fs/cgroup', controller, path!)
      if (isFolder(folder)) folders.set(controller, folder)
      else if (isFolder(alias)) folders.set(controller, alias)
    }
  }
  if (folders.size > 0) return { version: 1, folders }

  const path = /^0::(.*)$/m.exec(own)?.[1]
  const folder = path === undefined ? null : join('/sys/fs/cgroup', path)
  if (folder === null || !isFolder(folder)) return null
  try {
    // Children get the controllers that the group hands down; a group with processes of its own hands none.
    for (const controller of readFileSync(join(folder, 'cgroup.subtree_control'), 'utf8').trim().split(' ')) {
      if (controller !== '') folders.set(controller, folder)
    }
  } catch {
    return null
  }
  return folders.size > 0 ? { version: 2, folders } : null
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function tryRemove(folder: string): boolean {
  try {
    rmdirSync(folder)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

/** A group stays busy for some milliseconds after its last process. */
async function removeAll(folders: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    if (folders.filter(folder => !tryRemove(folder)).length === 0) return
    await sleep(10)
  }
}
