/** What a flag may be. `InvalidArgumentError` says what it must be instead. Pure. */

import { InvalidArgumentError } from 'commander'

export function positive(text: string): number {
  const value = numberOf(text)
  if (!(value > 0)) throw new InvalidArgumentError('it must be a number above 0')
  return value
}

export function nonNegative(text: string): number {
  const value = numberOf(text)
  if (!(value >= 0)) throw new InvalidArgumentError('it must be 0 or a number above')
  return value
}

export function positiveInteger(text: string): number {
  const value = numberOf(text)
  if (!Number.isSafeInteger(value) || value <= 0)
    throw new InvalidArgumentError('it must be a whole number above 0')
  return value
}

export function integer(text: string): number {
  const value = numberOf(text)
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('it must be a whole number')
  return value
}

/** For a flag that may be given again and again. One value each time: `--read /a SCRIPT` must not swallow SCRIPT. */
export function repeated(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}

/** Decimal digits: what else JavaScript takes for a number (`0x10`, `1e3`, ` 5 `) is a slip on a command line. */
function numberOf(text: string): number {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : NaN
}
