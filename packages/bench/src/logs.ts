/**
 * What goes wrong in a gigabyte of log, by `logs/error-groups` in its sandbox, and by what a shell has: time, memory,
 * and the answer. The shell's ways count what a search can see: lines with the word, or by the level's place in a line,
 * of one format.
 */

import { runScript } from '@srecodex/core'
import { writeLog } from '@srecodex/testkit/demo/log'
import { judge, parseSummary } from '@srecodex/testkit/demo/verdict'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { watchMemory } from './memory.ts'
import { withPlace } from './place.ts'
import { runToEnd } from './processes.ts'
import { ratioOf, timeWays, type RoundsOptions, type Way } from './rounds.ts'
import type { Comparison } from './table.ts'

const SKILLS = fileURLToPath(new URL('../../../dotcodex/skills', import.meta.url))
const OURS = 'logs/error-groups'
const SEED = 20_261_122

const SCRIPT = `from srecodex import skill, summary
summary(skill("logs/error-groups", paths=["app.log"], top=100)["summary"])
`

/** One argv each; the last number that it prints is what it says there are. */
const PEERS: Readonly<Record<string, readonly string[]>> = {
  'rg -c ERROR': ['rg', '-c', 'ERROR', 'app.log'],
  'grep -oP | sort | uniq -c': [
    ...['bash', '-c'],
    String.raw`LC_ALL=C grep -oP '^\S+ +ERROR .*?\K\w+(?=: |$)' app.log | sort | uniq -c | awk '{ n += $1 } END { print n }'`,
  ],
  mawk: ['mawk', '$2 == "ERROR" || $3 == "ERROR" { n[$NF]++; all++ } END { print all }', 'app.log'],
}

export interface LogsOptions extends RoundsOptions {
  /** @default 1 GiB */
  readonly bytes?: number
}

export async function logs({ bytes = 1024 ** 3, ...options }: LogsOptions): Promise<Comparison> {
  return withPlace(async place => {
    const { workspace, environment } = place
    const script = place.script('group.py', SCRIPT)
    const printed = place.file('printed')
    const truth = await writeLog({ path: join(workspace, 'app.log'), bytes, seed: SEED })
    const errors = Object.values(truth.errors).reduce((sum, count) => sum + count, 0)
    const said = new Map<string, string>()
    const memory = new Map<string, number>()
    const watched = async (name: string, act: () => Promise<string>): Promise<void> => {
      const { result, mostBytes } = await watchMemory(act)
      said.set(name, result)
      memory.set(name, Math.max(memory.get(name) ?? 0, mostBytes))
    }
    const ours = async (): Promise<string> => {
      const report = await runScript({
        script: { path: script },
        workspace,
        callerEnvironment: environment,
        skillFolders: [SKILLS],
        settings: { 'summary.max_chars': 8000 },
      })
      if (report.status !== 'succeeded') throw new Error(`${OURS}: ${report.error?.message}`)
      const { matched, types, differences } = judge(parseSummary(report.summary), truth)
      return `${matched} of ${types} types with the right count${differences.length === 0 ? '' : `; ${differences[0]}`}`
    }
    const there = Object.entries(PEERS).filter(([, argv]) => isOnPath(argv[0]!, environment.PATH!))
    const ways: Way[] = [
      { name: OURS, once: () => watched(OURS, ours) },
      ...there.map(([name, argv]) => ({
        name,
        once: () =>
          watched(name, async () => {
            await runToEnd(argv, { environment, cwd: workspace, stdoutPath: printed })
            const counted = Number(readFileSync(printed, 'utf8').trim())
            return `${counted.toLocaleString('en')} errors${counted === errors ? '' : `, of ${errors.toLocaleString('en')}`}`
          }),
      })),
    ]
    const timings = await timeWays(ways, options)
    const megabytes = (name: string): string => `${Math.round((memory.get(name) ?? 0) / 1e6)} MB`
    return {
      title: `errors in ${(bytes / 1024 ** 2).toFixed(0)} MiB of log`,
      timings,
      targets: there.map(([name]) => ({
        name: `${OURS} / ${name}`,
        measured: ratioOf(timings, OURS, name),
        unit: 'ratio' as const,
        most: name === 'mawk' ? 3 : 10,
      })),
      facts: [
        `truth: ${errors.toLocaleString('en')} errors of ${Object.keys(truth.errors).length} types, ${truth.mentions.toLocaleString('en')} lines with the word`,
        ...ways.map(({ name }) => `${name}: ${megabytes(name)}, says ${said.get(name)}`),
        ...Object.keys(PEERS)
          .filter(name => !there.some(([known]) => known === name))
          .map(name => `${name}: not on PATH`),
      ],
    }
  })
}

function isOnPath(program: string, path: string): boolean {
  return path.split(delimiter).some(folder => existsSync(join(folder, program)))
}
