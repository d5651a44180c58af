/** Help at 80 columns: the wording is part of the interface. */

import { project } from '@srecodex/testkit'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

async function help(command: string): Promise<string> {
  const { transcript } = await project().run(`${command} --help`)
  expect(transcript.split('\n').filter(line => line.length > 80)).toEqual([])
  return transcript
}

test('a bare command prints its help, which is no error', async () => {
  const { run } = project()
  expect((await run('')).transcript).toBe((await run('--help')).transcript)
  expect((await run('help')).transcript).toBe((await run('--help')).transcript)
  expect((await run('runs')).transcript).toBe((await run('runs --help')).transcript)
  expect((await run('help run')).transcript).toBe((await run('run --help')).transcript)
})

test('--version', async () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  expect((await project().run('--version')).transcript).toBe(`${manifest.version}\n`)
})

test('COLUMNS sets the width', async () => {
  const { stdout } = await project().run('run --help', { env: { COLUMNS: '140' } })
  expect(stdout).toContain('language of a script from stdin (choices: "py", "sh", "js")\n')
})

test('srecodex', async () => {
  expect(await help('')).toMatchInlineSnapshot(`
    "Usage: srecodex [options] [command]

    Run one script in a sandbox, and get back only its summary.

    Options:
      -V, --version                     print the version
      -h, --help                        print help

    Commands:
      run [options] <script> [args...]  run a script in the sandbox and print its
                                        summary
      apply [options] <plan>            make the changes of a plan, and no others
      resume [options] <run>            finish a run that failed, timed out or was
                                        ended; nothing is done twice
      runs                              the runs that are kept
      output [options] <run>            print a bounded slice of what a run printed
      config                            what the operator allows
      skills                            what an agent can do: find, check, write,
                                        install
      tools                             what scripts may call, and what their calls
                                        do
      trust [options] [dir]             let this project's config loosen what you
                                        allow
      init [options]                    set an agent's client up for this project:
                                        server, approvals, skills
      mcp [options]                     serve agents over the Model Context
                                        Protocol, on stdin and stdout
      doctor [options]                  check what srecodex needs of this machine
      completion <shell>                print a completion script for a shell
      help [command]                    print the help of a command

    Exit codes:
      0 succeeded · 1 failed · 2 wrong usage or config · 3 planned, needs approval
      4 refused, or no sandbox · 5 stale plan, or a change that it does not list
      70 a fault of srecodex · 124 timed out · 130 cancelled
    "
  `)
})

test('run', async () => {
  expect(await help('run')).toMatchInlineSnapshot(`
    "Usage: srecodex run [options] <script> [-- args...]

    run a script in the sandbox and print its summary

    Arguments:
      script                 a .py, .sh or .js file, or - to read one from stdin
      args                   arguments of the script, after --

    Options:
      --lang <language>      language of a script from stdin (choices: "py", "sh",
                             "js")
      --workspace <dir>      folder that the script may write (default: this one)
      --timeout <seconds>    seconds of the script's own time
      --mutations <policy>   what becomes of calls that change something (choices:
                             "plan", "allow", "deny")
      --network <domains>    none, host, or domains: api.example.com,*.example.org
      --sandbox <mode>       what the script may write (choices: "read-only",
                             "workspace-write", "danger-full-access")
      --read <path>          one more path that the script may read; can be repeated
      --env <name[=value]>   a variable that the script gets; can be repeated
      --max-summary <chars>  characters of the summary
      --skills-dir <dir>     only the skills of this folder; can be repeated
      --json                 print the whole report as JSON
      --keep                 keep a temporary script
      --no-input             never ask
      -h, --help             print help

    Examples:
      srecodex run group_errors.py --read /var/log -- /var/log/app.log
      srecodex run check.py --network api.example.com --env API_TOKEN --timeout 60
      srecodex run - --lang sh < job.sh
    "
  `)
})

test('runs', async () => {
  expect(await help('runs')).toMatchInlineSnapshot(`
    "Usage: srecodex runs [options] [command]

    the runs that are kept

    Options:
      -h, --help                print help

    Commands:
      list [options]            list runs, newest first
      show [options] <run>      show one run
      watch [options] <run>     follow a run to its end, show it, and exit as it did
      stop [options] <run>      end a run
      search [options] <regex>  find lines in what all runs printed, and in their
                                calls
      report [options] <run>    write one run as an HTML page, whole in one file
      prune [options]           remove old runs
      help [command]            print the help of a command
    "
  `)
})

test('runs list', async () => {
  expect(await help('runs list')).toMatchInlineSnapshot(`
    "Usage: srecodex runs list [options]

    list runs, newest first

    Options:
      --limit <count>  how many (default: 20)
      --json           print JSON
      -h, --help       print help
    "
  `)
})

test('runs show', async () => {
  expect(await help('runs show')).toMatchInlineSnapshot(`
    "Usage: srecodex runs show [options] <run>

    show one run

    Arguments:
      run         an id, the beginning of one, or last

    Options:
      --calls     every call too, with what came of it
      --json      print JSON
      -h, --help  print help
    "
  `)
})

test('runs watch', async () => {
  expect(await help('runs watch')).toMatchInlineSnapshot(`
    "Usage: srecodex runs watch [options] <run>

    follow a run to its end, show it, and exit as it did

    Arguments:
      run         an id, the beginning of one, or last

    Options:
      --json      print JSON
      -h, --help  print help
    "
  `)
})

test('runs stop', async () => {
  expect(await help('runs stop')).toMatchInlineSnapshot(`
    "Usage: srecodex runs stop [options] <run>

    end a run

    Arguments:
      run         an id, the beginning of one, or last

    Options:
      --json      print JSON
      -h, --help  print help
    "
  `)
})

test('runs search', async () => {
  expect(await help('runs search')).toMatchInlineSnapshot(`
    "Usage: srecodex runs search [options] <regex>

    find lines in what all runs printed, and in their calls

    Arguments:
      regex            what to look for; (?i) in front ignores case

    Options:
      --limit <lines>  how many (default: 50)
      --json           print JSON
      -h, --help       print help
    "
  `)
})

test('runs report', async () => {
  expect(await help('runs report')).toMatchInlineSnapshot(`
    "Usage: srecodex runs report [options] <run>

    write one run as an HTML page, whole in one file

    Arguments:
      run              an id, the beginning of one, or last

    Options:
      --output <file>  where to; - is stdout (default: in the run's own folder)
      --open           open it in the browser
      --json           print JSON
      -h, --help       print help
    "
  `)
})

test('runs prune', async () => {
  expect(await help('runs prune')).toMatchInlineSnapshot(`
    "Usage: srecodex runs prune [options]

    remove old runs

    Options:
      --keep-days <days>  remove what is older (default: [runs] keep_days)
      --max-bytes <size>  remove the oldest until the rest fits, such as 2GiB
                          (default: [runs] max_bytes)
      --dry-run           only say what would be removed
      --json              print JSON
      -h, --help          print help
    "
  `)
})

test('output', async () => {
  expect(await help('output')).toMatchInlineSnapshot(`
    "Usage: srecodex output [options] <run>

    print a bounded slice of what a run printed

    Arguments:
      run               an id, the beginning of one, or last

    Options:
      --stream <name>   which stream (choices: "stdout", "stderr", default:
                        "stdout")
      --grep <regex>    only lines that match; (?i) in front ignores case
      --offset <lines>  lines to skip; -20 begins 20 lines before the end
      --limit <lines>   how many lines (default: 200)
      --json            print JSON
      -h, --help        print help
    "
  `)
})

test('config', async () => {
  expect(await help('config')).toMatchInlineSnapshot(`
    "Usage: srecodex config [options] [command]

    what the operator allows

    Options:
      -h, --help      print help

    Commands:
      show [options]  print the config in force
      help [command]  print the help of a command
    "
  `)
})

test('config show', async () => {
  expect(await help('config show')).toMatchInlineSnapshot(`
    "Usage: srecodex config show [options]

    print the config in force

    Options:
      --origin           say where each value comes from
      --workspace <dir>  workspace whose project file counts (default: this one)
      --json             print JSON
      -h, --help         print help
    "
  `)
})

test('trust', async () => {
  expect(await help('trust')).toMatchInlineSnapshot(`
    "Usage: srecodex trust [options] [dir]

    let this project's config loosen what you allow

    Arguments:
      dir         the project (default: the current folder)

    Options:
      --revoke    forget it
      --json      print JSON
      -h, --help  print help
    "
  `)
})

test('init', async () => {
  expect(await help('init')).toMatchInlineSnapshot(`
    "Usage: srecodex init [options]

    set an agent's client up for this project: server, approvals, skills

    Options:
      --client <name>  which (default: it asks) (choices: "codex", "claude",
                       "opencode", "cursor", "vscode")
      --dry-run        only show what would be written
      --yes            write it without asking
      --undo           take back what init has written, and nothing else
      --json           print JSON
      --no-input       never ask
      -h, --help       print help
    "
  `)
})

test('doctor', async () => {
  expect(await help('doctor')).toMatchInlineSnapshot(`
    "Usage: srecodex doctor [options]

    check what srecodex needs of this machine

    Options:
      --fix       install what is missing
      --json      print JSON
      -h, --help  print help
    "
  `)
})

test('completion', async () => {
  expect(await help('completion')).toMatchInlineSnapshot(`
    "Usage: srecodex completion [options] <shell>

    print a completion script for a shell

    Arguments:
      shell       Shell type for completion script (choices: "zsh", "bash", "fish",
                  "powershell")

    Options:
      -h, --help  print help
    "
  `)
})
