/** Alert triage as scripts call it: planned with nothing set, approved, set once, resumed without a second silence. */

import {
  alertmanagerProgram,
  project,
  startAlertmanager,
  type Alertmanager,
  type Project,
} from '@srecodex/testkit'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'

const LONG_MS = 120_000
const SKILLS = fileURLToPath(new URL('../../../dotcodex/skills', import.meta.url))

const SILENCE_THREE = `
import json, sys
from srecodex import skill, summary

silences = [
    {"matchers": ["instance=node-%d" % n], "author": "ana", "reason": "OPS-1502: replaced", "duration": "12h"}
    for n in range(3)
]
done = skill("monitoring/alert-triage", silences=silences)
summary(done["summary"])
print(json.dumps(done))
`

const TRIAGE = `
import { skill, summary } from 'srecodex'
const done = await skill('monitoring/alert-triage', { group_by: ['alertname'] })
await summary(done.summary)
`

interface Site extends Project {
  readonly alertmanager: Alertmanager
  // oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
  readonly srecodex: (command: string) => Promise<{ exitCode: number; report: any; stderr: string }>
  readonly posted: () => unknown[]
}

async function site(files: Readonly<Record<string, string>>): Promise<Site> {
  const alertmanager = await startAlertmanager()
  onTestFinished(() => alertmanager.stop())
  await alertmanager.add(
    Array.from({ length: 4 }, (_, n) => ({
      labels: { alertname: 'Down', severity: 'warning', instance: `node-${n}` },
    })),
  )
  const place = project({ files })
  const config = join(place.srecodexHome, 'config', 'config.toml')
  mkdirSync(dirname(config), { recursive: true })
  const address = JSON.stringify(`--alertmanager.url=${alertmanager.url}`)
  writeFileSync(config, `[tools.amtool]\nargs = [${address}]\nrate = "1000/s"\n`)
  const { amtool } = await alertmanagerProgram()
  const env = { PATH: `${dirname(amtool)}:${process.env.PATH}` }
  return {
    ...place,
    alertmanager,
    srecodex: async command => {
      const told = await place.run([...command.split(' '), '--json'], { env })
      return { exitCode: told.exitCode, report: told.json(), stderr: told.stderr }
    },
    posted: () => alertmanager.requests.filter(({ method }) => method === 'POST'),
  }
}

describe('alert triage', { timeout: LONG_MS }, () => {
  test('without silences it reads, and needs no approval', async () => {
    const { srecodex, posted } = await site({ 'look.js': TRIAGE })
    const { exitCode, report } = await srecodex(`run look.js --skills-dir ${SKILLS}`)
    expect({ exitCode, status: report.status }).toEqual({ exitCode: 0, status: 'succeeded' })
    expect(report.summary).toMatch(/^4 alerts in 1 group \(none silenced or inhibited; all: alerts\.json\)\n/)
    expect(report.artifacts).toMatchObject([{ name: 'alerts.json' }])
    expect(posted()).toEqual([])
  })

  test('by a person, with inputs as flags', async () => {
    const { srecodex } = await site({})
    const words = 'skills run monitoring/alert-triage --matchers instance=~"node-[01]" --group-by instance'
    const { exitCode, report } = await srecodex(`${words} --skills-dir ${SKILLS}`)
    expect({ exitCode, summary: report.summary }).toMatchObject({
      exitCode: 0,
      summary: expect.stringMatching(
        /^2 alerts in 2 groups .*\nwarning {2}instance=node-[01] x1, for 0 min, noise /,
      ),
    })
  })

  test('three silences: the plan sets nothing and says what each covers; the apply sets each once', async () => {
    const { srecodex, posted, alertmanager } = await site({ 'mute.py': SILENCE_THREE })
    const planned = await srecodex(`run mute.py --skills-dir ${SKILLS}`)
    expect(planned.exitCode).toBe(3)
    expect(planned.report).toMatchObject({ status: 'planned', plan: { mutations: 3 }, items: { total: 3 } })
    expect(planned.report.summary).toMatch(/to silence until \S+: instance="node-0" \(1 alert now\)/)
    expect(planned.report.plan.targets).toContain('silence instance="node-0"')
    expect(posted()).toEqual([])

    const applied = await srecodex(`apply ${planned.report.run} --yes`)
    expect({ exitCode: applied.exitCode, items: applied.report.items }).toMatchObject({
      exitCode: 0,
      items: { total: 3, ok: 3 },
    })
    const set = await alertmanager.silences()
    expect(set.map(({ comment, createdBy }) => [comment, createdBy])).toEqual(
      Array.from({ length: 3 }, () => ['OPS-1502: replaced', 'ana']),
    )
    expect(new Set(set.map(({ endsAt }) => endsAt)).size).toBe(1)
  })

  test('one was refused, and one lost its answer: resume sets the one that is missing, and no other twice', async () => {
    const { srecodex, alertmanager } = await site({ 'mute.py': SILENCE_THREE })
    const planned = await srecodex(`run mute.py --skills-dir ${SKILLS}`)
    alertmanager.onRequest = ({ method, body }) => {
      if (method !== 'POST') return 'ok'
      if (JSON.stringify(body).includes('node-1')) return { status: 403 }
      return JSON.stringify(body).includes('node-2') ? 'drop-after-apply' : 'ok'
    }
    const applied = await srecodex(`apply ${planned.report.run} --yes`)
    expect(applied.report.items).toMatchObject({ ok: 2, failed: 1, unknown: 0 })
    expect(await alertmanager.silences()).toHaveLength(2)

    alertmanager.onRequest = () => 'ok'
    const resumed = await srecodex('resume last')
    expect({ exitCode: resumed.exitCode, items: resumed.report.items }).toMatchObject({
      exitCode: 0,
      items: { total: 3, ok: 3 },
    })
    const values = (await alertmanager.silences()).map(({ matchers }) => matchers[0]?.value)
    expect(values.toSorted((one, other) => ((one ?? '') < (other ?? '') ? -1 : 1))).toEqual([
      'node-0',
      'node-1',
      'node-2',
    ])
  })

  test('a silence that somebody set between plan and apply is not set a second time', async () => {
    const { srecodex, alertmanager, posted } = await site({ 'mute.py': SILENCE_THREE })
    const planned = await srecodex(`run mute.py --skills-dir ${SKILLS}`)
    const endsAt = new Date(Date.now() + 48 * 3_600_000).toISOString()
    await fetch(`${alertmanager.url}/api/v2/silences`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        matchers: [{ name: 'instance', value: 'node-1', isRegex: false, isEqual: true }],
        startsAt: new Date().toISOString(),
        endsAt,
        createdBy: 'ben',
        comment: 'mine',
      }),
    })
    const { exitCode, report } = await srecodex(`apply ${planned.report.run} --yes`)
    expect({ exitCode, items: report.items }).toMatchObject({ exitCode: 0, items: { ok: 3 } })
    expect(posted()).toHaveLength(3)
    expect(report.summary).toContain('silenced already until')
  })
})
