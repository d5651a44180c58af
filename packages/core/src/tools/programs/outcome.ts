/**
 * How a tool ended, told from what bubblewrap says of it.
 *
 * bubblewrap ends with 128 + n where signal n ended the program, as shells do, and so cannot be told from a program
 * that ends with that code itself. Pure.
 */

import { signalName, type ProcessEnd } from '../../sandbox/wait-status.ts'

/**
 * @param codes.ownOnly the program never ends with a code above 128 of itself: then it was a signal.
 * @param codes.sent signals that we sent it.
 */
export function toldEnding(
  ended: ProcessEnd,
  codes: { readonly ownOnly: boolean; readonly sent: readonly NodeJS.Signals[] },
): ProcessEnd {
  if (ended.exitCode === null) return ended
  const signal = signalName(ended.exitCode - 128)
  // An interrupt is what programs end with 130 for by themselves.
  const isSignal =
    signal !== undefined && ((codes.ownOnly && signal !== 'SIGINT') || codes.sent.some(one => one === signal))
  return isSignal ? { exitCode: null, signal } : ended
}
