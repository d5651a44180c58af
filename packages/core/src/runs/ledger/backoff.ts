/**
 * How long to wait before an item is tried again: exponential back-off with full jitter,
 * `random_between(0, min(cap, base * 2 ** attempt))`, so that items that failed together do not come back together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */

const BASE_MS = 500
const CAP_MS = 30_000

/**
 * @param attempt The one that failed, from 1.
 * @param random In [0, 1).
 */
export function retryDelayMs(attempt: number, random: () => number): number {
  return Math.floor(random() * Math.min(CAP_MS, BASE_MS * 2 ** (attempt - 1)))
}
