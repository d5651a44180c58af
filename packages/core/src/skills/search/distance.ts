/**
 * How many slips of a finger lie between two words: a letter too many, missing, wrong, or two swapped
 * (Damerau-Levenshtein, optimal string alignment).
 *
 * @returns The distance, or `limit + 1` where it is larger than `limit`.
 */
export function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let older = new Uint16Array(b.length + 1)
  let old = Uint16Array.from({ length: b.length + 1 }, (_, at) => at)
  let now = new Uint16Array(b.length + 1)
  for (let i = 1; i <= a.length; i++) {
    now[0] = i
    let least = i
    for (let j = 1; j <= b.length; j++) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1)
      let cost = Math.min(old[j]! + 1, now[j - 1]! + 1, old[j - 1]! + (same ? 0 : 1))
      const swapped =
        i > 1 &&
        j > 1 &&
        a.charCodeAt(i - 1) === b.charCodeAt(j - 2) &&
        a.charCodeAt(i - 2) === b.charCodeAt(j - 1)
      if (swapped) cost = Math.min(cost, older[j - 2]! + 1)
      now[j] = cost
      if (cost < least) least = cost
    }
    if (least > limit) return limit + 1
    ;[older, old, now] = [old, now, older]
  }
  return Math.min(old[b.length]!, limit + 1)
}
