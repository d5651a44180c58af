import { expect, it } from 'vitest'
import { createPace, type Clock } from '../../../src/tools/programs/pace.ts'

/** A clock that stands still until it is told. */
function handClock(): Clock & { advance(ms: number): Promise<void> } {
  let now = 0
  let timers: { at: number; act: () => void }[] = []
  return {
    nowMs: () => now,
    after: (delayMs, act) => {
      const timer = { at: now + delayMs, act }
      timers.push(timer)
      return () => {
        timers = timers.filter(one => one !== timer)
      }
    },
    advance: async ms => {
      const end = now + ms
      await settled()
      for (;;) {
        const next = timers.filter(timer => timer.at <= end).sort((one, other) => one.at - other.at)[0]
        if (next === undefined) break
        now = next.at
        timers = timers.filter(one => one !== next)
        next.act()
        await settled()
      }
      now = end
    },
  }
}

/** Whoever was admitted has gone on. */
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const NEVER = new AbortController().signal

function entries(options: { concurrency: number; ratePerSecond: number }, count: number) {
  const clock = handClock()
  const pace = createPace({ ...options, clock })
  const started: { readonly number: number; readonly atMs: number }[] = []
  const leaves: (() => void)[] = []
  for (let number = 0; number < count; number += 1) {
    void pace.enter(NEVER).then(leave => {
      started.push({ number, atMs: clock.nowMs() })
      leaves.push(leave)
    })
  }
  return { clock, pace, started, leaves }
}

it('lets so many in at one time, first come first served', async () => {
  const { clock, started, leaves } = entries({ concurrency: 2, ratePerSecond: 1000 }, 4)
  await clock.advance(0)
  expect(started.map(one => one.number)).toEqual([0, 1])
  leaves[0]!()
  await clock.advance(0)
  expect(started.map(one => one.number)).toEqual([0, 1, 2])
  leaves[1]!()
  leaves[1]!() // twice is once
  await clock.advance(0)
  expect(started.map(one => one.number)).toEqual([0, 1, 2, 3])
})

it('starts one second of calls at once, and the rest as the rate says', async () => {
  const { clock, started } = entries({ concurrency: 100, ratePerSecond: 4 }, 7)
  await clock.advance(0)
  expect(started.map(one => one.atMs)).toEqual([0, 0, 0, 0])
  await clock.advance(1000)
  expect(started.map(one => one.atMs)).toEqual([0, 0, 0, 0, 250, 500, 750])
})

it('lets one call through and then waits, where the rate is less than one a second', async () => {
  const { clock, started } = entries({ concurrency: 10, ratePerSecond: 1 / 60 }, 2)
  await clock.advance(59_000)
  expect(started.map(one => one.atMs)).toEqual([0])
  await clock.advance(2000)
  expect(started.map(one => one.number)).toEqual([0, 1])
  expect(started[1]!.atMs).toBeGreaterThanOrEqual(59_999)
})

it('saves up no more than a second of calls while nothing is called', async () => {
  const clock = handClock()
  const pace = createPace({ concurrency: 100, ratePerSecond: 2, clock })
  await clock.advance(60_000)
  const started: number[] = []
  for (let number = 0; number < 4; number += 1) void pace.enter(NEVER).then(() => started.push(clock.nowMs()))
  await clock.advance(1000)
  expect(started).toEqual([60_000, 60_000, 60_500, 61_000])
})

it('forgets who gave up waiting, and uses no turn for it', async () => {
  const clock = handClock()
  const pace = createPace({ concurrency: 1, ratePerSecond: 1000, clock })
  const leave = await pace.enter(NEVER)
  const given = new AbortController()
  const gaveUp = pace.enter(given.signal)
  let third = false
  void pace.enter(NEVER).then(() => {
    third = true
  })
  given.abort(new Error('hung up'))
  await expect(gaveUp).rejects.toThrow('hung up')
  expect(third).toBe(false)
  leave()
  await clock.advance(0)
  expect(third).toBe(true)
})

it('admits nobody whose signal is aborted already', async () => {
  const pace = createPace({ concurrency: 1, ratePerSecond: 1000, clock: handClock() })
  await expect(pace.enter(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
})
