import { describe, expect, it } from 'vitest'
import { SrecodexError } from '../../src/errors.ts'
import { seccompProgram } from '../../src/sandbox/seccomp.ts'

const X64 = 0xc000003e
const ARM64 = 0xc00000b7

interface Call {
  readonly nr: number
  readonly arch?: number
  readonly args?: readonly number[]
}

/** What the kernel would do: classic BPF over `struct seccomp_data`, as far as these programs use it. */
function verdict(program: Buffer, { nr, arch = X64, args = [] }: Call): string {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(nr >>> 0, 0)
  data.writeUInt32LE(arch >>> 0, 4)
  for (const [index, value] of args.entries())
    data.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 16 + 8 * index)
  let accumulator = 0
  for (let at = 0; ; at++) {
    const code = program.readUInt16LE(at * 8)
    const yes = program.readUInt8(at * 8 + 2)
    const no = program.readUInt8(at * 8 + 3)
    const k = program.readUInt32LE(at * 8 + 4)
    if (code === 0x20) accumulator = data.readUInt32LE(k)
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0
    else if (code === 0x15) at += accumulator === k ? yes : no
    else if (code === 0x35) at += accumulator >= k ? yes : no
    else if (code === 0x45) at += (accumulator & k) !== 0 ? yes : no
    else if (code === 0x06) {
      if (k === 0x7fff0000) return 'allow'
      if (k === 0x80000000) return 'kill'
      return `errno ${k & 0xffff}`
    } else throw new Error(`instruction ${code.toString(16)}`)
  }
}

describe('the system call filter for x86-64', () => {
  const program = seccompProgram('x64')

  it.each<[string, Call, string]>([
    ['read', { nr: 0 }, 'allow'],
    ['write', { nr: 1 }, 'allow'],
    ['ptrace', { nr: 101 }, 'errno 1'],
    ['process_vm_readv', { nr: 310 }, 'errno 1'],
    ['keyctl', { nr: 250 }, 'errno 1'],
    ['bpf', { nr: 321 }, 'errno 1'],
    ['perf_event_open', { nr: 298 }, 'errno 1'],
    ['io_uring_setup', { nr: 425 }, 'errno 1'],
    ['userfaultfd', { nr: 323 }, 'errno 1'],
    ['mount', { nr: 165 }, 'errno 1'],
    ['open_tree_attr, newer than most headers', { nr: 467 }, 'errno 1'],
    ['unshare', { nr: 272 }, 'errno 1'],
    ['clone3, so that libraries take clone', { nr: 435 }, 'errno 38'],
    ['openat2', { nr: 437 }, 'errno 38'],
    ['memfd_create', { nr: 319 }, 'errno 38'],
    ['a call that this table does not know yet', { nr: 470 }, 'errno 38'],
    ['an x32 call', { nr: 0x40000000 + 101 }, 'errno 38'],
    ['a call from a 32-bit process', { nr: 11, arch: 0x40000003 }, 'kill'],
    ['a thread', { nr: 56, args: [0x3d0f00] }, 'allow'],
    ['clone with a new user namespace', { nr: 56, args: [0x10000000 | 17] }, 'errno 1'],
    ['clone with a new mount namespace', { nr: 56, args: [0x20000 | 17] }, 'errno 1'],
    ['TIOCSTI', { nr: 16, args: [0, 0x5412] }, 'errno 1'],
    ['TIOCSTI with rubbish in the high half', { nr: 16, args: [0, 0x7_0000_5412] }, 'errno 1'],
    ['TIOCLINUX', { nr: 16, args: [0, 0x541c] }, 'errno 1'],
    ['TCGETS', { nr: 16, args: [0, 0x5401] }, 'allow'],
    ['a unix socket', { nr: 41, args: [1, 1, 0] }, 'allow'],
    ['a TCP socket', { nr: 41, args: [2, 1, 0] }, 'allow'],
    ['an IPv6 socket', { nr: 41, args: [10, 1, 0] }, 'allow'],
    ['a netlink route socket', { nr: 41, args: [16, 3, 0] }, 'allow'],
    ['a netlink audit socket', { nr: 41, args: [16, 3, 9] }, 'errno 97'],
    ['AF_VSOCK', { nr: 41, args: [40, 1, 0] }, 'errno 97'],
    ['AF_ALG', { nr: 41, args: [38, 5, 0] }, 'errno 97'],
    ['AF_PACKET', { nr: 41, args: [17, 3, 0] }, 'errno 97'],
    ['a unix socket pair', { nr: 53, args: [1, 1, 0] }, 'allow'],
    ['a TIPC socket pair', { nr: 53, args: [30, 1, 0] }, 'errno 97'],
    ['open for reading, with rubbish where a mode would be', { nr: 257, args: [0, 0, 0, 0o4755] }, 'allow'],
    ['openat that makes a plain file', { nr: 257, args: [0, 0, 0o101, 0o755] }, 'allow'],
    ['openat that makes a setuid file', { nr: 257, args: [0, 0, 0o101, 0o4755] }, 'errno 1'],
    ['O_TMPFILE with setgid', { nr: 257, args: [0, 0, 0o20200002, 0o2755] }, 'errno 1'],
    ['creat with setuid', { nr: 85, args: [0, 0o4755] }, 'errno 1'],
    ['chmod', { nr: 90, args: [0, 0o755] }, 'allow'],
    ['chmod u+s', { nr: 90, args: [0, 0o4755] }, 'errno 1'],
    ['fchmodat2 u+s', { nr: 452, args: [0, 0, 0o4755, 0] }, 'errno 1'],
    ['mknod of a fifo', { nr: 133, args: [0, 0o010644, 0] }, 'allow'],
    ['mknod of a block device', { nr: 133, args: [0, 0o060644, 0] }, 'errno 1'],
    ['mknod of a character device', { nr: 259, args: [0, 0, 0o020644, 0] }, 'errno 1'],
    ['mknod of a setuid file', { nr: 133, args: [0, 0o104755, 0] }, 'errno 1'],
  ])('%s', (_name, call, expected) => {
    expect(verdict(program, call)).toBe(expected)
  })
})

describe('the system call filter for arm64', () => {
  const program = seccompProgram('arm64')

  it.each<[string, Call, string]>([
    ['read', { nr: 63, arch: ARM64 }, 'allow'],
    ['ptrace', { nr: 117, arch: ARM64 }, 'errno 1'],
    ['mount', { nr: 40, arch: ARM64 }, 'errno 1'],
    ['clone with a new user namespace', { nr: 220, arch: ARM64, args: [0x10000000] }, 'errno 1'],
    ['AF_VSOCK', { nr: 198, arch: ARM64, args: [40, 1, 0] }, 'errno 97'],
    ['fchmodat u+s', { nr: 53, arch: ARM64, args: [0, 0, 0o4755] }, 'errno 1'],
    ['an x86-64 process', { nr: 0, arch: X64 }, 'kill'],
  ])('%s', (_name, call, expected) => {
    expect(verdict(program, call)).toBe(expected)
  })
})

it('refuses a processor whose numbers it does not know', () => {
  expect(() => seccompProgram('riscv64')).toThrow(SrecodexError)
})
