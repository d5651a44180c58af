/** Reads the operator's `args` for a tool: what a flag says, and which files they name. Pure but for `isFile`. */

import { isAbsolute } from 'node:path'

/** The value of the last of these flags, as `--flag value` or `--flag=value`; null where none is given. */
export function operatorFlag(args: readonly string[], names: readonly string[]): string | null {
  let value: string | null = null
  for (const [index, word] of args.entries()) {
    const equals = word.indexOf('=')
    if (names.includes(word)) value = args[index + 1] ?? value
    else if (equals > 0 && names.includes(word.slice(0, equals))) value = word.slice(equals + 1)
  }
  return value
}

/** The words without a flag and its value. */
export function withoutFlag(args: readonly string[], name: string): string[] {
  return args.filter(
    (word, index) => word !== name && !word.startsWith(`${name}=`) && args[index - 1] !== name,
  )
}

/** Absolute paths among the words: alone, behind `=`, or behind `@`. */
export function namedPaths(args: readonly string[]): string[] {
  return args
    .map(word => word.slice(word.startsWith('--') ? word.indexOf('=') + 1 : 0).replace(/^@/, ''))
    .filter(isAbsolute)
}
