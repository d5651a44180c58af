/** The host's side of items, decisions, skills and tools, as a test needs it: it answers by rule and remembers. */

import type { CallHandler } from '../../src/tools/channel.ts'
import { CallError, type CallParams } from '../../src/tools/protocol.ts'

export interface LedgerRules {
  /** What an earlier run left, by key. @default todo */
  readonly known?: Readonly<Record<string, { readonly state: string; readonly value?: unknown }>>
  /** Items that are not in the plan. */
  readonly skipped?: readonly string[]
  /** Pauses that are granted, one for each failed attempt of any item. */
  readonly pausesMs?: readonly number[]
  /** The host's last word on an item that ended. */
  readonly overrules?: Readonly<Record<string, string>>
}

export interface LedgerHost {
  readonly handlers: Readonly<Record<string, CallHandler>>
  /** Every call, as `method` and params, tokens replaced by keys. */
  readonly calls: (readonly [method: string, params: Record<string, unknown>])[]
  readonly of: (method: string) => Record<string, unknown>[]
  readonly keyOf: (token: unknown) => string
}

/** A token that would break out of quotes, if something did not quote it. */
const tokenOf = (each: number, key: string): string => `t${each}'"$(x)\\ ${key}`

export function ledgerHost(rules: LedgerRules = {}): LedgerHost {
  const calls: LedgerHost['calls'] = []
  const keys = new Map<string, string>()
  const decided = new Map<string, unknown>()
  const pauses = [...(rules.pausesMs ?? [])]
  let opened = 0
  const keyOf = (token: unknown): string => {
    const key = keys.get(String(token))
    if (key === undefined) throw new CallError('INVALID_PARAMS', `there is no item ${String(token)}`)
    return key
  }
  const start = ({ token, verified }: CallParams): unknown => {
    const key = keyOf(token)
    if (rules.skipped?.includes(key)) return { go: false, state: 'skipped', why: 'it is not in the plan' }
    if (rules.known?.[key]?.state !== 'unknown' || verified === false) return { go: true }
    if (verified === true) return { go: false, state: 'ok', why: 'verified' }
    return { go: false, state: 'unknown', why: 'nobody can say' }
  }
  const answers: Record<string, (params: CallParams) => unknown> = {
    'each.open': () => ({ each: (opened += 1) }),
    'each.add': ({ each, keys: added }) => {
      if (!Array.isArray(added) || added.length > 2000) throw new CallError('INVALID_PARAMS', 'keys')
      const items = added.map((key: string) => {
        const token = tokenOf(Number(each), key)
        if (keys.has(token)) throw new CallError('INVALID_PARAMS', `the key ${key} is given twice`)
        keys.set(token, key)
        const { state = 'todo', value = null } = rules.known?.[key] ?? {}
        return { token, state, value }
      })
      return { items }
    },
    'item.start': start,
    'item.end': ({ token, outcome, retries }) => {
      const overruled = rules.overrules?.[keyOf(token)]
      const pause = outcome === 'failed' && Number(retries) > 0 ? (pauses.shift() ?? null) : null
      return { state: overruled ?? outcome, retryAfterMs: pause }
    },
    once: ({ name }) =>
      decided.has(String(name)) ? { known: true, value: decided.get(String(name)) } : { known: false },
    'once.set': ({ name, value }) => {
      if (!decided.has(String(name))) decided.set(String(name), value)
      return { value: decided.get(String(name)) }
    },
    may: () => null,
  }
  const handlers = Object.fromEntries(
    Object.entries(answers).map(([method, answer]) => {
      const handler: CallHandler = params => {
        const shown: Record<string, unknown> = { ...params }
        if (typeof params['token'] === 'string') shown['token'] = keyOf(params['token'])
        calls.push([method, shown])
        return answer(params)
      }
      return [method, handler]
    }),
  )
  return {
    handlers,
    calls,
    keyOf,
    of: method => calls.filter(([name]) => name === method).map(([, params]) => params),
  }
}
