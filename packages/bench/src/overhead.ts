/** What srecodex adds to a script that does nothing, and how soon it answers an agent. */

import { join } from 'node:path'
import { runScript } from '@srecodex/core'
import { CLI, requireCli, withPlace } from './place.ts'
import { firstReply, runReplay, runToEnd } from './processes.ts'
import { recordReplay } from './replay.ts'
import { ratioOf, timeWays, type RoundsOptions, type Timing, type Way } from './rounds.ts'
import type { Comparison, Target } from './table.ts'

const LANGUAGES = [
  { name: 'bash', file: 'empty.sh', text: ':\n' },
  { name: 'python', file: 'empty.py', text: 'pass\n' },
  { name: 'node', file: 'empty.js', text: '0\n' },
] as const

export async function overhead(options: RoundsOptions): Promise<Comparison> {
  requireCli()
  return withPlace(async place => {
    const { workspace, environment } = place
    const ways: Way[] = []
    const bare = { environment, cwd: workspace, stdoutPath: null }
    for (const { name, file, text } of LANGUAGES) {
      const path = place.script(file, text)
      const run = async (): Promise<void> => {
        const report = await runScript({ script: { path }, workspace, callerEnvironment: environment })
        if (report.status !== 'succeeded')
          throw new Error(`the ${name} run ${report.status}: ${report.error?.message}`)
      }
      const replay = await recordReplay(run)
      const seccompPath = place.file('seccomp')
      const stdoutPath = place.file('stdout')
      ways.push(
        { name: `${name}: bare`, once: () => runToEnd(replay.command, { ...bare, stdoutPath }) },
        { name: `${name}: bubblewrap`, once: () => runReplay(replay, { ...bare, stdoutPath, seccompPath }) },
        { name: `${name}: runScript`, once: run },
      )
    }
    const cli = [process.execPath, CLI, 'run', join(workspace, 'empty.sh')]
    ways.push(
      { name: 'srecodex run empty.sh', once: () => runToEnd(cli, { ...bare, stderr: 'ignore' }) },
      {
        name: 'srecodex mcp: first reply',
        once: () => firstReply([process.execPath, CLI, 'mcp'], INITIALIZE, { environment, cwd: workspace }),
      },
      { name: 'node -e 0', once: () => runToEnd([process.execPath, '-e', '0'], bare) },
    )
    const timings = await timeWays(ways, options)
    return { title: `An empty script (Node ${process.version})`, timings, targets: targetsOf(timings) }
  })
}

const INITIALIZE = `${JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
})}\n`

function targetsOf(timings: readonly Timing[]): readonly Target[] {
  const ratios = LANGUAGES.map(({ name }): Target => ({
    name: `${name}: runScript / bubblewrap`,
    measured: ratioOf(timings, `${name}: runScript`, `${name}: bubblewrap`),
    unit: 'ratio',
    most: 1.25,
  }))
  return [
    ...ratios,
    {
      name: 'srecodex run / node -e 0',
      measured: ratioOf(timings, 'srecodex run empty.sh', 'node -e 0'),
      unit: 'ratio',
      most: 3,
    },
    {
      name: 'srecodex mcp: first reply, in ms',
      measured: timings.find(({ name }) => name === 'srecodex mcp: first reply')!.medianMs,
      unit: 'ms',
      most: 250,
    },
  ]
}
