import { expect, it } from 'vitest'
import { bubblewrapArgv } from '../../src/sandbox/argv.ts'
import type { SandboxProfile } from '../../src/sandbox/profile.ts'

const profile: SandboxProfile = {
  mode: 'workspace-write',
  network: 'none',
  system: { folders: ['/usr'], links: [{ path: '/bin', target: 'usr/bin' }] },
  workspace: '/home/sre/job',
  home: '/home/sre',
  readable: ['/opt/python', '/var/log'],
  pinned: ['/home/sre/job/.git'],
  protected: ['/home/sre/job/.git/config', '/home/sre/job/.git/hooks'],
  hidden: [],
  script: { source: '/state/runs/R/script', target: '/home/sre/job/a.py' },
  guestFolder: '/lib/guest',
  tools: ['kubectl'],
  skillFolders: ['/lib/skills'],
  socketFolder: '/state/runs/R/sockets',
  artifactsFolder: '/state/runs/R/artifacts',
  cwd: '/home/sre/job',
  tmpfsBytes: 1024,
}

const argv = (changes: Partial<SandboxProfile> = {}): string =>
  bubblewrapArgv({ ...profile, ...changes }, { seccomp: 7, info: 9 })
    .join(' ')
    .replaceAll(/ (--(?!try|ro$))/g, '\n$1')

it('is one command line, later mounts over earlier ones', () => {
  expect(argv()).toMatchInlineSnapshot(`
    "--unshare-all
    --hostname srecodex
    --die-with-parent
    --new-session
    --as-pid-1
    --cap-drop ALL
    --seccomp 7
    --info-fd 9
    --ro-bind /usr /usr
    --symlink usr/bin /bin
    --ro-bind-try /etc/alternatives /etc/alternatives
    --ro-bind-try /etc/ca-certificates /etc/ca-certificates
    --ro-bind-try /etc/crypto-policies /etc/crypto-policies
    --ro-bind-try /etc/group /etc/group
    --ro-bind-try /etc/hosts /etc/hosts
    --ro-bind-try /etc/ld.so.cache /etc/ld.so.cache
    --ro-bind-try /etc/ld.so.conf /etc/ld.so.conf
    --ro-bind-try /etc/ld.so.conf.d /etc/ld.so.conf.d
    --ro-bind-try /etc/localtime /etc/localtime
    --ro-bind-try /etc/mime.types /etc/mime.types
    --ro-bind-try /etc/nsswitch.conf /etc/nsswitch.conf
    --ro-bind-try /etc/os-release /etc/os-release
    --ro-bind-try /etc/passwd /etc/passwd
    --ro-bind-try /etc/pki/ca-trust /etc/pki/ca-trust
    --ro-bind-try /etc/pki/tls/certs /etc/pki/tls/certs
    --ro-bind-try /etc/protocols /etc/protocols
    --ro-bind-try /etc/resolv.conf /etc/resolv.conf
    --ro-bind-try /etc/services /etc/services
    --ro-bind-try /etc/ssl/certs /etc/ssl/certs
    --ro-bind-try /etc/ssl/openssl.cnf /etc/ssl/openssl.cnf
    --ro-bind-try /etc/timezone /etc/timezone
    --proc /proc
    --remount-ro /proc
    --dev /dev
    --size 1024
    --tmpfs /dev/shm
    --size 1024
    --tmpfs /tmp
    --size 1024
    --tmpfs /var/tmp
    --size 1024
    --tmpfs /run
    --size 1024
    --tmpfs /home/sre
    --ro-bind /opt/python /opt/python
    --ro-bind /var/log /var/log
    --bind /home/sre/job /home/sre/job
    --bind-try /home/sre/job/.git /home/sre/job/.git
    --ro-bind-try /home/sre/job/.git/config /home/sre/job/.git/config
    --ro-bind-try /home/sre/job/.git/hooks /home/sre/job/.git/hooks
    --ro-bind /lib/guest /run/srecodex/guest
    --symlink /run/srecodex/guest/javascript /node_modules/srecodex
    --symlink /run/srecodex/guest/shim.pl /run/srecodex/tools/kubectl
    --ro-bind /lib/skills /run/srecodex/skills/0
    --ro-bind /state/runs/R/sockets /run/srecodex/socket
    --bind /state/runs/R/artifacts /run/srecodex/artifacts
    --ro-bind /state/runs/R/script /home/sre/job/a.py
    --remount-ro /dev
    --remount-ro /
    --chdir /home/sre/job
    --"
  `)
})

it('gives the host network only when the profile says so', () => {
  expect(argv()).not.toContain('--share-net')
  expect(argv({ network: 'allowlist' })).not.toContain('--share-net')
  expect(argv({ network: 'host' })).toContain('--unshare-all\n--share-net')
})

it('mounts a read-only workspace without pins, for nothing in it can be renamed', () => {
  const lines = argv({ mode: 'read-only' }).split('\n')
  expect(lines).toContain('--ro-bind /home/sre/job /home/sre/job')
  expect(lines.filter(line => line.startsWith('--bind '))).toEqual([
    '--bind /state/runs/R/artifacts /run/srecodex/artifacts',
  ])
})

it('covers what is hidden, after the workspace that holds it', () => {
  const lines = argv({ hidden: ['/home/sre/job/.state'] }).split('\n')
  const workspace = lines.indexOf('--bind /home/sre/job /home/sre/job')
  const hidden = lines.indexOf('--tmpfs /home/sre/job/.state')
  expect(workspace).toBeGreaterThan(-1)
  expect(hidden).toBeGreaterThan(workspace)
  expect(lines[hidden + 1]).toBe('--remount-ro /home/sre/job/.state')
})

it('leaves the bound of a tmpfs out where this bubblewrap has none', () => {
  expect(argv({ tmpfsBytes: null })).not.toContain('--size')
})
