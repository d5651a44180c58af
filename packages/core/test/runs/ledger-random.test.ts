/**
 * Random scripts over random lives. What is looked for is what a script and its operator rely on: what was answered
 * as done stays done, what may have happened is never offered as to be done, and the counts add up.
 */

import { expect, test } from 'vitest'
import type { RunHistory } from '../../src/runs/journal/history.ts'
import { Run, type Told } from './ledger-run.ts'

const KEYS = ['a', 'b', 'c', 'd']
const LIVES = 5

const pick = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)]!

test('over random sequences and kills nothing done is offered again, and nothing uncertain is called done', async () => {
  const seen = new Set<string>()
  for (let round = 0; round < 150; round += 1) {
    const done = new Map<string, unknown>()
    let past: RunHistory | null = null
    for (let life = 0; life < LIVES; life += 1) {
      const one: Life = new Life(past, done, life)
      await one.live()
      past = one.run.history()
      one.compareWith(past)
      for (const what of one.seen) seen.add(what)
      expect(one.wrong).toEqual([])
    }
  }
  // The sequences came to everything that they are meant to.
  expect([...seen].sort()).toEqual(
    ['told ok', 'told skipped', 'told todo', 'told unknown', 'ended ok', 'ended failed', 'ended skipped']
      .concat('ended unknown', 'retried', 'verified')
      .sort(),
  )
})

class Life {
  readonly run: Run
  readonly wrong: string[] = []
  readonly seen = new Set<string>()
  readonly #past: RunHistory | null
  /** Values of what was ever answered as done. */
  readonly #done: Map<string, unknown>
  readonly #running = new Set<string>()
  readonly #name: number

  constructor(past: RunHistory | null, done: Map<string, unknown>, name: number) {
    this.run = new Run(past)
    this.#past = past
    this.#done = done
    this.#name = name
  }

  async live(): Promise<void> {
    const told = await this.run.each(KEYS)
    for (const [n, item] of told.entries()) this.#checkTold(KEYS[n]!, item)
    const steps = Math.random() * 30
    for (let step = 0; step < steps; step += 1) {
      const at = Math.floor(Math.random() * KEYS.length)
      const key = KEYS[at]!
      if (this.#running.has(key)) await this.#act(key, told[at]!.token, step)
      else await this.#start(key, told[at]!.token)
    }
    this.#checkCounts()
  }

  /** Its journal tells what its ledger knew; what was running is told by what it had changed. */
  compareWith(history: RunHistory): void {
    for (const [key, state] of Object.entries(this.run.states())) {
      const recorded = history.items.get(key)!.state
      if (!this.#running.has(key) && recorded !== state)
        this.wrong.push(`${key} is ${state}, recorded ${recorded}`)
    }
  }

  #checkTold(key: string, { state, value }: Told): void {
    this.seen.add(`told ${state}`)
    const isOpen = (this.#past?.items.get(key)?.open.length ?? 0) > 0
    if (this.#done.has(key)) {
      if (state !== 'ok' || value !== this.#done.get(key))
        this.wrong.push(`${key} was done, and is told as ${state}`)
    } else if (state === 'ok') this.wrong.push(`${key} was never done`)
    else if (isOpen && state !== 'unknown')
      this.wrong.push(`${key} may have happened, and is told as ${state}`)
  }

  async #start(key: string, token: string): Promise<void> {
    const before = this.run.states()[key]!
    const verified = pick([true, false, null])
    const { go, state } = await this.run.start(token, verified)
    if (go) {
      if (before === 'ok' || before === 'skipped') this.wrong.push(`${key} was ${before}, and is started`)
      if (before === 'unknown' && verified !== false) this.wrong.push(`${key} was unknown, and is started`)
      if (before === 'failed') this.seen.add('retried')
      this.#running.add(key)
    } else if (state === 'ok' && before === 'unknown') {
      if (verified !== true) this.wrong.push(`${key} was unknown, and is called done`)
      this.seen.add('verified')
      this.#done.set(key, null)
    }
  }

  async #act(key: string, token: string, step: number): Promise<void> {
    const act = pick(['mutate', 'mutate', 'unplanned', 'ok', 'ok', 'failed', 'failed'] as const)
    if (act === 'unplanned') this.run.ledger.unplanned(key)
    else if (act === 'mutate') {
      const outcome = pick(['ok', 'ok', 'failed', 'failed-definite', 'unknown', null] as const)
      this.run.mutate(key, `${this.#name}.${step}`, outcome)
    } else {
      const isSkipped = this.run.ledger.isSkipped(key)
      const { state, retryAfterMs } = await this.run.end(token, act, { value: step, retries: 1 })
      this.#running.delete(key)
      this.seen.add(`ended ${state}`)
      if ((state === 'skipped') !== isSkipped) this.wrong.push(`${key} ended ${state}`)
      if (retryAfterMs !== null && state !== 'failed') this.wrong.push(`${key} is tried again`)
      if (state === 'ok') this.#done.set(key, step)
    }
  }

  #checkCounts(): void {
    const { failures, total, ...counts } = this.run.ledger.counts({ planned: false })!
    const sum = Object.values(counts).reduce((all, n) => all + n)
    if (sum !== total || total !== KEYS.length) this.wrong.push(`${sum} of ${total} items`)
    const failed = failures.reduce((all, { count }) => all + count, 0)
    if (failed !== counts.failed) this.wrong.push(`${failed} of ${counts.failed} failures`)
  }
}
