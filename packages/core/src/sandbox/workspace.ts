/** Which folder may be a workspace, and what of the host a script may be given to read. */

import { realpathSync, statSync } from 'node:fs'
import { isAbsolute, relative, resolve } from 'node:path'
import { SrecodexError } from '../errors.ts'

/** Folders whose content the system or every user relies on. */
const SYSTEM_FOLDERS = [
  ...['/', '/bin', '/boot', '/dev', '/etc', '/home', '/lib', '/lib32', '/lib64', '/media', '/mnt', '/opt'],
  ...['/proc', '/root', '/run', '/sbin', '/srv', '/sys', '/tmp', '/usr', '/var', '/var/tmp', '/var/run'],
]
/** Never readable as a whole: sockets that a script could connect to, devices, other processes. */
const NEVER_READABLE = ['/dev', '/proc', '/run', '/sys']

/**
 * The real path of a folder that a script may write.
 *
 * @throws {SrecodexError} WORKSPACE_INVALID
 */
export function resolveWorkspace(path: string, home: string): string {
  let real: string
  try {
    real = realpathSync(path)
  } catch (error) {
    throw invalid(
      path,
      `there is no folder ${path}`,
      'make it first, or name another with --workspace',
      error,
    )
  }
  if (!statSync(real).isDirectory())
    throw invalid(path, `${path} is no folder`, 'name a folder with --workspace')
  if (SYSTEM_FOLDERS.includes(real)) {
    throw invalid(path, `${real} cannot be a workspace: the system relies on it`, 'use a project folder')
  }
  // A runtime folder holds sockets, and connecting needs no right to write: the session's bus runs programs.
  if (/^\/(?:proc|sys)(?:\/|$)|^\/run\/user\/\d+$/.test(real)) {
    throw invalid(
      path,
      `${real} cannot be a workspace: what the system runs on lies in it`,
      'use a project folder',
    )
  }
  const realHome = realOr(home)
  if (contains(real, realHome)) {
    throw invalid(
      path,
      `${real} cannot be a workspace: your home folder, with its credentials, lies in it`,
      'use a project folder: cd into it, or name it with --workspace',
    )
  }
  return real
}

/**
 * Real paths that may be read, parents before children, and those that are not there.
 *
 * @throws {SrecodexError} REFUSED for a path that would show sockets, devices or everything.
 */
export function resolveReadable(
  paths: readonly string[],
  cwd: string,
): { readonly readable: string[]; readonly missing: string[] } {
  const readable = new Set<string>()
  const missing: string[] = []
  for (const path of paths) {
    let real: string
    try {
      real = realpathSync(resolve(cwd, path))
    } catch {
      missing.push(path)
      continue
    }
    const never = NEVER_READABLE.find(folder => contains(real, folder) || contains(folder, real))
    if (never !== undefined) {
      throw new SrecodexError(
        'REFUSED',
        `${path} cannot be made readable: sockets, devices and other processes would show`,
        {
          hint: 'name the folders that the script needs, such as /var/log',
          details: { key: 'execution_environment.readable', path },
        },
      )
    }
    readable.add(real)
  }
  return { readable: [...readable].sort(), missing }
}

/**
 * The folder beside a script that lies outside of the workspace, so that its imports work; null where that
 * folder holds far more than the script's own modules.
 */
export function scriptSurroundings(folder: string, home: string): string | null {
  const broad = [...SYSTEM_FOLDERS, realOr(home)]
  // A script that was put into /run/user/1000 would see the sockets there: of the session's bus, of containers.
  if (NEVER_READABLE.some(never => contains(never, folder))) return null
  return broad.some(path => contains(folder, path)) ? null : folder
}

/** True where `folder` is `path` or holds it. */
export function contains(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way === '' || (way !== '..' && !way.startsWith('../') && !isAbsolute(way))
}

/** Folders from below `root` down to the parent of `path`, shallow ones first. */
export function ancestorsWithin(root: string, path: string): string[] {
  const ancestors: string[] = []
  for (
    let folder = resolve(path, '..');
    folder !== root && contains(root, folder);
    folder = resolve(folder, '..')
  ) {
    ancestors.unshift(folder)
  }
  return ancestors
}

function realOr(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function invalid(path: string, message: string, hint: string, cause?: unknown): SrecodexError {
  return new SrecodexError('WORKSPACE_INVALID', message, {
    hint,
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  })
}
