/** What this machine offers to a sandbox. Detected, never assumed; `probeSandbox` tries it for real. */

import { execFile, execFileSync } from 'node:child_process'
import { accessSync, constants, lstatSync, readlinkSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { SrecodexError } from '../errors.ts'
import { sandboxFailure } from './failure.ts'
import { recall, remember, stamp } from './memory.ts'
import type { SystemLayout } from './profile.ts'

export interface Bubblewrap {
  readonly path: string
  readonly version: string
  /** `--size` bounds a tmpfs since 0.6. */
  readonly boundsTmpfs: boolean
}

const KNOWN_FOLDERS = ['/usr/bin', '/usr/local/bin', '/bin']
const ROOT_LINKS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']
/** Package stores that hold what `/usr` holds elsewhere. */
const STORES = ['/nix/store', '/gnu/store']

/**
 * @param options.path the caller's PATH, searched after the system's folders.
 * @param options.cacheFolder remembers the version of the program that was found.
 * @throws {SrecodexError} SANDBOX_UNAVAILABLE, cause `no-bubblewrap`
 */
export function findBubblewrap(options: { readonly path: string; readonly cacheFolder: string }): Bubblewrap {
  for (const folder of [...KNOWN_FOLDERS, ...options.path.split(delimiter)]) {
    if (!isAbsolute(folder)) continue
    const candidate = join(folder, 'bwrap')
    try {
      accessSync(candidate, constants.X_OK)
    } catch {
      continue
    }
    const version = versionOf(candidate, join(options.cacheFolder, 'bubblewrap.json'))
    return { path: candidate, version, boundsTmpfs: atLeast(version, 0, 6) }
  }
  throw new SrecodexError('SANDBOX_UNAVAILABLE', 'no sandbox: bubblewrap is not installed', {
    hint: 'srecodex doctor --fix installs it; a script never runs without a sandbox in silence',
    details: { cause: 'no-bubblewrap' },
  })
}

function versionOf(program: string, memoryFile: string): string {
  const key = `${program}|${stamp(program)}`
  const known = recall(memoryFile)[key]
  if (known !== undefined) return known
  const version = execFileSync(program, ['--version'], { encoding: 'utf8', env: {} })
    .replace('bubblewrap', '')
    .trim()
  remember(memoryFile, { [key]: version })
  return version
}

function atLeast(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}

/** `/usr` and the package stores, and the links or folders that stand beside it at the root. */
export function systemLayout(): SystemLayout {
  const folders = ['/usr']
  const links: { path: string; target: string }[] = []
  for (const path of [...ROOT_LINKS, ...STORES]) {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat?.isSymbolicLink()) links.push({ path, target: readlinkSync(path) })
    else if (stat?.isDirectory()) folders.push(path)
  }
  return { folders, links }
}

/**
 * Starts the smallest real sandbox once.
 *
 * @returns null when it works, else the error that a run would end with.
 */
export async function probeSandbox(options: {
  readonly path: string
  readonly cacheFolder: string
}): Promise<SrecodexError | null> {
  let found: Bubblewrap
  try {
    found = findBubblewrap(options)
  } catch (error) {
    return error as SrecodexError
  }
  const layout = systemLayout()
  try {
    await promisify(execFile)(
      found.path,
      [
        ...['--unshare-all', '--die-with-parent', '--as-pid-1', '--cap-drop', 'ALL'],
        ...layout.folders.flatMap(path => ['--ro-bind', path, path]),
        ...layout.links.flatMap(link => ['--symlink', link.target, link.path]),
        ...['--proc', '/proc', '--dev', '/dev', '--', '/usr/bin/perl', '-e', 'exit 0'],
      ],
      { env: {}, timeout: 10_000 },
    )
    return null
  } catch (error) {
    return sandboxFailure((error as { stderr?: string }).stderr || (error as Error).message)
  }
}

/** File systems on which a sandbox's mounts are known to fail or to lie. */
const AWKWARD: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x65735546: 'FUSE',
  0x01021997: '9p (drvfs)',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB2',
}

/** Name of the workspace's file system where it is a kind that sandboxes stumble on, else null. */
export function awkwardFileSystem(type: number): string | null {
  return AWKWARD[type >>> 0] ?? null
}
