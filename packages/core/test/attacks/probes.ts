/**
 * Attacks on the sandbox, and the work that it must not break, as data: the suite runs them, the documentation
 * prints them. Nothing is imported here.
 *
 * How to read a probe:
 *  - `program` prints `WON` when it got what it wanted, and ends without it otherwise. Python programs stand below
 *    `PRELUDE`. What they aim at is in the environment: `ARENA` (a folder of the host, outside of the workspace),
 *    `WS` (the workspace), `VICTIM` (process id of a process of the host), `STATE`, `CONFIG`, `GUEST`, `SCRIPT`.
 *  - `INIT` and `PIDS` are process 1 and every process there is; bare they are the suite's own victim, and nothing
 *    else: other processes of the machine are none of its business.
 *  - every probe is run twice: bare, where it must win, or the probe proves nothing; and in the sandbox, where it
 *    must not. Beside what the program says, the host looks at its own files, sockets and processes.
 *  - `control`: what is run bare instead, where the program itself would hurt the machine. It proves that the same
 *    action is possible there on a smaller scale.
 *  - `arms`: `root` where only root could do it bare; such a probe says nothing about an ordinary user.
 *  - a `LoneAttack` needs a run, or a srecodex, of its own: `alone.ts` holds its program, `judged` says how it ends.
 *  - numbers of system calls are those of x86-64.
 */

export type Arms = 'both' | 'root'

export interface Probe {
  readonly id: string
  readonly area: string
  readonly title: string
  readonly language: 'python' | 'shell' | 'javascript'
  readonly program: string
  readonly arms: Arms
  readonly control: string | null
}

/** An attack that needs a run, or a srecodex, of its own. */
export interface LoneAttack {
  readonly id: string
  readonly area: string
  readonly title: string
  /** How the host tells that it failed. */
  readonly judged: string
  /** What shows that it works without the sandbox. */
  readonly control: string
  readonly arms: Arms
}

export interface LegitimateCase {
  readonly id: string
  readonly title: string
  readonly language: 'python' | 'shell' | 'javascript'
  /** Prints `WORKS`. */
  readonly program: string
}

export const PRELUDE = `
import array, ctypes, errno, fcntl, mmap, os, resource, signal, socket, stat, struct, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
ARENA = os.environ['ARENA']; WS = os.environ['WS']; VICTIM = int(os.environ['VICTIM']); INIT = os.environ['INIT']; PIDS = os.environ['PIDS'].split() or [p for p in os.listdir('/proc') if p.isdigit()]; HOME = os.environ['HOME']
CANARY = 'canary-' + '7f3a91'
def won(): print('WON', flush=True); os._exit(0)
def call(number, *arguments):
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if result == -1: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
def unless_denied(act):
    try: act()
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES, errno.EROFS): raise
    won()
def fresh(name='f', mode=0o755):
    path = os.path.join(os.environ['SCRATCH'], name)
    with open(path, 'w') as file: file.write('#!/bin/sh\\n')
    os.chmod(path, mode)
    return path
def mode(path): return stat.S_IMODE(os.stat(path).st_mode)
`

const python = (area: string, id: string, title: string, program: string, arms: Arms = 'both'): Probe => ({
  id,
  area,
  title,
  language: 'python',
  program,
  arms,
  control: null,
})
const shell = (area: string, id: string, title: string, program: string, arms: Arms = 'both'): Probe => ({
  ...python(area, id, title, program, arms),
  language: 'shell',
})
const javascript = (area: string, id: string, title: string, program: string): Probe => ({
  ...python(area, id, title, program),
  language: 'javascript',
})

/** Each of these is there before the run, so that it is bound read-only during it. */
const GUARDED: readonly (readonly [id: string, path: string])[] = [
  ['git-hook', '.git/hooks/pre-commit'],
  ['git-config', '.git/config'],
  ['nested-git-config', 'deep/a/b/c/.git/config'],
  ['nested-git-hook', 'deep/a/b/c/.git/hooks/post-checkout'],
  ['codex', '.codex/config.toml'],
  ['claude', '.claude/settings.json'],
  ['cursor', '.cursor/mcp.json'],
  ['agents', '.agents/skills/helper/SKILL.md'],
  ['vscode', '.vscode/tasks.json'],
  ['mcp', '.mcp.json'],
  ['envrc', '.envrc'],
  ['husky', '.husky/pre-commit'],
  ['dotcodex', 'dotcodex/config.toml'],
]
export const GUARDED_FILES: readonly string[] = GUARDED.map(([, path]) => path)

const SECRETS: readonly (readonly [id: string, path: string])[] = [
  ['ssh', '.ssh/id_ed25519'],
  ['kube', '.kube/config'],
  ['aws', '.aws/credentials'],
  ['netrc', '.netrc'],
  ['docker', '.docker/config.json'],
  ['history', '.bash_history'],
]
export const SECRET_FILES: readonly string[] = SECRETS.map(([, path]) => path)

export const PROBES: readonly Probe[] = [
  // ---- writing outside of the workspace
  ...[
    python(
      'outside',
      'write-absolute',
      'writes a file outside by its absolute path',
      `open(ARENA + '/outside/file', 'a').write('x'); won()`,
    ),
    python(
      'outside',
      'write-dotdot',
      'writes a file outside by way of ..',
      `os.chdir(WS); open('../outside/file', 'a').write('x'); won()`,
    ),
    python(
      'outside',
      'write-symlink',
      'writes a file outside through a link of its own',
      `os.chdir(os.environ['SCRATCH']); os.symlink(ARENA + '/outside/file', 'l'); open('l', 'a').write('x'); won()`,
    ),
    python(
      'outside',
      'hard-link',
      'links a file from outside into the workspace',
      `os.link(ARENA + '/outside/file', os.environ['SCRATCH'] + '/h'); won()`,
    ),
    python(
      'outside',
      'rename-in',
      'moves a file from outside into the workspace',
      `os.rename(ARENA + '/outside/movable', os.environ['SCRATCH'] + '/moved'); won()`,
    ),
    python(
      'outside',
      'create-beside',
      'makes a file beside the workspace',
      `open(ARENA + '/planted', 'w').write('x')\nos.stat(ARENA + '/outside/file'); won()`,
    ),
    python(
      'outside',
      'proc-self-root',
      'goes outside by /proc/self/root',
      `open('/proc/self/root' + ARENA + '/outside/file', 'a').write('x'); won()`,
    ),
    python(
      'outside',
      'proc-self-cwd',
      'goes outside by /proc/self/cwd/..',
      `os.chdir(WS); open('/proc/self/cwd/../outside/file', 'a').write('x'); won()`,
    ),
    python(
      'outside',
      'proc-1-root',
      'goes outside by /proc/1/root',
      `open(f'/proc/{INIT}/root' + ARENA + '/outside/file', 'a').write('x'); won()`,
    ),
    python(
      'outside',
      'proc-host-root',
      "goes outside by the root of a host's process",
      `open(f'/proc/{VICTIM}/root' + ARENA + '/outside/file', 'a').write('x'); won()`,
    ),
    python(
      'outside',
      'proc-any-fd',
      'opens a file that any other process has open',
      `
for pid in PIDS:
    if int(pid) == os.getpid(): continue
    try:
        for fd in os.listdir(f'/proc/{pid}/fd'):
            place = f'/proc/{pid}/fd/{fd}'
            if stat.S_ISREG(os.stat(place).st_mode) and CANARY in open(place, errors='replace').read(200): won()
    except OSError: pass`,
    ),
    python(
      'outside',
      'dirfd',
      'opens relative to a descriptor of the root',
      `
root = os.open('/', os.O_RDONLY); os.write(os.open(ARENA[1:] + '/outside/file', os.O_WRONLY | os.O_APPEND, dir_fd=root), b'x'); won()`,
    ),
    python(
      'outside',
      'swap-race',
      'exchanges a folder for a link while it writes through it',
      `
os.chdir(os.environ['SCRATCH']); os.mkdir('d'); os.symlink(ARENA + '/outside', 'l'); before = os.path.exists
def swap():
    while True: libc.syscall(316, -100, b'd', -100, b'l', 2)
threading.Thread(target=swap, daemon=True).start()
for _ in range(4000):
    try:
        if os.path.realpath('d/file').startswith(ARENA + '/outside'):
            fd = os.open('d/file', os.O_WRONLY | os.O_APPEND)
            if os.readlink(f'/proc/self/fd/{fd}').startswith(ARENA + '/outside'): won()
    except OSError: pass`,
    ),
    python(
      'outside',
      'inherited-descriptors',
      'reads descriptors 30, 241 and 251, which Node inherited',
      `
for fd in (30, 241, 251):
    try:
        if CANARY.encode() in os.pread(fd, 100, 0): won()
    except OSError: pass`,
    ),
    python(
      'outside',
      'any-descriptor',
      'finds any open descriptor beyond 0, 1 and 2',
      `
if set(map(int, os.listdir('/proc/self/fd'))) - {0, 1, 2, max(map(int, os.listdir('/proc/self/fd')))}: won()`,
    ),
    python(
      'outside',
      'etc-passwd',
      'opens /etc/passwd for writing',
      `open('/etc/passwd', 'a'); won()`,
      'root',
    ),
    python(
      'outside',
      'usr',
      'makes a program in /usr/local/bin',
      `open('/usr/local/bin/srecodex-probe', 'w'); os.unlink('/usr/local/bin/srecodex-probe'); won()`,
      'root',
    ),
    python(
      'outside',
      'system-file',
      'opens a file of the system in /usr for writing',
      `os.close(os.open('/usr/lib/os-release', os.O_WRONLY | os.O_APPEND)); won()`,
      'root',
    ),
    python(
      'outside',
      'crontab',
      'plants a job for cron',
      `open('/etc/cron.d/srecodex-probe', 'w'); os.unlink('/etc/cron.d/srecodex-probe'); won()`,
      'root',
    ),
    python(
      'outside',
      'chmod-dev-null',
      "changes the mode of the host's /dev/null",
      `os.chmod('/dev/null', mode('/dev/null')); won()`,
      'root',
    ),
    python(
      'outside',
      'fchmod-stdin',
      'changes the mode of the device behind descriptor 0',
      `os.fchmod(0, stat.S_IMODE(os.fstat(0).st_mode)); won()`,
      'root',
    ),
    python(
      'outside',
      'chmod-dev-urandom',
      "changes the mode of the host's /dev/urandom",
      `os.chmod('/dev/urandom', mode('/dev/urandom')); won()`,
      'root',
    ),
    javascript(
      'outside',
      'node-write',
      'writes a file outside from Node',
      `require('fs').appendFileSync(process.env.ARENA + '/outside/file', 'x'); console.log('WON')`,
    ),
    shell(
      'outside',
      'bash-redirect',
      'redirects to a file outside from Bash',
      `echo x >>"$ARENA/outside/file" && echo WON`,
    ),
  ],
  // ---- what runs on the host later
  ...GUARDED.map(([id, path]) =>
    python('hooks', `write-${id}`, `changes ${path}`, `open(WS + '/${path}', 'a').write('\\n'); won()`),
  ),
  python(
    'hooks',
    'replace-hooks',
    'moves .git/hooks away and puts another in its place',
    `os.rename(WS + '/.git/hooks', WS + '/.git/hooks2'); os.mkdir(WS + '/.git/hooks'); os.rmdir(WS + '/.git/hooks'); os.rename(WS + '/.git/hooks2', WS + '/.git/hooks'); won()`,
  ),
  python(
    'hooks',
    'replace-git',
    'moves .git away',
    `os.rename(WS + '/.git', WS + '/git2'); os.rename(WS + '/git2', WS + '/.git'); won()`,
  ),
  python(
    'hooks',
    'replace-ancestor',
    'moves the folder above a nested repository away',
    `os.rename(WS + '/deep/a', WS + '/deep/b2'); os.rename(WS + '/deep/b2', WS + '/deep/a'); won()`,
  ),
  python(
    'hooks',
    'exchange-ancestor',
    'exchanges the folder above a nested repository for one of its own',
    `
os.makedirs(WS + '/scratch/mine', exist_ok=True); old, new = (WS + '/deep').encode(), (WS + '/scratch/mine').encode()
call(316, -100, old, -100, new, 2); call(316, -100, old, -100, new, 2); won()`,
  ),
  python(
    'hooks',
    'hard-link-config',
    'changes .git/config through a second name',
    `os.link(WS + '/.git/config', os.environ['SCRATCH'] + '/second'); won()`,
  ),
  python(
    'hooks',
    'remove-hook',
    'removes a hook',
    `p = WS + '/.git/hooks/removable'; os.unlink(p); open(p, 'w'); won()`,
  ),
  shell(
    'hooks',
    'git-config-command',
    'sets core.fsmonitor with git config',
    `git -C "$WS" -c safe.directory='*' config core.fsmonitor /bin/true && git -C "$WS" config --unset core.fsmonitor && echo WON`,
  ),
  python(
    'hooks',
    'own-script',
    'rewrites its own file while it runs',
    `open(os.environ['SCRIPT'], 'a').write('#'); won()`,
  ),
  python(
    'hooks',
    'replace-own-script',
    'puts a link in the place of its own file',
    `p = os.environ['SCRIPT']; os.rename(p, p + '2'); os.rename(p + '2', p); won()`,
  ),
  // ---- srecodex's own
  python(
    'own files',
    'store-read',
    "reads another run's output",
    `if CANARY in open(os.environ['STATE'] + '/runs/OTHER/stdout').read(): won()`,
  ),
  python(
    'own files',
    'store-write',
    "rewrites another run's record",
    `open(os.environ['STATE'] + '/runs/OTHER/run.json', 'a').write(' '); won()`,
  ),
  python(
    'own files',
    'store-plant',
    'plants a run',
    `os.mkdir(os.environ['STATE'] + '/runs/PLANTED'); os.stat(os.environ['STATE'] + '/runs/OTHER'); won()`,
  ),
  python(
    'own files',
    'config-write',
    "writes the operator's config",
    `os.stat(os.environ['CONFIG'] + '/trust.json'); open(os.environ['CONFIG'] + '/config.toml', 'a').write(' '); won()`,
  ),
  python(
    'own files',
    'trust-read',
    'reads which projects are trusted',
    `open(os.environ['CONFIG'] + '/trust.json').read(); won()`,
  ),
  python(
    'own files',
    'guest-write',
    'rewrites the first process of the next sandbox',
    `open(os.environ['GUEST'] + '/init.pl', 'a').write(''); won()`,
  ),
  python(
    'own files',
    'guest-plant',
    'plants a module in the guest library',
    `open(os.environ['GUEST'] + '/python/planted.py', 'w'); won()`,
  ),
  // ---- secrets
  ...SECRETS.map(([id, path]) =>
    python('secrets', `home-${id}`, `reads ~/${path}`, `if CANARY in open(HOME + '/${path}').read(): won()`),
  ),
  python('secrets', 'home-list', 'lists the home folder', `if '.ssh' in os.listdir(HOME): won()`),
  python(
    'secrets',
    'environment',
    "finds the caller's secret in its environment",
    `if any(CANARY in v for v in os.environ.values()): won()`,
  ),
  python(
    'secrets',
    'all-environments',
    'finds a secret in the environment of any process',
    `
for pid in PIDS:
    try:
        if CANARY.encode() in open(f'/proc/{pid}/environ', 'rb').read(): won()
    except OSError: pass`,
  ),
  python(
    'secrets',
    'all-command-lines',
    'finds a secret on the command line of any process',
    `
for pid in PIDS:
    try:
        if b'argument-' + CANARY.encode() in open(f'/proc/{pid}/cmdline', 'rb').read(): won()
    except OSError: pass`,
  ),
  python('secrets', 'var', 'reads the logs and state below /var', `if os.listdir('/var/lib'): won()`),
  python('secrets', 'shadow', 'reads /etc/shadow', `open('/etc/shadow').read(); won()`, 'root'),
  python(
    'secrets',
    'host-shm',
    "finds a file in the host's /dev/shm",
    `if CANARY in open('/dev/shm/' + os.environ['SHM']).read(): won()`,
  ),
  // ---- the kernel's files
  python(
    'kernel files',
    'core-pattern',
    'opens /proc/sys/kernel/core_pattern, which runs programs as root',
    `os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY); won()`,
    'root',
  ),
  python(
    'kernel files',
    'modprobe-path',
    'opens /proc/sys/kernel/hostname for writing',
    `os.open('/proc/sys/kernel/hostname', os.O_WRONLY); won()`,
    'root',
  ),
  python(
    'kernel files',
    'sysrq',
    'opens /proc/sysrq-trigger, or the switch for panics',
    `os.open(next(p for p in ('/proc/sysrq-trigger', '/proc/sys/kernel/panic') if os.path.exists(p)), os.O_WRONLY); won()`,
    'root',
  ),
  python(
    'kernel files',
    'drop-caches',
    'opens /proc/sys/vm/drop_caches',
    `os.open('/proc/sys/vm/drop_caches', os.O_WRONLY); won()`,
    'root',
  ),
  python(
    'kernel files',
    'pid1-exe',
    'changes the mode of the program of process 1',
    `os.chmod(f'/proc/{INIT}/exe', mode(f'/proc/{INIT}/exe')); won()`,
    'root',
  ),
  python(
    'kernel files',
    'pid1-mem',
    'opens the memory of process 1',
    `open(f'/proc/{INIT}/mem', 'rb'); won()`,
  ),
  python(
    'kernel files',
    'pid1-environ',
    'reads the environment of process 1',
    `if open(f'/proc/{INIT}/environ', 'rb').read(): won()`,
  ),
  python(
    'kernel files',
    'pid1-fd',
    "opens a pipe or file of process 1, such as the status pipe of the sandbox's init",
    `
for fd in os.listdir(f'/proc/{INIT}/fd'):
    for flags in (os.O_RDONLY, os.O_WRONLY):
        try: os.open(f'/proc/{INIT}/fd/{fd}', flags | os.O_NONBLOCK); won()
        except OSError: pass`,
  ),
  python(
    'kernel files',
    'pid1-maps',
    'reads the memory map of process 1',
    `if open(f'/proc/{INIT}/maps').read(): won()`,
  ),
  python(
    'kernel files',
    'own-mem',
    'writes its own read-only memory by /proc/self/mem',
    `os.open('/proc/self/mem', os.O_RDWR); won()`,
  ),
  python(
    'kernel files',
    'kmsg',
    "reads the kernel's log from /dev/kmsg",
    `os.open('/dev/kmsg', os.O_RDONLY); won()`,
    'root',
  ),
  python(
    'kernel files',
    'kmsg-write',
    "writes to the kernel's log",
    `os.open('/dev/kmsg', os.O_WRONLY); won()`,
    'root',
  ),
  python(
    'kernel files',
    'syslog',
    "asks for the size of the kernel's log",
    `call(103, 10, None, 0); won()`,
    'root',
  ),
  python('kernel files', 'sys', 'reads /sys', `if os.listdir('/sys/kernel'): won()`),
  python('kernel files', 'cgroup', 'reads the control groups', `if os.listdir('/sys/fs/cgroup'): won()`),
  python(
    'kernel files',
    'cgroup-escape',
    'opens the root control group to join it',
    `
import glob
os.open(sorted(glob.glob('/sys/fs/cgroup/*/cgroup.procs') + glob.glob('/sys/fs/cgroup/cgroup.procs'))[0], os.O_WRONLY); won()`,
    'root',
  ),
  python(
    'kernel files',
    'disk-device',
    'finds a block device',
    `
if any(stat.S_ISBLK(os.stat('/dev/' + n).st_mode) for n in os.listdir('/dev') if os.path.exists('/dev/' + n)): won()`,
  ),
  python(
    'kernel files',
    'oom-score',
    'protects itself from the out-of-memory killer',
    `open('/proc/self/oom_score_adj', 'w').write('-100'); won()`,
    'root',
  ),
  // ---- sockets
  python(
    'network',
    'unix-stream',
    'connects to a socket like docker.sock',
    `s = socket.socket(socket.AF_UNIX); s.connect(ARENA + '/sockets/docker.sock'); won()`,
  ),
  python(
    'network',
    'unix-datagram',
    'sends to a datagram socket like /dev/log',
    `s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.sendto(b'x', ARENA + '/sockets/log'); won()`,
  ),
  python(
    'network',
    'abstract',
    'connects to an abstract socket of the host',
    `s = socket.socket(socket.AF_UNIX); s.connect('\\0' + os.environ['ABSTRACT']); won()`,
  ),
  python(
    'network',
    'run',
    'lists the sockets and pid files in /run',
    `if [n for n in os.listdir('/run') if n != 'srecodex']: won()`,
  ),
  python(
    'network',
    'tcp',
    "connects to a port on the host's loopback",
    `socket.create_connection(('127.0.0.1', int(os.environ['TCP'])), 3); won()`,
  ),
  python(
    'network',
    'udp',
    "sends to a port on the host's loopback and is answered",
    `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3); s.sendto(b'x', ('127.0.0.1', int(os.environ['UDP']))); s.recv(10); won()`,
  ),
  python(
    'network',
    'dns',
    'asks a name server, the usual way to smuggle data out',
    `
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3)
s.sendto(b'\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0\\6secret\\7example\\0\\0\\1\\0\\1', ('127.0.0.1', int(os.environ['UDP']))); s.recv(100); won()`,
  ),
  python(
    'network',
    'interfaces',
    'sees a network interface beside its own loopback',
    `if len(socket.if_nameindex()) > 1: won()`,
  ),
  python(
    'network',
    'vsock',
    'makes a vsock socket, which no network namespace holds',
    `socket.socket(40, socket.SOCK_STREAM); won()`,
  ),
  python(
    'network',
    'packet',
    'makes a packet socket',
    `socket.socket(17, socket.SOCK_RAW, 0x300); won()`,
    'root',
  ),
  python(
    'network',
    'raw',
    'makes a raw socket',
    `socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP); won()`,
    'root',
  ),
  python(
    'network',
    'netlink-uevent',
    "listens to the kernel's device events",
    `socket.socket(16, socket.SOCK_RAW, 15); won()`,
  ),
  python(
    'network',
    'netlink-generic',
    'opens generic netlink',
    `socket.socket(16, socket.SOCK_RAW, 16); won()`,
  ),
  python(
    'network',
    'netlink-sock-diag',
    'lists the sockets of the machine by netlink',
    `socket.socket(16, socket.SOCK_RAW, 4); won()`,
  ),
  javascript(
    'network',
    'node-connect',
    'connects to a socket like docker.sock from Node',
    `
const s = require('net').connect(process.env.ARENA + '/sockets/docker.sock'); s.on('connect', () => { console.log('WON'); process.exit() }); s.on('error', () => process.exit(1))`,
  ),
  shell(
    'network',
    'bash-tcp',
    'connects by /dev/tcp from Bash',
    `exec 3<>"/dev/tcp/127.0.0.1/$TCP" && echo WON`,
  ),
  // ---- other processes
  python('processes', 'signal', "signals a host's process", `os.kill(VICTIM, 0); won()`),
  python(
    'processes',
    'signal-runner',
    'signals srecodex itself',
    `os.kill(int(os.environ['RUNNER']), 0); won()`,
  ),
  python('processes', 'pidfd-open', "opens a pidfd of a host's process", `os.pidfd_open(VICTIM); won()`),
  python(
    'processes',
    'see-processes',
    "sees the host's processes",
    `if os.path.exists(f'/proc/{VICTIM}/status'): won()`,
  ),
  python(
    'processes',
    'ptrace',
    'traces a process',
    `
pid = os.fork()
if pid == 0: time.sleep(5); os._exit(0)
try: call(101, 16, pid, 0, 0); os.kill(pid, 9); won()
finally: os.kill(pid, 9)`,
  ),
  python(
    'processes',
    'process-vm-readv',
    'reads the memory of another process',
    `
b = ctypes.create_string_buffer(8); v = (ctypes.c_uint64 * 2)(ctypes.addressof(b), 8)
call(310, os.getpid(), ctypes.byref(v), 1, ctypes.byref(v), 1, 0); won()`,
  ),
  python(
    'processes',
    'process-vm-writev',
    'writes the memory of another process',
    `
b = ctypes.create_string_buffer(8); v = (ctypes.c_uint64 * 2)(ctypes.addressof(b), 8)
call(311, os.getpid(), ctypes.byref(v), 1, ctypes.byref(v), 1, 0); won()`,
  ),
  python(
    'processes',
    'pidfd-getfd',
    'takes a descriptor of another process',
    `
pid = os.fork()
if pid == 0: time.sleep(5); os._exit(0)
try: call(438, os.pidfd_open(pid), 0, 0); os.kill(pid, 9); won()
finally: os.kill(pid, 9)`,
  ),
  python(
    'processes',
    'kcmp',
    'compares the kernel objects of two processes',
    `call(312, os.getpid(), os.getpid(), 0, 0, 0); won()`,
  ),
  python(
    'processes',
    'realtime',
    'takes the processor with a real-time priority',
    `os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)); won()`,
    'root',
  ),
  python('processes', 'nice', 'raises its own priority', `os.nice(-5); won()`, 'root'),
  {
    ...python(
      'processes',
      'raise-limit',
      'raises its own limit of open files',
      `
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE); resource.setrlimit(resource.RLIMIT_NOFILE, (soft + 1, max(hard, soft + 1))); won()`,
    ),
    // Root may raise the hard limit, where a container left it the capability; everybody the soft one.
    control: `${PRELUDE}
resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1])); resource.setrlimit(resource.RLIMIT_NOFILE, (65, resource.getrlimit(resource.RLIMIT_NOFILE)[1])); won()`,
  },
  python(
    'processes',
    'no-limits',
    'runs without a limit for the size of a file',
    `if resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY: won()`,
  ),
  python(
    'processes',
    'core-dump',
    "hands a core dump to the program in the host's core_pattern, which runs as root",
    `
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
if resource.getrlimit(resource.RLIMIT_CORE)[0] != 1: won()`,
  ),
  // ---- namespaces and mounts
  python(
    'namespaces',
    'unshare-user',
    'makes a user namespace, and is root in it',
    `call(272, 0x10000000); won()`,
  ),
  shell(
    'namespaces',
    'unshare-command',
    'makes a user and mount namespace with unshare(1)',
    `unshare -Urm true && echo WON`,
  ),
  python(
    'namespaces',
    'clone-user',
    'makes a user namespace with clone',
    `
pid = call(56, 0x10000000 | 17, 0, 0, 0, 0)
if pid == 0: os._exit(0)
os.waitpid(pid, 0); won()`,
  ),
  python(
    'namespaces',
    'clone3-user',
    'makes a user namespace with clone3, whose flags no filter can read',
    `
a = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17)
pid = call(435, ctypes.byref(a), 88)
if pid == 0: os._exit(0)
os.waitpid(pid, 0); won()`,
  ),
  python(
    'namespaces',
    'setns',
    'enters a namespace',
    `call(308, os.open('/proc/self/ns/uts', os.O_RDONLY), 0); won()`,
    'root',
  ),
  python(
    'namespaces',
    'mount',
    'mounts a tmpfs',
    `
m = fresh('m', 0o755); os.unlink(m); os.mkdir(m)
call(165, b'none', m.encode(), b'tmpfs', 0, 0); call(166, m.encode(), 0); won()`,
    'root',
  ),
  python(
    'namespaces',
    'remount',
    'makes a read-only mount writable',
    `unless_denied(lambda: call(165, b'none', b'/nonexistent', None, 0x1020, None))`,
    'root',
  ),
  python(
    'namespaces',
    'umount',
    'takes a mount away to see what lies below',
    `unless_denied(lambda: call(166, b'/nonexistent', 2))`,
    'root',
  ),
  python('namespaces', 'chroot', 'changes its root', `os.chroot('/usr'); won()`, 'root'),
  python(
    'namespaces',
    'pivot-root',
    'asks for another root',
    `unless_denied(lambda: call(155, b'/nonexistent', b'/nonexistent'))`,
    'root',
  ),
  python(
    'namespaces',
    'fsopen',
    'makes a file system with the new calls',
    `call(430, b'tmpfs', 0); won()`,
    'root',
  ),
  python(
    'namespaces',
    'open-tree',
    'clones a tree of mounts',
    `call(428, -100, b'/', 1 | 0x8000); won()`,
    'root',
  ),
  python(
    'namespaces',
    'sethostname',
    'renames the machine',
    `n = socket.gethostname().encode(); call(170, n, len(n)); won()`,
    'root',
  ),
  // ---- set-id files left for the host
  python(
    'set-id',
    'chmod',
    'leaves a setuid file by chmod',
    `p = fresh(); os.chmod(p, 0o4755); mode(p) & 0o4000 and won()`,
  ),
  python(
    'set-id',
    'fchmod',
    'leaves a setuid file by fchmod',
    `p = fresh(); os.fchmod(os.open(p, os.O_RDONLY), 0o4755); mode(p) & 0o4000 and won()`,
  ),
  python(
    'set-id',
    'fchmodat',
    'leaves a setuid file by fchmodat',
    `p = fresh(); call(268, -100, p.encode(), 0o4755); mode(p) & 0o4000 and won()`,
  ),
  python(
    'set-id',
    'fchmodat2',
    'leaves a setuid file by fchmodat2',
    `p = fresh(); call(452, -100, p.encode(), 0o4755, 0); mode(p) & 0o4000 and won()`,
  ),
  python(
    'set-id',
    'old-chmod',
    'leaves a setuid file by the old chmod call',
    `p = fresh(); call(90, p.encode(), 0o4755); mode(p) & 0o4000 and won()`,
  ),
  python(
    'set-id',
    'open',
    'leaves a setuid file by open with O_CREAT',
    `p = os.environ['SCRATCH'] + '/o'; os.open(p, os.O_CREAT | os.O_WRONLY, 0o4755); mode(p) & 0o4000 and won()`,
  ),
  python(
    'set-id',
    'old-open',
    'leaves a setuid file by the old open call',
    `p = os.environ['SCRATCH'] + '/o'; call(2, p.encode(), os.O_CREAT | os.O_WRONLY, 0o4755); mode(p) & 0o4000 and won()`,
  ),
  python(
    'set-id',
    'creat',
    'leaves a setuid file by creat',
    `p = os.environ['SCRATCH'] + '/o'; call(85, p.encode(), 0o4755); mode(p) & 0o4000 and won()`,
  ),
  python(
    'set-id',
    'openat2',
    'leaves a setuid file by openat2, whose mode no filter can read',
    `
p = os.environ['SCRATCH'] + '/o'; how = (ctypes.c_uint64 * 3)(os.O_CREAT | os.O_WRONLY, 0o4755, 0)
call(437, -100, p.encode(), ctypes.byref(how), 24); mode(p) & 0o4000 and won()`,
  ),
  python(
    'set-id',
    'mknod',
    'leaves a setuid file by mknod',
    `p = os.environ['SCRATCH'] + '/o'; os.mknod(p, 0o104755); mode(p) & 0o4000 and won()`,
  ),
  python(
    'set-id',
    'tmpfile',
    'leaves a setuid file by O_TMPFILE and linkat',
    `
fd = os.open(os.environ['SCRATCH'], os.O_TMPFILE | os.O_RDWR, 0o4755); os.fstat(fd).st_mode & 0o4000 and won()`,
  ),
  python(
    'set-id',
    'setgid',
    'leaves a setgid file',
    `p = fresh(); os.chmod(p, 0o2755); mode(p) & 0o2000 and won()`,
  ),
  shell(
    'set-id',
    'install',
    'leaves a setuid file by install(1)',
    `install -m 4755 /usr/bin/true "$SCRATCH/i" && [ -u "$SCRATCH/i" ] && echo WON`,
  ),
  python(
    'set-id',
    'device',
    'makes a device of the disk',
    `os.mknod(os.environ['SCRATCH'] + '/dev', 0o60600, os.makedev(254, 0)); won()`,
    'root',
  ),
  python(
    'set-id',
    'file-capability',
    'gives a file capabilities',
    `os.setxattr(fresh(), 'security.capability', struct.pack('<5I', 0x2000000, 1 << 21, 0, 0, 0)); won()`,
    'root',
  ),
  python('set-id', 'chown', 'gives a file to another user', `os.chown(fresh(), 4321, 4321); won()`, 'root'),
  python(
    'set-id',
    'immutable',
    'makes a file that cannot be removed',
    `
fd = os.open(fresh(), os.O_RDONLY); b = array.array('L', [0]); fcntl.ioctl(fd, 0x80086601, b); b[0] |= 0x10; fcntl.ioctl(fd, 0x40086602, b); b[0] &= ~0x10; fcntl.ioctl(fd, 0x40086602, b); won()`,
    'root',
  ),
  // ---- surfaces of the kernel
  python(
    'system calls',
    'io-uring',
    'sets up io_uring',
    `p = ctypes.create_string_buffer(120); call(425, 2, p); won()`,
  ),
  python(
    'system calls',
    'bpf',
    'makes a BPF map',
    `a = struct.pack('<5I', 2, 4, 4, 1, 0) + bytes(100); call(321, 0, a, len(a)); won()`,
    'root',
  ),
  python(
    'system calls',
    'perf',
    'opens a performance counter',
    `a = bytearray(112); struct.pack_into('<IIQ', a, 0, 1, 112, 0); struct.pack_into('<Q', a, 40, 0x61); call(298, bytes(a), 0, -1, -1, 0); won()`,
  ),
  python(
    'system calls',
    'userfaultfd',
    'makes a userfaultfd, the tool of many kernel exploits',
    `call(323, 1); won()`,
  ),
  python(
    'system calls',
    'add-key',
    'puts a key on the keyring',
    `call(248, b'user', b'probe', b'x', 1, -2); won()`,
  ),
  python('system calls', 'keyctl', 'asks for its keyrings', `call(250, 0, -3, 1); won()`),
  python('system calls', 'memfd', 'makes a file in memory that no limit counts', `call(319, b'x', 0); won()`),
  python(
    'system calls',
    'shmget',
    'makes System V shared memory',
    `i = call(29, 0, 4096, 0o1600); call(31, i, 0, 0); won()`,
  ),
  python(
    'system calls',
    'name-to-handle',
    "asks for a file's handle",
    `
h = ctypes.create_string_buffer(struct.pack('<Ii', 128, 0) + bytes(128)); m = ctypes.c_int(); call(303, -100, WS.encode(), h, ctypes.byref(m), 0); won()`,
  ),
  python(
    'system calls',
    'open-by-handle',
    'opens a file by its handle, past every mount',
    `unless_denied(lambda: call(304, -1, ctypes.create_string_buffer(struct.pack('<Ii', 8, 1) + bytes(8)), 0))`,
    'root',
  ),
  python(
    'system calls',
    'modify-ldt',
    'changes its descriptor table',
    `call(154, 0, ctypes.create_string_buffer(64), 64); won()`,
  ),
  python(
    'system calls',
    'int-0x80',
    'makes a system call by the 32-bit entry, past the filter',
    `
m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC); m.write(b'\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3')
if ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))() == os.getpid(): won()`,
  ),
  python('system calls', 'fanotify', 'watches the whole file system', `call(300, 0, 0); won()`, 'root'),
  python('system calls', 'acct', 'turns process accounting off', `call(163, None); won()`, 'root'),
  python(
    'system calls',
    'reboot',
    'asks for a reboot, with a wrong magic number',
    `unless_denied(lambda: call(169, 0, 0, 0, None))`,
    'root',
  ),
  python(
    'system calls',
    'swapoff',
    'turns swap off',
    `unless_denied(lambda: call(168, b'/nonexistent'))`,
    'root',
  ),
  python(
    'system calls',
    'adjtimex',
    'changes the clock',
    `b = bytearray(208); struct.pack_into('<I', b, 0, 0x4000); unless_denied(lambda: call(159, bytes(b)))`,
    'root',
  ),
  python(
    'system calls',
    'fallocate-past-end',
    'takes disk space past the end of a file, which no limit of file size counts',
    `
fd = os.open(os.environ['SCRATCH'] + '/big', os.O_CREAT | os.O_RDWR); call(285, fd, 1, 0, 64 << 20); os.ftruncate(fd, 0); won()`,
  ),
  // ---- terminals
  python(
    'terminal',
    'tiocsti',
    'types into a terminal by TIOCSTI',
    `
master, slave = os.openpty(); pid = os.fork()
if pid == 0:
    os.setsid(); fcntl.ioctl(slave, 0x540E, 0)
    try: fcntl.ioctl(slave, 0x5412, b'x'); os._exit(0)
    except OSError: os._exit(1)
if os.waitpid(pid, 0)[1] == 0: won()`,
  ),
  python(
    'terminal',
    'tiocsti-high-bits',
    'types into a terminal with bits above the 32 that the kernel compares',
    `
master, slave = os.openpty(); pid = os.fork()
if pid == 0:
    os.setsid(); fcntl.ioctl(slave, 0x540E, 0)
    os._exit(0 if libc.syscall(ctypes.c_long(16), ctypes.c_long(slave), ctypes.c_long(0x100005412), ctypes.c_char_p(b'x')) == 0 else 1)
if os.waitpid(pid, 0)[1] == 0: won()`,
  ),
  python(
    'terminal',
    'tioclinux',
    'reaches the console by TIOCLINUX',
    `
master, slave = os.openpty(); unless_denied(lambda: fcntl.ioctl(slave, 0x541C, b'\\2'))`,
  ),
  python(
    'terminal',
    'line-discipline',
    'loads a line discipline into the kernel',
    `
master, slave = os.openpty(); fcntl.ioctl(slave, 0x5423, struct.pack('i', 0)); won()`,
  ),
]

export const LONE_ATTACKS: readonly LoneAttack[] = [
  {
    id: 'planted',
    area: 'hooks',
    title: 'plants hooks, git config and agents’ config that were not there',
    judged: 'they are in the quarantine, not in the workspace',
    control: 'bare, they stay',
    arms: 'both',
  },
  {
    id: 'survivors',
    area: 'survivors',
    title: 'leaves processes: setsid, double fork, nohup, SIGTERM ignored, a grandchild with the pipe',
    judged: 'no process with its mark is in /proc',
    control: 'bare, all five live on',
    arms: 'both',
  },
  {
    id: 'timeout-planters',
    area: 'survivors',
    title: 'ignores every signal at its timeout, and goes on planting .envrc',
    judged: 'timed-out; no process, no .envrc',
    control: 'bare, it outlives its parent',
    arms: 'both',
  },
  {
    id: 'srecodex-killed',
    area: 'survivors',
    title: 'outlives a srecodex that is killed by SIGKILL',
    judged: 'no process with its mark is in /proc',
    control: 'the same child of a Node without the sandbox lives on',
    arms: 'both',
  },
  {
    id: 'kill-pid-1',
    area: 'processes',
    title: 'kills the first process of the sandbox to lose its own record',
    judged: 'the run ends with the script’s own exit status',
    control: 'the same signal ends a process that is no init',
    arms: 'both',
  },
  {
    id: 'fork-bomb',
    area: 'limits',
    title: 'forks until it is refused',
    judged: 'fewer processes than the limit',
    control: 'scaled: 80 processes bare',
    arms: 'both',
  },
  {
    id: 'memory-one',
    area: 'limits',
    title: 'takes more memory than its limit',
    judged: 'it never holds it',
    control: 'scaled: 192 MiB bare',
    arms: 'both',
  },
  {
    id: 'memory-many',
    area: 'limits',
    title: 'takes more memory than its limit in six processes',
    judged: 'they never hold it',
    control: 'scaled: 192 MiB bare',
    arms: 'both',
  },
  {
    id: 'memory-tmpfs',
    area: 'limits',
    title: 'takes memory as files in /tmp, /var/tmp, /dev/shm, /run and HOME',
    judged: 'it never holds it',
    control: 'scaled: 192 MiB in /dev/shm bare',
    arms: 'both',
  },
  {
    id: 'memory-shared',
    area: 'limits',
    title: 'takes memory as a shared mapping, which no process limit counts',
    judged: 'it never holds it',
    control: 'scaled: 192 MiB bare',
    arms: 'both',
  },
  {
    id: 'large-file',
    area: 'limits',
    title: 'writes a file larger than file_size',
    judged: 'LIMIT_EXCEEDED, and the file is no larger',
    control: 'scaled: 32 MiB bare',
    arms: 'both',
  },
  {
    id: 'fill-disk',
    area: 'limits',
    title: 'fills the disk with many small files',
    judged: 'LIMIT_EXCEEDED for free space',
    control: 'scaled: 96 MiB bare',
    arms: 'both',
  },
  {
    id: 'output-flood',
    area: 'limits',
    title: 'prints 256 MiB',
    judged: 'the kept file is cut to the byte, the count is exact, the script went on',
    control: 'bare, a redirect keeps all of a smaller flood',
    arms: 'both',
  },
  {
    id: 'terminal-escapes',
    area: 'terminal',
    title: 'puts terminal escapes into its summary, error, artifact names and file names',
    judged: 'no control character in the report',
    control: 'bare, they reach the reader',
    arms: 'both',
  },
  {
    id: 'socket-misuse',
    area: 'own files',
    title: 'asks for artifacts outside of their folder, and sends giant and broken frames',
    judged: 'refused, and the next call is answered',
    control: 'a good name is accepted',
    arms: 'both',
  },
  {
    id: 'artifact-links',
    area: 'own files',
    title: 'leaves links to secrets among its artifacts',
    judged: 'they are not listed',
    control: 'a regular artifact is',
    arms: 'both',
  },
  {
    id: 'temporary-script',
    area: 'clean-up',
    title: 'puts a link to a victim in the place of its temporary script',
    judged: 'the victim is still there',
    control: 'bare, the exchange works',
    arms: 'both',
  },
  {
    id: 'planted-interpreters',
    area: 'interpreters',
    title: 'plants bash, python3, node, git and bwrap in .venv/bin, first on PATH',
    judged: 'none of them ran on the host',
    control: 'the same PATH runs them',
    arms: 'both',
  },
  {
    id: 'interpreter-link',
    area: 'interpreters',
    title: 'makes a program of the host readable by a link in .venv/bin',
    judged: 'it is not readable',
    control: 'bare, it is',
    arms: 'both',
  },
  {
    id: 'plant-config',
    area: 'own files',
    title: 'plants the operator’s config, whose folder lies in the workspace and is not there yet',
    judged: 'no config appeared',
    control: 'without the cover it is written',
    arms: 'both',
  },
  {
    id: 'linked-config',
    area: 'own files',
    title: 'writes the operator’s config, which links into a dotfiles repository that is the workspace',
    judged: 'both files are as they were',
    control: 'bare, it is written',
    arms: 'both',
  },
  {
    id: 'script-beside-socket',
    area: 'network',
    title: 'is started from a runtime folder, to see the sockets beside it',
    judged: 'it does not connect',
    control: 'bare, it does',
    arms: 'both',
  },
  {
    id: 'runtime-workspace',
    area: 'network',
    title: 'has a runtime folder with its sockets for a workspace',
    judged: 'WORKSPACE_INVALID',
    control: 'an ordinary folder is accepted',
    arms: 'root',
  },
  {
    id: 'swapped-mount',
    area: 'outside',
    title: 'exchanges what is about to be mounted for a link to HOME, from another run',
    judged: 'the run is refused',
    control: 'bubblewrap alone mounts what the link names',
    arms: 'both',
  },
  {
    id: 'swap-race',
    area: 'outside',
    title: 'the same exchange as fast as it can, for three seconds in which up to ten runs start',
    judged: 'no run sees the secret',
    control: 'see swapped-mount',
    arms: 'both',
  },
  {
    id: 'nul-argument',
    area: 'processes',
    title: 'smuggles fields to init in an argument with a NUL',
    judged: 'REFUSED',
    control: 'the same argument without NUL arrives',
    arms: 'both',
  },
  {
    id: 'symlinked-workspace',
    area: 'outside',
    title: 'is given a workspace by a link, and climbs out by ..',
    judged: 'the file beside the link’s target is not there',
    control: 'bare, it is',
    arms: 'both',
  },
  {
    id: 'symlinked-script',
    area: 'outside',
    title: 'is started by a link, and rewrites what it points to',
    judged: 'the file is as it was',
    control: 'bare, it is rewritten',
    arms: 'both',
  },
  {
    id: 'odd-workspace',
    area: 'outside',
    title: 'runs in a workspace whose name holds a line end, quotes, a comma, escapes and an option',
    judged: 'it runs there and reaches nothing outside',
    control: 'bare, it reaches outside',
    arms: 'both',
  },
  {
    id: 'read-only',
    area: 'outside',
    title: 'writes to its workspace in read-only mode',
    judged: 'EROFS',
    control: 'workspace-write lets it',
    arms: 'both',
  },
]

const legitimatePython = (id: string, title: string, program: string): LegitimateCase => ({
  id,
  title,
  language: 'python',
  program,
})
const legitimateShell = (id: string, title: string, program: string): LegitimateCase => ({
  id,
  title,
  language: 'shell',
  program: `set -euo pipefail\n${program}`,
})
const legitimateNode = (id: string, title: string, program: string): LegitimateCase => ({
  id,
  title,
  language: 'javascript',
  program,
})

export const LEGITIMATE: readonly LegitimateCase[] = [
  legitimatePython(
    'asyncio',
    'asyncio starts processes',
    `
import asyncio
async def main():
    ps = [await asyncio.create_subprocess_exec('echo', str(i), stdout=-1) for i in range(8)]
    assert [int((await p.communicate())[0]) for p in ps] == list(range(8)); print('WORKS')
asyncio.run(main())`,
  ),
  legitimatePython(
    'multiprocessing',
    'multiprocessing with fork, spawn and forkserver',
    `
import multiprocessing as m
if __name__ == '__main__':
    for method in ('fork', 'spawn', 'forkserver'):
        with m.get_context(method).Pool(2) as pool: assert pool.map(abs, [-1, -2]) == [1, 2]
    print('WORKS')`,
  ),
  legitimatePython(
    'shared-memory',
    'shared memory, queues and locks between processes',
    `
from multiprocessing import Process, Queue, Lock, shared_memory
s = shared_memory.SharedMemory(create=True, size=1 << 20)
def work(q, l):
    with l: s.buf[0] = 7; q.put(s.buf[0])
if __name__ == '__main__':
    q, l = Queue(), Lock(); p = Process(target=work, args=(q, l)); p.start(); assert q.get() == 7; p.join(); s.close(); s.unlink(); print('WORKS')`,
  ),
  legitimatePython(
    'threads',
    '200 threads at one time',
    `
import threading
b = threading.Barrier(201); ts = [threading.Thread(target=b.wait) for _ in range(200)]
[t.start() for t in ts]; b.wait(); [t.join() for t in ts]; print('WORKS')`,
  ),
  legitimatePython(
    'http-server',
    "a server on the sandbox's own loopback, by urllib and curl",
    `
import http.server, threading, urllib.request, subprocess
s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler); threading.Thread(target=s.serve_forever, daemon=True).start()
u = f'http://localhost:{s.server_port}/'
assert urllib.request.urlopen(u).status == 200; assert subprocess.run(['curl', '-sfS', '-o', '/dev/null', u]).returncode == 0; print('WORKS')`,
  ),
  legitimatePython(
    'ipv6-unix',
    'IPv6 loopback, unix sockets with descriptors passed, socketpairs',
    `
import socket, os
a = socket.create_server(('::1', 0), family=socket.AF_INET6); b = socket.create_connection(a.getsockname()[:2]); a.accept()
l = socket.socket(socket.AF_UNIX); l.bind('/tmp/s'); l.listen(); c = socket.socket(socket.AF_UNIX); c.connect('/tmp/s'); d, _ = l.accept()
socket.send_fds(c, [b'x'], [0]); assert len(socket.recv_fds(d, 1, 1)[1]) == 1; socket.socketpair(); print('WORKS')`,
  ),
  legitimatePython(
    'getpwuid',
    'the user’s name, the time zone, the locale',
    `
import pwd, os, locale, zoneinfo, time
assert pwd.getpwuid(os.getuid()).pw_name; assert zoneinfo.ZoneInfo('Europe/Berlin'); locale.setlocale(locale.LC_ALL, ''); assert 'ä'.encode().decode() == 'ä'; print('WORKS', '✓')`,
  ),
  legitimatePython(
    'tls',
    'certificates of the system',
    `
import ssl
assert len(ssl.create_default_context().get_ca_certs()) > 10; print('WORKS')`,
  ),
  legitimatePython(
    'sqlite',
    'sqlite with a write-ahead log, in the workspace',
    `
import sqlite3
c = sqlite3.connect('legit.db'); assert c.execute('pragma journal_mode=wal').fetchone() == ('wal',); c.execute('create table if not exists t(x)'); c.executemany('insert into t values (?)', [(i,) for i in range(1000)]); c.commit(); print('WORKS')`,
  ),
  legitimatePython(
    'mmap-locks',
    'mapped files, flock, lockf, fallocate, punched holes',
    `
import mmap, fcntl, os, ctypes
f = open('mapped', 'w+b'); os.posix_fallocate(f.fileno(), 0, 1 << 20); m = mmap.mmap(f.fileno(), 0); m[:5] = b'hello'; m.flush()
fcntl.flock(f, fcntl.LOCK_EX); fcntl.lockf(f, fcntl.LOCK_EX)
assert ctypes.CDLL(None).fallocate(f.fileno(), 3, ctypes.c_long(4096), ctypes.c_long(4096)) == 0; print('WORKS')`,
  ),
  legitimatePython(
    'signals',
    'signals, sessions, timers among its own children',
    `
import os, signal, subprocess, time
p = subprocess.Popen(['sleep', '60'], start_new_session=True); os.killpg(p.pid, signal.SIGTERM); assert p.wait() == -15
signal.signal(signal.SIGALRM, lambda *a: None); signal.setitimer(signal.ITIMER_REAL, .01); signal.pause()
pid = os.fork()
if pid == 0: os.setsid(); os._exit(3)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3; print('WORKS')`,
  ),
  legitimatePython(
    'pty',
    'a pseudo-terminal of its own',
    `
import pty, os
pid, fd = pty.fork()
if pid == 0: os.execvp('sh', ['sh', '-c', 'test -t 0 && stty size && echo inside'])
out = b''
while True:
    try: d = os.read(fd, 1000)
    except OSError: break
    if not d: break
    out += d
assert b'inside' in out, out; print('WORKS')`,
  ),
  legitimatePython(
    'many-files',
    '64,000 small files, 4,000 of them in the workspace',
    `
import os, shutil
for root, count in (('many', 4), ('/tmp/many', 60)):
    for i in range(count):
        os.makedirs(f'{root}/{i}', exist_ok=True)
        for j in range(1000): os.close(os.open(f'{root}/{i}/{j}', os.O_CREAT | os.O_WRONLY))
    assert sum(len(f) for _, _, f in os.walk(root)) == count * 1000; shutil.rmtree(root)
print('WORKS')`,
  ),
  legitimatePython(
    'big-file',
    'a file of 500 MB in the workspace',
    `
import os
b = bytes(4 << 20)
with open('big', 'wb') as f:
    for _ in range(120): f.write(b)
assert os.path.getsize('big') == 480 << 20; os.unlink('big'); print('WORKS')`,
  ),
  legitimatePython(
    'guest-library',
    'the srecodex module, artifacts and progress',
    `
import srecodex
p = srecodex.artifact('legit/report.txt'); open(p, 'w').write('x'); print('WORKS')`,
  ),
  legitimateShell(
    'streams',
    '/dev/stdout, /dev/stderr, /dev/fd, process substitution, here documents',
    `
echo one >/dev/stdout; echo two >/dev/stderr; echo three >>/dev/stdout; echo x | tee /dev/stderr >/dev/null
diff <(printf 'a\\nb\\n') <(printf 'a\\nb\\n'); cat <<< here >/dev/null; cat <<EOF >/dev/null
text
EOF
exec 5>/dev/null; echo x >&5; read -r x < <(echo y); [ "$x" = y ]; echo WORKS`,
  ),
  legitimateShell(
    'background',
    'background jobs, wait, traps, mktemp',
    `
sleep 0.1 & sleep 0.1 & wait; t=$(mktemp -d); trap 'rm -r "$t"' EXIT; mkfifo "$t/p"; echo x >"$t/p" & read -r x <"$t/p"; [ "$x" = x ]; timeout 5 true; nohup true >/dev/null 2>&1; setsid true; echo WORKS`,
  ),
  legitimateShell(
    'text-tools',
    'sort of 300,000 lines in /tmp, awk, sed, grep, xargs -P, perl',
    `
seq 300000 | shuf | sort -n -S 1M -T /tmp | tail -1 | grep -qx 300000
seq 100 | xargs -P 4 -n 10 echo | wc -l | grep -q 10; echo a b | awk '{print $2}' | sed s/b/c/ | grep -q c; perl -MPOSIX -MSocket -e 'print floor(1.5)' | grep -q 1; which awk >/dev/null; echo WORKS`,
  ),
  legitimateShell(
    'git',
    'git init, add, commit, status, clone, branch, worktree, stash, gc',
    `
rm -rf g g2 gw; git init -q -b main g; cd g; git config user.email a@b; git config user.name n; echo x >f; git add f; git commit -qm one; git status --porcelain; git clone -q . ../g2; git worktree add -q ../gw -b other; echo y >>f; git stash -q; git stash pop -q; git commit -qam two; git gc -q; git log --oneline | wc -l | grep -q 2; cd ..; rm -rf g g2 gw; echo WORKS`,
  ),
  legitimateShell(
    'git-existing',
    'git add, commit and branch in the repository that is guarded',
    `
cd "$WS"; echo x >legit-file; git add legit-file; git -c user.email=a@b -c user.name=n commit -qm legit --no-verify; git branch legit-branch; git status >/dev/null; git log -1 --format=%s | grep -q legit; echo WORKS`,
  ),
  legitimateShell(
    'venv',
    'a virtual environment is made, and its Python runs',
    `
rm -rf v; /usr/bin/python3 -m venv --without-pip v 2>/dev/null || /usr/bin/python3 -m venv --without-pip --symlinks v; v/bin/python -c 'import sys; assert sys.prefix != sys.base_prefix'; rm -rf v; echo WORKS`,
  ),
  legitimateShell(
    'tar',
    'tar, gzip, cp -a, install, ln, touch, chmod with ordinary modes',
    `
rm -rf t t2; mkdir -p t/a t2; echo x >t/a/f; chmod 600 t/a/f; chmod 1777 t; ln -s a/f t/l; ln t/a/f t/h; tar czf t.tgz t; tar xzf t.tgz -C t2; cp -a t2/t t3; cp -p /usr/bin/true t3/; install -m 755 /usr/bin/true t3/i; touch -d yesterday t3/i; umask 077; mkdir t3/m; rm -rf t t2 t3 t.tgz; echo WORKS`,
  ),
  legitimatePython(
    'link-farm',
    '2,000 links, and a walk over them',
    `
import os, shutil
shutil.rmtree('farm', ignore_errors=True); os.mkdir('farm')
for i in range(2000): os.symlink(f'../x{i}', f'farm/{i}')
assert sum(e.is_symlink() for e in os.scandir('farm')) == 2000; shutil.rmtree('farm'); print('WORKS')`,
  ),
  legitimateShell(
    'script-command',
    'script(1) records a terminal',
    `script -qec 'test -t 1 && echo inside' /dev/null | grep -q inside; echo WORKS`,
  ),
  legitimateShell(
    'fallocate-command',
    'fallocate(1) and truncate(1) make large files',
    `fallocate -l 64M fa; truncate -s 1G tr; stat -c %s fa | grep -qx 67108864; rm fa tr; echo WORKS`,
  ),
  legitimateNode(
    'node-processes',
    'spawnSync, exec, worker threads, child with a channel',
    `
const { spawnSync, execSync, fork } = require('child_process'), { Worker } = require('worker_threads')
if (process.argv[2] === 'child') { process.send('hi'); process.disconnect() } else {
  if (spawnSync('echo', ['x']).stdout.toString() !== 'x\\n' || execSync('echo y').toString() !== 'y\\n') process.exit(1)
  new Worker("require('worker_threads').parentPort.postMessage(1)", { eval: true }).on('message', () => fork(__filename, ['child']).on('message', () => console.log('WORKS')))
}`,
  ),
  legitimateNode(
    'node-http',
    'an http server and fetch on its own loopback',
    `
const s = require('http').createServer((q, r) => r.end('ok')).listen(0, '127.0.0.1', async () => {
  const t = await (await fetch('http://127.0.0.1:' + s.address().port)).text(); if (t === 'ok') console.log('WORKS'); s.close(); process.exit() })`,
  ),
  legitimateNode(
    'webassembly',
    'WebAssembly with a memory, under the limits',
    `
const m = new WebAssembly.Memory({ initial: 100, maximum: 1000 }); m.grow(100)
const i = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([0,97,115,109,1,0,0,0,1,7,1,96,2,127,127,1,127,3,2,1,0,7,7,1,3,97,100,100,0,0,10,9,1,7,0,32,0,32,1,106,11])))
if (i.exports.add(2, 3) === 5) console.log('WORKS')`,
  ),
]
