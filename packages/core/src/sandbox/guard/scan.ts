/**
 * Looks through a workspace for what makes a program of the host run code: git folders, hooks, git config,
 * agents' and editors' config.
 *
 * The walk is breadth first, follows no link, and is bounded in entries and in time; a bound that was hit is in
 * the result, as is each folder that could not be opened. It never throws: what cannot be seen is said, not
 * guessed.
 *
 * Left alone on purpose:
 * - `objects/info/alternates`, attributes, grafts, refs: they name data or drivers, and drivers need config.
 * - set-id bits: seccomp keeps a script from setting them, and to look would cost a stat for each file.
 * - what lies past PATH_MAX: git cannot work there either. It is listed as unread.
 * - programs of the workspace that the operator's own hooks or config run: they are workspace content.
 */

import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'

import {
  type BytePath,
  bytePathOf,
  bytesOf,
  isWithin,
  joinPath,
  nameOf,
  parentOf,
  textOf,
} from './byte-path.ts'
import type {
  FileType,
  GuardedEntry,
  GuardedKind,
  ScanBound,
  UnreadFolder,
  WorkspaceScan,
} from './entries.ts'
import {
  codeOf,
  identityOf,
  insideOf,
  linkTargetOf,
  openFolders,
  type OpenedFolder,
  pointerTargetOf,
  readFolder,
  readRegular,
  realPathOf,
  resolveConfigPath,
  statsOf,
  typeOf,
} from './look.ts'
import {
  DEPENDENCY_FOLDERS,
  foldName,
  GIT_CONFIG_NAMES,
  GIT_MARKS,
  GIT_REMOTE_FOLDERS,
  GIT_STATE_FOLDERS,
  GIT_STATE_NAMES,
  PROTECTED_ENDINGS,
  PROTECTED_NAMES,
  protectionReason,
} from './protected-names.ts'
import { findGit, listGitConfig } from './read-git-config.ts'

export interface ScanOptions {
  /** @default 200_000 */
  readonly maxEntries?: number
  /** @default 2_000 */
  readonly maxDurationMs?: number
}

/** @param workspace An absolute path. */
export function scanWorkspace(workspace: string, options: ScanOptions = {}): WorkspaceScan {
  return new WorkspaceWalk(workspace, options, null).run()
}

export interface RescanOptions extends ScanOptions {
  /** Receives each folder whose mode was changed to look into it. */
  readonly opened: OpenedFolder[]
}

/**
 * The walk after a run. What was there before is looked at first, so that no heap of new files can push it past
 * the bound; folders that keep us out are opened; and only config that was there before may lead on to hooks and
 * includes, since new config that tries is condemned anyway.
 */
export function rescanWorkspace(before: WorkspaceScan, options: RescanOptions): WorkspaceScan {
  return new WorkspaceWalk(before.workspace, options, { before, opened: options.opened }).run()
}

export const MAX_CONFIG_BYTES = 256 * 1024
const MAX_HASHED_FILE_BYTES = 1024 * 1024
const MAX_HASHED_CONTENT_BYTES = 32 * 1024 * 1024
const HASHED_FILE_COST_BYTES = 8 * 1024
const MAX_PATH_BYTES = 4_095
const MAX_UNREAD_LISTED = 100
const MAX_NOTES = 20
const MAX_INCLUDE_DEPTH = 10
const CLOCK_CHECK_EVERY = 256
/** What is left for hooksPath and includes when the walk itself has used up its bound. */
const EXTRA_ENTRIES = 10_000
const EXTRA_DURATION_MS = 500

/** What a folder is walked as. In all but `plain` the files themselves are entries. */
type Role = 'plain' | 'hooks' | 'protected' | 'state' | 'remotes'

const CONTENT_KINDS: Readonly<Record<Role, GuardedKind | null>> = {
  plain: null,
  hooks: 'git-hook',
  protected: 'protected-content',
  state: 'git-state',
  remotes: 'git-remote',
}

interface Job {
  readonly path: BytePath
  readonly role: Role
  /** A git folder by its name, or because a pointer says so. */
  readonly git: boolean
  readonly via: BytePath | null
  /** Objects and installed dependencies wait: a bound shall hit them first. */
  readonly later: boolean
}

interface Mark {
  readonly folded: string
  readonly name: BytePath
  readonly type: FileType
}

const ENDING_NAMES: ReadonlySet<string> = new Set([...PROTECTED_ENDINGS.keys()].map(ending => nameOf(ending)))

const NAMES_OF_INTEREST: ReadonlySet<string> = new Set([
  '.git',
  'hooks',
  ...PROTECTED_NAMES.keys(),
  ...ENDING_NAMES,
  ...GIT_MARKS,
  ...GIT_CONFIG_NAMES,
  ...GIT_REMOTE_FOLDERS,
  ...GIT_STATE_FOLDERS,
])
const LONGEST_NAME_OF_INTEREST = Math.max(...[...NAMES_OF_INTEREST].map(name => name.length))

class BoundReached extends Error {}

class WorkspaceWalk {
  readonly #workspace: string
  readonly #root: BytePath
  readonly #rescan: { readonly before: WorkspaceScan; readonly opened: OpenedFolder[] } | null
  readonly #knownConfigs: ReadonlySet<BytePath> | null
  readonly #startedAtMs = Date.now()
  readonly #startedAtClock = performance.now()
  readonly #entries = new Map<BytePath, GuardedEntry>()
  readonly #visited = new Set<string>()
  #queue: Job[] = []
  #laterQueue: Job[] = []
  /** Git folder, and the folders from which its config may count relative hooks paths (absolute). */
  readonly #repositories = new Map<BytePath, Set<BytePath>>()
  readonly #commonFolders = new Map<BytePath, BytePath>()
  #pointers: { readonly path: BytePath; readonly gitFolder: BytePath }[] = []
  readonly #followed = new Set<string>()
  readonly #unread: UnreadFolder[] = []
  readonly #notes: string[] = []
  #unreadCount = 0
  #scanned = 0
  #maxEntries: number
  #maxDurationMs: number
  #hashedContentBytes = 0
  #bound: ScanBound | null = null
  #git: string | null | undefined

  constructor(
    workspace: string,
    options: ScanOptions,
    rescan: { readonly before: WorkspaceScan; readonly opened: OpenedFolder[] } | null,
  ) {
    this.#workspace = workspace
    this.#root = realPathOf(bytePathOf(workspace)) ?? bytePathOf(workspace)
    this.#rescan = rescan
    this.#maxEntries = options.maxEntries ?? 200_000
    this.#maxDurationMs = options.maxDurationMs ?? 2_000
    const configs = rescan?.before.entries.filter(({ kind }) => kind === 'git-config')
    this.#knownConfigs = configs === undefined ? null : new Set(configs.map(({ bytes }) => bytes))
  }

  run(): WorkspaceScan {
    this.#untilBound(() => {
      for (const job of this.#knownFolders()) this.#enqueue(job)
      this.#enqueue({ path: '', role: 'plain', git: false, via: null, later: false })
      this.#drain()
      this.#followConfigs()
      this.#drain()
    })
    if (this.#bound !== null) {
      this.#queue = []
      this.#laterQueue = []
      this.#maxEntries = this.#scanned + EXTRA_ENTRIES
      this.#maxDurationMs = performance.now() - this.#startedAtClock + EXTRA_DURATION_MS
      this.#untilBound(() => {
        this.#followConfigs()
        this.#drain()
      })
    }
    return {
      version: 1,
      workspace: this.#workspace,
      startedAtMs: this.#startedAtMs,
      entries: [...this.#entries.values()],
      unread: this.#unread,
      unreadCount: this.#unreadCount,
      notes: this.#notes,
      bound: this.#bound,
    }
  }

  #untilBound(walk: () => void): void {
    try {
      walk()
    } catch (error) {
      if (!(error instanceof BoundReached)) throw error
    }
  }

  *#knownFolders(): Iterable<Job> {
    for (const { type, kind, via, bytes: path } of this.#rescan?.before.entries ?? []) {
      if (type !== 'folder' || via !== null) continue
      if (kind !== 'git-folder' && kind !== 'protected') continue
      const absolute = joinPath(this.#root, path)
      // A folder that is now reached through a planted link is not the one that was there.
      if (realPathOf(absolute) !== absolute) continue
      if (kind === 'protected') this.#record(path, 'protected', null)
      const role = kind === 'protected' ? 'protected' : 'plain'
      yield { path, role, git: kind === 'git-folder', via: null, later: false }
    }
  }

  #enqueue(job: Job): void {
    const key = `${job.role}${job.git ? '+' : '-'}${job.via === null ? '' : '>'}/${job.path}`
    if (this.#visited.has(key)) return
    this.#visited.add(key)
    ;(job.later ? this.#laterQueue : this.#queue).push(job)
  }

  #drain(): void {
    while (this.#queue.length > 0 || this.#laterQueue.length > 0) {
      const jobs = this.#queue.length > 0 ? this.#queue : this.#laterQueue
      if (jobs === this.#queue) this.#queue = []
      else this.#laterQueue = []
      for (const job of jobs) this.#visit(job)
    }
  }

  #visit(job: Job): void {
    const folders: BytePath[] = []
    const links: BytePath[] = []
    const contents: BytePath[] = []
    const marks: Mark[] = []
    const contentKind = CONTENT_KINDS[job.role]
    let cut: BoundReached | null = null
    try {
      this.#list(job.path, (name, type) => {
        if (type === 'folder') folders.push(name)
        else if (contentKind !== null) contents.push(name)
        if (type === 'link') links.push(name)
        if (name.length > LONGEST_NAME_OF_INTEREST) return
        const folded = foldName(name)
        if (NAMES_OF_INTEREST.has(folded)) marks.push({ folded, name, type })
      })
    } catch (error) {
      // What was read of a folder that is too large still counts.
      if (!(error instanceof BoundReached)) throw error
      cut = error
    }

    const isGit = job.git || looksLikeGitFolder(marks)
    if (isGit) this.#recordGitFolder(job, marks)
    for (const mark of marks) this.#recordMark(job, mark)
    if (contentKind !== null) this.#recordContents(job, contentKind, contents, links)
    for (const name of folders) this.#descend(job, name, isGit)
    if (cut !== null) throw cut
  }

  #recordGitFolder(job: Job, marks: readonly Mark[]): void {
    const { path, via } = job
    this.#record(path, 'git-folder', via)
    this.#addRoot(path, joinPath(this.#root, path))
    if (foldName(nameOf(path)) === '.git') this.#addRoot(path, joinPath(this.#root, parentOf(path)))
    for (const { folded, name, type } of marks) {
      const child = joinPath(path, name)
      if (folded === 'commondir') this.#recordPointer(child, 'commondir', type, via)
      if (GIT_CONFIG_NAMES.has(folded) && type !== 'folder') {
        this.#record(child, 'git-config', via)
        if (type === 'link') this.#follow(joinPath(this.#root, child), 'git-config', child)
      }
      if (folded === 'hooks' && type !== 'file') {
        this.#record(child, 'git-hooks', via)
        if (type === 'link') this.#follow(joinPath(this.#root, child), 'hooks', child)
      }
      if (type === 'link' && GIT_STATE_FOLDERS.has(folded)) this.#record(child, 'git-state', via)
      if (type === 'link' && GIT_REMOTE_FOLDERS.has(folded)) this.#record(child, 'git-remote', via)
    }
  }

  #recordMark(job: Job, { folded, name, type }: Mark): void {
    const path = joinPath(job.path, name)
    if (folded === '.git' && type !== 'folder') this.#recordPointer(path, 'git', type, job.via)
    if (job.role === 'protected' || protectionReason(path) === null) return
    const absolute = joinPath(this.#root, path)
    const real = type === 'link' ? realPathOf(absolute) : null
    this.#record(path, 'protected', job.via, real === null ? null : insideOf(this.#root, real))
    if (type === 'link') this.#follow(absolute, 'protected', path)
  }

  #recordContents(job: Job, kind: GuardedKind, names: readonly BytePath[], links: readonly BytePath[]): void {
    for (const name of names) {
      if (kind === 'git-state' && !GIT_STATE_NAMES.has(foldName(name))) continue
      this.#record(joinPath(job.path, name), kind, job.via)
    }
    if (job.role !== 'hooks' && job.role !== 'protected') return
    for (const name of links) {
      const path = joinPath(job.path, name)
      this.#follow(joinPath(this.#root, path), job.role, path)
    }
  }

  #descend(job: Job, name: BytePath, parentIsGit: boolean): void {
    const path = joinPath(job.path, name)
    const folded = foldName(name)
    const role = this.#roleOf(job, path, folded, parentIsGit)
    const waits = DEPENDENCY_FOLDERS.has(folded) || (parentIsGit && folded === 'objects')
    this.#enqueue({
      path,
      role,
      git: folded === '.git',
      via: role === 'plain' ? null : job.via,
      later: role === 'plain' && (job.later || waits),
    })
  }

  #roleOf(job: Job, path: BytePath, folded: string, parentIsGit: boolean): Role {
    if (job.role === 'protected' || (NAMES_OF_INTEREST.has(folded) && protectionReason(path) !== null)) {
      return 'protected'
    }
    if (job.role === 'hooks' || (parentIsGit && folded === 'hooks')) return 'hooks'
    if (parentIsGit && GIT_STATE_FOLDERS.has(folded)) return 'state'
    if (parentIsGit && GIT_REMOTE_FOLDERS.has(folded)) return 'remotes'
    return 'plain'
  }

  #addRoot(gitFolder: BytePath, root: BytePath): void {
    const roots = this.#repositories.get(gitFolder)
    if (roots === undefined) this.#repositories.set(gitFolder, new Set([root]))
    else roots.add(root)
  }

  #recordPointer(path: BytePath, kind: 'git' | 'commondir', type: FileType, via: BytePath | null): void {
    const absolute = joinPath(this.#root, path)
    const target = type === 'other' ? null : pointerTargetOf(absolute, kind)
    const real = target === null ? null : realPathOf(target)
    const inside = real === null ? null : insideOf(this.#root, real)
    this.#record(path, 'git-pointer', via, inside)
    if (real === null) return
    if (kind === 'commondir') this.#commonFolders.set(joinPath(this.#root, parentOf(path)), real)
    else this.#pointers.push({ path, gitFolder: real })
    if (inside !== null) this.#enqueue({ path: inside, role: 'plain', git: true, via: path, later: false })
  }

  /**
   * Looks at what a link, a hooksPath or an include leads to.
   *
   * @param absolute May pass through links; where it ends is what counts.
   */
  #follow(absolute: BytePath, as: 'hooks' | 'protected' | 'git-config', via: BytePath | null): void {
    const real = realPathOf(absolute)
    const path = real === null ? null : insideOf(this.#root, real)
    const stats = real === null ? null : statsOf(real)
    if (path === null || stats === null) return
    if (!stats.isDirectory()) {
      this.#record(path, as === 'git-config' ? 'git-config' : 'link-target', via)
      return
    }
    if (as === 'git-config') return
    if (path === '' || (via !== null && isWithin(via, path))) {
      this.#note(
        `${show(via ?? '')} leads to ${show(path)}, a folder around it: what lies there is not guarded`,
      )
      return
    }
    this.#record(path, as === 'hooks' ? 'git-hooks' : 'protected', via)
    this.#enqueue({ path, role: as, git: false, via, later: false })
  }

  /** Hooks and includes that config names. Config around the workspace counts too: the workspace may be a part. */
  #followConfigs(): void {
    for (const { path, gitFolder } of this.#pointers.splice(0)) {
      const common = this.#commonFolders.get(gitFolder) ?? gitFolder
      const inside = insideOf(this.#root, common)
      const root = joinPath(this.#root, parentOf(path))
      if (inside === null) this.#followOutside(gitFolder, root, path)
      else this.#addRoot(inside, root)
    }
    for (const { kind, type, bytes: path } of this.#entries.values()) {
      const roots =
        kind === 'git-config' && type !== 'folder' ? this.#repositories.get(parentOf(path)) : undefined
      if (roots === undefined || this.#knownConfigs?.has(path) === false) continue
      const key = `${roots.size} ${path}`
      if (this.#followed.has(key)) continue
      this.#followed.add(key)
      this.#followConfig(joinPath(this.#root, path), [...roots], path, 0)
    }
    for (const folder of foldersAbove(this.#root)) {
      const git = joinPath(folder, '.git')
      const target = statsOf(git) === null ? null : pointerTargetOf(git, 'git')
      const real = target === null ? null : realPathOf(target)
      if (real !== null && insideOf(this.#root, real) === null) this.#followOutside(real, folder, null)
    }
  }

  #followOutside(gitFolder: BytePath, root: BytePath, via: BytePath | null): void {
    const target = pointerTargetOf(joinPath(gitFolder, 'commondir'), 'commondir')
    const common = (target === null ? null : realPathOf(target)) ?? gitFolder
    this.#followConfig(joinPath(common, 'config'), [root], via, 0)
    this.#followConfig(joinPath(gitFolder, 'config.worktree'), [root], via, 0)
  }

  #followConfig(absolute: BytePath, roots: readonly BytePath[], via: BytePath | null, depth: number): void {
    const real = realPathOf(absolute)
    const read = real === null ? null : readRegular(real, MAX_CONFIG_BYTES)
    // Most config names neither, and starting git costs as much as the rest of the scan.
    if (read?.kind !== 'content' || !/hookspath|include/i.test(read.content.toString('latin1'))) return
    this.#checkClock()
    if (this.#git === undefined) this.#git = findGit(textOf(this.#root))
    const pairs = this.#git === null ? null : listGitConfig(this.#git, read.content)
    if (pairs === null) {
      this.#note(
        `git could not read ${show(via ?? absolute)}: hooks and includes that it names are not guarded`,
      )
      return
    }
    const bases = [...roots]
    for (const [key, value] of pairs) {
      if (key === 'core.worktree' && value !== null) bases.push(resolveConfigPath(parentOf(absolute), value))
    }
    for (const [key, value] of pairs) {
      if (value === null || value === '') continue
      if (key === 'core.hookspath') {
        for (const base of new Set(bases)) this.#followHooksPath(resolveConfigPath(base, value), via)
      }
      if (/^include(?:if\..*)?\.path$/s.test(key) && depth < MAX_INCLUDE_DEPTH) {
        const included = resolveConfigPath(parentOf(absolute), value)
        const lexical = insideOf(this.#root, included)
        if (lexical !== null && statsOf(included)?.isSymbolicLink() === true) {
          this.#record(lexical, 'git-config', via)
        }
        this.#follow(included, 'git-config', via)
        this.#followConfig(included, bases, via, depth + 1)
      }
    }
  }

  #followHooksPath(absolute: BytePath, via: BytePath | null): void {
    const real = realPathOf(absolute)
    const path = real === null ? null : insideOf(this.#root, real)
    if (path === null) return
    if ([...this.#repositories.keys()].some(gitFolder => gitFolder !== path && isWithin(gitFolder, path))) {
      this.#note(
        `core.hooksPath leads to ${show(path)}, which holds a repository: hooks there are not guarded`,
      )
      return
    }
    this.#follow(absolute, 'hooks', via)
  }

  #record(path: BytePath, kind: GuardedKind, via: BytePath | null, leadsTo: BytePath | null = null): void {
    const known = this.#entries.get(path)
    if (known !== undefined) {
      // What matters by itself matters more than what a link leads to.
      if (known.via !== null && via === null) this.#entries.set(path, { ...known, kind, via: null })
      return
    }
    const absolute = joinPath(this.#root, path)
    if (absolute.length > MAX_PATH_BYTES) {
      this.#leaveUnread(path, 'too-long')
      return
    }
    const stats = statsOf(absolute) ?? (this.#openUp(parentOf(path)) ? statsOf(absolute) : null)
    if (stats === null) return
    const type = typeOf(stats)
    const content = type === 'file' ? this.#contentOf(absolute, kind, stats) : null
    const target = type === 'link' ? linkTargetOf(absolute) : null
    this.#entries.set(path, {
      path: textOf(path),
      bytes: path,
      kind,
      type,
      identity: identityOf(stats),
      sha256: content !== null ? digestOf(content) : target !== null ? digestOf(bytesOf(target)) : null,
      content: kind === 'git-config' && content !== null ? content.toString('base64') : null,
      leadsTo,
      via,
    })
  }

  /** The content of protected folders is hashed up to a sum; past it inode, size and ctime tell a change. */
  #contentOf(absolute: BytePath, kind: GuardedKind, stats: Stats): Buffer | null {
    const maxBytes = kind === 'git-config' ? MAX_CONFIG_BYTES : MAX_HASHED_FILE_BYTES
    if (kind === 'protected-content') {
      if (this.#hashedContentBytes > MAX_HASHED_CONTENT_BYTES) return null
      this.#hashedContentBytes += Math.min(stats.size, maxBytes) + HASHED_FILE_COST_BYTES
    }
    const read = readRegular(absolute, maxBytes)
    return read.kind === 'content' ? read.content : null
  }

  #list(path: BytePath, found: (name: BytePath, type: FileType) => void): void {
    const absolute = joinPath(this.#root, path)
    if (absolute.length > MAX_PATH_BYTES) {
      this.#leaveUnread(path, 'too-long')
      return
    }
    this.#checkClock()
    const count = (name: BytePath, type: FileType): void => {
      if (this.#scanned >= this.#maxEntries) throw this.#reachBound('entries')
      this.#scanned += 1
      if (this.#scanned % CLOCK_CHECK_EVERY === 0) this.#checkClock()
      found(name, type)
    }
    for (const isRetry of [false, true]) {
      try {
        readFolder(absolute, count)
        return
      } catch (error) {
        if (error instanceof BoundReached) throw error
        const code = codeOf(error)
        if (code === 'ENOENT' || code === 'ENOTDIR') return
        if (!isRetry && !this.#isShutAsBefore(path) && this.#openUp(path)) continue
        this.#leaveUnread(path, 'unreadable')
        return
      }
    }
  }

  #checkClock(): void {
    if (performance.now() - this.#startedAtClock > this.#maxDurationMs) throw this.#reachBound('duration')
  }

  #reachBound(kind: ScanBound['kind']): BoundReached {
    this.#bound ??= { kind, scanned: this.#scanned }
    return new BoundReached()
  }

  /** It kept us out before the run as well and no chmod has been there since: nothing was planted in it. */
  #isShutAsBefore(path: BytePath): boolean {
    const stats = statsOf(joinPath(this.#root, path))
    if (stats === null || this.#rescan === null) return false
    return this.#rescan.before.unread.some(
      ({ bytes, identity }) =>
        bytes === path && identity?.ino === stats.ino && identity.ctimeMs === stats.ctimeMs,
    )
  }

  #openUp(path: BytePath): boolean {
    return this.#rescan !== null && openFolders(this.#root, path, this.#rescan.opened)
  }

  #leaveUnread(path: BytePath, cause: UnreadFolder['cause']): void {
    this.#unreadCount += 1
    if (this.#unread.length >= MAX_UNREAD_LISTED) return
    const stats = statsOf(joinPath(this.#root, path))
    const identity = stats === null ? null : identityOf(stats)
    this.#unread.push({ path: textOf(path), bytes: path, cause, identity })
  }

  #note(note: string): void {
    if (this.#notes.length < MAX_NOTES && !this.#notes.includes(note)) this.#notes.push(note)
  }
}

/** Git looks for HEAD and, beside it or in `commondir`, for objects and refs. A link by such a name will do. */
function looksLikeGitFolder(marks: readonly Mark[]): boolean {
  if (marks.length < 2) return false
  const names = new Set(marks.map(({ folded }) => folded))
  return names.has('head') && ((names.has('objects') && names.has('refs')) || names.has('commondir'))
}

function foldersAbove(absolute: BytePath): BytePath[] {
  const folders: BytePath[] = []
  for (let folder = absolute; folder !== '' && folder !== '/';) {
    folder = parentOf(folder) || '/'
    folders.push(folder)
  }
  return folders
}

function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

function show(path: BytePath): string {
  return JSON.stringify(textOf(path))
}
