/** `srecodex runs show` and `watch`: one run, with its plan, its items and, if asked, its calls. */

import {
  homes,
  isOpen,
  openProgress,
  readRunHistory,
  readTimeline,
  showRun,
  watchRun,
  type RunProgress,
  type RunRecord,
  type ShownHistory,
} from '@srecodex/core'
import { exitCodeOfReport } from '../exit-codes.ts'
import { startProgress, type ProgressLine } from '../render/progress.ts'
import { renderRun } from '../render/report.ts'
import { timelineHead, timelineLine } from '../render/timeline.ts'
import { age, plural } from '../render/units.ts'
import type { Terminal } from '../terminal.ts'
import { summaryOf } from './runs.ts'

interface ShowFlags {
  readonly calls?: boolean
  readonly json?: boolean
}

export async function show(terminal: Terminal, run: string, flags: ShowFlags): Promise<number> {
  const state = homes(terminal.env).state
  const record = await showRun(state, run)
  const history = await readRunHistory(state, record, terminal.env)
  if (flags.json) await printJson(record, history, flags, terminal)
  else {
    terminal.out(renderRun(record, history, terminal))
    if (flags.calls) await printCalls(record, terminal)
  }
  return 0
}

const WRITE_CHARS = 64 * 1024

async function printJson(
  record: RunRecord,
  history: ShownHistory,
  flags: ShowFlags,
  terminal: Terminal,
): Promise<void> {
  const text = JSON.stringify(detailed(record, history))
  if (!flags.calls) return terminal.out(`${text}\n`)
  let held = `${text.slice(0, -1)},"timeline":[`
  let separator = ''
  for await (const entry of timeline(record, terminal)) {
    held += `${separator}${JSON.stringify(entry)}`
    separator = ','
    if (held.length < WRITE_CHARS) continue
    terminal.out(held)
    held = ''
  }
  terminal.out(`${held}]}\n`)
}

async function printCalls(record: RunRecord, terminal: Terminal): Promise<void> {
  let held = `\n${timelineHead(terminal)}`
  let lines = 0
  for await (const entry of timeline(record, terminal)) {
    held += timelineLine(entry, isOpen(record), terminal)
    lines += 1
    if (held.length < WRITE_CHARS) continue
    terminal.out(held)
    held = ''
  }
  terminal.out(lines === 0 ? '\nno calls\n' : held)
}

function timeline(record: RunRecord, terminal: Terminal): ReturnType<typeof readTimeline> {
  return readTimeline(homes(terminal.env).state, record.id, { callerEnvironment: terminal.env })
}

function detailed(
  record: RunRecord,
  { args, approvals, continuedBy }: ShownHistory,
): Record<string, unknown> {
  return { ...summaryOf(record), args, approvals, continuedBy }
}

/** How often a journal is looked at. */
const LOOK_MS = 250

/** Ends as the run does, so that whoever started one in the background can wait for it here. */
export async function watch(
  terminal: Terminal,
  run: string,
  flags: { readonly json?: boolean },
): Promise<number> {
  const state = homes(terminal.env).state
  let following: { stop(): Promise<void> } | null = null
  let last: RunRecord | null = null
  try {
    for await (const record of watchRun(state, run)) {
      last = record
      if (isOpen(record)) following ??= follow(record, terminal)
    }
  } finally {
    await following?.stop()
  }
  if (last === null) return 0
  const history = await readRunHistory(state, last, terminal.env)
  terminal.out(
    flags.json ? `${JSON.stringify(detailed(last, history))}\n` : renderRun(last, history, terminal),
  )
  return exitCodeOfReport(last.report)
}

/** Draws what the journal says so far. Where nobody looks at it, it is not read. */
function follow(record: RunRecord, terminal: Terminal): { stop(): Promise<void> } {
  const name = `${record.report.script.name}, started ${age(new Date(record.startedAt), new Date())}`
  const line = startProgress(terminal, name)
  if (!terminal.isInteractive) return { stop: async () => line.stop() }
  const reader = openProgress(homes(terminal.env).state, record.id)
  let looking: Promise<void> | null = null
  const look = (): void => {
    looking ??= reader
      .read()
      .then(progress => draw(line, name, progress))
      .catch(() => {}) // what cannot be read now is read the next time
      .finally(() => (looking = null))
  }
  look()
  const timer = setInterval(look, LOOK_MS)
  return {
    stop: async () => {
      clearInterval(timer)
      await looking
      line.stop()
    },
  }
}

function draw(line: ProgressLine, name: string, { items, calls }: RunProgress): void {
  const called = [
    plural(calls.total, 'call'),
    ...(calls.mutations > 0 ? [plural(calls.mutations, 'change')] : []),
    ...(calls.open > 0 ? [`${calls.open} open`] : []),
  ].join(', ')
  if (items === null) return calls.total === 0 ? undefined : line.say(`${name}: ${called}`)
  const failed = items.failed > 0 ? `${items.failed} failed, ` : ''
  const unknown = items.unknown > 0 ? `${items.unknown} unknown, ` : ''
  line.update(items.ended, items.total, `${failed}${unknown}${called}`)
}
