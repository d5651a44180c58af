/**
 * Numbers the distinct pieces of texts in the order of their first coming.
 *
 * A Map would need each piece as a string of its own first, which is most of the time of an index; this looks
 * at the characters where they are.
 */
export class RunTable {
  readonly #runs: string[] = []
  /** Open addressing: a number and one, or 0. */
  #slots = new Int32Array(2 ** 12)

  numberOf(text: string, from: number, to: number): number {
    const mask = this.#slots.length - 1
    let slot = hash(text, from, to) & mask
    for (let held = this.#slots[slot]!; held !== 0; held = this.#slots[slot]!) {
      if (isAt(this.#runs[held - 1]!, text, from, to)) return held - 1
      slot = (slot + 1) & mask
    }
    this.#runs.push(text.slice(from, to))
    this.#slots[slot] = this.#runs.length
    if (this.#runs.length * 2 > this.#slots.length) this.#grow()
    return this.#runs.length - 1
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    for (const [number, run] of this.#runs.entries()) {
      let slot = hash(run, 0, run.length) & (slots.length - 1)
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
      slots[slot] = number + 1
    }
    this.#slots = slots
  }
}

/** FNV-1a with a last mix, since only the low bits are used. */
function hash(text: string, from: number, to: number): number {
  let value = 0x811c9dc5
  for (let at = from; at < to; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  value ^= value >>> 15
  value = Math.imul(value, 0x2c1b3c6d)
  return (value ^ (value >>> 12)) >>> 0
}

function isAt(run: string, text: string, from: number, to: number): boolean {
  if (run.length !== to - from) return false
  for (let at = 0; at < run.length; at++) if (run.charCodeAt(at) !== text.charCodeAt(from + at)) return false
  return true
}
