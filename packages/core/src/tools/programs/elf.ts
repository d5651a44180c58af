/** Reads just enough of a program to tell how it starts. */

import { closeSync, constants, openSync, readSync } from 'node:fs'

export type ProgramForm =
  /** Brings all it needs. */
  | { readonly kind: 'static' }
  /** Needs the system's loader and libraries. */
  | { readonly kind: 'dynamic' }
  /** Is read by another program: the words after `#!`. */
  | { readonly kind: 'script'; readonly interpreter: readonly string[] }

const PT_INTERP = 3

/** null: nothing that the kernel would start. */
export function programForm(file: string): ProgramForm | null {
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return null
  }
  try {
    const start = Buffer.alloc(4096)
    const length = readSync(descriptor, start, 0, start.length, 0)
    if (start.subarray(0, 2).toString('latin1') === '#!') {
      const line = start.subarray(2, length).toString('utf8').split('\n', 1)[0] ?? ''
      return { kind: 'script', interpreter: line.trim().split(/\s+/) }
    }
    if (start.readUInt32BE(0) !== 0x7f_45_4c_46) return null
    return { kind: hasLoader(descriptor, start) ? 'dynamic' : 'static' }
  } finally {
    closeSync(descriptor)
  }
}

/** 64 bits, little-endian, as on x86-64 and arm64; anything else counts as in need of the system. */
function hasLoader(descriptor: number, start: Buffer): boolean {
  if (start[4] !== 2 || start[5] !== 1) return true
  const offset = Number(start.readBigUInt64LE(32))
  const size = start.readUInt16LE(54)
  const count = start.readUInt16LE(56)
  const table = Buffer.alloc(size * count)
  if (readSync(descriptor, table, 0, table.length, offset) !== table.length) return true
  return Array.from({ length: count }, (_, index) => table.readUInt32LE(index * size)).includes(PT_INTERP)
}
