/** `srecodex doctor`: what this machine has, what it lacks, and how to get it. */

import {
  checkTools,
  diagnose,
  homes,
  planRepair,
  repair,
  SrecodexError,
  type Check,
  type Lack,
  type LoadedConfig,
  type Problem,
  type ProgramCheck,
} from '@srecodex/core'
import { loadConfig } from '../config.ts'
import { renderHint, renderPlace } from '../render/error.ts'
import { wrap } from '../render/layout.ts'
import { shownPath } from '../render/path.ts'
import { plain } from '../render/plan.ts'
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
  let loaded: LoadedConfig
  try {
    loaded = await loadConfig({ workspace: terminal.cwd, env: terminal.env })
  } catch (error) {
    return [...checks, brokenConfig(error, terminal)]
  }
  const { checkClients } = await import('../init/check.ts')
  return [
    ...checks,
    checkConfig(loaded, terminal),
    ...(await toolChecks(checks, loaded, terminal)),
    ...(await checkClients(loaded, terminal)),
  ]
}

const CONFIG = { id: 'config', missingPackage: null }

function checkConfig({ files, notices }: LoadedConfig, terminal: Terminal): Check {
  const read = files
    .filter(({ state }) => state !== 'absent')
    .map(({ path, state }) => `${shownPath(path, terminal)}${state === 'untrusted' ? ' (not trusted)' : ''}`)
  const found = read.length === 0 ? 'no config file: the defaults' : read.join(', ')
  if (notices.length === 0) return { ...CONFIG, state: 'ok', found, hint: null }
  const hint = `what it loosens is not applied (${notices.length}): srecodex config show lists it, srecodex trust applies it`
  return { ...CONFIG, state: 'warn', found, hint }
}

function brokenConfig(error: unknown, terminal: Terminal): Check {
  if (!(error instanceof SrecodexError)) throw error
  const problems = (error.details.problems ?? []) as readonly Problem[]
  const found = problems.map(
    ({ message, at }) => `${message}${at === undefined ? '' : ` (${renderPlace(at, terminal)})`}`,
  )
  return { ...CONFIG, state: 'fail', found: found.join('; ') || error.message, hint: error.hint }
}

/** Each runs in a sandbox, so without one nothing can be said of them. */
async function toolChecks(
  checks: readonly Check[],
  { config }: LoadedConfig,
  terminal: Terminal,
): Promise<Check[]> {
  const lacksSandbox = checks.some(
    ({ id, state }) => (id === 'bubblewrap' || id === 'sandbox') && state === 'fail',
  )
  if (lacksSandbox) return []
  try {
    const found = await checkTools({ config, workspace: terminal.cwd, environment: terminal.env })
    return found.map(one => checkOfTool(one, terminal))
  } catch (error) {
    // Run in a folder that can be no workspace, such as home: nothing is wrong with the machine. What keeps the
    // sandbox away is told by a check of its own.
    const harmless = ['WORKSPACE_INVALID', 'SANDBOX_UNAVAILABLE']
    if (error instanceof SrecodexError && harmless.includes(error.code)) return []
    throw error
  }
}

function checkOfTool({ tool, program, starts, said, lacks }: ProgramCheck, terminal: Terminal): Check {
  const where = program === null ? 'not on PATH' : shownPath(program, terminal)
  const found = [said === '' ? '' : plain(said), program === null || said === '' ? where : `(${where})`]
    .filter(part => part !== '')
    .join(' ')
  const base = { id: tool, found, missingPackage: null }
  if (starts && lacks.length === 0) return { ...base, state: 'ok', hint: null }
  const hint = lacks.map(lack => nextStep(tool, lack, terminal)).join('; ')
  return { ...base, state: 'warn', hint: hint === '' ? `${tool} does not start in its sandbox` : hint }
}

function nextStep(tool: string, lack: Lack, terminal: Terminal): string {
  switch (lack.kind) {
    case 'program':
      return `install ${tool}, or take [tools.${tool}] out of the config`
    case 'credentials': {
      const path = shownPath(lack.path, terminal)
      return lack.why === 'missing'
        ? `${path} is not there: log in with ${tool}, or mend credentials in [tools.${tool}]`
        : `${path} cannot be read: let your user read it, or mend credentials in [tools.${tool}]`
    }
    case 'helper':
      return `install ${lack.name}, or take it out of helpers in [tools.${tool}]`
    case 'library':
      return `it needs ${plain(lack.name)}, which is not in its sandbox: install the package that holds it`
    case 'start':
      return plain(lack.hint === null ? lack.message : `${lack.message}: ${lack.hint}`)
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
