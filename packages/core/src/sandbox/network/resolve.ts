/** Names to addresses as every program of the host resolves them: hosts file, name service, DNS. */

import { lookup } from 'node:dns/promises'
import type { Lookup } from './dial.ts'

/**
 * A lookup cannot be called back, and Node gives the process two threads for all of them. A script that asks
 * for names whose server never answers keeps this many waiting and no more; the rest wait here, where the end
 * of the run forgets them.
 */
const MAX_LOOKUPS = 2

export function systemLookup(closing: AbortSignal): Lookup {
  const waiting: (() => void)[] = []
  let running = 0
  return async name => {
    if (running < MAX_LOOKUPS) running += 1
    else await new Promise<void>(resolve => void waiting.push(resolve))
    try {
      closing.throwIfAborted()
      const answers = await lookup(name, { all: true, order: 'verbatim' })
      return answers.map(answer => answer.address)
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
