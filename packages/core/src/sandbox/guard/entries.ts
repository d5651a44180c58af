/** What the guard knows about a workspace. Plain data: it survives JSON, so a look after a crash can be taken. */

import type { BytePath } from './byte-path.ts'

/**
 * - `git-folder`: a git folder, whatever its name.
 * - `git-pointer`: a `.git` that is a file or a link, or a `commondir`.
 * - `git-config`: config of a git folder, or a file that such config includes.
 * - `git-hooks`, `git-hook`: a folder of hooks, and what lies in it.
 * - `git-remote`: a file of `remotes/` or `branches/`.
 * - `git-state`: how an interrupted rebase, cherry-pick or revert goes on.
 * - `protected`, `protected-content`: a protected name, and what lies in it.
 * - `link-target`: a file that one of the others leads to by a link.
 */
export type GuardedKind =
  | 'git-folder'
  | 'git-pointer'
  | 'git-config'
  | 'git-hooks'
  | 'git-hook'
  | 'git-remote'
  | 'git-state'
  | 'protected'
  | 'protected-content'
  | 'link-target'

/** `other` is a FIFO, socket or device. */
export type FileType = 'file' | 'folder' | 'link' | 'other'

/** What tells one state of a file from another. A script can set `mtimeMs`; `ctimeMs` it cannot. */
export interface FileIdentity {
  readonly ino: number
  readonly size: number
  readonly mode: number
  readonly mtimeMs: number
  readonly ctimeMs: number
}

export interface GuardedEntry {
  /** Relative to the workspace, for people: bytes that are not UTF-8 show as U+FFFD. */
  readonly path: string
  /** The same without loss, one character a byte; this one identifies the entry. */
  readonly bytes: BytePath
  readonly kind: GuardedKind
  readonly type: FileType
  readonly identity: FileIdentity
  /** Of a file's content or a link's target. Null for the rest, and for what is too large or unreadable. */
  readonly sha256: string | null
  /** A git config as it was, in base64. It can hold a token in an address: keep the scan as private as that. */
  readonly content: string | null
  /** Where a pointer or a protected link leads, if that is in the workspace. */
  readonly leadsTo: BytePath | null
  /** The entry without which this one would not matter: a link, a pointer, a config with hooksPath or include. */
  readonly via: BytePath | null
}

export interface UnreadFolder {
  readonly path: string
  readonly bytes: BytePath
  readonly cause: 'unreadable' | 'too-long'
  /** Null where not even lstat works. */
  readonly identity: FileIdentity | null
}

export interface ScanBound {
  readonly kind: 'entries' | 'duration'
  /** How many entries were looked at. */
  readonly scanned: number
}

export interface WorkspaceScan {
  readonly version: 1
  readonly workspace: string
  readonly startedAtMs: number
  readonly entries: readonly GuardedEntry[]
  /** At most 100; `unreadCount` is the whole number. */
  readonly unread: readonly UnreadFolder[]
  readonly unreadCount: number
  /** What could not be followed, in words. */
  readonly notes: readonly string[]
  /** Null: everything was seen. */
  readonly bound: ScanBound | null
}
