/** A command line that cannot be taken, in the words of every other error. Pure. */

import { SrecodexError } from '@srecodex/core'
import type { Command, CommanderError } from 'commander'

export function usageError(error: CommanderError, program: Command, argv: readonly string[]): SrecodexError {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n')
  const command = commandOf(program, argv)
  const suggestion = /\(Did you mean (.*)\?\)/.exec(rest.join(' '))?.[1]
  return new SrecodexError('USAGE', inOurWords(first), {
    hint: suggestion === undefined ? hintOf(error, first, command) : `did you mean ${suggestion}?`,
    cause: error,
  })
}

function inOurWords(message: string): string {
  return message
    .replace(/^option '(--[\w-]+)[^']*' argument '(.*)' is invalid\. /s, '`$1` is "$2"; ')
    .replace(/^option '(--[\w-]+) ([^']*)' argument missing$/, '`$1` needs a value: $1 $2')
    .replace(/^command-argument value '(.*)' is invalid for argument '(.*)'\. /s, '<$2> is "$1"; ')
    .replace('Allowed choices are ', 'it must be one of ')
    .replace(/\.$/, '')
}

function hintOf(error: CommanderError, message: string, command: Command): string {
  const name = nameOf(command)
  const help = `${name} --help lists ${command.commands.length > 0 ? 'its commands' : 'its flags'}`
  const flag = /'(.*)'/.exec(message)?.[1]
  return error.code === 'commander.unknownOption' && command.name() === 'run'
    ? `${help}; flags of the script go after --: ${name} SCRIPT -- ${flag}`
    : help
}

/** The command that the words of the command line lead to. */
function commandOf(program: Command, argv: readonly string[]): Command {
  let command = program
  for (const word of argv) {
    const next = command.commands.find(candidate => candidate.name() === word)
    if (next === undefined) break
    command = next
  }
  return command
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`
}
