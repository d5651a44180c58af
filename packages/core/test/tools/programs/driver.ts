/** Runs one call in a process of its own, so that a test can start it in its own way, or kill it. Arguments: JSON. */

import { openPrograms, type ProgramsOptions } from '../../../src/tools/programs.ts'

interface Task {
  readonly options: ProgramsOptions
  readonly tool: string
  readonly argv: readonly string[]
}

const { options, tool, argv } = JSON.parse(process.argv[2] ?? '') as Task
const programs = await openPrograms(options)
const outcome = await programs.run({
  tool,
  argv,
  cwd: '/tmp',
  stdin: null,
  files: [],
  workspace: 'hidden',
  signal: new AbortController().signal,
  onOutput: (stream, chunk) => void process[stream].write(chunk),
})
await programs.close()
process.exitCode = outcome.exitCode ?? 1
