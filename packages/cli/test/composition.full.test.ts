/**
 * One script over three back-ends: it triages the alerts of a real Alertmanager, finds what crashes in Kubernetes, looks
 * for the reason in CloudWatch, mutes, restarts and checks. Planned, approved once, killed at one of several moments,
 * resumed. What was done is judged by what the servers logged, never by what the run says of itself.
 *
 * It is the script of the page of jobs, word by word.
 */

import { describe, expect, test } from 'vitest'
import { changes, mutating } from './cluster.ts'
import { readJob } from './jobs-page.ts'
import { judgeIncident, REFUSED, worldOf } from './jobs-worlds.ts'
import type { World } from './jobs-world.ts'

const LONG_MS = 600_000
const FILE = 'incident.py'

const restarts = ({ kubernetes }: World): number =>
  kubernetes.requests.filter(({ applied, verb }) => applied && verb === 'patch').length
const silences = ({ alertmanager }: World): number =>
  alertmanager.requests.filter(({ method, status }) => method === 'POST' && status === 200).length

async function planned(): Promise<{ at: World; plan: string }> {
  const at = await worldOf(FILE, readJob(FILE).script)
  const { exitCode, report } = await at.srecodex(`run ${FILE}`)
  expect({ exitCode, status: report.status, mutations: report.plan?.mutations }).toEqual({
    exitCode: 3,
    status: 'planned',
    mutations: REFUSED.length + 1,
  })
  expect(report.plan.targets.slice(0, 2)).toEqual(['auth/deployment/login', 'auth/deployment/tokens'])
  // Nothing but reads and rehearsals has reached any of the three.
  expect(mutating(at.kubernetes)).toEqual([])
  expect(at.alertmanager.requests.filter(({ method }) => method !== 'GET')).toEqual([])
  return { at, plan: report.run }
}

/** Kills the apply with SIGKILL once the servers have seen so much. */
async function killedApply(at: World, words: string, isTime: (at: World) => boolean): Promise<void> {
  const killer = new AbortController()
  const watch = setInterval(() => {
    if (isTime(at)) killer.abort()
  }, 5)
  try {
    await expect(at.srecodex(words, { signal: killer.signal, killSignal: 'SIGKILL' })).rejects.toThrow(
      /SIGKILL/,
    )
  } finally {
    clearInterval(watch)
  }
}

describe('five skills over three back-ends, in one script', { timeout: LONG_MS }, () => {
  test.each<[string, (at: World) => boolean, least: number, most: number]>([
    ['once the silence is set', at => silences(at) === 1, 0, 2],
    ['half way through the restarts', at => restarts(at) >= 3, 3, REFUSED.length - 1],
    [
      'when all are restarted, and nobody has looked',
      at => restarts(at) === REFUSED.length,
      REFUSED.length,
      REFUSED.length,
    ],
  ])('planned, approved, killed %s, resumed', async (_when, isTime, least, most) => {
    const { at, plan } = await planned()
    await killedApply(at, `apply ${plan} --yes`, isTime)
    const before = restarts(at)
    expect(before).toBeGreaterThanOrEqual(least)
    expect(before).toBeLessThanOrEqual(most)

    const resumed = await at.srecodex('resume last')
    expect({ exitCode: resumed.exitCode, status: resumed.report.status }).toEqual({
      exitCode: 0,
      status: 'succeeded',
    })
    expect(resumed.report.items).toMatchObject({ failed: 0, unknown: 0, pending: 0 })
    expect(resumed.report.summary).toContain('6 of 6 workloads restarted\n6 of 6 are healthy now')
    await judgeIncident(at)
  })

  test('killed twice on the way, and an answer of each server lost: still each thing once', async () => {
    const { at, plan } = await planned()
    const lost = new Set<string>()
    const loseFirst = (key: string): boolean => !lost.has(key) && lost.add(key).has(key)
    at.kubernetes.onRequest = ({ method, dryRun, name }) =>
      method === 'PATCH' && !dryRun && name === 'cart' && loseFirst('cart') ? 'drop-after-apply' : 'ok'
    at.alertmanager.onRequest = ({ method }) =>
      method === 'POST' && loseFirst('silence') ? 'drop-after-apply' : 'ok'

    await killedApply(at, `apply ${plan} --yes`, () => restarts(at) >= 1)
    await killedApply(at, 'resume last', () => restarts(at) >= 4)
    const resumed = await at.srecodex('resume last')
    expect(resumed).toMatchObject({ exitCode: 0, report: { items: { failed: 0, unknown: 0 } } })
    expect([...lost].sort()).toEqual(['cart', 'silence'])
    await judgeIncident(at)
  })

  test('nothing fires for what crashes: nothing is asked of the others, and nothing is planned', async () => {
    const { at } = await planned()
    const asked = at.aws.requests.length
    await at.alertmanager.add(
      [
        'auth/login',
        'auth/tokens',
        'pay/ledger',
        'pay/refunds',
        'pay/reports',
        'shop/cart',
        'shop/web',
        'shop/wishlist',
      ].map(key => ({
        labels: {
          alertname: 'KubePodCrashLooping',
          severity: 'warning',
          namespace: key.split('/')[0]!,
          deployment: key.split('/')[1]!,
        },
        endsAt: new Date(Date.now() - 1000).toISOString(),
      })),
    )
    const { exitCode, report } = await at.srecodex(`run ${FILE}`)
    expect({ exitCode, plan: report.plan, summary: report.summary }).toEqual({
      exitCode: 0,
      plan: null,
      summary: '0 alerts, and nothing crashes any more',
    })
    expect(at.aws.requests.slice(asked).filter(({ service }) => service === 'logs')).toEqual([])
    expect(changes(at.kubernetes)).toEqual({})
  })
})
