/** The log skill as scripts and people call it: in the sandbox, with several processes, over what `--read` opens. */

import { project, type Project } from '@srecodex/testkit'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { writeLog } from '../../testkit/src/demo/log.ts'
import { judge, parseSummary } from '../../testkit/src/demo/verdict.ts'

const SKILLS = fileURLToPath(new URL('../../../dotcodex/skills', import.meta.url))
const LONG_MS = 120_000

const GROUP = `
import sys
from srecodex import skill, summary
summary(skill("logs/error-groups", paths=sys.argv[1:])["summary"])
`

// oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
async function run(place: Project, words: string): Promise<{ exitCode: number; report: any }> {
  const { exitCode, json } = await place.run(words)
  return { exitCode, report: json() }
}

test(
  '40 MB in the sandbox: the right counts in one summary, samples as an artifact',
  { timeout: LONG_MS },
  async () => {
    const place = project({ files: { 'group.py': GROUP } })
    const truth = await writeLog({ path: place.path('app.log'), bytes: 40_000_000, seed: 5 })
    const { exitCode, report } = await run(place, `run group.py --skills-dir ${SKILLS} --json -- app.log`)
    expect({ exitCode, status: report.status }).toEqual({ exitCode: 0, status: 'succeeded' })
    expect(judge(parseSummary(report.summary), truth)).toEqual({ matched: 14, types: 14, differences: [] })
    expect(report.artifacts).toEqual([
      { name: 'logs/error-groups#1/samples.jsonl', bytes: expect.any(Number) },
    ])
    const samples = join(place.srecodexHome, 'state/runs', report.run, 'artifacts', report.artifacts[0].name)
    expect(readFileSync(samples, 'utf8').trimEnd().split('\n')).toHaveLength(14)
  },
)

test(
  'a file outside of the workspace: closed, and told how to open it; open with --read',
  { timeout: LONG_MS },
  async () => {
    const place = project({ files: { 'group.py': GROUP } })
    mkdirSync(join(place.home, 'logs'))
    const log = join(place.home, 'logs/app.log')
    writeFileSync(log, '2026-11-21T03:00:00Z ERROR gone\n')
    const closed = await run(place, `run group.py --skills-dir ${SKILLS} --json -- ${log}`)
    expect(closed.exitCode).toBe(1)
    const stderr = readFileSync(join(place.srecodexHome, 'state/runs', closed.report.run, 'stderr'), 'utf8')
    expect(stderr).toContain(`srecodex run --read ${log}`)
    const open = await run(
      place,
      `run group.py --skills-dir ${SKILLS} --read ${join(place.home, 'logs')} --json -- ${log}`,
    )
    expect(open).toMatchObject({ exitCode: 0, report: { status: 'succeeded' } })
    expect(open.report.summary).toContain('app.log: 1 lines, 1 errors of 1 types')
  },
)

test(
  'twice over the same files, before and after a deploy: each has samples of its own',
  { timeout: LONG_MS },
  async () => {
    const script = `
import { skill, summary } from 'srecodex'

const deploy = '2026-11-21T22:30:00Z'
const paths = ['logs/app-*.log.gz']
const [before, after] = await Promise.all([
  skill('logs/error-groups', { paths, until: deploy, top: 100 }),
  skill('logs/error-groups', { paths, since: deploy, top: 100 }),
])
const known = new Map(before.groups.map(group => [group.type, group.count]))
const fresh = after.groups.filter(group => !known.has(group.type))
await summary(after.errors + ' after, ' + before.errors + ' before; new: ' + fresh.map(group => group.type).join(', '))
`
    const place = project({ files: { 'compare.mjs.js': script } })
    mkdirSync(place.path('logs'))
    const lines = (hour: number, what: string): string => `2026-11-21T${hour}:00:00Z ERROR ${what}\n`
    writeFileSync(place.path('logs/app-1.log.gz'), gzipSync(lines(21, 'old') + lines(22, 'old')))
    writeFileSync(place.path('logs/app-2.log.gz'), gzipSync(lines(23, 'old') + lines(23, 'fresh')))
    const { report } = await run(place, `run compare.mjs.js --skills-dir ${SKILLS} --json`)
    expect(report.summary).toBe('2 after, 2 before; new: fresh')
    expect(report.artifacts).toHaveLength(2)
  },
)

test('a mistake in the inputs is told before anything is read', { timeout: LONG_MS }, async () => {
  const place = project({
    files: { 'bad.py': 'from srecodex import skill\nskill("logs/error-groups", paths=[], top=0)\n' },
  })
  const { exitCode, report } = await run(place, `run bad.py --skills-dir ${SKILLS} --json`)
  expect(exitCode).toBe(1)
  const stderr = readFileSync(join(place.srecodexHome, 'state/runs', report.run, 'stderr'), 'utf8')
  expect(stderr).toContain('SKILL_INPUTS')
})
