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
import { renderHint, renderPlace } from '../render/error.ts'
import { wrap } from '../render/layout.ts'
import { shownPath } from '../render/path.ts'
import { startProgress } from '../render/progress.ts'
import { plural } from '../render/units.ts'
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
  terminal.out(checks.map(one => renderCheck(one, terminal)).join(''))
  terminal.err(flags.fix ? '' : renderVerdict(checks))
  return failed ? 1 : 0
}

const LABEL_COLUMNS = 14

function renderCheck({ id, state, found, hint }: Check, terminal: Terminal): string {
  const room = terminal.outColumns - LABEL_COLUMNS
  const lines = [
    ...wrap(found.startsWith('/') ? shownPath(found, terminal) : found, room),
    ...(hint === null ? [] : wrap(hint, room).map(line => paint.out('dim', line))),
  ]
  return lines
    .map((line, index) => {
      const label =
        index === 0
          ? `${paint.out(COLOURS[state], MARKS[state])} ${id.padEnd(LABEL_COLUMNS - 2)}`
          : ' '.repeat(LABEL_COLUMNS)
      return `${label}${line}\n`
    })
    .join('')
}

/** Nothing where all is well: what was found says so. */
function renderVerdict(checks: readonly Check[]): string {
  const failed = checks.filter(({ state }) => state === 'fail')
  if (failed.length === 0) return ''
  const names = failed.map(({ id }) => id).join(', ')
  const plan = planRepair(checks)
  const hint =
    plan === null ? '' : renderHint(`srecodex doctor --fix, or by hand: ${commandText(plan.commands)}`)
  return `\n${plural(failed.length, 'check')} failed: ${names}\n${hint === '' ? '' : `\n${hint}`}`
}

async function check(terminal: Terminal): Promise<Check[]> {
  const home = homes(terminal.env)
  const checks = await diagnose({
    environment: terminal.env,
    cacheFolder: home.cache,
    stateFolder: home.state,
  })
  return [...checks, await checkConfig(terminal)]
}

async function checkConfig(terminal: Terminal): Promise<Check> {
  const base = { id: 'config', missingPackage: null }
  try {
    const { files, notices } = await loadConfig({ workspace: terminal.cwd, env: terminal.env })
    const read = files
      .filter(({ state }) => state !== 'absent')
      .map(
        ({ path, state }) => `${shownPath(path, terminal)}${state === 'untrusted' ? ' (not trusted)' : ''}`,
      )
    const found = read.length === 0 ? 'no config file: the defaults' : read.join(', ')
    if (notices.length === 0) return { ...base, state: 'ok', found, hint: null }
    const hint = `what it loosens is not applied (${notices.length}): srecodex config show lists it, srecodex trust applies it`
    return { ...base, state: 'warn', found, hint }
  } catch (error) {
    if (!(error instanceof SrecodexError)) throw error
    const problems = (error.details.problems ?? []) as readonly Problem[]
    const found = problems.map(
      ({ message, at }) => `${message}${at === undefined ? '' : ` (${renderPlace(at, terminal)})`}`,
    )
    return { ...base, state: 'fail', found: found.join('; ') || error.message, hint: error.hint }
  }
}

/** Says what it will install before it does. @returns whether anything was installed. */
async function fix(checks: readonly Check[], terminal: Terminal): Promise<boolean> {
  const plan = planRepair(checks)
  if (plan === null) return false
  if (!plan.allowed) {
    terminal.err(
      `srecodex may not install ${plan.packages.join(' and ')} here; run this, then doctor again:\n\n`,
    )
    terminal.err(`  ${commandText(plan.commands)}\n\n`)
    return false
  }
  terminal.err(`installing ${plan.packages.join(' and ')}: ${commandText(plan.commands)}\n`)
  const progress = startProgress(terminal, plan.packages.join(' and '))
  let printed = ''
  const code = await repair(plan, text => (printed = (printed + text).slice(-4000))).finally(progress.stop)
  if (code !== 0) terminal.err(`${printed}\nthe package manager exited with ${code}\n`)
  return code === 0
}

function commandText(commands: readonly (readonly string[])[]): string {
  return commands.map(command => command.join(' ').replace(/^sudo -n /, 'sudo ')).join(' && ')
}
