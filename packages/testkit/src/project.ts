/**
 * A project in a fresh folder, and the built CLI run in it as a user would: a test reads like a transcript.
 *
 *     const { transcript } = await project({ files: { 'a.py': 'print(1)' } }).run('run a.py')
 *
 * Each project has its own HOME and SRECODEX_HOME, outside of the workspace, and is removed after its test.
 */

import { execa } from 'execa'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { stable } from './stable.ts'

/** The built CLI, by its path: a test of the sources would pass while the package is broken. */
const BIN = fileURLToPath(new URL('../../cli/dist/bin.js', import.meta.url))
const IN_TERMINAL = fileURLToPath(new URL('in_terminal.py', import.meta.url))

export interface ProjectOptions {
  /** Path from the workspace, and what the file holds. `~/x` lies in HOME. @default {} */
  readonly files?: Readonly<Record<string, string>>
  /** Over the usual environment; undefined takes a variable away. @default {} */
  readonly env?: Readonly<Record<string, string | undefined>>
}

export interface RunOptions {
  /** @default '' */
  readonly stdin?: string
  /** Folder below the workspace to run in. @default '.' */
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** A command that runs the CLI, such as bubblewrap, with its arguments. @default [] */
  readonly within?: readonly string[]
  /** Ends the process, as a caller would. */
  readonly signal?: AbortSignal
  /** @default 'SIGTERM' */
  readonly killSignal?: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGKILL'
}

/** A machine that differs in one thing: bubblewrap is not installed. */
export const WITHOUT_BUBBLEWRAP: readonly string[] = [
  ...['bwrap', '--dev-bind', '/', '/', '--ro-bind', '/dev/null', '/usr/bin/bwrap', '--'],
]

export interface TerminalOptions extends RunOptions {
  /** @default 80 */
  readonly columns?: number
  /** What a person types once a text has appeared: `{ '3/20': '\u0003' }` is Ctrl-C. @default {} */
  readonly keys?: Readonly<Record<string, string>>
}

export interface Outcome {
  readonly exitCode: number
  /** Without what differs from run to run: see `stable`. */
  readonly stdout: string
  readonly stderr: string
  /** All three, each only where there is something to see: exit code 0 and an empty stream are not mentioned. */
  readonly transcript: string
  readonly raw: { readonly stdout: string; readonly stderr: string }
  /** stdout as the one JSON document that it must be. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
  readonly json: () => any
}

export interface TerminalOutcome {
  readonly exitCode: number
  /** Every byte that the terminal was sent. */
  readonly raw: string
  /** What stands on it at the end, without colours and without what differs from run to run. */
  readonly screen: string
}

export interface Project {
  readonly workspace: string
  readonly home: string
  readonly srecodexHome: string
  /** Runs a command: words as on a command line, or the arguments themselves where one holds a space. */
  readonly run: (command: string | readonly string[], options?: RunOptions) => Promise<Outcome>
  /** The same in a real terminal. */
  readonly runInTerminal: (
    command: string | readonly string[],
    options?: TerminalOptions,
  ) => Promise<TerminalOutcome>
  readonly path: (file: string) => string
  readonly read: (file: string) => string
  readonly write: (file: string, content: string) => void
  readonly exists: (file: string) => boolean
}

/** To be called inside a test, whose end removes it. */
export function project({ files = {}, env = {} }: ProjectOptions = {}): Project {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'srecodex-test-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const workspace = join(root, 'workspace')
  const home = join(root, 'home')
  const srecodexHome = join(root, 'srecodex')
  for (const folder of [workspace, home]) mkdirSync(folder)

  const path = (file: string): string =>
    file.startsWith('~/') ? join(home, file.slice(2)) : join(workspace, file)
  const write = (file: string, content: string): void => {
    mkdirSync(dirname(path(file)), { recursive: true })
    writeFileSync(path(file), content)
  }
  for (const [file, content] of Object.entries(files)) write(file, content)

  const places = { WORKSPACE: workspace, SRECODEX_HOME: srecodexHome, HOME: home }
  const launch = (options: RunOptions) => ({
    cwd: join(workspace, options.cwd ?? '.'),
    env: definedOnly({ ...usualEnvironment(home, srecodexHome), ...env, ...options.env }),
    extendEnv: false,
    input: options.stdin ?? '',
    reject: false,
    stripFinalNewline: false,
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.killSignal === undefined ? {} : { killSignal: options.killSignal }),
  })

  return {
    workspace,
    home,
    srecodexHome,
    path,
    write,
    read: file => readFileSync(path(file), 'utf8'),
    exists: file => existsSync(path(file)),
    run: async (command, options = {}) => {
      const [program, ...args] = [...(options.within ?? []), process.execPath, BIN, ...words(command)]
      const result = await execa(program!, args, launch(options))
      return outcomeOf(command, exitCodeOf(result), result.stdout, result.stderr, text =>
        stable(text, places),
      )
    },
    runInTerminal: async (command, options = {}) => {
      const { columns = 80, keys = {} } = options
      const request = JSON.stringify({
        columns,
        rows: 24,
        keys,
        command: [process.execPath, BIN, ...words(command)],
      })
      const result = await execa('python3', [IN_TERMINAL, request], launch(options))
      if (result.stderr !== '') throw new Error(`in_terminal.py: ${result.stderr}`)
      return {
        exitCode: exitCodeOf(result),
        raw: result.stdout,
        screen: stable(screenOf(result.stdout), places),
      }
    },
  }
}

/** What the CLI could not do without, and nothing of whoever runs the tests. */
function usualEnvironment(home: string, srecodexHome: string): Record<string, string | undefined> {
  return {
    PATH: process.env.PATH,
    HOME: home,
    SRECODEX_HOME: srecodexHome,
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    TERM: 'xterm-256color',
  }
}

function definedOnly(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

function words(command: string | readonly string[]): readonly string[] {
  return typeof command === 'string' ? command.split(' ').filter(word => word !== '') : command
}

function exitCodeOf(result: {
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
}): number {
  if (result.exitCode === undefined)
    throw new Error(`the process was ended by ${result.signal ?? 'nobody knows what'}`)
  return result.exitCode
}

function outcomeOf(
  command: string | readonly string[],
  exitCode: number,
  stdout: string,
  stderr: string,
  filter: (text: string) => string,
): Outcome {
  const filtered = { stdout: filter(stdout), stderr: filter(stderr) }
  const transcript = [
    filtered.stdout,
    ...(filtered.stderr === '' ? [] : [`--- stderr\n${filtered.stderr}`]),
    ...(exitCode === 0 ? [] : [`--- exit code ${exitCode}\n`]),
  ].join('')
  return {
    exitCode,
    ...filtered,
    transcript,
    raw: { stdout, stderr },
    json: () => {
      try {
        return JSON.parse(stdout)
      } catch (error) {
        throw new Error(`${words(command).join(' ')} printed no JSON:\n${stdout}\n${stderr}`, {
          cause: error,
        })
      }
    },
  }
}

const ESC = '\u001B'
const COLOUR = new RegExp(`${ESC}\\[[\\d;]*m`, 'g')

/** The end of what a terminal was sent: carriage returns and erased lines are done, colours are gone. */
export function screenOf(sent: string): string {
  return sent
    .split('\n')
    .map(line =>
      line
        .replace(/\r$/, '')
        .replaceAll(COLOUR, '')
        .split('\r')
        .reduce((shown, part) => {
          const [before = '', ...after] = part.split(`${ESC}[2K`)
          if (after.length > 0) return after.at(-1) ?? ''
          return before + shown.slice(before.length)
        }, ''),
    )
    .join('\n')
}
