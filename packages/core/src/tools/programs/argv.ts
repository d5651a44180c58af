/**
 * A tool's profile as bubblewrap's arguments. Pure: the same profile gives the same arguments.
 *
 * A tool is trusted and what it is asked to do was judged before. Its sandbox keeps it to its own identity, so that
 * a way of leading it astray that nobody thought of finds nothing to read and nobody to start:
 *  - it reads its own credentials and no other tool's, nor anything else of HOME (4, 7);
 *  - it writes in its caches, in private folders, and in the workspace where this call says so (4, 5, 7);
 *  - a program that brings all it needs finds no other program at all: no shell, no git, no plug-in (2);
 *    one that needs the system finds `/usr`, read-only, and so the programs there;
 *  - what a script hands over lies below what the operator gives: it cannot take the place of a credential (6, 7);
 *  - no capability, no terminal, no process of the host's in sight; it ends with srecodex (1).
 * Shared with the host: the network, and with it abstract sockets.
 *
 * Order matters, later mounts win:
 *  1. namespaces and process flags
 *  2. the system: its folders, or nothing; what of /etc names, certificates and time need
 *  3. /proc, /dev; empty folders: /tmp, /var/tmp, /run, HOME
 *  4. the program, its libraries, its helpers
 *  5. the workspace, what is protected and hidden in it
 *  6. the working folder, the files of this call
 *  7. caches, credentials
 *  8. the root becomes read-only
 */

import { TOOL_PLACES, type ToolProfile } from './profile.ts'

/** What links in /etc/ssl/certs point to, and the time zones. */
const SHARED_DATA = ['/usr/share/ca-certificates', '/usr/share/pki', '/usr/share/zoneinfo']

const DEVICES = ['null', 'zero', 'full', 'random', 'urandom'].map(name => `/dev/${name}`)

/** Arguments up to and including `--`; the program and its own follow. @param statusFd see `start.ts`. */
export function toolArgv(profile: ToolProfile, statusFd: number): string[] {
  const readOnly = (path: string): string[] => ['--ro-bind', path, path]
  const maybe = (path: string): string[] => ['--ro-bind-try', path, path]
  const empty = (path: string): string[] => ['--tmpfs', path]
  const { system, workspace } = profile
  const writable = workspace.shown === 'write' && workspace.mode === 'workspace-write'

  return [
    // 1: a user namespace comes by itself where the caller is not root
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--die-with-parent'],
    ...['--new-session', '--cap-drop', 'ALL', '--json-status-fd', String(statusFd)],
    // 2
    ...(system === null
      ? SHARED_DATA.flatMap(maybe)
      : [
          ...system.folders.flatMap(readOnly),
          ...system.links.flatMap(link => ['--symlink', link.target, link.path]),
        ]),
    ...profile.etc.flatMap(mount => ['--ro-bind', mount.source, mount.target]),
    // 3
    ...['--proc', '/proc', '--remount-ro', '/proc'], // as real root /proc/sys could be written otherwise
    ...DEVICES.flatMap(path => ['--dev-bind', path, path]),
    ...['--symlink', '/proc/self/fd', '/dev/fd'],
    ...['stdin', 'stdout', 'stderr'].flatMap((name, fd) => [
      ...['--symlink', `/proc/self/fd/${fd}`, `/dev/${name}`],
    ]),
    ...(system === null ? [] : empty('/dev/shm')),
    ...['/tmp', '/var/tmp', '/run', profile.home].flatMap(empty),
    // 4
    ...profile.readable.flatMap(readOnly),
    ...['--dir', TOOL_PLACES.helpers],
    ...profile.helpers.flatMap(helper => [
      '--symlink',
      helper.program,
      `${TOOL_PLACES.helpers}/${helper.name}`,
    ]),
    // 5
    ...(workspace.shown === 'hidden'
      ? []
      : [
          ...[writable ? '--bind' : '--ro-bind', workspace.path, workspace.path],
          ...workspace.protected.flatMap(maybe),
          ...workspace.hidden.flatMap(path => [...empty(path), '--remount-ro', path]),
        ]),
    // 6
    ...['--dir', profile.cwd],
    ...profile.files.flatMap(file => ['--ro-bind', file.source, file.path]),
    // 7
    ...profile.caches.flatMap(mount => ['--bind', mount.source, mount.target]),
    ...profile.credentials.flatMap(mount => ['--ro-bind', mount.source, mount.target]),
    // 8
    ...['--remount-ro', '/', '--chdir', profile.cwd, '--'],
  ]
}
