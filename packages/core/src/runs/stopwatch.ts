/** A time limit that stands still while a person is asked: waiting for an answer is not the script's time. */

/** Node's longest timer, 24.8 days; more would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export class Stopwatch {
  #leftMs: number
  #since = 0
  #timer: NodeJS.Timeout | undefined
  readonly #onEnd: () => void

  /** Goes at once. */
  constructor(limitMs: number, onEnd: () => void) {
    this.#leftMs = limitMs
    this.#onEnd = onEnd
    this.go()
  }

  go(): void {
    if (this.#timer !== undefined) return
    this.#since = performance.now()
    this.#timer = setTimeout(this.#onEnd, Math.min(this.#leftMs, LONGEST_TIMER_MS))
  }

  pause(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#leftMs -= performance.now() - this.#since
  }
}
