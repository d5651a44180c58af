/**
 * What one script may touch, as plain data. `argv.ts` turns it into a command line; nothing else decides.
 *
 * Absent and empty differ nowhere here: every list is complete, an empty one grants nothing.
 */

/** Where things lie inside the sandbox. The guest library and the broker protocol rely on these paths. */
export const INSIDE = {
  guest: '/run/srecodex/guest',
  socketFolder: '/run/srecodex/socket',
  artifacts: '/run/srecodex/artifacts',
  scriptFolder: '/run/srecodex/script',
  /** A link for each tool that a script may call, to the shim that carries the call out. */
  tools: '/run/srecodex/tools',
  /** Folders of skills, by number. */
  skills: '/run/srecodex/skills',
} as const

/** One bind mount: a path on the host, and where the script sees it. */
export interface Mount {
  readonly source: string
  readonly target: string
}

/** How this machine lays out its system folders: recreated as they are, so that every path in a script holds. */
export interface SystemLayout {
  /** Folders mounted read-only, such as `/usr`. */
  readonly folders: readonly string[]
  /** Symbolic links at the root, such as `/bin` → `usr/bin`. */
  readonly links: readonly { readonly path: string; readonly target: string }[]
}

export interface SandboxProfile {
  readonly mode: 'read-only' | 'workspace-write'
  /** `allowlist`: no network but the forwarder's socket, which is mounted with the broker's. */
  readonly network: 'none' | 'host' | 'allowlist'
  readonly system: SystemLayout
  /** Real path of the folder that the script may write in `workspace-write`. */
  readonly workspace: string
  /** Host path whose place is taken by an empty folder of the script's own. */
  readonly home: string
  /** Read-only: interpreters, the operator's `readable`, the script's own folder. Parents before children. */
  readonly readable: readonly string[]
  /** In the workspace, bound onto themselves so that they cannot be renamed. Parents before children. */
  readonly pinned: readonly string[]
  /** In the workspace, read-only whatever the mode. Parents before children. */
  readonly protected: readonly string[]
  /** Covered by an empty folder: srecodex's own state, where it lies in something that the script sees. */
  readonly hidden: readonly string[]
  /** The staged copy, mounted read-only over the script's own path. */
  readonly script: Mount
  readonly guestFolder: string
  /** Names of the tools that get a shim. */
  readonly tools: readonly string[]
  /** Host folders of skills, read-only. */
  readonly skillFolders: readonly string[]
  /** Host folder that holds the run's sockets, and no other. */
  readonly socketFolder: string
  /** Host folder that the script writes artifacts to. */
  readonly artifactsFolder: string
  readonly cwd: string
  /** Bound of each private tmpfs, in bytes; null where this bubblewrap cannot bound one. */
  readonly tmpfsBytes: number | null
}
