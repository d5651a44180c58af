/**
 * The smallest program that needs nothing of the system: it becomes what its arguments name, or ends with the error
 * number of why it cannot. Made by hand, for no compiler is sure to be there.
 */

const CODE: Readonly<Record<string, { readonly machine: number; readonly bytes: string }>> = {
  // mov rdi,[rsp+16]; lea rsi,[rsp+16]; xor edx,edx; mov eax,59; syscall; neg eax; mov edi,eax; mov eax,60; syscall
  x64: { machine: 62, bytes: '488b7c2410 488d742410 31d2 b83b000000 0f05 f7d8 89c7 b83c000000 0f05' },
  // ldr x0,[sp,16]; add x1,sp,16; mov x2,0; mov x8,221; svc 0; neg x0,x0; mov x8,93; svc 0
  arm64: { machine: 183, bytes: 'e00b40f9 e1430091 020080d2 a81b80d2 010000d4 e00300cb a80b80d2 010000d4' },
}

export function staticProgram(): Buffer {
  const { machine, bytes } = CODE[process.arch]!
  const code = Buffer.from(bytes.replaceAll(' ', ''), 'hex')
  const header = Buffer.alloc(64 + 56)
  header.write('\x7fELF\x02\x01\x01', 0, 'latin1')
  header.writeUInt16LE(2, 16) // an executable
  header.writeUInt16LE(machine, 18)
  header.writeUInt32LE(1, 20)
  header.writeBigUInt64LE(0x400078n, 24) // where it begins
  header.writeBigUInt64LE(64n, 32) // where the table of segments is
  header.writeUInt16LE(64, 52)
  header.writeUInt16LE(56, 54)
  header.writeUInt16LE(1, 56) // one segment
  header.writeUInt32LE(1, 64) // to be loaded
  header.writeUInt32LE(5, 68) // read and execute
  header.writeBigUInt64LE(0n, 72)
  header.writeBigUInt64LE(0x400000n, 80)
  header.writeBigUInt64LE(0x400000n, 88)
  header.writeBigUInt64LE(BigInt(header.length + code.length), 96)
  header.writeBigUInt64LE(BigInt(header.length + code.length), 104)
  header.writeBigUInt64LE(0x10000n, 112)
  return Buffer.concat([header, code])
}
