/** Many runs at once: none sees another, and nothing of them is left. */

import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { runScript } from '../../src/runs/api.ts'
import type { RunReport, ScriptLanguage } from '../../src/runs/report.ts'
import {
  cli,
  controlGroups,
  descendantsOf,
  listedRuns,
  liveMarkers,
  mountsBelow,
  place,
  processesWith,
  recordOf,
  runIds,
  until,
  type Place,
} from './stage.ts'

interface Job {
  readonly number: number
  readonly language: ScriptLanguage
  readonly workspace: string
  readonly text: string
}

/** Each prints its number as often as its number says, exits with it, and says and keeps it. */
const TEXTS: Readonly<Record<ScriptLanguage, (number: number) => string>> = {
  python: number => `
import srecodex, sys, time
for turn in range(${number + 1}):
    print("out ${number}", turn, flush=True)
    time.sleep(0.005)
print("err ${number}", file=sys.stderr)
open(srecodex.artifact("job-${number}.txt"), "w").write("artifact ${number}")
open("mine-${number}.txt", "w").write("workspace ${number}")
srecodex.summary("summary of ${number}")
sys.exit(${number})
`,
  shell: number => `
for turn in $(seq 0 ${number}); do echo "out ${number} $turn"; sleep 0.005; done
echo "err ${number}" >&2
printf %s "artifact ${number}" > "$(artifact job-${number}.txt)"
printf %s "workspace ${number}" > mine-${number}.txt
summary "summary of ${number}"
exit ${number}
`,
  javascript: number => `
const { artifact, summary } = require('srecodex')
const { writeFileSync } = require('node:fs')
const main = async () => {
  for (let turn = 0; turn <= ${number}; turn++) {
    console.log('out ${number}', turn)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  console.error('err ${number}')
  writeFileSync(await artifact('job-${number}.txt'), 'artifact ${number}')
  writeFileSync('mine-${number}.txt', 'workspace ${number}')
  await summary('summary of ${number}')
  process.exitCode = ${number}
}
main()
`,
}

const LANGUAGES = ['python', 'shell', 'javascript'] as const

function jobs(at: Place, count: number): Job[] {
  return Array.from({ length: count }, (_, number) => {
    const language = LANGUAGES[number % LANGUAGES.length]!
    const workspace = join(at.folder, number % 2 === 0 ? `workspace-${number}` : 'shared')
    mkdirSync(workspace, { recursive: true })
    return { number, language, workspace, text: TEXTS[language](number) }
  })
}

describe('32 runs at once in one process', () => {
  test('each report tells of its own script, and nothing is left behind', async () => {
    const at = place()
    const run = ({ language, workspace, text }: Job): Promise<RunReport> =>
      runScript({ script: { text, language }, workspace, callerEnvironment: at.environment })
    const all = jobs(at, 32)
    // Others use /tmp at the same time: what is made by way of TMPDIR has a folder of its own.
    const temporary = join(at.folder, 'tmp')
    mkdirSync(temporary)
    vi.stubEnv('TMPDIR', temporary)
    onTestFinished(() => void vi.unstubAllEnvs())
    await run(all[0]!) // loads what is loaded once
    const descriptors = openDescriptors()

    const reports = await Promise.all(all.map(run))

    for (const [number, report] of reports.entries()) {
      const job = all[number]!
      expect(report).toMatchObject({
        status: number === 0 ? 'succeeded' : 'failed',
        summary: `summary of ${number}`,
        exitCode: number,
        signal: null,
        script: { language: job.language, bytes: Buffer.byteLength(job.text) },
        output: { stdout: { lines: number + 1 }, stderr: { lines: 1, bytes: `err ${number}\n`.length } },
        artifacts: [{ name: `job-${number}.txt`, bytes: `artifact ${number}`.length }],
        notices: [],
      })
      const folder = join(at.state, 'runs', report.run)
      const printed = Array.from({ length: number + 1 }, (_, turn) => `out ${number} ${turn}\n`).join('')
      expect(readFileSync(join(folder, 'stdout'), 'utf8')).toBe(printed)
      expect(readFileSync(join(folder, 'stderr'), 'utf8')).toBe(`err ${number}\n`)
      expect(readFileSync(join(folder, 'artifacts', `job-${number}.txt`), 'utf8')).toBe(`artifact ${number}`)
      expect(readFileSync(join(job.workspace, `mine-${number}.txt`), 'utf8')).toBe(`workspace ${number}`)
      expect(recordOf(at, report.run)?.report).toEqual(report)
    }
    expect(new Set(reports.map(report => report.run)).size).toBe(32)
    expect(processesWith(at.folder)).toEqual([])
    expect(descendantsOf(process.pid)).toEqual([])
    expect(runIds(at).flatMap(id => controlGroups(id))).toEqual([])
    expect(mountsBelow(at.folder)).toEqual([])
    expect(readdirSync(temporary)).toEqual([])
    expect(readdirSync('/tmp').filter(name => reports.some(({ run: id }) => name.includes(id)))).toEqual([])
    expect(liveMarkers(at)).toEqual([])
    await until(() => openDescriptors().length <= descriptors.length, 'descriptors are closed').catch(
      () => {},
    )
    expect(openDescriptors()).toEqual(descriptors)
  })
})

describe('8 processes over one store', () => {
  test('each tells of its own run, and the list of all is whole at every moment', async () => {
    const at = place()
    for (let round = 0; round < 5; round++) {
      const started = Array.from({ length: 8 }, (_, number) => {
        const code = round * 8 + number
        const text = TEXTS[LANGUAGES[number % 3]!](code)
        const lang = (['py', 'sh', 'js'] as const)[number % 3]!
        return { code, ...cli(at, ['run', '-', '--lang', lang, '--json'], { stdin: text }) }
      })
      const lists = Promise.all(Array.from({ length: 3 }, () => listedRuns(at)))
      for (const { code, ended } of started) {
        const { stdout, stderr, ...end } = await ended
        expect({ stderr, ...end }).toEqual({ stderr, code: code === 0 ? 0 : 1, signal: null })
        const report = JSON.parse(stdout) as RunReport
        expect(report).toMatchObject({ exitCode: code, summary: `summary of ${code}`, notices: [] })
        expect(report.output.stdout.lines).toBe(code + 1)
      }
      for (const listed of await lists) {
        for (const { status } of listed) expect(status).toMatch(/^(running|succeeded|failed)$/)
      }
      expect(liveMarkers(at)).toEqual([])
    }
    const listed = await listedRuns(at)
    expect(listed.map(({ exitCode }) => exitCode!).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, code) => code),
    )
    expect(listed.map(({ id }) => id).sort()).toEqual(runIds(at))
    expect(processesWith(at.home)).toEqual([])
    expect(listed.flatMap(({ id }) => controlGroups(id))).toEqual([])
  })
})

/** What each descriptor is, without the numbers that the kernel gives anew. */
function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd')
    .flatMap(name => {
      try {
        return [readlinkSync(join('/proc/self/fd', name)).replace(/:\[\d+\]$/, '')]
      } catch {
        return [] // the one that listed the others
      }
    })
    .sort()
}
