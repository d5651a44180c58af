/**
 * Mulberry32, a 32-bit generator by Tommy Ettinger (public domain):
 * https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
 *
 * The same seed gives the same numbers on every machine, which `Math.random` does not promise.
 */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** The next 32 bits, as a signed integer: V8 keeps those out of the heap. */
  bits(): number {
    const state = (this.#state + 0x6d2b79f5) | 0
    this.#state = state
    const mixed = Math.imul(state ^ (state >>> 15), state | 1)
    const whole = mixed ^ (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61))
    return whole ^ (whole >>> 14)
  }

  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number {
    return Math.floor(((this.bits() >>> 0) * limit) / 0x1_0000_0000)
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }
}
