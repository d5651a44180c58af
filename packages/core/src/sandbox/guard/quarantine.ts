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

import { type BytePath, bytePathOf, bytesOf, nameOf, parentOf, partsOf, textOf } from './byte-path.ts'
import { codeOf } from './look.ts'

export interface QuarantineMove {
  /** Absolute, for people. Null: it could not be moved at all. */
  readonly movedTo: string | null
  /** What went otherwise than planned, or null. */
  readonly problem: string | null
}

const SUFFIX = '.quarantined'
const MAX_PLACE_BYTES = 4_000
/** From the kernel's ABI, the same on x86-64 and arm64; Node does not name it. Opens a folder without reading it. */
const O_PATH = 0o10_000_000

/**
 * @param root The workspace, absolute and real.
 * @param path What to move, relative to it.
 * @param quarantineFolder Absolute, outside the workspace; made if it is missing.
 */
export function moveToQuarantine(root: BytePath, path: BytePath, quarantineFolder: string): QuarantineMove {
  try {
    return inFolder(bytesOf(root), partsOf(parentOf(path)), 'existing', source => {
      const name = nameOf(path)
      try {
        return {
          movedTo: moveInto(source, name, quarantineFolder, placeFor(path, quarantineFolder)),
          problem: null,
        }
      } catch (error) {
        // Disarmed where it lies is better than armed: renaming needs no space and no other folder.
        const freeName = freeNameIn(source, quarantinedName(name))
        renameSync(source.pathOf(name), source.pathOf(freeName))
        return {
          movedTo: textOf([root, ...partsOf(parentOf(path)), freeName].join('/')),
          problem: `renamed in place, not moved: ${messageOf(error)}`,
        }
      }
    })
  } catch (error) {
    return { movedTo: null, problem: `still there: ${messageOf(error)}` }
  }
}

interface Place {
  readonly folders: readonly BytePath[]
  readonly name: BytePath
}

/** The same path, unless a person could not open it there for its length. */
function placeFor(path: BytePath, quarantineFolder: string): Place {
  const isOverlong = quarantineFolder.length + path.length > MAX_PLACE_BYTES
  return {
    folders: isOverlong ? ['long-paths'] : partsOf(parentOf(path)),
    name: quarantinedName(nameOf(path)),
  }
}

/** Leaves room for the suffix and a number in the 255 bytes of a name. */
function quarantinedName(name: BytePath): BytePath {
  return name.slice(0, 230) + SUFFIX
}

function moveInto(source: OpenFolder, name: BytePath, quarantineFolder: string, place: Place): string {
  mkdirSync(quarantineFolder, { recursive: true, mode: 0o700 })
  return inFolder(Buffer.from(quarantineFolder), place.folders, 'made', target => {
    const freeName = freeNameIn(target, place.name)
    try {
      renameSync(source.pathOf(name), target.pathOf(freeName))
    } catch (error) {
      if (codeOf(error) !== 'EXDEV') throw error
      copy(source, name, target, freeName)
      remove(source, name)
    }
    return textOf([bytePathOf(quarantineFolder), ...place.folders, freeName].join('/'))
  })
}

/** An open folder, whose entries are reached through its descriptor and not through its path. */
interface OpenFolder {
  readonly pathOf: (name: BytePath) => Buffer
}

/**
 * Opens `names`, each in the one before it, and hands over the last.
 *
 * O_DIRECTORY with O_NOFOLLOW: a link, also one to a folder, is refused.
 */
function inFolder<Result>(
  start: Buffer,
  names: readonly BytePath[],
  folders: 'existing' | 'made',
  act: (folder: OpenFolder) => Result,
): Result {
  const flags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW
  let descriptor = openSync(start, flags)
  const pathOf = (name: BytePath): Buffer => bytesOf(`/proc/self/fd/${descriptor}/${name}`)
  try {
    for (const name of names) {
      if (folders === 'made') makeFolder(pathOf(name))
      const inner = openSync(pathOf(name), flags)
      closeSync(descriptor)
      descriptor = inner
    }
    return act({ pathOf })
  } finally {
    closeSync(descriptor)
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
    inFolder(source.pathOf(name), [], 'existing', from => {
      inFolder(target.pathOf(targetName), [], 'existing', to => {
        for (const child of namesIn(from)) copy(from, child, to, child)
      })
    })
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
  inFolder(source.pathOf(name), [], 'existing', folder => {
    for (const child of namesIn(folder)) remove(folder, child)
  })
  rmdirSync(source.pathOf(name))
}

function namesIn(folder: OpenFolder): BytePath[] {
  return readdirSync(folder.pathOf('.'), { encoding: 'latin1' })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
