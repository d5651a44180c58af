/** Why a sandbox could not be had, told from what bubblewrap printed, and the way out of each cause. */

import { SrecodexError } from '../errors.ts'

interface Cause {
  readonly cause: string
  readonly pattern: RegExp
  readonly message: string
  readonly hint: string
}

const CAUSES: readonly Cause[] = [
  {
    cause: 'nested',
    pattern: /loopback: Failed to (create NETLINK|look up)|NETLINK_ROUTE|No space left on device.*namespace/,
    message: 'srecodex runs inside another sandbox that allows no network namespace',
    hint: "start srecodex outside of the agent's shell sandbox: as its MCP server (srecodex init), or by hand",
  },
  {
    cause: 'user-namespaces',
    pattern:
      /No permissions to create( a)? new namespace|creating new namespace failed|setting up uid map|RTM_NEWADDR|Failed to write.*(uid|gid)_map|unprivileged user namespaces/i,
    message: 'this machine does not let you create user namespaces',
    hint: 'Ubuntu 24.04: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0; containers: start with --security-opt seccomp=unconfined; see srecodex doctor',
  },
  {
    cause: 'proc',
    pattern: /mount proc|\/proc.*Operation not permitted/,
    message: 'this container does not let the sandbox mount a /proc of its own',
    hint: 'Docker: start with --security-opt systempaths=unconfined; see srecodex doctor',
  },
  {
    cause: 'mount',
    pattern: /Can't (bind mount|find source path|mkdir|create file|mount)|Unable to (apply mount|remount)/i,
    message: 'a folder that the script needs cannot be mounted in the sandbox',
    hint: 'a workspace on a network or FUSE file system may refuse it: use a workspace on a local disk',
  },
  {
    cause: 'no-bubblewrap',
    pattern: /cannot start .*bwrap/,
    message: 'bubblewrap is not installed',
    hint: 'srecodex doctor --fix installs it',
  },
]

/** @param output what bubblewrap or the supervisor printed before the script began. */
export function sandboxFailure(output: string): SrecodexError {
  const known = CAUSES.find(candidate => candidate.pattern.test(output))
  const line = output.trim().split('\n').at(-1) ?? ''
  const said = line === '' ? '' : ` (${line.slice(0, 300)})`
  return new SrecodexError(
    'SANDBOX_UNAVAILABLE',
    `no sandbox: ${known?.message ?? 'bubblewrap could not start the script'}${said}`,
    {
      hint: known?.hint ?? 'srecodex doctor says what is missing; a script never runs weaker in silence',
      details: { cause: known?.cause ?? 'unknown', output },
    },
  )
}
