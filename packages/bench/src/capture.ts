/** What it costs to capture what a script prints, against a redirect of the shell. */

import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { runScript } from '@srecodex/core'
import { withPlace } from './place.ts'
import { runToEnd } from './processes.ts'
import { ratioOf, timeWays, type RoundsOptions, type Way } from './rounds.ts'
import type { Comparison } from './table.ts'

const CAPTURED_BYTES = 1024 ** 3

/** Lines of 64 bytes, in writes of 64 KiB, as a program with its output buffered makes them. */
const SCRIPT = `import os
block = (b'x' * 63 + b'\\n') * 1024
for _ in range(${CAPTURED_BYTES} // len(block)):
    view = memoryview(block)
    while view:
        view = view[os.write(1, view):]
`

export async function capture(options: RoundsOptions): Promise<Comparison> {
  return withPlace(async place => {
    const { workspace, environment } = place
    const path = place.script('print.py', SCRIPT)
    const redirected = place.file('redirected')
    const state = join(environment.SRECODEX_HOME!, 'state')
    const ways: Way[] = [
      {
        name: 'script > file',
        once: async (): Promise<void> => {
          await runToEnd(['python3', path], { environment, cwd: workspace, stdoutPath: redirected })
          if (statSync(redirected).size !== CAPTURED_BYTES) throw new Error('the redirect lost bytes')
        },
        before: () => rmSync(redirected, { force: true }),
      },
      {
        // What a pipe costs by itself: a script that held the file could rewrite what it printed.
        name: 'script | cat > file',
        once: async (): Promise<void> => {
          const shell = ['bash', '-c', 'python3 "$0" | cat', path]
          await runToEnd(shell, { environment, cwd: workspace, stdoutPath: redirected })
          if (statSync(redirected).size !== CAPTURED_BYTES) throw new Error('the pipe lost bytes')
        },
        before: () => rmSync(redirected, { force: true }),
      },
      {
        name: 'runScript',
        once: async (): Promise<void> => {
          const report = await runScript({ script: { path }, workspace, callerEnvironment: environment })
          if (report.output.stdout.bytes !== CAPTURED_BYTES)
            throw new Error(`counted ${report.output.stdout.bytes}`)
        },
        // Both begin with the same free memory and disk: what the other wrote is gone.
        before: () => rmSync(state, { recursive: true, force: true }),
      },
    ]
    const timings = await timeWays(ways, options)
    const targets = ['script > file', 'script | cat > file'].map(other => ({
      name: `runScript / ${other}`,
      measured: ratioOf(timings, 'runScript', other),
      unit: 'ratio' as const,
      most: 1.5,
    }))
    return { title: '1 GiB of stdout', timings, targets }
  })
}
