/**
 * How a tool ended, told from what bubblewrap says of it.
 *
 * bubblewrap ends with 128 + n where signal n ended the program, as shells do, and so cannot be told from a program
 * that ends with that code itself. Pure.
 */

import { constants } from 'node:os'

export interface Ending {
  readonly exitCode: number | null
  readonly signal: string | null
}

const NAMES = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

/**
 * @param codes.ownOnly the program never ends with a code above 128 of itself: then it was a signal.
 * @param codes.sent signals that we sent it.
 */
export function toldEnding(
  ended: { readonly code: number | null; readonly signal: NodeJS.Signals | null },
  codes: { readonly ownOnly: boolean; readonly sent: readonly NodeJS.Signals[] },
): Ending {
  if (ended.code === null) return { exitCode: null, signal: ended.signal ?? 'SIGKILL' }
  const signal = NAMES.get(ended.code - 128)
  // An interrupt is what programs end with 130 for by themselves.
  const isSignal =
    signal !== undefined && ((codes.ownOnly && signal !== 'SIGINT') || codes.sent.some(one => one === signal))
  return isSignal ? { exitCode: null, signal } : { exitCode: ended.code, signal: null }
}
