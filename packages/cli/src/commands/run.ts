/** `srecodex run`: the summary on stdout, everything else on stderr. */

import { loadConfig, runScript, SrecodexError, type RunEvent } from '@srecodex/core'
import { exitCodeOfReport } from '../exit-codes.ts'
import { renderNotice, renderPlace } from '../render/error.ts'
import { startProgress } from '../render/progress.ts'
import { renderEnding } from '../render/report.ts'
import type { Terminal } from '../terminal.ts'

interface RunFlags {
  readonly lang?: 'py' | 'sh' | 'js'
  readonly workspace?: string
  readonly timeout?: number
  readonly mutations?: string
  readonly network?: string
  readonly sandbox?: string
  readonly read?: readonly string[]
  readonly env?: readonly string[]
  readonly maxSummary?: number
  readonly json?: boolean
  readonly keep?: boolean
}

const LANGUAGES = { py: 'python', sh: 'shell', js: 'javascript' } as const

export async function run(
  terminal: Terminal,
  script: string,
  args: readonly string[],
  flags: RunFlags,
): Promise<number> {
  const source = script === '-' ? await fromStdin(flags.lang) : fromFile(script, flags.lang)
  const workspace = flags.workspace ?? terminal.cwd
  const loaded = await loadConfig({ workspace, env: terminal.env, flags: settings(flags) })
  for (const notice of loaded.notices) {
    const place = notice.at === undefined ? '' : ` (${renderPlace(notice.at)})`
    terminal.err(renderNotice(`${notice.message}${place}${notice.hint === undefined ? '' : `: ${notice.hint}`}`))
  }

  const cancel = new AbortController()
  const onSignal = (): void => cancel.abort()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, onSignal)
  const progress = startProgress(terminal, script === '-' ? 'script' : script)
  try {
    const report = await runScript({
      script: source,
      config: loaded.config,
      args,
      workspace,
      environment: environmentOf(flags.env ?? [], terminal.env),
      callerEnvironment: terminal.env,
      keep: flags.keep ?? false,
      signal: cancel.signal,
      onEvent: (event: RunEvent) => {
        if (event.kind === 'progress') progress.update(event.progress.done, event.progress.total, event.progress.note)
      },
    })
    progress.stop()
    if (flags.json) terminal.out(`${JSON.stringify(report)}\n`)
    else {
      if (report.summary !== '') terminal.out(`${report.summary}\n`)
      terminal.err(renderEnding(report))
    }
    return exitCodeOfReport(report)
  } finally {
    progress.stop()
    for (const signal of signals) process.off(signal, onSignal)
  }
}

/** Flags as settings by the keys of the config file, so that one table checks both. */
function settings(flags: RunFlags): Record<string, unknown> {
  const network = flags.network
  return {
    'scripts.execution_timeout': flags.timeout,
    'mutations.default': flags.mutations,
    'execution_environment.network':
      network === undefined || network === 'none' || network === 'host'
        ? network
        : network.split(',').map(entry => entry.trim()),
    'execution_environment.sandbox_mode': flags.sandbox,
    'execution_environment.readable': flags.read,
    'summary.max_chars': flags.maxSummary,
  }
}

function fromFile(script: string, lang: RunFlags['lang']) {
  if (lang !== undefined) {
    throw new SrecodexError('USAGE', '--lang goes with a script from stdin', {
      hint: "a file's language is told by its extension",
    })
  }
  return { path: script }
}

async function fromStdin(lang: RunFlags['lang']) {
  if (lang === undefined) {
    throw new SrecodexError('USAGE', 'a script from stdin needs its language', {
      hint: 'srecodex run - --lang py|sh|js',
    })
  }
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return { text: Buffer.concat(chunks).toString('utf8'), language: LANGUAGES[lang] }
}

/** `NAME` hands the caller's own value on, `NAME=VALUE` gives one. */
function environmentOf(entries: readonly string[], caller: NodeJS.ProcessEnv): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const entry of entries) {
    const [name = '', ...rest] = entry.split('=')
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new SrecodexError('USAGE', `--env ${entry}: ${JSON.stringify(name)} is no name of a variable`, {
        hint: '--env NAME, or --env NAME=VALUE',
      })
    }
    if (name.startsWith('SRECODEX_')) {
      throw new SrecodexError('USAGE', `--env ${name}: names that begin with SRECODEX_ are srecodex's own`)
    }
    const value = entry.includes('=') ? rest.join('=') : caller[name]
    if (value === undefined) {
      throw new SrecodexError('USAGE', `--env ${name}: there is no such variable here`, {
        hint: `give its value: --env ${name}=VALUE`,
      })
    }
    environment[name] = value
  }
  return environment
}
