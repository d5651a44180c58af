/** The one place that exits, and the one that catches all. What is not needed is not imported: a start is short. */

import { CommanderError } from 'commander'
import { declare, declareCompletion, type Action } from './declare.ts'
import { processTerminal, type Terminal } from './terminal.ts'

export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  const terminal = processTerminal()
  try {
    process.exitCode = await dispatch(argv, terminal)
  } catch (error) {
    const { exitCodeOf } = await import('./exit-codes.ts')
    const { errorDocument, renderError } = await import('./render/error.ts')
    terminal.err(renderError(error, terminal))
    if (wantsJson(argv)) terminal.out(`${JSON.stringify(errorDocument(error))}\n`)
    process.exitCode = exitCodeOf(error)
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = 0
  const bind =
    <Arguments extends unknown[]>(load: () => Promise<Action<Arguments>>) =>
    async (...args: Arguments): Promise<void> => {
      exitCode = await (await load())(terminal, ...args)
    }
  const program = declare(terminal, bind)
  try {
    if (argv[0] === 'completion' || argv[0] === 'complete') {
      await (await import('./completion.ts')).complete(program, argv, terminal)
    } else {
      declareCompletion(program)
      await program.parseAsync(argv, { from: 'user' })
    }
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Help was asked for, or the command was bare: either way it was printed.
    if (error.exitCode === 0 || error.code === 'commander.help') return 0
    const { usageError } = await import('./usage-error.ts')
    throw usageError(error, program, argv)
  }
  return exitCode
}

/** Whoever parses stdout finds one document there, also for a command line that could not be taken. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end === -1 ? argv.length : end).includes('--json')
}
