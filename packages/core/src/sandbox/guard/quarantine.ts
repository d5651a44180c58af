/**
 * Moves what a script planted out of the workspace, with nothing lost and no link followed.
 *
 * Every folder on the way, on both sides, is opened by name in the folder before it and must not be a link; the
 * move then happens between the two open folders (`/proc/self/fd/N/name`), so no planted parent can redirect it.
 *
 * In the quarantine a thing keeps its path and gets `.quarantined` after its name, or it would be armed there:
 * direnv, an editor or an agent started in the run folder would find it again.
 */

import {
  closeSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'

import {
  type BytePath,
  bytePathOf,
  bytesOf,
  joinPath,
  nameOf,
  parentOf,
  partsOf,
  textOf,
} from './byte-path.ts'

export interface QuarantineMove {
  /** Absolute, for people. Null: it could not be moved at all. */
  readonly movedTo: string | null
  /** What went otherwise than planned, or null. */
  readonly problem: string | null
}

const SUFFIX = '.quarantined'
/** From the kernel's ABI, the same on x86-64 and arm64; Node does not name it. Opens a folder without reading it. */
const O_PATH = 0o10_000_000

/**
 * @param root The workspace, absolute and real.
 * @param path What to move, relative to it.
 * @param quarantineFolder Absolute, outside the workspace; made if it is missing.
 */
export function moveToQuarantine(root: BytePath, path: BytePath, quarantineFolder: string): QuarantineMove {
  try {
    using source = openFolder(root, partsOf(parentOf(path)), false)
    const name = nameOf(path)
    let problem: string | null = null
    for (const place of [placeFor(path), overlongPlaceFor(path)]) {
      try {
        return { movedTo: moveInto(source, name, quarantineFolder, place), problem: null }
      } catch (error) {
        problem = messageOf(error)
        if (codeOf(error) !== 'ENAMETOOLONG') break
      }
    }
    // Disarmed where it lies is better than armed: renaming needs no space and no other folder.
    const freeName = freeNameIn(source, shortened(name))
    renameSync(source.pathOf(name), source.pathOf(freeName))
    return {
      movedTo: textOf(joinPath(root, joinPath(parentOf(path), freeName))),
      problem: `it was renamed in place, not moved: ${problem ?? 'unknown'}`,
    }
  } catch (error) {
    return { movedTo: null, problem: messageOf(error) }
  }
}

interface Place {
  readonly folders: readonly BytePath[]
  readonly name: BytePath
}

function placeFor(path: BytePath): Place {
  return { folders: partsOf(parentOf(path)), name: shortened(nameOf(path)) }
}

/** For a path that has no room below the quarantine folder. */
function overlongPlaceFor(path: BytePath): Place {
  return { folders: ['long-paths'], name: shortened(nameOf(path)) }
}

/** Leaves room for the suffix and a number in the 255 bytes of a name. */
function shortened(name: BytePath): BytePath {
  return name.slice(0, 230) + SUFFIX
}

function moveInto(source: OpenFolder, name: BytePath, quarantineFolder: string, place: Place): string {
  mkdirSync(quarantineFolder, { recursive: true, mode: 0o700 })
  const quarantine = bytePathOf(quarantineFolder)
  using target = openFolder(quarantine, place.folders, true)
  const freeName = freeNameIn(target, place.name)
  try {
    renameSync(source.pathOf(name), target.pathOf(freeName))
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error
    copy(source, name, target, freeName)
    remove(source, name)
  }
  return textOf([quarantine, ...place.folders, freeName].join('/'))
}

/** An open folder, whose entries are reached through its descriptor and not through its path. */
interface OpenFolder extends Disposable {
  readonly pathOf: (name: BytePath) => Buffer
}

function openFolder(start: BytePath, names: readonly BytePath[], create: boolean): OpenFolder {
  let folder = openHere(bytesOf(start))
  for (const name of names) {
    try {
      if (create) makeFolder(folder.pathOf(name))
      const inner = openHere(folder.pathOf(name))
      folder[Symbol.dispose]()
      folder = inner
    } catch (error) {
      folder[Symbol.dispose]()
      throw error
    }
  }
  return folder
}

/** O_DIRECTORY with O_NOFOLLOW: a link, also one to a folder, is refused. */
function openHere(path: Buffer): OpenFolder {
  const descriptor = openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  return {
    pathOf: name => bytesOf(`/proc/self/fd/${descriptor}/${name}`),
    [Symbol.dispose]: () => closeSync(descriptor),
  }
}

function makeFolder(path: Buffer): void {
  try {
    mkdirSync(path, 0o700)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

/** A second run of the guard on the same folder overwrites nothing. */
function freeNameIn(folder: OpenFolder, name: BytePath): BytePath {
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? name : `${name}.${count}`
    try {
      lstatSync(folder.pathOf(candidate))
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return candidate
      throw error
    }
  }
}

/** Across devices. Links are copied as links; of a FIFO, socket or device an empty file keeps the name. */
function copy(source: OpenFolder, name: BytePath, target: OpenFolder, targetName: BytePath): void {
  const stats = lstatSync(source.pathOf(name))
  if (stats.isSymbolicLink()) {
    symlinkSync(readlinkSync(source.pathOf(name), { encoding: 'buffer' }), target.pathOf(targetName))
  } else if (stats.isDirectory()) {
    mkdirSync(target.pathOf(targetName), 0o700)
    using from = openHere(source.pathOf(name))
    using to = openHere(target.pathOf(targetName))
    for (const child of namesIn(from)) copy(from, child, to, child)
  } else if (stats.isFile()) {
    copyFileSync(source.pathOf(name), target.pathOf(targetName), constants.COPYFILE_EXCL)
  } else {
    writeFileSync(target.pathOf(targetName), '', { flag: 'wx', mode: 0o600 })
  }
}

function remove(source: OpenFolder, name: BytePath): void {
  if (!lstatSync(source.pathOf(name)).isDirectory()) {
    unlinkSync(source.pathOf(name))
    return
  }
  {
    using folder = openHere(source.pathOf(name))
    for (const child of namesIn(folder)) remove(folder, child)
  }
  rmdirSync(source.pathOf(name))
}

function namesIn(folder: OpenFolder): BytePath[] {
  return readdirSync(folder.pathOf('.'), { encoding: 'latin1' })
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
