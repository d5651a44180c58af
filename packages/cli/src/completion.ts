/**
 * Shell completion: the scripts that shells load, and the answers to what they ask. Loaded only for that.
 *
 * The library derives both from the declared commands. It prints by `console.log`, and what it prints is mended
 * here: where it knows nothing it forbids file names, though a script or a log is just what is wanted there.
 */

import tab from '@bomb.sh/tab/commander'
import type { Command } from 'commander'
import { COMPLETION_DESCRIPTION } from './declare.ts'
import type { Terminal } from './terminal.ts'

const NO_FILE_NAMES = ':4'
const FILE_NAMES = ':0'

export async function complete(program: Command, argv: readonly string[], terminal: Terminal): Promise<void> {
  tab(program, { completionCommandName: 'completion' })
  program.commands.find(command => command.name() === 'completion')?.description(COMPLETION_DESCRIPTION)
  const printed: string[] = []
  const { log } = console
  console.log = (text: string) => void printed.push(text)
  try {
    await program.parseAsync(argv, { from: 'user' })
  } finally {
    console.log = log
    const text = printed.join('\n')
    if (text !== '') terminal.out(`${text === NO_FILE_NAMES ? FILE_NAMES : mendBash(text)}\n`)
  }
}

/**
 * Sourced a second time, `readonly` fails; without `-o default` no file name is ever completed; and a plain
 * server has no bash-completion package, whose function the script calls.
 */
function mendBash(script: string): string {
  return script
    .replace(/^# bash completion .*$/m, title => `${title}\n${BASH_WORDS}`)
    .replaceAll(/^readonly (?=ShellComp)/gm, '')
    .replace(/^complete -F/m, 'complete -o default -F')
}

const BASH_WORDS = `
if ! declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref() {
        cur=\${COMP_WORDS[COMP_CWORD]}
        prev=\${COMP_WORDS[COMP_CWORD-1]}
        words=("\${COMP_WORDS[@]}")
        cword=$COMP_CWORD
    }
fi`
