/**
 * Which paths the sandbox binds over the writable workspace, from a scan. Pure.
 *
 * Order, because in bubblewrap later mounts win:
 * 1. the workspace, read-write (not in here);
 * 2. each of `pin`, read-write onto itself, parents before children: a folder that is a mount point can be neither
 *    renamed nor removed, so nobody moves a guarded thing aside and builds another in its place;
 * 3. each of `readOnly`, read-only onto itself. None of them lies above a pin or below another.
 *
 * A git folder itself stays writable, so `commit`, `status`, `worktree add` go on working; what changes its config
 * (`remote add`, a second `git init`) fails. `rename` and `link` from a pinned folder to another answer EXDEV, as
 * between two disks: `mv` and `shutil.move` copy then, `os.rename` and `git mv` fail.
 *
 * A link is no mount target. Its folder is pinned, what it leads to is bound if it lies in the workspace, and the
 * look after the run sees a link that was replaced. Whatever cannot be bound is in `unprotected`, never silent,
 * and is still compared after the run. Bind with the `-try` forms: the host may remove a file meanwhile.
 */

import { ancestorsOf, byDepth, type BytePath, bytesOf, isText, isWithin, partsOf } from './byte-path.ts'
import type { GuardedEntry, GuardedKind, WorkspaceScan } from './entries.ts'
import { DEPENDENCY_FOLDERS, foldName } from './protected-names.ts'

export interface ProtectionMounts {
  /** Absolute; bind read-write onto itself, in this order, before any of `readOnly`. */
  readonly pin: readonly string[]
  /** Absolute; bind read-only onto itself. */
  readonly readOnly: readonly string[]
  readonly unprotected: readonly Unprotected[]
}

/**
 * - `dependencies`: in a folder that installers replace as a whole; expected, not worth a word to the operator.
 * - `link`: a link, replaceable in a folder that must stay writable.
 * - `holds-repository`: a link leads to a folder with a repository in it, and that must stay writable.
 * - `not-utf-8`: no argument can name it.
 * - `too-many`: the binds are used up; the outermost come first.
 */
export interface Unprotected {
  readonly path: string
  readonly reason: 'dependencies' | 'link' | 'holds-repository' | 'not-utf-8' | 'too-many'
}

export interface ProtectionOptions {
  /** Bubblewrap reads the whole mount table for each bind: 200 cost 0.1 s, 500 cost 0.6 s. @default 200 */
  readonly maxBinds?: number
  /** Of all arguments together; the kernel takes 2 MiB. @default 524_288 */
  readonly maxBindBytes?: number
}

export function protectionMounts(scan: WorkspaceScan, options: ProtectionOptions = {}): ProtectionMounts {
  const { maxBinds = 200, maxBindBytes = 524_288 } = options
  const gitFolders = scan.entries.filter(({ kind }) => kind === 'git-folder').map(({ bytes }) => bytes)
  const readOnly = new Set<BytePath>()
  const pins = new Set<BytePath>()
  const unprotected: Unprotected[] = []
  let bindBytes = 0
  for (const entry of [...scan.entries].sort((a, b) => byDepth(a.bytes, b.bytes))) {
    const want = entry.type === 'other' ? null : WANTED[entry.kind]
    if (want === null || entry.bytes === '' || isBelowOneOf(entry.bytes, readOnly)) continue
    const reason = obstacle(entry, gitFolders)
    if (reason !== null) unprotected.push({ path: entry.path, reason })
    if (reason !== null && reason !== 'link') continue
    // Of a link the folders around it are all that can be bound.
    const target = reason === 'link' ? [] : [entry.bytes]
    const fresh = [...ancestorsOf(entry.bytes), ...target].filter(
      path => !pins.has(path) && !readOnly.has(path),
    )
    const freshBytes = fresh.reduce((sum, path) => sum + 2 * (scan.workspace.length + path.length + 16), 0)
    if (pins.size + readOnly.size + fresh.length > maxBinds || bindBytes + freshBytes > maxBindBytes) {
      if (reason === null) unprotected.push({ path: entry.path, reason: 'too-many' })
      continue
    }
    bindBytes += freshBytes
    for (const path of ancestorsOf(entry.bytes)) pins.add(path)
    for (const path of target) (want === 'pin' ? pins : readOnly).add(path)
  }

  const absolute = (path: BytePath): string => `${scan.workspace}/${bytesOf(path).toString('utf8')}`
  return {
    pin: [...pins]
      .filter(path => !readOnly.has(path) && !isBelowOneOf(path, readOnly))
      .sort(byDepth)
      .map(absolute),
    readOnly: [...readOnly]
      .filter(path => !isBelowOneOf(path, readOnly))
      .sort(byDepth)
      .map(absolute),
    unprotected,
  }
}

type Wanted = 'pin' | 'read-only'

const WANTED: Readonly<Record<GuardedKind, Wanted | null>> = {
  'git-folder': 'pin',
  'git-pointer': 'read-only',
  'git-config': 'read-only',
  'git-hooks': 'read-only',
  protected: 'read-only',
  'link-target': 'read-only',
  // In a folder that is bound as a whole.
  'git-hook': null,
  'protected-content': null,
  // Git writes them; they are judged after the run.
  'git-remote': null,
  'git-state': null,
}

function obstacle(entry: GuardedEntry, gitFolders: readonly BytePath[]): Unprotected['reason'] | null {
  if (partsOf(entry.bytes).slice(0, -1).some(isDependencyFolder)) return 'dependencies'
  if (!isText(entry.bytes)) return 'not-utf-8'
  if (entry.type === 'link') return 'link'
  const isForeignFolder = entry.type === 'folder' && entry.via !== null && entry.kind !== 'git-folder'
  if (isForeignFolder && gitFolders.some(folder => isWithin(folder, entry.bytes))) return 'holds-repository'
  return null
}

function isDependencyFolder(name: BytePath): boolean {
  return DEPENDENCY_FOLDERS.has(foldName(name))
}

function isBelowOneOf(path: BytePath, folders: ReadonlySet<BytePath>): boolean {
  return ancestorsOf(path).some(folder => folders.has(folder))
}
