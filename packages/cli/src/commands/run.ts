/** `srecodex run`: the summary on stdout, everything else on stderr. */

import { runScript, SrecodexError, type LoadedConfig, type Problem } from '@srecodex/core'
import { loadConfig } from '../config.ts'
import { attend, conclude, type AttendFlags } from '../attend.ts'
import { renderNotice, renderNotices } from '../render/error.ts'
import { givenPath } from '../render/path.ts'
import { skillFolders } from '../skill-folders.ts'
import type { Terminal } from '../terminal.ts'

interface RunFlags extends AttendFlags {
  readonly skillsDir?: readonly string[]
  readonly lang?: 'py' | 'sh' | 'js'
  readonly workspace?: string
  readonly timeout?: number
  readonly mutations?: string
  readonly network?: string
  readonly sandbox?: string
  readonly read?: readonly string[]
  readonly env?: readonly string[]
  readonly maxSummary?: number
  readonly keep?: boolean
}

const LANGUAGES = { py: 'python', sh: 'shell', js: 'javascript' } as const

export async function run(
  terminal: Terminal,
  script: string,
  args: readonly string[],
  flags: RunFlags,
): Promise<number> {
  const environment = environmentOf(flags.env ?? [], terminal.env)
  const workspace = givenPath(flags.workspace ?? '.', terminal)
  const settings = settingsOf(flags, terminal)
  const loaded = await load(workspace, settings, flags, terminal)
  const source = script === '-' ? await fromStdin(flags.lang, terminal) : fromFile(script, flags, terminal)
  terminal.err(renderNotices(loaded.notices, terminal))

  const name = script === '-' ? 'script' : script
  const report = await attend(terminal, name, flags, attended =>
    runScript({
      ...attended,
      script: source,
      config: loaded.config,
      settings,
      args,
      workspace,
      environment,
      keep: flags.keep ?? false,
      skillFolders: skillFolders(flags.skillsDir, terminal),
    }),
  )
  return conclude(terminal, name, flags, report)
}

/** Each flag and the key of the config file that it overrides, so that one table checks both. */
const FLAG_OF_KEY: Readonly<Record<string, string>> = {
  'scripts.execution_timeout': '--timeout',
  'mutations.default': '--mutations',
  'execution_environment.network': '--network',
  'execution_environment.sandbox_mode': '--sandbox',
  'execution_environment.readable': '--read',
  'summary.max_chars': '--max-summary',
}

/** By dotted key, as they would stand in a file: what apply and resume run the script under again. */
function settingsOf(flags: RunFlags, terminal: Terminal): Record<string, unknown> {
  const { network, timeout } = flags
  const settings = {
    'scripts.execution_timeout': timeout,
    'mutations.default': flags.mutations,
    'execution_environment.network':
      network === undefined || network === 'none' || network === 'host'
        ? network
        : network.split(',').map(entry => entry.trim()),
    'execution_environment.sandbox_mode': flags.sandbox,
    'execution_environment.readable': flags.read?.map(path => givenPath(path, terminal)),
    'summary.max_chars': flags.maxSummary,
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

async function load(
  workspace: string,
  settings: Readonly<Record<string, unknown>>,
  flags: RunFlags,
  terminal: Terminal,
): Promise<LoadedConfig> {
  try {
    return await loadConfig({ workspace, env: terminal.env, flags: settings })
  } catch (error) {
    if (!(error instanceof SrecodexError) || error.code !== 'CONFIG_INVALID') throw error
    const found = (error.details.problems ?? []) as readonly Problem[]
    const problems = found.map(problem => inFlagWords(problem, flags))
    const isUsage = problems.every(problem => problem.message.startsWith('`--'))
    const message = problems.length === 1 ? problems[0]!.message : error.message
    throw new SrecodexError(isUsage ? 'USAGE' : error.code, message, { details: { problems }, cause: error })
  }
}

/** Who typed `--timeout` should not have to know `scripts.execution_timeout`. */
function inFlagWords(problem: Problem, flags: RunFlags): Problem {
  const cap = /^`scripts.execution_timeout` is (\S+) seconds, more than the (\S+) of/.exec(problem.message)
  if (cap !== null && flags.timeout !== undefined) {
    return {
      message: `\`--timeout\` is ${cap[1]} seconds, more than the ${cap[2]} that the operator allows`,
      hint: 'give it less, or raise max_timeout in [scripts] of the config',
    }
  }
  const [given, key = ''] = /^`([^`]+)`, given as a flag,/.exec(problem.message) ?? []
  const flag = FLAG_OF_KEY[key]
  if (given === undefined || flag === undefined) return problem
  return { ...problem, message: problem.message.replace(given, `\`${flag}\``) }
}

function fromFile(script: string, flags: RunFlags, terminal: Terminal) {
  if (flags.lang !== undefined) {
    throw new SrecodexError('USAGE', '--lang goes with a script from stdin', {
      hint: "a file's language is told by its extension",
    })
  }
  // Core looks from the workspace; the user typed the path from here.
  return { path: flags.workspace === undefined ? script : givenPath(script, terminal) }
}

async function fromStdin(lang: RunFlags['lang'], terminal: Terminal) {
  if (lang === undefined) {
    throw new SrecodexError('USAGE', 'a script from stdin needs its language', {
      hint: 'srecodex run - --lang py|sh|js',
    })
  }
  if (process.stdin.isTTY) terminal.err(renderNotice('reading the script from the terminal; Ctrl-D ends it'))
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return { text: Buffer.concat(chunks).toString('utf8'), language: LANGUAGES[lang] }
}

/** `NAME` hands the caller's own value on, `NAME=VALUE` gives one. */
function environmentOf(entries: readonly string[], caller: NodeJS.ProcessEnv): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const entry of entries) {
    const [name = '', ...rest] = entry.split('=')
    // What stands there may be a secret whose name was forgotten, so it is not repeated.
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new SrecodexError('USAGE', '`--env` was given something that is no name of a variable', {
        hint: '--env NAME, or --env NAME=VALUE',
      })
    }
    if (name.startsWith('SRECODEX_')) {
      throw new SrecodexError(
        'USAGE',
        `\`--env ${name}\`: names that begin with SRECODEX_ are srecodex's own`,
        {
          hint: 'hand it on under another name',
        },
      )
    }
    const value = entry.includes('=') ? rest.join('=') : caller[name]
    if (value === undefined) {
      throw new SrecodexError('USAGE', `\`--env ${name}\`: there is no such variable here`, {
        hint: `give its value: --env ${name}=VALUE`,
      })
    }
    environment[name] = value
  }
  return environment
}
