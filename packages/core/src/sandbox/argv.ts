/**
 * A sandbox profile as bubblewrap's arguments. Pure: the same profile gives the same arguments.
 *
 * Guarantees, each by the step named:
 *  - the script reads what is listed and nothing else (2, 4, 5): the root is an empty tmpfs;
 *  - it writes in the workspace (mode `workspace-write`), its artifacts, and private tmpfs folders (3, 4, 6);
 *  - `/proc/sys` and the root cannot be written, also when started by real root (3, 8);
 *  - no capability, no new privilege, no terminal, no inherited namespace (1).
 *
 * Order matters, later mounts win:
 *  1. namespaces and process flags
 *  2. system folders, links, the few files of /etc
 *  3. /proc, /dev
 *  4. empty folders: /tmp, /var/tmp, /run, HOME
 *  5. what may be read
 *  6. the workspace, its pins, what is protected in it
 *  7. what srecodex brings: guest library, shims of tools, skills, sockets, artifacts, the script over its own path
 *  8. the root and /dev become read-only
 */

import { INSIDE, type SandboxProfile } from './profile.ts'

/**
 * From /etc a script sees these. Never `/etc/ssl` whole (it has `private`), nor `/etc/pki` whole.
 * Names, certificates, time, the dynamic linker: without them getpwuid, TLS, localhost and awk fail.
 */
const ETC = [
  'alternatives',
  'ca-certificates',
  'crypto-policies',
  'group',
  'hosts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'mime.types',
  'nsswitch.conf',
  'os-release',
  'passwd',
  'pki/ca-trust',
  'pki/tls/certs',
  'protocols',
  'resolv.conf',
  'services',
  'ssl/certs',
  'ssl/openssl.cnf',
  'timezone',
].map(name => `/etc/${name}`)

/** Descriptors that bubblewrap inherits; see `engine.ts`. */
export interface BubblewrapDescriptors {
  readonly seccomp: number
  readonly info: number
}

/** Arguments for bubblewrap up to and including `--`; the command follows. */
export function bubblewrapArgv(profile: SandboxProfile, descriptors: BubblewrapDescriptors): string[] {
  const bounded = profile.tmpfsBytes === null ? [] : ['--size', String(profile.tmpfsBytes)]
  const empty = (path: string): string[] => [...bounded, '--tmpfs', path]
  const readOnly = (path: string): string[] => ['--ro-bind', path, path]

  return [
    // 1
    '--unshare-all',
    ...(profile.network === 'host' ? ['--share-net'] : []),
    '--hostname',
    'srecodex',
    '--die-with-parent',
    '--new-session',
    '--as-pid-1', // else pid 1 is the bubblewrap binary, and /proc/1/exe reaches it on the host's mount
    '--cap-drop',
    'ALL',
    '--seccomp',
    String(descriptors.seccomp),
    '--info-fd',
    String(descriptors.info),
    // 2
    ...profile.system.folders.flatMap(readOnly),
    ...profile.system.links.flatMap(link => ['--symlink', link.target, link.path]),
    ...ETC.flatMap(path => ['--ro-bind-try', path, path]),
    // 3
    '--proc',
    '/proc',
    '--remount-ro',
    '/proc', // as real root /proc/sys is writable otherwise: core_pattern runs programs on the host
    '--dev',
    '/dev',
    ...empty('/dev/shm'),
    // 4
    ...empty('/tmp'),
    ...empty('/var/tmp'),
    ...empty('/run'),
    ...empty(profile.home),
    // 5
    ...profile.readable.flatMap(readOnly),
    // 6
    profile.mode === 'workspace-write' ? '--bind' : '--ro-bind',
    profile.workspace,
    profile.workspace,
    // "try": what a program of the host removes in between needs no protection, and must not fail the run
    ...(profile.mode === 'workspace-write' ? profile.pinned.flatMap(path => ['--bind-try', path, path]) : []),
    ...profile.protected.flatMap(path => ['--ro-bind-try', path, path]),
    ...profile.hidden.flatMap(path => [...empty(path), '--remount-ro', path]),
    // 7
    '--ro-bind',
    profile.guestFolder,
    INSIDE.guest,
    '--symlink',
    `${INSIDE.guest}/javascript`,
    '/node_modules/srecodex',
    ...profile.tools.flatMap(tool => ['--symlink', `${INSIDE.guest}/shim.pl`, `${INSIDE.tools}/${tool}`]),
    ...profile.skillFolders.flatMap((folder, index) => ['--ro-bind', folder, `${INSIDE.skills}/${index}`]),
    '--ro-bind',
    profile.socketFolder,
    INSIDE.socketFolder,
    '--bind',
    profile.artifactsFolder,
    INSIDE.artifacts,
    '--ro-bind',
    profile.script.source,
    profile.script.target,
    // 8
    '--remount-ro',
    '/dev',
    '--remount-ro',
    '/',
    '--chdir',
    profile.cwd,
    '--',
  ]
}
