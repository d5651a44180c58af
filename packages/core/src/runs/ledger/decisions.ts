/**
 * What a script decides once, for every run that goes on from this one, and the fallbacks that it declares.
 *
 * The first value of a name wins. Nobody is given a value that a crash could take back.
 */

import type { CallHandler } from '../../tools/channel.ts'
import { CallError } from '../../tools/protocol.ts'
import type { Journal } from '../journal.ts'
import type { RunHistory } from '../journal/history.ts'
import { recorded } from './recorded.ts'
import type { LedgerLimits } from './limits.ts'
import type { Spending } from './spending.ts'
import { parseArgv, parseName, parseValue } from './params.ts'

interface Decided {
  readonly text: string
  readonly durable: Promise<void>
}

export interface Decisions {
  readonly handlers: Readonly<Record<'once' | 'once.set' | 'may', CallHandler>>
  /** What was decided under that name, or is now. @throws {CallError} LIMIT_EXCEEDED | TOO_LARGE */
  decide(name: string, value: () => unknown): Promise<unknown>
  /** In the order in which they were declared, each once. */
  fallbacks(): readonly (readonly string[])[]
}

export interface DecisionsOptions {
  readonly journal: Pick<Journal, 'append' | 'commit'>
  readonly history: RunHistory | null
  readonly limits: LedgerLimits
  readonly spending: Spending
}

export function createDecisions({ journal, history, limits, spending }: DecisionsOptions): Decisions {
  const decided = new Map<string, Decided>()
  const fallbacks = new Map<string, readonly string[]>()
  for (const [name, value] of history?.once ?? []) {
    decided.set(name, { text: JSON.stringify(value), durable: Promise.resolve() })
  }
  const valueOf = async ({ text, durable }: Decided): Promise<unknown> => {
    await durable
    return JSON.parse(text) as unknown
  }
  const decide = (name: string, value: () => unknown): Promise<unknown> => {
    const known = decided.get(name)
    if (known !== undefined) return valueOf(known)
    const mine = record(name, value())
    decided.set(name, mine)
    return valueOf(mine)
  }
  const record = (name: string, value: unknown): Decided => {
    const text = parseValue(value, limits.maxOnceBytes) ?? 'null'
    if (decided.size >= limits.maxOnceNames) {
      throw new CallError('LIMIT_EXCEEDED', `a run decides at most ${limits.maxOnceNames} values`)
    }
    spending.spend(Buffer.byteLength(text))
    return { text, durable: recorded(journal.commit({ kind: 'once', name, value })) }
  }
  return {
    decide,
    handlers: {
      once: async params => {
        const name = parseName(params['name'], 'the name of a decision', limits.maxKeyChars)
        const known = decided.get(name)
        return known === undefined ? { known: false } : { known: true, value: await valueOf(known) }
      },
      'once.set': async params => {
        const name = parseName(params['name'], 'the name of a decision', limits.maxKeyChars)
        return { value: await decide(name, () => params['value'] ?? null) }
      },
      may: params => {
        const argv = parseArgv(params)
        const words = JSON.stringify(argv)
        if (fallbacks.has(words)) return null
        if (fallbacks.size >= limits.maxFallbacks) {
          throw new CallError('LIMIT_EXCEEDED', `a run declares at most ${limits.maxFallbacks} fallbacks`)
        }
        fallbacks.set(words, argv)
        journal.append({ kind: 'may', argv })
        return null
      },
    },
    fallbacks: () => [...fallbacks.values()],
  }
}
