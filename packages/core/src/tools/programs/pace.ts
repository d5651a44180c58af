/**
 * When a call may start: so many at one time, so many a second, first come first served.
 *
 * A bucket of tokens that holds one second's worth and at least one. Pure but for the clock, which is given.
 */

export interface Clock {
  nowMs(): number
  /** @returns a way to call it off. */
  after(delayMs: number, act: () => void): () => void
}

export const SYSTEM_CLOCK: Clock = {
  nowMs: () => performance.now(),
  after: (delayMs, act) => {
    const timer = setTimeout(act, delayMs)
    return () => clearTimeout(timer)
  },
}

export interface PaceOptions {
  readonly concurrency: number
  readonly ratePerSecond: number
  /** @default the system's */
  readonly clock?: Clock
}

export interface Pace {
  /**
   * Waits for a turn.
   *
   * @returns what ends the turn; calling it twice is harmless.
   * @throws the signal's reason, where it is aborted first.
   */
  enter(signal: AbortSignal): Promise<() => void>
}

interface Waiter {
  readonly admit: () => void
}

export function createPace(options: PaceOptions): Pace {
  const { concurrency, ratePerSecond, clock = SYSTEM_CLOCK } = options
  const capacity = Math.max(1, Math.floor(ratePerSecond))
  const queue: Waiter[] = []
  let running = 0
  let tokens = capacity
  let countedAt = clock.nowMs()
  let callOff: (() => void) | null = null

  const refill = (): void => {
    const now = clock.nowMs()
    tokens = Math.min(capacity, tokens + ((now - countedAt) / 1000) * ratePerSecond)
    countedAt = now
  }

  const pump = (): void => {
    refill()
    // a hair below one: time is counted in fractions, and a token must not be a rounding error late
    while (queue.length > 0 && running < concurrency && tokens >= 1 - 1e-9) {
      tokens -= 1
      running += 1
      queue.shift()!.admit()
    }
    callOff?.()
    callOff = null
    if (queue.length === 0 || running >= concurrency) return
    callOff = clock.after(Math.ceil(((1 - tokens) / ratePerSecond) * 1000), pump)
  }

  const leave = (): (() => void) => {
    let left = false
    return () => {
      if (left) return
      left = true
      running -= 1
      pump()
    }
  }

  return {
    enter: signal =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const waiter: Waiter = {
          admit: () => {
            signal.removeEventListener('abort', giveUp)
            resolve(leave())
          },
        }
        const giveUp = (): void => {
          queue.splice(queue.indexOf(waiter), 1)
          reject(signal.reason)
          pump()
        }
        signal.addEventListener('abort', giveUp, { once: true })
        queue.push(waiter)
        pump()
      }),
  }
}
