/**
 * When one value of a key allows more than another. Each key of the schema names one of these.
 *
 * Membership in a list is exact, never "below" or "covered by": a path below a readable folder can be a symlink
 * out of it, and what covers a domain is for the forwarder to say. A value never loosens itself.
 */

import { isDeepStrictEqual } from 'node:util'
import type { Network } from './kinds.ts'

/** When a change allows more. `from` is null where the key was not set and its absence means something. */
export interface Loosening<T> {
  /** How it reads in the reference; null: never. */
  readonly when: string | null
  test(from: T | null, to: T): boolean
}

export const never: Loosening<unknown> = { when: null, test: () => false }

export const changed: Loosening<unknown> = {
  when: 'any change',
  test: (from, to) => !isDeepStrictEqual(from, to),
}

export const higher: Loosening<number> = { when: 'a higher value', test: (from, to) => to > (from ?? 0) }

export const lower: Loosening<number> = { when: 'a lower value', test: (from, to) => to < (from ?? Infinity) }

const zeroIsNone = (limit: number): number => (limit === 0 ? Infinity : limit)

/** For a limit whose 0 means that there is none. */
export const higherOrZero: Loosening<number> = {
  when: 'a higher value, or 0',
  test: (from, to) => zeroIsNone(to) > zeroIsNone(from ?? 0),
}

export const turnedOn: Loosening<boolean> = { when: 'true', test: (from, to) => to && from !== true }

/** For words that stand in the order of what they allow. */
export const later = <V extends string>(order: readonly V[]): Loosening<V> => ({
  when: `a later one of ${order.join(', ')}`,
  test: (from, to) => from === null || order.indexOf(to) > order.indexOf(from),
})

export const added: Loosening<readonly string[]> = {
  when: 'an added entry',
  test: (from, to) => to.some(one => !(from ?? []).includes(one)),
}

/** For a list of what is refused. */
export const removed: Loosening<readonly string[]> = {
  when: 'a removed entry',
  test: (from, to) => (from ?? []).some(one => !to.includes(one)),
}

/** For a list of what is offered whose absence means everything. */
export const addedToSome: Loosening<readonly string[]> = {
  when: 'an added entry',
  test: (from, to) => from !== null && added.test(from, to),
}

export const opened: Loosening<Network> = {
  when: 'host over a list over none, or an added entry',
  test: (from, to) => {
    if (to === 'none' || from === 'host') return false
    if (to === 'host' || from === 'none' || from === null) return true
    return added.test(from, to)
  },
}
