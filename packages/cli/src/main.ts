/**
 * Declares the commands; each action is imported when it is called. The only place that exits, and the only one
 * that catches all.
 */

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { processTerminal, type Terminal } from './terminal.ts'

/** An action gives the exit code. */
type Action<Arguments extends unknown[]> = (terminal: Terminal, ...args: Arguments) => Promise<number>

const EXIT_USAGE = 2
const EXIT_FAULT = 70

export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  const terminal = processTerminal()
  try {
    process.exitCode = await dispatch(argv, terminal)
  } catch (error) {
    const { SrecodexError } = await import('@srecodex/core')
    const { renderError } = await import('./render/error.ts')
    const { exitCodeOfError } = await import('./exit-codes.ts')
    terminal.err(renderError(error))
    process.exitCode = error instanceof SrecodexError ? exitCodeOfError(error.code) : EXIT_FAULT
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = 0
  const program = declare(<Arguments extends unknown[]>(load: () => Promise<Action<Arguments>>) =>
    async (...args: Arguments) => {
      exitCode = await (await load())(terminal, ...args)
    },
  )
  if (argv[0] === 'completion' || argv[0] === 'complete') {
    const { default: tab } = await import('@bomb.sh/tab/commander')
    tab(program, { completionCommandName: 'completion' })
  }
  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    return refuse(error, terminal)
  }
  return exitCode
}

/** A wrong command line, in the words of every other error. */
async function refuse(error: CommanderError, terminal: Terminal): Promise<number> {
  const { renderError } = await import('./render/error.ts')
  const { SrecodexError } = await import('@srecodex/core')
  if (error.code === 'commander.help') return EXIT_USAGE // bare `srecodex`: the help was printed
  const [message = '', ...rest] = error.message.replace(/^error: /, '').split('\n')
  const suggestion = /\(Did you mean (.*)\?\)/.exec(rest.join(' '))?.[1]
  terminal.err(
    renderError(
      new SrecodexError('USAGE', message, {
        hint: suggestion === undefined ? 'srecodex --help lists commands and flags' : `did you mean ${suggestion}?`,
      }),
    ),
  )
  return EXIT_USAGE
}

type Bind = <Arguments extends unknown[]>(
  load: () => Promise<Action<Arguments>>,
) => (...args: Arguments) => Promise<void>

function declare(bind: Bind): Command {
  const program = new Command('srecodex')
    .description('Run one script in a sandbox, and get back only its summary.')
    .version(version(), '-V, --version')
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .showSuggestionAfterError(true)
    .enablePositionalOptions()

  program
    .command('run')
    .description('run a script in the sandbox and print its summary')
    .argument('<script>', 'a .py, .sh or .js file, or - to read one from stdin')
    .argument('[args...]', 'arguments of the script, after --')
    .addOption(new Option('--lang <language>', 'language of a script from stdin').choices(['py', 'sh', 'js']))
    .option('--workspace <dir>', 'folder that the script may write (default: the current one)')
    .option('--timeout <seconds>', "seconds of the script's own time", positive)
    .addOption(new Option('--mutations <policy>', 'what becomes of calls that change something').choices(['plan', 'allow', 'deny']))
    .option('--network <domains>', 'none, host, or a list of domains: api.example.com,*.example.org')
    .addOption(
      new Option('--sandbox <mode>', 'what the script may write').choices([
        'read-only',
        'workspace-write',
        'danger-full-access',
      ]),
    )
    .option('--read <path...>', 'more paths that the script may read, such as /var/log')
    .option('--env <name[=value]...>', 'variables that the script gets')
    .option('--max-summary <chars>', 'characters of the summary', positiveInteger)
    .option('--json', 'print the whole report as JSON')
    .option('--keep', 'keep temporary scripts')
    .option('--no-input', 'never ask')
    .action(bind(async () => (await import('./commands/run.ts')).run))

  const runs = program.command('runs').description('the runs that are kept').exitOverride()
  runs
    .command('list')
    .description('list runs, newest first')
    .option('--limit <count>', 'how many', positiveInteger, 20)
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/runs.ts')).list))
  runs
    .command('show')
    .description('show one run')
    .argument('<run>', 'an id, a unique prefix, or last')
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/runs.ts')).show))
  runs
    .command('watch')
    .description('follow a run until it ends')
    .argument('<run>', 'an id, a unique prefix, or last')
    .option('--json', 'print one JSON line for each change')
    .action(bind(async () => (await import('./commands/runs.ts')).watch))
  runs
    .command('stop')
    .description('end a run')
    .argument('<run>', 'an id, a unique prefix, or last')
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/runs.ts')).stop))
  runs
    .command('search')
    .description('find text in the raw output of all runs')
    .argument('<regex>', 'what to look for')
    .option('--limit <count>', 'how many lines', positiveInteger, 50)
    .option('--json', 'print one JSON line for each hit')
    .action(bind(async () => (await import('./commands/runs.ts')).search))
  runs
    .command('prune')
    .description('remove old runs')
    .option('--keep-days <days>', 'remove what is older (default: [runs] keep_days)', nonNegative)
    .option('--max-bytes <size>', 'remove the oldest until the rest fits (default: [runs] max_bytes)')
    .option('--dry-run', 'only say what would be removed')
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/runs.ts')).prune))

  program
    .command('output')
    .description('print a bounded slice of what a run printed')
    .argument('<run>', 'an id, a unique prefix, or last')
    .addOption(new Option('--stream <name>', 'which stream').choices(['stdout', 'stderr']).default('stdout'))
    .option('--grep <regex>', 'only lines that match')
    .option('--offset <lines>', 'lines to skip; negative: from the end', integer)
    .option('--limit <lines>', 'how many lines', positiveInteger, 200)
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/output.ts')).output))

  program
    .command('config')
    .description('what the operator allows')
    .exitOverride()
    .command('show')
    .description('print the config in force')
    .option('--origin', 'say where each value comes from')
    .option('--workspace <dir>', 'workspace whose project file counts (default: the current folder)')
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/config.ts')).show))

  program
    .command('trust')
    .description("let this project's config loosen what you allow")
    .argument('[dir]', 'the project (default: the current folder)')
    .option('--revoke', 'forget it')
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/config.ts')).trust))

  program
    .command('doctor')
    .description('check what srecodex needs of this machine')
    .option('--fix', 'install what is missing')
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/doctor.ts')).doctor))

  program
    .command('completion')
    .description('print a completion script for a shell')
    .argument('<shell>', 'bash, zsh, fish or powershell')
  return program
}

function version(): string {
  const manifest = readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

function positive(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}

function nonNegative(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError('It must be 0 or a number above.')
  return value
}

function positiveInteger(text: string): number {
  const value = positive(text)
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number above 0.')
  return value
}

function integer(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number.')
  return value
}
