/**
 * What is known of mutations that were begun before: by the run that this one goes on from, or by this run itself
 * where an answer was lost.
 */

import type { OpenMutation, PastMutation, PastMutations } from './record.ts'

export class Attempts {
  readonly #past: PastMutations
  readonly #own = new Map<string, PastMutation[]>()

  constructor(past: PastMutations) {
    this.#past = past
  }

  /** The next one of that identity; null: there was none, it is new. */
  take(identity: string): PastMutation | null {
    return this.#own.get(identity)?.shift() ?? this.#past.take(identity)
  }

  /** How many are not known at the end; what belongs to an item is told by the item. */
  unknownLeft(): number {
    const own = [...this.#own.values()].flat()
    const open = own.filter(past => past.kind === 'unknown' && past.mutation.item === null)
    return open.length + this.#past.unknownLeft()
  }

  /** Its outcome is not known (yet): whoever asks for it again settles it first. */
  leaveOpen(identity: string, mutation: OpenMutation): void {
    this.#leave(identity, { kind: 'unknown', mutation })
  }

  /** It happened, though its caller was told that it failed: whoever asks for it again is told that it is done. */
  leaveDone(identity: string): void {
    const nothing = { bytes: 0, kept: Buffer.alloc(0) }
    this.#leave(identity, { kind: 'finished', stdout: nothing, stderr: nothing })
  }

  #leave(identity: string, past: PastMutation): void {
    const own = this.#own.get(identity)
    if (own === undefined) this.#own.set(identity, [past])
    else own.push(past)
  }
}
