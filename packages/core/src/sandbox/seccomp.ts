/**
 * The system calls that a script may not make, as a classic BPF program for bubblewrap's `--seccomp`.
 *
 * Promises: pure (an architecture in, bytes out); a call from a foreign architecture kills the process; a call
 * that is newer than this table answers ENOSYS, so that a new kernel opens no new door. Refuses: to make a
 * program for an architecture whose numbers are not known here.
 *
 * Numbers: linux/arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h (arm64).
 * Instruction format: struct sock_filter, include/uapi/linux/filter.h; data: struct seccomp_data.
 */

import { SrecodexError } from '../errors.ts'

export type Architecture = 'x64' | 'arm64'

interface SystemCall {
  readonly name: string
  readonly x64: number | null
  readonly arm64: number | null
}

const call = (name: string, x64: number | null, arm64: number | null): SystemCall => ({ name, x64, arm64 })

/** Denied whatever the arguments. The script sees EPERM. */
const DENIED: readonly SystemCall[] = [
  // Other processes' memory and descriptors.
  call('ptrace', 101, 117),
  call('process_vm_readv', 310, 270),
  call('process_vm_writev', 311, 271),
  call('pidfd_getfd', 438, 438),
  call('kcmp', 312, 272),
  // Kernel surfaces with a long record of escapes, of no use to a script.
  call('io_uring_setup', 425, 425),
  call('io_uring_enter', 426, 426),
  call('io_uring_register', 427, 427),
  call('bpf', 321, 280),
  call('perf_event_open', 298, 241),
  call('userfaultfd', 323, 282),
  call('fanotify_init', 300, 262),
  call('lookup_dcookie', 212, 18),
  call('modify_ldt', 154, null),
  // Mounts and namespaces: the sandbox is made of them.
  call('mount', 165, 40),
  call('umount2', 166, 39),
  call('pivot_root', 155, 41),
  call('chroot', 161, 51),
  call('move_mount', 429, 429),
  call('open_tree', 428, 428),
  call('open_tree_attr', 467, 467),
  call('fsopen', 430, 430),
  call('fsconfig', 431, 431),
  call('fsmount', 432, 432),
  call('fspick', 433, 433),
  call('mount_setattr', 442, 442),
  call('unshare', 272, 97),
  call('setns', 308, 268),
  // A file handle names an inode past every mount.
  call('open_by_handle_at', 304, 265),
  call('name_to_handle_at', 303, 264),
  // Keyrings are shared with the user's other processes.
  call('keyctl', 250, 219),
  call('add_key', 248, 217),
  call('request_key', 249, 218),
  // The machine.
  call('clock_settime', 227, 112),
  call('clock_adjtime', 305, 266),
  call('adjtimex', 159, 171),
  call('settimeofday', 164, 170),
  call('reboot', 169, 142),
  call('kexec_load', 246, 104),
  call('kexec_file_load', 320, 294),
  call('init_module', 175, 105),
  call('finit_module', 313, 273),
  call('delete_module', 176, 106),
  call('swapon', 167, 224),
  call('swapoff', 168, 225),
  call('acct', 163, 89),
  call('quotactl', 179, 60),
  call('quotactl_fd', 443, 443),
  call('syslog', 103, 116),
  call('iopl', 172, null),
  call('ioperm', 173, null),
  call('vhangup', 153, 58),
  call('sethostname', 170, 161),
  call('setdomainname', 171, 162),
]

/**
 * Answered with ENOSYS, so that libraries take the older call that can be checked: the arguments of clone3 and
 * openat2 lie in memory that a filter cannot read; memfd and System V memory escape the count of files.
 */
const ABSENT: readonly SystemCall[] = [
  call('clone3', 435, 435),
  call('openat2', 437, 437),
  call('memfd_create', 319, 279),
  call('memfd_secret', 447, 447),
  call('shmget', 29, 194),
]

/** From here on the table knows no name: file_setattr (469) is the last. */
const FIRST_UNKNOWN = 470

const EPERM = 1
const ENOSYS = 38
const EPROTONOSUPPORT = 93
const EOPNOTSUPP = 95
const EAFNOSUPPORT = 97

const AUDIT_ARCH: Record<Architecture, number> = { x64: 0xc000003e, arm64: 0xc00000b7 }

const CREATES_FILE = 0o100 | 0o20000000 // O_CREAT | __O_TMPFILE
const SET_ID = 0o6000
const TYPE_MASK = 0o170000
const CHARACTER_DEVICE = 0o020000
const BLOCK_DEVICE = 0o060000
/** CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET. */
const NEW_NAMESPACE = 0x7e020000
const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c
const TIOCSETD = 0x5423
const FALLOC_FL_KEEP_SIZE = 0x01
const FALLOC_FL_PUNCH_HOLE = 0x02
const AF_UNIX = 1
const AF_INET = 2
const AF_INET6 = 10
const AF_NETLINK = 16
const NETLINK_ROUTE = 0
const IPPROTO_ANY = 0
const IPPROTO_ICMP = 1
const IPPROTO_TCP = 6
const IPPROTO_UDP = 17
const IPPROTO_ICMPV6 = 58
const IPPROTO_MPTCP = 262

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, k: number]

const load = (offset: number): Instruction => [0x20, 0, 0, offset]
const argument = (index: number): Instruction => load(16 + 8 * index) // the low half: little-endian only
const jumpEqual = (k: number, yes: number, no: number): Instruction => [0x15, yes, no, k]
const jumpAtLeast = (k: number, yes: number, no: number): Instruction => [0x35, yes, no, k]
const jumpAnyBit = (k: number, yes: number, no: number): Instruction => [0x45, yes, no, k]
const and = (k: number): Instruction => [0x54, 0, 0, k]
const allow: Instruction = [0x06, 0, 0, 0x7fff0000]
const kill: Instruction = [0x06, 0, 0, 0x80000000]
const fail = (errno: number): Instruction => [0x06, 0, 0, 0x00050000 | errno]

/** Set-id bits in the mode of a call that makes a file: a setuid file left in the workspace is root's on the host. */
const creating = (flags: number, mode: number): Instruction[] => [
  argument(flags),
  jumpAnyBit(CREATES_FILE, 0, 2),
  argument(mode),
  jumpAnyBit(SET_ID, 1, 0),
  allow,
  fail(EPERM),
]

const withMode = (mode: number): Instruction[] => [
  argument(mode),
  jumpAnyBit(SET_ID, 1, 0),
  allow,
  fail(EPERM),
]

const makingNode = (mode: number): Instruction[] => [
  argument(mode),
  jumpAnyBit(SET_ID, 4, 0),
  and(TYPE_MASK),
  jumpEqual(CHARACTER_DEVICE, 2, 0),
  jumpEqual(BLOCK_DEVICE, 1, 0),
  allow,
  fail(EPERM),
]

/** Calls that depend on their arguments; each body ends in a verdict of its own. */
const CHECKED: readonly (readonly [SystemCall, readonly Instruction[]])[] = [
  [call('open', 2, null), creating(1, 2)],
  [call('openat', 257, 56), creating(2, 3)],
  [call('creat', 85, null), withMode(1)],
  [call('chmod', 90, null), withMode(1)],
  [call('fchmod', 91, 52), withMode(1)],
  [call('fchmodat', 268, 53), withMode(2)],
  [call('fchmodat2', 452, 452), withMode(2)],
  [call('mknod', 133, null), makingNode(1)],
  [call('mknodat', 259, 33), makingNode(2)],
  [call('clone', 56, 220), [argument(0), jumpAnyBit(NEW_NAMESPACE, 1, 0), allow, fail(EPERM)]],
  [
    // Terminals are driven by the first two; the third makes the kernel load a line discipline (n_gsm, n_hdlc)
    // into itself for a pseudo-terminal. The kernel compares the low 32 bits of the request.
    call('ioctl', 16, 29),
    [
      argument(1),
      jumpEqual(TIOCSTI, 3, 0),
      jumpEqual(TIOCLINUX, 2, 0),
      jumpEqual(TIOCSETD, 1, 0),
      allow,
      fail(EPERM),
    ],
  ],
  [
    // Space past the end of a file escapes RLIMIT_FSIZE: one call takes the whole disk, between two looks of the
    // watchdog. Punching holes gives space back and is told by the same bit.
    call('fallocate', 285, 47),
    [
      argument(1),
      jumpAnyBit(FALLOC_FL_KEEP_SIZE, 0, 1),
      jumpAnyBit(FALLOC_FL_PUNCH_HOLE, 0, 1),
      allow,
      fail(EOPNOTSUPP),
    ],
  ],
  [
    // A network namespace does not close AF_VSOCK, AF_ALG, AF_BLUETOOTH and the rest. An internet protocol that
    // no script needs (SCTP, DCCP, L2TP) makes the kernel load a module for whoever names it.
    call('socket', 41, 198),
    [
      argument(0),
      jumpEqual(AF_UNIX, 13, 0),
      jumpEqual(AF_INET, 3, 0),
      jumpEqual(AF_INET6, 2, 0),
      jumpEqual(AF_NETLINK, 8, 0),
      fail(EAFNOSUPPORT),
      argument(2),
      jumpEqual(IPPROTO_ANY, 7, 0),
      jumpEqual(IPPROTO_TCP, 6, 0),
      jumpEqual(IPPROTO_UDP, 5, 0),
      jumpEqual(IPPROTO_ICMP, 4, 0),
      jumpEqual(IPPROTO_ICMPV6, 3, 0),
      jumpEqual(IPPROTO_MPTCP, 2, 4),
      argument(2), // netlink
      jumpEqual(NETLINK_ROUTE, 0, 1),
      allow,
      fail(EAFNOSUPPORT),
      fail(EPROTONOSUPPORT),
    ],
  ],
  [call('socketpair', 53, 199), [argument(0), jumpEqual(AF_UNIX, 0, 1), allow, fail(EAFNOSUPPORT)]],
]

/**
 * The program for one architecture: little-endian `struct sock_filter`, 8 bytes an instruction.
 *
 * @throws {SrecodexError} SANDBOX_UNAVAILABLE for an architecture that is not in the tables.
 */
export function seccompProgram(architecture: string): Buffer {
  if (architecture !== 'x64' && architecture !== 'arm64') {
    throw new SrecodexError(
      'SANDBOX_UNAVAILABLE',
      `no system call filter for the processor ${architecture}`,
      {
        hint: 'srecodex isolates scripts on x86-64 and arm64 Linux',
        details: { cause: 'architecture' },
      },
    )
  }
  const program: Instruction[] = [
    load(4),
    jumpEqual(AUDIT_ARCH[architecture], 1, 0),
    kill,
    load(0),
    // Also the x32 calls, whose numbers carry bit 30.
    jumpAtLeast(FIRST_UNKNOWN, 0, 1),
    fail(ENOSYS),
  ]
  for (const denied of DENIED) program.push(...forbid(denied[architecture], fail(EPERM)))
  for (const absent of ABSENT) program.push(...forbid(absent[architecture], fail(ENOSYS)))
  for (const [checked, body] of CHECKED) {
    const number = checked[architecture]
    if (number !== null) program.push(jumpEqual(number, 0, body.length), ...body)
  }
  program.push(allow)
  return encode(program)
}

function forbid(number: number | null, verdict: Instruction): Instruction[] {
  return number === null ? [] : [jumpEqual(number, 0, 1), verdict]
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8)
  for (const [index, [code, jumpTrue, jumpFalse, k]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(jumpTrue, index * 8 + 2)
    bytes.writeUInt8(jumpFalse, index * 8 + 3)
    bytes.writeUInt32LE(k >>> 0, index * 8 + 4)
  }
  return bytes
}
