/** Tells a client every few seconds how far a run is: its patience is renewed by each word (opencode's by no other). */

import type { RunProgress } from '@srecodex/core'
import { count, plural } from '../render/units.ts'
import type { Call } from './client.ts'
import type { LiveRun } from './live-runs.ts'
import { PROGRESS_INTERVAL_MS } from './limits.ts'
import { cut } from './words.ts'

/** The protocol wants each number above the last one, also where nothing has moved. */
const STILL = 0.001
/** A script may report thousands of times a second. */
const MIN_INTERVAL_MS = 500
const MAX_MESSAGE_CHARS = 200

/** @param read how far its items and calls are. */
export function startProgress(call: Call, run: LiveRun, read: () => Promise<RunProgress>): () => void {
  const { progress: say } = call
  if (say === null) return () => {}
  let [told, toldAt, shown] = [-STILL, 0, '']
  let isReading = false
  const tell = (next: Told): void => {
    const text = `${next.done}/${next.total}`
    const isNews = text !== shown
    if (performance.now() - toldAt < (isNews ? MIN_INTERVAL_MS : PROGRESS_INTERVAL_MS)) return
    told = next.done > told ? next.done : told + STILL
    ;[toldAt, shown] = [performance.now(), text]
    say(told, next.total === null || next.total < told ? null : next.total, next.message)
  }
  const tick = async (): Promise<void> => {
    if (isReading) return
    isReading = true
    try {
      tell(toldOf(run, await read()))
    } finally {
      isReading = false
    }
  }
  const timer = setInterval(() => void tick(), MIN_INTERVAL_MS)
  return () => clearInterval(timer)
}

interface Told {
  readonly done: number
  readonly total: number | null
  readonly message: string
}

function toldOf({ progress, startedAt }: LiveRun, { items, calls }: RunProgress): Told {
  const seconds = Math.round((Date.now() - startedAt) / 1000)
  const parts = [
    ...(items === null ? [] : [`${count(items.ended)} of ${plural(items.total, 'item')}`]),
    ...(items === null || items.failed === 0 ? [] : [`${count(items.failed)} failed`]),
    ...(calls.total === 0 ? [] : [plural(calls.total, 'call')]),
    `${seconds} s`,
  ]
  const note = progress === null ? '' : progress.note.replaceAll(/\p{C}/gu, ' ')
  const message = cut([...(note === '' ? [] : [note]), parts.join(', ')].join(': '), MAX_MESSAGE_CHARS)
  if (progress !== null) return { done: progress.done, total: progress.total, message }
  if (items !== null) return { done: items.ended, total: items.total, message }
  return { done: calls.total, total: null, message }
}
