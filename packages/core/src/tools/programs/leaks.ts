/**
 * Descriptors that this process was itself started with and would hand on.
 *
 * Node closes them to its children only up to the first gap, so a caller's descriptor 30 or 251 reaches a tool.
 * What Node opens later is never handed on, so one look is enough.
 */

import { readdirSync, readFileSync } from 'node:fs'

const O_CLOEXEC = 0o2_000_000

export function inheritedDescriptors(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter(fd => fd > 2 && isHandedOn(fd))
    .sort((one, other) => one - other)
}

function isHandedOn(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0
  } catch {
    return false // closed meanwhile: the listing's own
  }
}

/** A command that closes them and then becomes what follows it; empty where there is nothing to close. */
export function closingPrefix(descriptors: readonly number[]): readonly string[] {
  if (descriptors.length === 0) return []
  const program = `for (split /,/, shift) { open(my $h, '<&=', $_) and close $h } exec { $ARGV[0] } @ARGV; exit 127`
  return ['/usr/bin/perl', '-e', program, descriptors.join(',')]
}
