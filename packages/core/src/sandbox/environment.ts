/** The environment of a script: built from nothing, so that no variable of the caller's leaks in. */

import { INSIDE } from './profile.ts'

export interface EnvironmentOptions {
  readonly run: string
  readonly phase: 'plan' | 'apply'
  readonly workspace: string
  readonly home: string
  /** Folders of interpreters that lie outside the system's. */
  readonly pathFolders: readonly string[]
  /** LANG and TZ are taken from here, nothing else is. */
  readonly caller: NodeJS.ProcessEnv
  /** What `--env` names. */
  readonly extra: Readonly<Record<string, string>>
  /** Proxy variables, where the network is an allowlist. */
  readonly network: Readonly<Record<string, string>>
  /** The workspace belongs to another user: git refuses it unless told. */
  readonly foreignWorkspace: boolean
  /** Where the guest library, sockets and artifacts are: `INSIDE` in a sandbox, host paths without one. */
  readonly places: {
    readonly guest: string
    /** Folder of shims; null: tools are called as they are. */
    readonly tools: string | null
    readonly socket: string
    readonly artifacts: string
    readonly tmp: string
  }
}

export const SANDBOX_PLACES: EnvironmentOptions['places'] = {
  guest: INSIDE.guest,
  tools: INSIDE.tools,
  socket: `${INSIDE.socketFolder}/broker`,
  artifacts: INSIDE.artifacts,
  tmp: '/tmp',
}

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export function scriptEnvironment(options: EnvironmentOptions): Record<string, string> {
  const { places } = options
  const system = new Set(SYSTEM_PATH.split(':'))
  const folders = options.pathFolders.filter(folder => !system.has(folder))
  return {
    // A shim comes before the program that it stands for, wherever that lies.
    PATH: [
      `${places.guest}/bin`,
      ...(places.tools === null ? [] : [places.tools]),
      ...folders,
      SYSTEM_PATH,
    ].join(':'),
    HOME: options.home,
    TMPDIR: places.tmp,
    LANG: options.caller.LANG ?? 'C.UTF-8',
    ...(options.caller.TZ === undefined ? {} : { TZ: options.caller.TZ }),
    SRECODEX_RUN: options.run,
    SRECODEX_PHASE: options.phase,
    SRECODEX_WORKSPACE: options.workspace,
    SRECODEX_ARTIFACTS: places.artifacts,
    SRECODEX_SOCKET: places.socket,
    PYTHONPATH: `${places.guest}/python`,
    PYTHONDONTWRITEBYTECODE: '1', // no byte code beside the modules of a workspace
    ...(options.foreignWorkspace
      ? {
          GIT_CONFIG_COUNT: '1',
          GIT_CONFIG_KEY_0: 'safe.directory',
          GIT_CONFIG_VALUE_0: options.workspace,
        }
      : {}),
    ...options.network,
    ...options.extra,
  }
}
