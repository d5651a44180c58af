/** The reference of the command line, from the very tree of commands that the program parses with. */

import type { Command, Option } from 'commander'
import { declare, declareCompletion } from '../../../packages/cli/src/declare.ts'
import { EXIT_CODES } from '../../../packages/cli/src/exit-codes.ts'
import type { Terminal } from '../../../packages/cli/src/terminal.ts'
import { cell, code, fence, page, prose, table } from './markdown.ts'

const SILENT: Terminal = {
  out: () => {},
  err: () => {},
  env: {},
  cwd: '/',
  isInteractive: false,
  columns: 80,
  outColumns: Infinity,
}

export interface DocumentedCommand {
  /** `srecodex runs list` */
  readonly path: string
  readonly command: Command
}

/** Every command that does something, in the order in which the help lists them. */
export function commands(): readonly DocumentedCommand[] {
  const program = declare(SILENT, () => async () => {})
  declareCompletion(program)
  const walk = (command: Command, path: string): DocumentedCommand[] =>
    command.commands.length === 0
      ? [{ path, command }]
      : command.commands.flatMap(child => walk(child, `${path} ${child.name()}`))
  return walk(program, program.name())
}

/** Flags of a command that its help shows. */
export const flagsOf = (command: Command): readonly Option[] =>
  command.options.filter(option => !option.hidden)

export function cliPage(): string {
  return page('Command line', 'Every command of srecodex with its arguments, flags and exit codes.', [
    'Every command prints its help with `--help`. Data goes to stdout, everything else to stderr; `--json` prints one JSON document.',
    '## Exit codes',
    table(
      ['code', 'meaning'],
      EXIT_CODES.map(({ code: number, meaning }) => [code(String(number)), cell(meaning)]),
    ),
    ...commands().flatMap(section),
  ])
}

function section({ path, command }: DocumentedCommand): string[] {
  const args = command.registeredArguments.map(argument => [
    code(argument.required ? `<${argument.name()}>` : `[${argument.name()}]`),
    cell(argument.description || choices(argument.argChoices)),
  ])
  const flags = flagsOf(command).map(option => [code(option.flags), cell(describe(option))])
  const words = path.split(' ').slice(1).join(' ')
  return [
    `## ${words}`,
    prose(sentence(command.description())),
    fence('text', `${path} ${command.usage()}`),
    args.length === 0 ? '' : table(['argument', ''], args),
    flags.length === 0 ? '' : table(['flag', ''], flags),
  ]
}

function describe(option: Option): string {
  const text = option.description.replaceAll('\n', ' ')
  const of = choices(option.argChoices)
  const by = option.defaultValue === undefined ? '' : `default: \`${String(option.defaultValue)}\``
  const must = option.mandatory ? 'required' : ''
  const notes = [must, of, by].filter(note => note !== '').join('; ')
  return notes === '' ? text : `${text} (${notes})`
}

const choices = (of: readonly string[] | undefined): string =>
  of === undefined ? '' : `one of ${of.map(code).join(', ')}`

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}.`.replace('..', '.')
