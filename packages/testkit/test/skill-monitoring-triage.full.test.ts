import { execa } from 'execa'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { alertmanagerProgram } from '../src/alertmanager-program.ts'
import { startAlertmanager, type Alertmanager, type SeedAlert } from '../src/alertmanager.ts'

const PAYLOAD = fileURLToPath(
  new URL('../../../dotcodex/skills/monitoring/alert-triage/scripts/alert_triage.js', import.meta.url),
)
const GUEST = fileURLToPath(new URL('../../core/src/guest/javascript/register.mjs', import.meta.url))
const SLOW_MS = 120_000

interface Place {
  readonly it: Alertmanager
  readonly start: (
    inputs: unknown,
  ) => Promise<{ exitCode: number | undefined; stdout: string; stderr: string }>
  // oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
  readonly run: (inputs: Record<string, unknown>) => Promise<any>
  readonly read: (file: string) => string
}

/** To be called inside a test, whose end removes it. */
async function place(alerts: readonly SeedAlert[] = []): Promise<Place> {
  const { amtool } = await alertmanagerProgram()
  const it = await startAlertmanager()
  onTestFinished(() => it.stop())
  if (alerts.length > 0) await it.add(alerts)
  const folder = mkdtempSync(join(tmpdir(), 'srecodex-triage-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  // The place of Debian's amtool, and of the others.
  for (const file of ['.config/prometheus/amtool.yml', '.config/amtool/config.yml']) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), `alertmanager.url: ${it.url}\n`)
  }
  const start: Place['start'] = async inputs => {
    const { exitCode, stdout, stderr } = await execa(process.execPath, ['--import', GUEST, PAYLOAD], {
      input: JSON.stringify(inputs),
      cwd: folder,
      env: { PATH: `${dirname(amtool)}:/usr/bin:/bin`, HOME: folder },
      extendEnv: false,
      reject: false,
    })
    return { exitCode, stdout, stderr }
  }
  return {
    it,
    start,
    run: async inputs => {
      const { exitCode, stdout, stderr } = await start(inputs)
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) })
      return JSON.parse(stdout)
    },
    read: file => readFileSync(join(folder, file), 'utf8'),
  }
}

const ago = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString()

/** Half an hour with an error, three weeks of full disks of no weight, and what is inhibited by the first. */
const STORM: readonly SeedAlert[] = [
  ...Array.from({ length: 30 }, (_, n) => ({
    labels: { alertname: 'DiskFull', severity: 'info', cluster: 'eu', instance: `node-${n}` },
    startsAt: ago(24 * 21),
  })),
  {
    labels: { alertname: 'DbDown', severity: 'critical', cluster: 'eu', instance: 'db-1', team: 'pay' },
    annotations: { runbook_url: 'https://runbooks.example/db' },
    startsAt: ago(0.5),
  },
  { labels: { alertname: 'Slow', severity: 'warning', cluster: 'us', instance: 'web' }, startsAt: ago(3) },
  { labels: { alertname: 'Backup', severity: 'info', cluster: 'eu', instance: 'db-1' }, startsAt: ago(5) },
]

const SILENCE = { author: 'ana', reason: 'OPS-1432, disk ordered', duration: '12h' }

test(
  'a storm: the most severe first, what a group differs by, how much is noise, what is held back',
  async () => {
    const { run, read, it } = await place(STORM)
    const done = await run({ group_by: ['alertname', 'cluster'] })
    expect(done).toMatchObject({ alerts: 32, silenced: [], failed: [] })
    expect(done.groups).toMatchObject([
      { key: { alertname: 'DbDown', cluster: 'eu' }, count: 1, severity: 'critical', differs_by: [] },
      { key: { alertname: 'Slow', cluster: 'us' }, count: 1, severity: 'warning' },
      {
        key: { alertname: 'DiskFull', cluster: 'eu' },
        count: 30,
        severity: 'info',
        differs_by: ['instance'],
      },
    ])
    const [db, slow, disk] = done.groups.map(({ noise }: { noise: number }) => noise)
    expect(db).toBeLessThan(0.05)
    expect(slow).toBeGreaterThan(db)
    expect(disk).toBeGreaterThan(0.8)
    expect(done.summary.split('\n')).toEqual([
      '32 alerts in 3 groups (1 inhibited; all: alerts.json)',
      `critical  DbDown cluster=eu x1, for 30 min, noise ${db}`,
      `warning  Slow cluster=us x1, for 3.0 h, noise ${slow}`,
      `info  DiskFull cluster=eu x30, for 21 d, differ by instance, noise ${disk}`,
    ])
    const kept = JSON.parse(read('alerts.json')) as { alerts: unknown[] }[]
    expect(kept.map(({ alerts }) => alerts.length)).toEqual([1, 1, 30])
    expect(it.requests.filter(({ method }) => method !== 'GET')).toEqual([])
  },
  SLOW_MS,
)

test(
  'matchers, a receiver, and what is silenced or inhibited when it is asked for',
  async () => {
    const { run } = await place(STORM)
    expect(await run({ matchers: ['cluster=~"e.*"', 'severity!=info'] })).toMatchObject({ alerts: 1 })
    expect(await run({ receiver: 'pay' })).toMatchObject({
      alerts: 1,
      groups: [{ key: { alertname: 'DbDown' } }],
    })
    expect(await run({ receiver: 'p.*' })).toMatchObject({ alerts: 0 })
    expect(await run({ include: ['inhibited'], top: 1 })).toMatchObject({ alerts: 33, groups: [{}] })
  },
  SLOW_MS,
)

test(
  'labels that would break a shell, a matcher or a terminal',
  async () => {
    const alertname = '$(reboot) "q" \\ \n\u001b[31m=,x; --end'
    const { run, it } = await place([{ labels: { alertname, severity: 'critical' } }])
    const matcher = `alertname=${JSON.stringify(alertname).replace('\\u001b', '\u001b')}`
    const done = await run({ silences: [{ ...SILENCE, matchers: [matcher] }] })
    expect(done).toMatchObject({ groups: [{ key: { alertname } }], silenced: [{ alerts: 1 }], failed: [] })
    // oxlint-disable-next-line no-control-regex -- that is what must not be there
    expect(done.summary).not.toMatch(/\u001b|\n\u001b/)
    expect(await it.silences()).toMatchObject([{ matchers: [{ name: 'alertname', value: alertname }] }])
    expect(await run({})).toMatchObject({ alerts: 0 })
  },
  SLOW_MS,
)

test(
  'silences with author, reason and end; one that is there already is not set again',
  async () => {
    const { run, it } = await place(STORM)
    const silences = [
      { ...SILENCE, matchers: ['alertname=DiskFull', 'instance=~"node-[0-4]"'] },
      { ...SILENCE, matchers: ['instance=web'], duration: undefined, end: ago(-5) },
    ]
    const first = await run({ silences })
    expect(first).toMatchObject({ silenced: [{ alerts: 5 }, { alerts: 1 }], failed: [] })
    expect(first.summary).toContain('silenced until')
    const set = await it.silences()
    expect(set.map(({ createdBy, comment }) => [createdBy, comment])).toEqual(
      [1, 2].map(() => ['ana', 'OPS-1432, disk ordered']),
    )
    const endsIn = set.map(({ endsAt }) => Math.round((Date.parse(endsAt) - Date.now()) / 3_600_000))
    expect(endsIn.toSorted((one, other) => one - other)).toEqual([5, 12])
    const again = await run({
      silences: silences.map(one => ({ ...one, matchers: one.matchers.toReversed() })),
    })
    expect(await it.silences()).toHaveLength(2)
    expect(again.silenced.map(({ id }: { id: string }) => id).toSorted()).toEqual(
      set.map(({ id }) => id).toSorted(),
    )
    expect(again.summary).toContain('silenced already until')
    // Longer than the one that is there: a new one.
    await run({ silences: [{ ...silences[0], duration: '24h' }] })
    expect(await it.silences()).toHaveLength(3)
  },
  SLOW_MS,
)

test(
  'an answer that was lost: whether it was set is looked up, and it is not set twice',
  async () => {
    const { run, it } = await place(STORM)
    it.onRequest = ({ method, body }) => {
      if (method !== 'POST') return 'ok'
      return JSON.stringify(body).includes('web') ? 'drop' : 'drop-after-apply'
    }
    const silences = ['node-1', 'web'].map(name => ({ ...SILENCE, matchers: [`instance=${name}`] }))
    const done = await run({ silences })
    expect(done).toMatchObject({
      silenced: [{ matchers: ['instance="node-1"'], id: expect.any(String) }],
      failed: ['instance="web": not set: verify says that it is not done'],
    })
    expect(await it.silences()).toHaveLength(1)
    expect(it.requests.filter(({ method }) => method === 'POST')).toHaveLength(2)
  },
  SLOW_MS,
)

test(
  'no answer to the silence, and none after it: unknown, and told as such',
  async () => {
    const { run, it } = await place(STORM)
    let lost = false
    it.onRequest = ({ method }) => {
      if (method === 'POST') lost = true
      return lost ? 'drop' : 'ok'
    }
    const done = await run({ silences: [{ ...SILENCE, matchers: ['instance=web'] }] })
    expect(done).toMatchObject({
      silenced: [],
      failed: [expect.stringMatching(/^instance="web": outcome unknown: /)],
    })
  },
  SLOW_MS,
)

test(
  'nothing fires: a success that says what is held back',
  async () => {
    const { run } = await place()
    expect((await run({})).summary).toBe('nothing fires (none silenced or inhibited)')
  },
  SLOW_MS,
)

test(
  'reads are repeated while it pays; no is an error and never an empty list',
  async () => {
    const { run, start, it } = await place(STORM)
    let failures = 2
    it.onRequest = ({ path }) => (path.endsWith('/alerts') && failures-- > 0 ? { status: 503 } : 'ok')
    expect(await run({})).toMatchObject({ alerts: 32 })
    it.onRequest = () => ({ status: 403 })
    const asked = it.requests.length
    const forbidden = await start({})
    expect(forbidden).toMatchObject({ exitCode: 1, stdout: '' })
    expect(forbidden.stderr).toMatch(/^error: Alertmanager says no: .*status 403/)
    expect(it.requests.slice(asked).filter(({ path }) => path.endsWith('/alerts'))).toHaveLength(1)
  },
  SLOW_MS,
)

test.each([
  [{ silences: [{ ...SILENCE, matchers: ['alertname!=""'] }] }, 'would cover nearly everything'],
  [{ silences: [{ ...SILENCE, matchers: ['alertname=~".+"', 'team!=x'] }] }, 'would cover nearly everything'],
  [{ silences: [{ ...SILENCE, matchers: ['a=b'], duration: '8d' }] }, 'longer than max_silence, 7d'],
  [{ silences: [{ ...SILENCE, matchers: ['a=b'], duration: undefined, end: ago(1) }] }, 'has ended already'],
  [{ silences: [{ ...SILENCE, matchers: ['a=b'], reason: '    ' }] }, 'needs an author and a reason'],
  [{ silences: [SILENCE, SILENCE].map(one => ({ ...one, matchers: ['a=b'] })) }, 'two silences for a="b"'],
  [
    {
      silences: [
        { ...SILENCE, matchers: ['a=b'] },
        { ...SILENCE, matchers: ['--all'] },
      ],
    },
    'is no matcher',
  ],
  [{ matchers: ['@/etc/passwd'] }, 'is no matcher'],
])(
  'what could do more than it says is refused before the first is set: %j',
  async (inputs, words) => {
    const { start, it } = await place()
    const { exitCode, stdout, stderr } = await start(inputs)
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toContain(words)
    expect(it.requests).toEqual([])
  },
  SLOW_MS,
)
