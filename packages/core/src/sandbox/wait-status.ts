/** How a process ended, from the number that wait(2) gives. */

import { constants } from 'node:os'

export interface ProcessEnd {
  /** Null where a signal ended it. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
}

const NAMES = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]),
)

export function signalName(number: number): NodeJS.Signals | undefined {
  return NAMES.get(number)
}

export function decodeWaitStatus(status: number): ProcessEnd {
  const number = status & 0x7f
  return number === 0
    ? { exitCode: (status >> 8) & 0xff, signal: null }
    : { exitCode: null, signal: NAMES.get(number) ?? 'SIGKILL' }
}
