/**
 * Numbers the distinct pieces of texts in the order of their first coming.
 *
 * A Map would need each piece as a string of its own first, which is most of the time of an index; this looks
 * at the code units where they are.
 */
export class RunTable {
  /** The pieces one after another; piece n lies from `#starts[n]` to `#starts[n + 1]`. */
  #held = new Uint16Array(2 ** 16)
  readonly #starts: number[] = [0]
  /** Open addressing: a number and one, or 0. */
  #slots = new Int32Array(2 ** 12)

  numberOf(units: Uint16Array, from: number, to: number): number {
    const mask = this.#slots.length - 1
    let slot = hash(units, from, to) & mask
    for (let number = this.#slots[slot]!; number !== 0; number = this.#slots[slot]!) {
      if (this.#isAt(number - 1, units, from, to)) return number - 1
      slot = (slot + 1) & mask
    }
    this.#hold(units, from, to)
    const number = this.#starts.length - 1
    this.#slots[slot] = number
    if (number * 2 > this.#slots.length) this.#growSlots()
    return number - 1
  }

  #isAt(number: number, units: Uint16Array, from: number, to: number): boolean {
    const start = this.#starts[number]!
    if (this.#starts[number + 1]! - start !== to - from) return false
    for (let at = from; at < to; at++) if (this.#held[start + at - from] !== units[at]) return false
    return true
  }

  #hold(units: Uint16Array, from: number, to: number): void {
    const start = this.#starts.at(-1)!
    const end = start + to - from
    if (end > this.#held.length) {
      const held = new Uint16Array(Math.max(end, this.#held.length * 2))
      held.set(this.#held)
      this.#held = held
    }
    this.#held.set(units.subarray(from, to), start)
    this.#starts.push(end)
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    for (let number = 1; number < this.#starts.length; number++) {
      let slot = hash(this.#held, this.#starts[number - 1]!, this.#starts[number]!) & (slots.length - 1)
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
      slots[slot] = number
    }
    this.#slots = slots
  }
}

/** FNV-1a with a last mix, since only the low bits are used. */
function hash(units: Uint16Array, from: number, to: number): number {
  let value = 0x811c9dc5
  for (let at = from; at < to; at++) value = Math.imul(value ^ units[at]!, 0x01000193)
  value ^= value >>> 15
  value = Math.imul(value, 0x2c1b3c6d)
  return (value ^ (value >>> 12)) >>> 0
}
