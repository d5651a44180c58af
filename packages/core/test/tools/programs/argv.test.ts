import { expect, it } from 'vitest'
import { toolArgv } from '../../../src/tools/programs/argv.ts'
import type { ToolProfile } from '../../../src/tools/programs/profile.ts'

const profile: ToolProfile = {
  system: { folders: ['/usr'], links: [{ path: '/bin', target: 'usr/bin' }] },
  etc: [
    { source: '/state/R/etc', target: '/etc' },
    { source: '/etc/resolv.conf', target: '/etc/resolv.conf' },
  ],
  home: '/home/sre',
  readable: ['/opt/aws-cli'],
  helpers: [{ name: 'login', program: '/opt/login/bin/login' }],
  caches: [{ source: '/home/sre/.aws/cli/cache', target: '/home/sre/.aws/cli/cache' }],
  credentials: [{ source: '/home/sre/dotfiles/aws', target: '/home/sre/.aws/config' }],
  workspace: {
    path: '/home/sre/job',
    mode: 'workspace-write',
    protected: ['/home/sre/job/.git/config', '/home/sre/job/.git/hooks'],
    hidden: ['/home/sre/job/.state'],
    shown: 'hidden',
  },
  files: [{ path: '/home/sre/job/a.json', source: '/state/R/spool/1' }],
  cwd: '/home/sre/job/sub',
}

const lines = (changes: Partial<ToolProfile> = {}): string[] =>
  toolArgv({ ...profile, ...changes }, 3)
    .join(' ')
    .replaceAll(/ (--(?!try|ro$))/g, '\n$1')
    .split('\n')

const showing = (
  shown: 'read' | 'write',
  mode: 'read-only' | 'workspace-write' = 'workspace-write',
): string[] => lines({ workspace: { ...profile.workspace, shown, mode } })

it('is one command line, later mounts over earlier ones', () => {
  expect(lines().join('\n')).toMatchInlineSnapshot(`
    "--unshare-pid
    --unshare-ipc
    --unshare-uts
    --unshare-cgroup-try
    --die-with-parent
    --new-session
    --cap-drop ALL
    --json-status-fd 3
    --ro-bind /usr /usr
    --symlink usr/bin /bin
    --ro-bind /state/R/etc /etc
    --ro-bind /etc/resolv.conf /etc/resolv.conf
    --proc /proc
    --remount-ro /proc
    --dev-bind /dev/null /dev/null
    --dev-bind /dev/zero /dev/zero
    --dev-bind /dev/full /dev/full
    --dev-bind /dev/random /dev/random
    --dev-bind /dev/urandom /dev/urandom
    --symlink /proc/self/fd /dev/fd
    --symlink /proc/self/fd/0 /dev/stdin
    --symlink /proc/self/fd/1 /dev/stdout
    --symlink /proc/self/fd/2 /dev/stderr
    --tmpfs /dev/shm
    --tmpfs /tmp
    --tmpfs /var/tmp
    --tmpfs /run
    --tmpfs /home/sre
    --ro-bind /opt/aws-cli /opt/aws-cli
    --dir /run/srecodex/helpers
    --symlink /opt/login/bin/login /run/srecodex/helpers/login
    --dir /home/sre/job/sub
    --ro-bind /state/R/spool/1 /home/sre/job/a.json
    --bind /home/sre/.aws/cli/cache /home/sre/.aws/cli/cache
    --ro-bind /home/sre/dotfiles/aws /home/sre/.aws/config
    --remount-ro /
    --chdir /home/sre/job/sub
    --"
  `)
})

it('shows a program that brings all it needs nothing of the system', () => {
  const all = lines({ system: null })
  expect(all.filter(line => /\/usr|\/bin/.test(line))).toEqual([
    '--ro-bind-try /usr/share/ca-certificates /usr/share/ca-certificates',
    '--ro-bind-try /usr/share/pki /usr/share/pki',
    '--ro-bind-try /usr/share/zoneinfo /usr/share/zoneinfo',
    '--symlink /opt/login/bin/login /run/srecodex/helpers/login',
  ])
})

it('shows the workspace where a call says so, and then only to read', () => {
  expect(lines().filter(line => line.endsWith('/home/sre/job'))).toEqual([])
  const all = showing('read')
  const mounts = all.filter(line => line.includes('/home/sre/job') && line.includes('bind'))
  expect(mounts).toEqual([
    '--ro-bind /home/sre/job /home/sre/job',
    '--ro-bind-try /home/sre/job/.git/config /home/sre/job/.git/config',
    '--ro-bind-try /home/sre/job/.git/hooks /home/sre/job/.git/hooks',
    '--ro-bind /state/R/spool/1 /home/sre/job/a.json',
  ])
})

it('lets a tool write where the script may, and never what is protected', () => {
  const all = showing('write')
  const workspace = all.indexOf('--bind /home/sre/job /home/sre/job')
  expect(workspace).toBeGreaterThan(-1)
  for (const path of profile.workspace.protected) {
    expect(all.indexOf(`--ro-bind-try ${path} ${path}`)).toBeGreaterThan(workspace)
  }
  expect(all.indexOf('--tmpfs /home/sre/job/.state')).toBeGreaterThan(workspace)
  expect(showing('write', 'read-only')).toContain('--ro-bind /home/sre/job /home/sre/job')
})

it('puts what the operator gives over whatever a script hands over', () => {
  const all = lines({ files: [{ path: '/home/sre/.aws/config', source: '/state/R/spool/evil' }] })
  const evil = all.indexOf('--ro-bind /state/R/spool/evil /home/sre/.aws/config')
  expect(evil).toBeGreaterThan(-1)
  expect(all.indexOf('--ro-bind /home/sre/dotfiles/aws /home/sre/.aws/config')).toBeGreaterThan(evil)
})
