/** `srecodex doctor`: what this machine has, what it lacks, and how to get it. */

import {
  diagnose,
  homes,
  loadConfig,
  planRepair,
  repair,
  SrecodexError,
  type Check,
  type Problem,
} from '@srecodex/core'
import { renderPlace } from '../render/error.ts'
import { paint, type Terminal } from '../terminal.ts'

interface DoctorFlags {
  readonly fix?: boolean
  readonly json?: boolean
}

const MARKS = { ok: '✔', warn: '!', fail: '✘' } as const
const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const

export async function doctor(terminal: Terminal, flags: DoctorFlags): Promise<number> {
  let checks = await check(terminal)
  if (flags.fix) {
    const mended = await fix(checks, terminal)
    if (mended) checks = await check(terminal)
  }
  const failed = checks.some(({ state }) => state === 'fail')
  if (flags.json) {
    terminal.out(`${JSON.stringify({ ok: !failed, checks, repair: planRepair(checks) })}\n`)
    return failed ? 1 : 0
  }
  for (const { id, state, found, hint } of checks) {
    terminal.out(`${paint.out(COLOURS[state], MARKS[state])} ${id.padEnd(11)} ${found}\n`)
    if (hint !== null) terminal.out(`              ${paint.out('dim', hint)}\n`)
  }
  if (failed && !flags.fix) {
    const plan = planRepair(checks)
    if (plan !== null) terminal.err(`\nhint: srecodex doctor --fix, or by hand: ${commandText(plan.commands)}\n`)
  }
  return failed ? 1 : 0
}

async function check(terminal: Terminal): Promise<Check[]> {
  const home = homes(terminal.env)
  const checks = await diagnose({ environment: terminal.env, cacheFolder: home.cache, stateFolder: home.state })
  return [...checks, await checkConfig(terminal)]
}

async function checkConfig(terminal: Terminal): Promise<Check> {
  const base = { id: 'config', missingPackage: null }
  try {
    const { files, notices } = await loadConfig({ workspace: terminal.cwd, env: terminal.env })
    const read = files.filter(({ state }) => state !== 'absent').map(({ path }) => path)
    const found = read.length === 0 ? 'defaults' : read.join(', ')
    return notices.length === 0
      ? { ...base, state: 'ok', found, hint: null }
      : { ...base, state: 'warn', found, hint: notices.map(({ message }) => message).join('; ') }
  } catch (error) {
    if (!(error instanceof SrecodexError)) throw error
    const problems = (error.details.problems ?? []) as readonly Problem[]
    const found = problems.map(({ message, at }) => `${message}${at === undefined ? '' : ` (${renderPlace(at)})`}`)
    return { ...base, state: 'fail', found: found.join('; ') || error.message, hint: error.hint }
  }
}

/** Says what it will install before it does. @returns whether anything was installed. */
async function fix(checks: readonly Check[], terminal: Terminal): Promise<boolean> {
  const plan = planRepair(checks)
  if (plan === null) return false
  if (!plan.allowed) {
    terminal.err(`srecodex may not install ${plan.packages.join(' and ')} here; run this, then doctor again:\n\n`)
    terminal.err(`  ${commandText(plan.commands)}\n\n`)
    return false
  }
  terminal.err(`installing ${plan.packages.join(' and ')}: ${commandText(plan.commands)}\n`)
  let printed = ''
  const code = await repair(plan, text => (printed = (printed + text).slice(-4000)))
  if (code !== 0) terminal.err(`${printed}\nthe package manager exited with ${code}\n`)
  return code === 0
}

function commandText(commands: readonly (readonly string[])[]): string {
  return commands.map(command => command.join(' ').replace(/^sudo -n /, 'sudo ')).join(' && ')
}
