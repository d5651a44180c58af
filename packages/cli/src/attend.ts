/** A run that somebody waits for: progress while it goes, Ctrl-C, questions, and what is said at its end. */

import { createInterface } from 'node:readline/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  applyPlan,
  showPlan,
  type ApplyOptions,
  type Plan,
  type RunEvent,
  type RunReport,
} from '@srecodex/core'
import { loadConfig } from './config.ts'
import { exitCodeOfReport } from './exit-codes.ts'
import { renderPlan } from './render/plan.ts'
import { startProgress, type ProgressLine } from './render/progress.ts'
import { renderEnding } from './render/report.ts'
import type { Terminal } from './terminal.ts'

export interface AttendFlags {
  readonly json?: boolean
  /** False: never ask. */
  readonly input?: boolean
  /** Where nobody has to be asked. */
  readonly yes?: boolean
}

/** What a run is started with, so that whoever waits for it hears of it. */
export interface Attended {
  readonly callerEnvironment: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly onEvent: (event: RunEvent) => void
  readonly approveDrift?: (plan: Plan) => Promise<boolean>
}

export async function attend(
  terminal: Terminal,
  name: string,
  flags: AttendFlags,
  start: (attended: Attended) => Promise<RunReport>,
): Promise<RunReport> {
  const cancel = new AbortController()
  const shown: { progress: ProgressLine } = { progress: startProgress(terminal, name) }
  const onSignal = (): void => {
    shown.progress.say('stopping')
    cancel.abort()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, onSignal)
  const approveDrift = async (plan: Plan): Promise<boolean> => {
    shown.progress.stop()
    terminal.err('\nThe script wants a change that its plan does not list:\n\n')
    const approved = await ask(terminal, plan, 'Make it, and go on?', cancel.signal)
    shown.progress = startProgress(terminal, name)
    return approved
  }
  try {
    return await start({
      callerEnvironment: terminal.env,
      signal: cancel.signal,
      onEvent: event => {
        if (event.kind !== 'progress') return
        const { done, total, note } = event.progress
        shown.progress.update(done, total, note)
      },
      ...(mayAsk(terminal, flags) ? { approveDrift } : {}),
    })
  } finally {
    shown.progress.stop()
    for (const signal of signals) process.off(signal, onSignal)
  }
}

/** Goes on from a report that waits for approval, where somebody is there to give it, and tells how it all ended. */
export async function conclude(
  terminal: Terminal,
  name: string,
  flags: AttendFlags,
  report: RunReport,
): Promise<number> {
  if (report.status !== 'planned') return tell(terminal, flags, report)
  const plan = await showPlan(report.run, terminal.env)
  if (flags.yes !== true && !mayAsk(terminal, flags)) {
    if (!flags.json) terminal.err(`${await planText(terminal, plan)}\n`)
    return tell(terminal, flags, report)
  }
  if (flags.yes !== true && !(await ask(terminal, plan, 'Apply it?'))) return tell(terminal, flags, report)
  const how = flags.yes === true ? 'command' : 'terminal'
  return tell(terminal, flags, await applyAttended(terminal, name, flags, report.run, { how }))
}

export function applyAttended(
  terminal: Terminal,
  name: string,
  flags: AttendFlags,
  run: string,
  approval: Pick<ApplyOptions, 'how' | 'reason'>,
): Promise<RunReport> {
  return attend(terminal, name, flags, attended => applyPlan(run, { ...attended, ...approval }))
}

/** The summary on stdout, everything else on stderr. */
export function tell(terminal: Terminal, flags: AttendFlags, report: RunReport): number {
  if (flags.json) terminal.out(`${JSON.stringify(report)}\n`)
  else {
    if (report.summary !== '') terminal.out(`${report.summary}\n`)
    terminal.err(renderEnding(report, terminal))
  }
  return exitCodeOfReport(report)
}

export function mayAsk(terminal: Terminal, flags: AttendFlags): boolean {
  return flags.input !== false && process.stdin.isTTY && terminal.isInteractive
}

const FORGET_MS = 50
const CTRL_C = '\u0003'

/** What was typed before the plan stood there is no answer to it; raw, since half a line waits in the terminal too. */
async function forgetTyped(): Promise<void> {
  const { stdin } = process
  const onData = (typed: Buffer): void => {
    if (typed.includes(CTRL_C)) process.kill(process.pid, 'SIGINT')
  }
  stdin.setRawMode(true)
  stdin.on('data', onData)
  await sleep(FORGET_MS)
  stdin.off('data', onData)
  stdin.pause()
  stdin.setRawMode(false)
}

async function planText(terminal: Terminal, plan: Plan): Promise<string> {
  const { config } = await loadConfig({ workspace: plan.bound.workspace, env: terminal.env })
  return renderPlan(plan, config.limits.maxMutations, terminal)
}

/** Shows a plan and asks once. An end of input, or Ctrl-C, is a no. */
export async function ask(
  terminal: Terminal,
  plan: Plan,
  question: string,
  signal?: AbortSignal,
): Promise<boolean> {
  terminal.err(`${await planText(terminal, plan)}\n`)
  return confirm(terminal, question, signal)
}

/** Asks once about what stands on the terminal. */
export async function confirm(terminal: Terminal, question: string, signal?: AbortSignal): Promise<boolean> {
  const answer = await answerTo(terminal, `${question} [y/N] `, signal)
  return /^y(es)?$/i.test(answer)
}

/** What is typed, without white space around it; nothing where input ends, or Ctrl-C comes. */
export async function answerTo(terminal: Terminal, question: string, signal?: AbortSignal): Promise<string> {
  await forgetTyped()
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const closed = new AbortController()
  lines.once('close', () => closed.abort())
  lines.once('SIGINT', () => lines.close())
  try {
    const answer = await lines.question(question, {
      signal: signal === undefined ? closed.signal : AbortSignal.any([closed.signal, signal]),
    })
    return answer.trim()
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') {
      terminal.err('\n')
      return ''
    }
    throw error
  } finally {
    lines.close()
  }
}
