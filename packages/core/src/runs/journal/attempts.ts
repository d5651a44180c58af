/**
 * The mutations of one identity, as the entries of a journal tell them. Equal calls cannot be told apart, so they
 * are a row: those that are done, then those that are open.
 *
 * The rules follow what the broker does, which answers what is done before it looks at what is open, and starts
 * anew only what is settled as not done:
 *  - a call that fails definitely leaves no trace: the next equal call takes its place;
 *  - a call that starts while an open one stands there, which is not in flight, stands for that one;
 *  - a merely planned call changes nothing, unless the state of the server settled that it is done.
 */

import { outcomeOf, type CallEntry, type MutationOutcome, type ResultEntry } from './entries.ts'

interface Attempt {
  readonly call: CallEntry
  result: ResultEntry | null
}

export class Attempts {
  #attempts: Attempt[] = []

  begin(call: CallEntry): Attempt {
    const attempt: Attempt = { call, result: null }
    if (call.carried !== true && !call.planned) this.#replaceOpen()
    if (!call.planned) this.#attempts.push(attempt)
    return attempt
  }

  end(attempt: Attempt, result: ResultEntry): void {
    attempt.result = result
    if (!attempt.call.planned || result.answered !== 'settled' || outcomeOf(result) !== 'ok') return
    // Where none is open any more, the one that it stands for was settled already.
    if (this.#replaceOpen()) this.#attempts.push(attempt)
  }

  /** What is done, then what is open; each in order. */
  row(): {
    readonly call: CallEntry
    readonly result: ResultEntry | null
    readonly outcome: MutationOutcome
  }[] {
    const all = this.#attempts.map(attempt => ({ ...attempt, outcome: outcomeOfAttempt(attempt) }))
    const done = all.filter(({ outcome }) => outcome === 'ok')
    const open = all.filter(({ outcome }) => outcome === 'failed' || outcome === 'unknown')
    return [...done, ...open]
  }

  /** This run's own come first, as with the broker. */
  #replaceOpen(): boolean {
    const isOpen = (attempt: Attempt): boolean => {
      const outcome = outcomeOfAttempt(attempt)
      return outcome === 'failed' || outcome === 'unknown'
    }
    const own = this.#attempts.findIndex(
      attempt => attempt.call.carried !== true && attempt.result !== null && isOpen(attempt),
    )
    const at =
      own === -1 ? this.#attempts.findIndex(attempt => attempt.call.carried === true && isOpen(attempt)) : own
    if (at !== -1) this.#attempts.splice(at, 1)
    return at !== -1
  }
}

function outcomeOfAttempt({ result }: Attempt): MutationOutcome {
  return result === null ? 'unknown' : outcomeOf(result)
}
