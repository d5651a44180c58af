/**
 * What is known of mutations that were begun before: by the run that this one goes on from, or by this run itself
 * where an answer was lost.
 */

import type { OpenMutation, PastMutation, PastMutations } from './record.ts'

export class Attempts {
  readonly #past: PastMutations
  readonly #unsettled = new Map<string, OpenMutation[]>()

  constructor(past: PastMutations) {
    this.#past = past
  }

  /** The next one of that identity; null: there was none, it is new. */
  take(identity: string): PastMutation | null {
    const mutation = this.#unsettled.get(identity)?.shift()
    return mutation === undefined ? this.#past.take(identity) : { kind: 'unknown', mutation }
  }

  /** How many are not known at the end; what belongs to an item is told by the item. */
  unknownLeft(): number {
    const own = [...this.#unsettled.values()].flat().filter(({ item }) => item === null)
    return own.length + this.#past.unknownLeft()
  }

  /** Its outcome is not known (yet): whoever asks for it again settles it first. */
  leaveOpen(identity: string, mutation: OpenMutation): void {
    const open = this.#unsettled.get(identity)
    if (open === undefined) this.#unsettled.set(identity, [mutation])
    else open.push(mutation)
  }
}
