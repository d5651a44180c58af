/**
 * Looks at a workspace again after a run and quarantines what would make a program of the host run code.
 *
 * Three steps: look (a second scan, and git config read by git), decide (pure), act (moves). Nothing of the script
 * may run any more. Nothing is deleted, and whatever could not be judged counts as harmful.
 *
 * What a legitimate run leaves stays: `git init`, `clone`, `commit`, `worktree add`, `submodule add` with plain
 * addresses. Protected names go wherever they newly appear, also in a clone or below node_modules, with one
 * exception: a copy of what the workspace already had, at the end of the same path (`worktree add` of a project
 * with a `.vscode` makes `tree/.vscode`), adds nothing that was not there.
 *
 * It cannot know who changed a file: what the operator's own programs changed meanwhile is judged the same way. A
 * config that git or an editor wrote to stays unless it gained a key that can name a program.
 */

import {
  ancestorsOf,
  byDepth,
  type BytePath,
  bytePathOf,
  bytesOf,
  isWithin,
  joinPath,
  nameOf,
  parentOf,
  partsOf,
} from './byte-path.ts'
import type { GuardedEntry, GuardedKind, ScanBound, WorkspaceScan } from './entries.ts'
import { type ConfigPair, offendingKeys } from './harmless-git-config.ts'
import {
  closeFolders,
  insideOf,
  type OpenedFolder,
  openFolders,
  readRegular,
  realPathOf,
  resolveConfigPath,
} from './look.ts'
import { foldName, protectionReason } from './protected-names.ts'
import { moveToQuarantine } from './quarantine.ts'
import { findGit, listGitConfig } from './read-git-config.ts'
import { MAX_CONFIG_BYTES, rescanWorkspace, type ScanOptions } from './scan.ts'

export interface VerifyOptions extends ScanOptions {
  /** Absolute, outside the workspace, on the same device if possible; made when it is needed. */
  readonly quarantineFolder: string
  /** How long git may take to read all new config; what is left then counts as harmful. @default 10_000 */
  readonly maxConfigDurationMs?: number
}

export interface QuarantinedPath {
  /** Relative to the workspace. */
  readonly path: string
  readonly reason: string
  /** Not at the root of the workspace: most programs see it only when they are started there. */
  readonly nested: boolean
  /** Absolute. Null: it is still there, and `notices` says why. */
  readonly movedTo: string | null
}

export interface VerifyResult {
  readonly quarantined: readonly QuarantinedPath[]
  /** For the operator: a bound, a folder that could not be opened, a guarded thing that is gone, a failed move. */
  readonly notices: readonly string[]
  readonly bound: ScanBound | null
}

export function verifyWorkspace(before: WorkspaceScan, options: VerifyOptions): VerifyResult {
  const opened: OpenedFolder[] = []
  try {
    const after = rescanWorkspace(before, { ...options, opened })
    const verdicts = judgeContents(before, after, options.maxConfigDurationMs ?? 10_000)
    const decided = decideMoves(before, after, verdicts)
    const notices = noticesOf(before, after)
    const root = realPathOf(bytePathOf(before.workspace)) ?? bytePathOf(before.workspace)
    const quarantined = decided.map(({ entry, reason }): QuarantinedPath => {
      const { bytes, path, type } = entry
      openFolders(root, type === 'folder' ? bytes : parentOf(bytes), opened)
      const { movedTo, problem } = moveToQuarantine(root, bytes, options.quarantineFolder)
      if (problem !== null) notices.push(`${show(path)} (${reason}): ${problem}`)
      return { path, reason, nested: bytes.includes('/'), movedTo }
    })
    return { quarantined, notices, bound: after.bound }
  } finally {
    closeFolders(opened)
  }
}

/** What the content of a changed file says about it: null is harmless, else the reason. */
type Verdicts = ReadonlyMap<BytePath, string | null>

export interface DecidedMove {
  readonly entry: GuardedEntry
  readonly reason: string
}

/**
 * What has to go, the outermost first; nothing inside of something that goes is listed again. Pure.
 *
 * @param verdicts For each new or changed config and rebase state; one that is missing counts as harmful.
 */
export function decideMoves(before: WorkspaceScan, after: WorkspaceScan, verdicts: Verdicts): DecidedMove[] {
  const known = new Map(before.entries.map(entry => [entry.bytes, entry]))
  const facts: Circumstances = {
    known,
    gitFolders: new Set(after.entries.filter(isGitFolder).map(({ bytes }) => bytes)),
    contents: contentsOfProtected(after),
    verdicts,
  }
  const moved = new Map<BytePath, DecidedMove>()
  const candidates = after.entries
    .filter(entry => isNewOrChanged(entry, known.get(entry.bytes)) && !isUnseenButOld(entry, before, known))
    .sort((a, b) => byDepth(a.bytes, b.bytes))

  const goes = (path: BytePath): boolean => [path, ...ancestorsOf(path)].some(part => moved.has(part))
  // First what matters by itself, then what only matters by way of a thing that stays.
  for (const hasVia of [false, true]) {
    for (const entry of candidates) {
      if ((entry.via !== null) !== hasVia || goes(entry.bytes)) continue
      if (entry.via !== null && goes(entry.via)) continue
      const reason = REASONS[entry.kind](entry, facts)
      if (reason === null) continue
      const change = known.has(entry.bytes) ? 'changed' : 'new'
      moved.set(entry.bytes, { entry, reason: `${change}: ${reason}` })
    }
  }
  return [...moved.values()].filter(
    ({ entry }) => !ancestorsOf(entry.bytes).some(folder => moved.has(folder)),
  )
}

interface Circumstances {
  readonly known: ReadonlyMap<BytePath, GuardedEntry>
  readonly gitFolders: ReadonlySet<BytePath>
  /** What lies in each protected folder; empty if the second scan was cut short. */
  readonly contents: ReadonlyMap<BytePath, readonly GuardedEntry[]>
  readonly verdicts: Verdicts
}

/** For each kind why a new or changed one has to go, or null. */
const REASONS: Readonly<Record<GuardedKind, (entry: GuardedEntry, facts: Circumstances) => string | null>> = {
  'git-folder': () => null,

  'git-pointer': ({ type, leadsTo }, { gitFolders }) => {
    if (type === 'link') return 'a link in place of a git folder'
    if (leadsTo !== null && gitFolders.has(leadsTo)) return null
    return 'a pointer to a git folder that is not one of the workspace'
  },

  'git-config': ({ type, bytes }, { verdicts }) => {
    if (type === 'link') return 'a link in place of git config'
    const verdict = verdicts.get(bytes)
    return verdict === null ? null : `git config: ${verdict ?? 'it was not judged'}`
  },

  'git-hooks': ({ type }) => (type === 'link' ? 'a link in place of the hooks of git' : null),

  'git-hook': (entry, { known }) => {
    if (foldName(entry.bytes).endsWith('.sample') || isCopy(entry, known)) return null
    return 'a hook: git runs it'
  },

  'git-remote': () => 'an address in a form that git still reads and never writes',

  'git-state': ({ type, bytes }, { verdicts }) => {
    if (type === 'link') return 'a link in place of the state of a rebase'
    const verdict = verdicts.get(bytes)
    return verdict === null ? null : `the state of a rebase: ${verdict ?? 'it was not judged'}`
  },

  protected: (entry, { known, contents }) => {
    const { path, bytes, type } = entry
    if (type === 'folder') {
      // Of a folder that was there only its contents count.
      if (known.get(bytes)?.type === 'folder') return null
      const inside = contents.get(bytes) ?? []
      if (inside.length > 0 && inside.every(content => isCopy(content, known))) return null
    }
    if (type === 'link' && isLinkToOriginal(entry, known)) return null
    return isCopy(entry, known) ? null : (protectionReason(path) ?? 'a guarded link leads to it')
  },

  'protected-content': (entry, { known }) => {
    if (isCopy(entry, known)) return null
    const reasons = ancestorsOf(entry.path).map(folder => protectionReason(folder))
    return reasons.find(reason => reason !== null) ?? 'a guarded link leads to it'
  },

  'link-target': ({ via }) => `${show(via ?? '')} leads to it`,
}

function contentsOfProtected({ entries, bound }: WorkspaceScan): Map<BytePath, GuardedEntry[]> {
  const contents = new Map<BytePath, GuardedEntry[]>()
  if (bound !== null) return contents
  for (const { kind, bytes } of entries) if (kind === 'protected') contents.set(bytes, [])
  for (const entry of entries) {
    for (const folder of ancestorsOf(entry.bytes)) contents.get(folder)?.push(entry)
  }
  return contents
}

function isGitFolder({ kind, via }: GuardedEntry): boolean {
  return kind === 'git-folder' && via === null
}

function isNewOrChanged(entry: GuardedEntry, known: GuardedEntry | undefined): boolean {
  if (known === undefined || known.type !== entry.type) return true
  // A pointer that leads elsewhere without having changed: what it leads to is judged by itself.
  // A folder changes with each file in it; those are entries of their own.
  if (entry.type === 'folder') return false
  if ((known.identity.mode & 0o111) !== (entry.identity.mode & 0o111)) return true
  if (known.sha256 !== null && entry.sha256 !== null) return known.sha256 !== entry.sha256
  const { ino, size, ctimeMs } = known.identity
  return ino !== entry.identity.ino || size !== entry.identity.size || ctimeMs !== entry.identity.ctimeMs
}

/** Room for a file system with coarse times, and for the operator who saved a file just before. */
const CLOCK_SLACK_MS = 2_000

/**
 * Where the first scan could not look, "was not seen" is not "is new". There, and only there, the time of the last
 * change decides: a script cannot set ctime. What that lets through is a file of the operator's that the script
 * carried to another place by renaming a folder around it.
 */
function isUnseenButOld(
  entry: GuardedEntry,
  before: WorkspaceScan,
  known: ReadonlyMap<BytePath, GuardedEntry>,
): boolean {
  if (known.has(entry.bytes)) return false
  const wasUnseen = before.bound !== null || before.unread.some(({ bytes }) => isWithin(entry.bytes, bytes))
  return wasUnseen && entry.identity.ctimeMs < before.startedAtMs - CLOCK_SLACK_MS
}

/** Equal to what was there before at the end of the same path: a worktree, a clone or a copy of the project. */
function isCopy(entry: GuardedEntry, known: ReadonlyMap<BytePath, GuardedEntry>): boolean {
  if (entry.type !== 'file' || entry.sha256 === null) return false
  const parts = partsOf(entry.bytes)
  return parts.some((_, index) => {
    const original = index === 0 ? undefined : known.get(parts.slice(index).join('/'))
    return (
      original?.type === 'file' &&
      original.kind === entry.kind &&
      original.sha256 === entry.sha256 &&
      (entry.identity.mode & 0o111 & ~original.identity.mode) === 0
    )
  })
}

/** The same as a link: `node_modules/@scope/dotcodex` to the workspace's own `dotcodex`. */
function isLinkToOriginal(
  { bytes, leadsTo }: GuardedEntry,
  known: ReadonlyMap<BytePath, GuardedEntry>,
): boolean {
  return leadsTo !== null && bytes.endsWith(`/${leadsTo}`) && known.get(leadsTo)?.kind === 'protected'
}

/** Reads what cannot be judged by its name. Identical files are read by git once. */
function judgeContents(before: WorkspaceScan, after: WorkspaceScan, maxDurationMs: number): Verdicts {
  const root = realPathOf(bytePathOf(before.workspace)) ?? bytePathOf(before.workspace)
  const known = new Map(before.entries.map(entry => [entry.bytes, entry]))
  const git = findGit(bytesOf(root).toString('utf8'))
  const deadline = performance.now() + maxDurationMs
  const listings = new Map<string, ConfigPair[] | null>()
  const list = (content: Buffer): ConfigPair[] | string => {
    if (git === null) return 'there is no git on this host to read it'
    const key = content.toString('latin1')
    if (!listings.has(key)) {
      if (performance.now() > deadline) return 'there were too many to read'
      listings.set(key, listGitConfig(git, content))
    }
    return listings.get(key) ?? 'git cannot read it'
  }

  const verdicts = new Map<BytePath, string | null>()
  for (const entry of after.entries) {
    const { bytes, kind } = entry
    const earlier = known.get(bytes)
    if ((kind !== 'git-config' && kind !== 'git-state') || !isNewOrChanged(entry, earlier)) continue
    const read = readRegular(joinPath(root, bytes), MAX_CONFIG_BYTES)
    if (read.kind !== 'content') {
      verdicts.set(bytes, UNREAD_REASONS[read.kind])
      continue
    }
    if (kind === 'git-state') {
      verdicts.set(bytes, judgeState(nameOf(bytes), read.content, list))
      continue
    }
    verdicts.set(bytes, judgeConfig(root, bytes, read.content, earlier, list))
  }
  return verdicts
}

type ListConfig = (content: Buffer) => ConfigPair[] | string

const UNREAD_REASONS = {
  irregular: 'it is no plain file',
  'too-large': 'it is too large to judge',
  unreadable: 'it cannot be read',
  missing: null,
} as const

function judgeConfig(
  root: BytePath,
  path: BytePath,
  content: Buffer,
  earlier: GuardedEntry | undefined,
  list: ListConfig,
): string | null {
  const pairs = list(content)
  if (typeof pairs === 'string') return pairs
  const worktreeStays = (value: string): boolean => {
    const real = realPathOf(resolveConfigPath(joinPath(root, parentOf(path)), value))
    return real !== null && insideOf(root, real) !== null
  }
  const offending = offendingKeys(pairs, { worktreeStays })
  if (offending.length === 0) return null
  // What the operator had in there is the operator's; only what was added counts.
  const earlierPairs =
    earlier?.content === null || earlier === undefined ? [] : list(Buffer.from(earlier.content, 'base64'))
  const had = new Set(typeof earlierPairs === 'string' ? [] : earlierPairs.map(pair => JSON.stringify(pair)))
  const added = offending.filter(({ key, value }) => !had.has(JSON.stringify([key, value])))
  if (added.length === 0) return null
  const names = [...new Set(added.map(({ key }) => key))]
  const rest = names.length > 3 ? ` and ${names.length - 3} more` : ''
  return `${names.slice(0, 3).map(show).join(', ')}${rest} can name a program`
}

/** What `git rebase --continue` may go on with. `exec` is not among them, nor is a strategy that git would look up. */
const PLAIN_TODO =
  /^\s*(?:$|#|(?:pick|p|reword|r|edit|e|squash|s|fixup|f|drop|d|label|l|reset|t|merge|m|update-ref|u|break|b|noop)(?:\s|$))/
const PLAIN_STRATEGY = /^(?:ort|recursive|resolve|octopus|ours|subtree)?\s*$/

function judgeState(name: BytePath, content: Buffer, list: ListConfig): string | null {
  const text = content.toString('latin1')
  switch (foldName(name)) {
    case 'git-rebase-todo':
      return text.split('\n').every(line => PLAIN_TODO.test(line)) ? null : 'a line of it can run a program'
    case 'strategy':
      return PLAIN_STRATEGY.test(text) ? null : 'git would look the strategy up as a program'
    case 'opts': {
      const pairs = list(content)
      if (typeof pairs === 'string') return pairs
      const isPlain = pairs.every(
        ([key, value]) =>
          key.startsWith('options.') && (key !== 'options.strategy' || PLAIN_STRATEGY.test(value ?? '-')),
      )
      return isPlain ? null : 'git would look the strategy up as a program'
    }
    default:
      return 'it is not known'
  }
}

const MAX_LISTED = 5

function noticesOf(before: WorkspaceScan, after: WorkspaceScan): string[] {
  const notices: string[] = [...after.notes]
  for (const [when, { bound }] of [
    ['before', before],
    ['after', after],
  ] as const) {
    if (bound === null) continue
    const reached = bound.kind === 'entries' ? 'in all' : 'when the time was up'
    notices.push(
      `the workspace was not looked through to the end ${when} the run: ${bound.scanned} entries ${reached} were looked at`,
    )
  }
  const shut = new Set(before.unread.map(({ bytes, cause }) => `${cause}/${bytes}`))
  const unread = after.unread.filter(({ bytes, cause }) => !shut.has(`${cause}/${bytes}`))
  if (unread.length > 0) {
    const count = unread.length + after.unreadCount - after.unread.length
    notices.push(`${count} places could not be looked into: ${listed(unread.map(({ path }) => path))}`)
  }
  if (after.bound === null) {
    const present = new Set(after.entries.map(({ bytes }) => bytes))
    const gone = before.entries.filter(
      ({ bytes, kind, via }) =>
        via === null && kind !== 'git-state' && kind !== 'git-folder' && !present.has(bytes),
    )
    if (gone.length > 0) notices.push(`guarded files are gone: ${listed(gone.map(({ path }) => path))}`)
  }
  return notices
}

function listed(paths: readonly string[]): string {
  const rest = paths.length > MAX_LISTED ? ` and ${paths.length - MAX_LISTED} more` : ''
  return (
    paths
      .slice(0, MAX_LISTED)
      .map(path => show(path.length > 200 ? `${path.slice(0, 200)}…` : path))
      .join(', ') + rest
  )
}

function show(text: string): string {
  return JSON.stringify(text)
}
