/**
 * `each`: work on many items at once, with a record of each that outlives this process.
 *
 * Promises: an item that is done is not done again; one whose outcome is not known is verified before anything is
 * done to it, or left alone; past the failures that are allowed nothing new starts. What the host says of an item
 * counts over what the function said. When the host is gone nothing new starts, and `each` rejects once the items
 * under way have come to their end.
 */
'use strict'

const { markChildren } = require('./children.cjs')
const { keyed, resolveOptions, toleranceOf, wavesOf } = require('./each-options.cjs')
const { EachResult } = require('./each-result.cjs')
const { Skipped, SrecodexError } = require('./errors.cjs')
const { runFor } = require('./item.cjs')
const { openLedger, ownLedger } = require('./ledger.cjs')
const { outside } = require('./line.cjs')
const { failureOf, recordable } = require('./outcome.cjs')

const FINAL = new Set(['ok', 'failed', 'unknown', 'skipped', 'pending'])

async function each(items, fn, options = {}) {
  const resolved = resolveOptions(fn, options)
  const entries = await keyed(items, resolved.key)
  if (!outside()) markChildren()
  const ledger = outside() ? ownLedger() : await openLedger()
  const known = await ledger.add(entries.map(({ key }) => key))
  for (const [at, entry] of entries.entries()) Object.assign(entry, known[at], { error: null })
  return new Work(entries, fn, resolved, ledger).run()
}

class Work {
  constructor(entries, fn, { atOnce, waves, maxFailures, retries, verify }, ledger) {
    this.entries = entries
    this.fn = fn
    this.atOnce = atOnce
    this.retries = retries
    // A wave is there to be stopped after: whoever asks for waves and says no more gets that.
    this.tolerance = toleranceOf(maxFailures ?? (waves === undefined ? undefined : 0), entries.length)
    this.ledger = ledger
    this.planning = process.env.SRECODEX_PHASE === 'plan'
    this.verify = verify
    /** In planning nothing is done that could be verified, or waited for. */
    this.verifies = verify !== undefined && !this.planning
    const todo = entries.filter(({ state }) => state !== 'ok' && state !== 'skipped')
    this.waves = wavesOf(todo, this.planning ? undefined : waves, entries.length)
    /** The one under way, from 1; undefined where none were asked for. */
    this.wave = undefined
    this.hasWaves = waves !== undefined && !this.planning
    this.failures = 0
    /** Why the ledger can be kept no longer. */
    this.fault = null
    this.stopped = new Promise(resolve => (this.stop = resolve))
    this.stopping = false
  }

  async run() {
    for (const [at, wave] of this.waves.entries()) {
      if (this.hasWaves) this.wave = at + 1
      const toVerify = []
      await this.inTurns(wave, async entry => {
        if (!this.stopping) await this.work(entry, toVerify)
      })
      await this.inTurns(toVerify, entry => this.judge(entry))
    }
    if (this.fault !== null) throw this.fault
    for (const entry of this.entries) {
      if (!FINAL.has(entry.state)) entry.state = 'pending'
      else if (entry.state === 'unknown') entry.error ??= unknown('it was started before, and nobody looked')
    }
    return new EachResult(this.entries)
  }

  async inTurns(entries, act) {
    let next = 0
    const turn = async () => {
      while (next < entries.length && this.fault === null) {
        const entry = entries[next]
        next += 1
        try {
          await act(entry)
        } catch (error) {
          this.fault ??= error
          this.halt()
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(this.atOnce, entries.length) }, turn))
  }

  async work(entry, toVerify) {
    const verdict = entry.state === 'unknown' ? await this.verdictOn(entry) : undefined
    let going = await this.mayStart(entry, verdict)
    for (let left = this.retries; going; left -= 1) {
      const attempt = await attemptAt(entry, this.fn)
      if (attempt.outcome === 'ok' && this.verifies) {
        entry.value = attempt.value
        toVerify.push(entry)
        return
      }
      const retryAfterMs = await this.end(entry, attempt, left)
      if (retryAfterMs === null) return
      if (!(await this.pausedFor(retryAfterMs))) {
        this.settle(entry, attempt.outcome, attempt)
        return
      }
      going = await this.mayStart(entry)
    }
  }

  /** Of an item whose wave has ended. Where that stays open the ledger is told nothing: it was started, no more. */
  async judge(entry) {
    const verdict = await this.verdictOn(entry)
    if (verdict === null) {
      const error = entry.error ?? unknown('verify cannot tell whether it is done')
      await this.end(entry, { outcome: 'unknown', error }, 0)
    } else if (verdict) {
      await this.end(entry, { outcome: 'ok', value: entry.value, error: null }, 0)
    } else {
      const error = new SrecodexError('not verified', 'verify says that it is not done')
      await this.end(entry, { outcome: 'failed', error }, 0)
    }
  }

  /** Undefined: nobody is asked, since in planning nothing is verified. */
  async verdictOn(entry) {
    if (this.planning) return undefined
    if (this.verify === undefined) return null
    try {
      const verdict = (await runFor(entry.token, this.verify, entry.item)) ?? null
      if (verdict === null || typeof verdict === 'boolean') return verdict
      throw new SrecodexError('INVALID_PARAMS', 'verify gives true, false or null')
    } catch (error) {
      entry.error = error
      return null
    }
  }

  async mayStart(entry, verdict) {
    let answer
    try {
      answer = await this.ledger.start(entry.token, verdict, this.wave)
    } catch (error) {
      if (!(error instanceof Skipped)) throw error
      answer = { go: false, state: 'skipped', why: error.message }
    }
    if (answer.go) {
      entry.error = null
      return true
    }
    const { state, why } = answer
    const error = state === 'ok' ? null : (entry.error ?? reasonFor(state, why))
    this.settle(entry, state, { error })
    return false
  }

  /** @returns After how long to try again; null: that was the last attempt, and the entry is settled. */
  async end(entry, attempt, retries) {
    const { outcome, value, error } = attempt
    const words = outcome === 'ok' ? recordable(value) : failureOf(error)
    const answer = await this.ledger.end(entry.token, { outcome, retries, ...words })
    if (retries > 0 && typeof answer.retryAfterMs === 'number') return answer.retryAfterMs
    const state = FINAL.has(answer.state) ? answer.state : outcome
    this.settle(entry, state, { value, error: error ?? (state === 'ok' ? null : reasonFor(state)) })
    return null
  }

  settle(entry, state, { value = null, error = null }) {
    entry.state = state
    entry.error = error
    entry.value = state === 'ok' ? value : null
    if (state === 'failed' || state === 'unknown') this.failures += 1
    if (this.failures > this.tolerance) this.halt()
  }

  halt() {
    this.stopping = true
    this.stop()
  }

  /** @returns False where it is not to go on: nothing new starts. In planning nobody waits. */
  async pausedFor(pauseMs) {
    if (!this.planning && !this.stopping) {
      await new Promise(resolve => {
        const timer = setTimeout(resolve, pauseMs)
        void this.stopped.then(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
    return !this.stopping
  }
}

async function attemptAt({ token, item }, fn) {
  try {
    return { outcome: 'ok', value: await runFor(token, fn, item), error: null }
  } catch (error) {
    return { outcome: 'failed', error: error ?? new Error(`${error} was thrown`) }
  }
}

/** The host knows more of an item than its function does. */
function reasonFor(state, why) {
  return state === 'unknown'
    ? unknown(why ?? 'something that it started has no certain result')
    : new Skipped('SKIPPED', why ?? 'a call of it is not in the approved plan')
}

function unknown(why) {
  return new SrecodexError('UNKNOWN', why)
}

module.exports = { each }
