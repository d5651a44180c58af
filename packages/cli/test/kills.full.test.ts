/** 200 random kills of srecodex, of the script, of kubectl: each change reaches the server once, or is told as unknown. */

import type { Fault } from '@srecodex/testkit'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { callerEnvironment, changes, cluster, journalOf, mutating } from './cluster.ts'
import { killedJob } from './killed-job.ts'
import { live, STARTING, type Kill } from './lives.ts'

const KILLS = 200
const SEED = Number(process.env.SRECODEX_SEED ?? 20_261_122)

test(`${KILLS} random kills (SRECODEX_SEED=${SEED})`, { timeout: 3_600_000 }, async () => {
  let [kills, lives, unknown, jobs] = [0, 0, 0, 0]
  for (let seed = SEED; kills < KILLS; seed += 1) {
    // Planning is what takes most of the time, and it is not what is killed here.
    const mutations = jobs % 4 === 0 ? 'plan' : 'allow'
    const lost = jobs % 3 === 2 ? 0.1 : 0
    const job = await killedJob({ seed, items: 100, kills: Math.min(40, KILLS - kills), mutations, lost })
    jobs += 1
    kills += job.kills
    lives += job.lives
    unknown += job.unknown
    console.log(
      `seed ${seed} (${mutations}, lost ${lost}): ${job.kills} kills in ${job.lives} lives, ${job.unknown} unknown`,
    )
  }
  expect(kills).toBeGreaterThanOrEqual(KILLS)
  expect(lives).toBeGreaterThan(jobs)
})

test('a change that the server does not answer is recorded as unknown 10 s after Ctrl-C; resume settles it', async () => {
  const files = { 'a.sh': 'kubectl rollout restart deployment/web -n shop\n' }
  const at = await cluster({ files, deployments: ['shop/web'] })
  const { report } = await at.srecodex('run a.sh')
  let arrive = (): void => {}
  const arrived = new Promise<void>(resolve => {
    arrive = resolve
  })
  at.kubernetes.onRequest = ({ method, dryRun }) => {
    if (method !== 'PATCH' || dryRun) return 'ok'
    arrive()
    return 'hang'
  }
  const interrupts: Kill[] = [{ victim: 'srecodex', after: arrived, signal: 'SIGINT' }]
  const env = await callerEnvironment(at.kubeconfig)
  const next = (): Kill | null => interrupts.pop() ?? null
  const cancelled = await live(at, env, ['apply', report.run, '--yes'], next, () => {})
  expect(cancelled).toMatchObject({ exitCode: 130, report: { status: 'cancelled' } })
  expect(cancelled.report.next).toBe(`srecodex resume ${cancelled.report.run}`)
  const results = journalOf(at, cancelled.report.run).filter(
    ({ kind, outcome }) => kind === 'result' && outcome,
  )
  expect(results.map(({ outcome }) => outcome)).toEqual(['unknown'])
  expect(changes(at.kubernetes)).toEqual({})

  at.kubernetes.onRequest = () => 'ok'
  expect(await at.srecodex('resume last')).toMatchObject({ exitCode: 0, report: { status: 'succeeded' } })
  expect(changes(at.kubernetes)).toEqual({ 'patch shop/web': 1 })
})

test('what was being started when srecodex was killed does not change anything behind the back of a resume', async () => {
  const files = { 'a.sh': 'kubectl rollout restart deployment/web -n shop\n' }
  const counts: number[] = []
  for (let attempt = 0; attempt < 4; attempt += 1) {
    const at = await cluster({ files, deployments: ['shop/web'] })
    const env = await callerEnvironment(at.kubeconfig)
    const { report } = await at.srecodex('run a.sh')
    // Whoever asks first after the kill, what is left of the killed one or the resume, is answered last.
    let isKilled = false
    at.kubernetes.onRequest = async ({ method, name }): Promise<Fault> => {
      if (!isKilled || method !== 'GET' || name !== 'web') return 'ok'
      isKilled = false
      await setTimeout(3000)
      return 'ok'
    }
    const kills: Kill[] = [{ victim: STARTING, after: Promise.resolve() }]
    const next = (): Kill | null => kills.pop() ?? null
    const killed = await live(at, env, ['apply', report.run, '--yes'], next, () => {
      isKilled = true
    })
    expect(killed.exitCode).toBeNull()
    expect((await at.srecodex('resume last')).exitCode).toBe(0)
    await setTimeout(isKilled ? 0 : 3000)
    counts.push(mutating(at.kubernetes).length)
  }
  expect(counts).toEqual(counts.map(() => 1))
})
