/** Every command with its flags; each action is imported when it is called. Help is wording: keep it to 80 columns. */

import { Argument, Command, Option } from 'commander'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT_CODES } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'
import { integer, nonNegative, positive, positiveInteger, repeated } from './values.ts'

/** An action gives the exit code. */
export type Action<Arguments extends unknown[]> = (terminal: Terminal, ...args: Arguments) => Promise<number>

export type Bind = <Arguments extends unknown[]>(
  load: () => Promise<Action<Arguments>>,
) => (...args: Arguments) => Promise<void>

const RUN_ARGUMENT = ['<run>', 'an id, the beginning of one, or last'] as const

export function declare(terminal: Terminal, bind: Bind): Command {
  const program = new Command('srecodex')
    .description('Run one script in a sandbox, and get back only its summary.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .configureOutput({
      writeOut: text => terminal.out(text),
      // A bare command prints its help, which is no error.
      writeErr: text => terminal.out(text),
      outputError: () => {},
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
    })
    .configureHelp({ showGlobalOptions: false })
    .enablePositionalOptions()
    .addHelpText('after', exitCodesHelp())

  program
    .command('run')
    .description('run a script in the sandbox and print its summary')
    .usage('[options] <script> [-- args...]')
    .argument('<script>', 'a .py, .sh or .js file, or - to read one from stdin')
    .argument('[args...]', 'arguments of the script, after --')
    .addOption(new Option('--lang <language>', 'language of a script from stdin').choices(['py', 'sh', 'js']))
    .option('--workspace <dir>', 'folder that the script may write (default: this one)')
    .option('--timeout <seconds>', "seconds of the script's own time", positive)
    .addOption(
      new Option('--mutations <policy>', 'what becomes of calls that change something').choices([
        'plan',
        'allow',
        'deny',
      ]),
    )
    .option('--network <domains>', 'none, host, or domains: api.example.com,*.example.org')
    .addOption(
      new Option('--sandbox <mode>', 'what the script may write').choices([
        'read-only',
        'workspace-write',
        'danger-full-access',
      ]),
    )
    .option('--read <path>', 'one more path that the script may read; can be repeated', repeated)
    .option('--env <name[=value]>', 'a variable that the script gets; can be repeated', repeated)
    .option('--max-summary <chars>', 'characters of the summary', positiveInteger)
    .option('--skills-dir <dir>', 'only the skills of this folder; can be repeated', repeated)
    .option('--json', 'print the whole report as JSON')
    .option('--keep', 'keep a temporary script')
    .option('--no-input', 'never ask')
    .addHelpText('after', RUN_EXAMPLES)
    .action(bind(async () => (await import('./commands/run.ts')).run))

  program
    .command('apply')
    .description('make the changes of a plan, and no others')
    .argument('<plan>', 'id of the planned run, the beginning of one, or last')
    .option('--yes', 'approve it without being asked')
    .option('--reason <text>', 'why; kept with the run')
    .option('--json', 'print the whole report as JSON')
    .option('--no-input', 'never ask')
    .action(bind(async () => (await import('./commands/apply.ts')).apply))
  program
    .command('resume')
    .description('finish a run that failed, timed out or was ended; nothing is done twice')
    .argument(...RUN_ARGUMENT)
    .option('--script <file>', 'a mended script in place of the one that ran')
    .option('--yes', 'approve what differs from before without being asked')
    .option('--json', 'print the whole report as JSON')
    .option('--no-input', 'never ask')
    .action(bind(async () => (await import('./commands/apply.ts')).resume))

  const runs = program.command('runs').description('the runs that are kept')
  runs
    .command('list')
    .description('list runs, newest first')
    .option('--limit <count>', 'how many', positiveInteger, 20)
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/runs.ts')).list))
  runs
    .command('show')
    .description('show one run')
    .argument(...RUN_ARGUMENT)
    .option('--calls', 'every call too, with what came of it')
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/runs-show.ts')).show))
  runs
    .command('watch')
    .description('follow a run to its end, show it, and exit as it did')
    .argument(...RUN_ARGUMENT)
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/runs-show.ts')).watch))
  runs
    .command('stop')
    .description('end a run')
    .argument(...RUN_ARGUMENT)
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/runs.ts')).stop))
  runs
    .command('search')
    .description('find lines in what all runs printed, and in their calls')
    .argument('<regex>', 'what to look for; (?i) in front ignores case')
    .option('--limit <lines>', 'how many', positiveInteger, 50)
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/runs.ts')).search))
  runs
    .command('report')
    .description('write one run as an HTML page, whole in one file')
    .argument(...RUN_ARGUMENT)
    .option('--output <file>', "where to; - is stdout (default: in the run's own folder)")
    .option('--open', 'open it in the browser')
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/runs-report.ts')).report))
  runs
    .command('prune')
    .description('remove old runs')
    .option('--keep-days <days>', 'remove what is older (default: [runs] keep_days)', nonNegative)
    .option(
      '--max-bytes <size>',
      'remove the oldest until the rest fits, such as 2GiB\n(default: [runs] max_bytes)',
    )
    .option('--dry-run', 'only say what would be removed')
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/runs.ts')).prune))

  program
    .command('output')
    .description('print a bounded slice of what a run printed')
    .argument(...RUN_ARGUMENT)
    .addOption(new Option('--stream <name>', 'which stream').choices(['stdout', 'stderr']).default('stdout'))
    .option('--grep <regex>', 'only lines that match; (?i) in front ignores case')
    .option('--offset <lines>', 'lines to skip; -20 begins 20 lines before the end', integer)
    .option('--limit <lines>', 'how many lines', positiveInteger, 200)
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/output.ts')).output))

  program
    .command('config')
    .description('what the operator allows')
    .command('show')
    .description('print the config in force')
    .option('--origin', 'say where each value comes from')
    .option('--workspace <dir>', 'workspace whose project file counts (default: this one)')
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/config.ts')).show))

  const skills = program.command('skills').description('what an agent can do: find, check, write, install')
  const inFolders = (command: Command): Command =>
    command
      .option('--skills-dir <dir>', 'only this folder; can be repeated, later ones cover earlier', repeated)
      .option('--json', 'print JSON')
  inFolders(skills.command('list').description('list skills')).action(
    bind(async () => (await import('./commands/skills.ts')).list),
  )
  inFolders(
    skills
      .command('search')
      .description('find skills by task, symptom, abbreviation or typo')
      .argument('[query...]', 'what is to be done')
      .option('--limit <count>', 'how many', positiveInteger, 5)
      .option('--stdin', 'one query a line in, one JSON array a line out'),
  ).action(bind(async () => (await import('./commands/skills.ts')).search))
  inFolders(
    skills.command('show').description('print one skill').argument('<id>', 'such as k8s/bulk-restart'),
  ).action(bind(async () => (await import('./commands/skills.ts')).show))
  inFolders(
    skills
      .command('run')
      .description("run a skill's payload, with its inputs as flags")
      .usage('<id> [--input value...] [options]')
      .argument('[id]', 'such as k8s/bulk-restart; with --help it lists its inputs')
      .argument('[inputs...]')
      .allowUnknownOption()
      .helpOption(false)
      .option('-h, --help', 'print help, after an id with the inputs of the skill')
      .option('--json-input <json>', 'all inputs as one JSON object, - from stdin; flags go over it')
      .option('--workspace <dir>', 'folder that it may write (default: this one)')
      .option('--yes', 'approve its plan without being asked')
      .option('--no-input', 'never ask'),
  ).action(bind(async () => (await import('./commands/skills-run.ts')).run))
  inFolders(
    skills
      .command('lint')
      .description('check skills against the schema; exit 1 on errors')
      .argument('[ids...]', 'which (default: all)')
      .option('--fix', 'mend what can be mended safely'),
  ).action(bind(async () => (await import('./commands/skills.ts')).lint))
  inFolders(
    skills
      .command('audit')
      .description('which skills need the script-first directive, and why')
      .option('--write', 'write the checklist SCRIPT-FIRST-SKILLS.md beside the skills')
      .option('--check', 'exit 1 where the checklist is not what --write would write'),
  ).action(bind(async () => (await import('./commands/skills.ts')).audit))
  inFolders(
    skills
      .command('new')
      .description('start a skill from the template')
      .argument('<id>', 'such as k8s/drain-nodes')
      .option('--name <name>', 'its name (default: made of the id)')
      .option('--intent <text>', 'when to use it')
      .option('--tag <tag>', 'a tag; can be repeated', repeated)
      .option('--script-first', 'it is for many items, and carries the directive')
      .addOption(
        new Option('--entry <language>', 'language of a payload').choices(['python', 'shell', 'javascript']),
      ),
  ).action(bind(async () => (await import('./commands/skills.ts')).create))
  inFolders(
    skills
      .command('install')
      .description('write skills in the form that an agent loads')
      .argument('[ids...]', 'which (default: all)')
      .addOption(
        new Option('--for <client>', 'whose form')
          .choices(['codex', 'claude', 'cursor', 'agents'])
          .makeOptionMandatory(),
      )
      .option('--project', 'into this project (default)')
      .addOption(new Option('--user', 'for all projects of yours').conflicts('project'))
      .option('--copy', 'copy payload files (default)')
      .addOption(new Option('--link', 'link payload files to where they are').conflicts('copy'))
      .option('--uninstall', 'take away what install wrote'),
  ).action(bind(async () => (await import('./commands/skills.ts')).install))

  const tools = program.command('tools').description('what scripts may call, and what their calls do')
  const inWorkspace = (command: Command): Command =>
    command
      .option('--workspace <dir>', 'workspace whose config counts (default: this one)')
      .option('--json', 'print JSON')
  inWorkspace(
    tools
      .command('list')
      .description('host commands and tools of MCP servers that scripts may call')
      .addOption(
        new Option('--types <language>', 'print typed signatures of the tools of MCP servers').choices([
          'py',
          'ts',
        ]),
      ),
  ).action(bind(async () => (await import('./commands/tools.ts')).list))
  inWorkspace(
    tools
      .command('show')
      .description('which calls read, mutate, reveal a credential, or are refused')
      .argument('<tool>', 'such as kubectl, mcp:SERVER or mcp:SERVER/TOOL'),
  ).action(bind(async () => (await import('./commands/tools.ts')).show))

  program
    .command('trust')
    .description("let this project's config loosen what you allow")
    .argument('[dir]', 'the project (default: the current folder)')
    .option('--revoke', 'forget it')
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/config.ts')).trust))

  program
    .command('init')
    .description("set an agent's client up for this project: server, approvals, skills")
    .addOption(
      new Option('--client <name>', 'which (default: it asks)').choices([
        'codex',
        'claude',
        'opencode',
        'cursor',
        'vscode',
      ]),
    )
    .addOption(new Option('--dry-run', 'only show what would be written').conflicts('yes'))
    .option('--yes', 'write it without asking')
    .option('--undo', 'take back what init has written, and nothing else')
    .option('--json', 'print JSON')
    .option('--no-input', 'never ask')
    .action(bind(async () => (await import('./commands/init.ts')).init))

  program
    .command('mcp')
    .description('serve agents over the Model Context Protocol, on stdin and stdout')
    .option('--skills-dir <dir>', 'only the skills of this folder; can be repeated', repeated)
    .addOption(
      new Option('--answer-within <seconds>', 'how long a question waits for its answer')
        .argParser(positive)
        .hideHelp(),
    )
    .action(bind(async () => (await import('./commands/mcp.ts')).mcp))

  program
    .command('doctor')
    .description('check what srecodex needs of this machine')
    .option('--fix', 'install what is missing')
    .option('--json', 'print JSON')
    .action(bind(async () => (await import('./commands/doctor.ts')).doctor))
  return program
}

/** Its action is the completion library's, which replaces it when it is called. */
export function declareCompletion(program: Command): void {
  program
    .command('completion')
    .description(COMPLETION_DESCRIPTION)
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish', 'powershell']))
}

export const COMPLETION_DESCRIPTION = 'print a completion script for a shell'

const HELP_WIDTH = 80

/** As many as a line takes. */
function exitCodesHelp(): string {
  const lines: string[] = []
  for (const { code, meaning } of EXIT_CODES) {
    const entry = `${code} ${meaning}`
    const longer = `${lines.at(-1)} · ${entry}`
    if (lines.length > 0 && longer.length <= HELP_WIDTH) lines[lines.length - 1] = longer
    else lines.push(`  ${entry}`)
  }
  return `\nExit codes:\n${lines.join('\n')}`
}

const RUN_EXAMPLES = `
Examples:
  srecodex run group_errors.py --read /var/log -- /var/log/app.log
  srecodex run check.py --network api.example.com --env API_TOKEN --timeout 60
  srecodex run - --lang sh < job.sh`

function version(): string {
  const manifest = readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
