/** A person's yes, through the client: asked in place, or left to `apply_plan`. The API's log is the judge. */

import { describe, expect, test } from 'vitest'
import { callerEnvironment, changes, cluster, mutating, once, RESTART_ALL, type Cluster } from './cluster.ts'
import { connect, REVISIONS, type ClientOptions, type Connected } from './mcp-client.ts'

/** Each starts processes, a cluster or several servers. */
const LONG_MS = 120_000

const DEPLOYMENTS = ['shop/web', 'shop/cart', 'shop/pay']
const RESTART = { script: RESTART_ALL['restart.py'], language: 'python' }

async function restartable(options: ClientOptions): Promise<Cluster & Connected> {
  const it = await cluster({ deployments: DEPLOYMENTS })
  return { ...it, ...(await connect(it, { ...options, env: await callerEnvironment(it.kubeconfig) })) }
}

describe.for(REVISIONS)('revision %s', { timeout: LONG_MS }, revision => {
  test('accepted: the plan is shown with counts, targets and identity, and applied in the same call', async () => {
    const { call, questions, kubernetes, srecodex } = await restartable({ revision, person: 'accept' })
    const result = await call('run_script', RESTART)
    expect(result.report).toMatchObject({
      status: 'succeeded',
      items: { total: 3, ok: 3 },
      calls: { mutations: 3 },
    })
    expect(result.chars).toBeLessThanOrEqual(2500)
    expect(questions).toHaveLength(1)
    expect(questions[0]!.split('\n')).toEqual([
      'Make these changes?',
      '3 × kubectl rollout restart: shop/deployment/cart, shop/deployment/pay, shop/deployment/web',
      expect.stringMatching(/^kubectl as .* at https:\/\/127\.0\.0\.1:\d+/),
      expect.stringMatching(/^plan \w{26}$/),
    ])
    expect(changes(kubernetes)).toEqual(once(DEPLOYMENTS))
    const { report } = await srecodex(`runs show ${result.report.run}`)
    expect(report.approvals).toMatchObject([{ how: 'client' }])
  })

  test('declined: planned, nothing changed, and the model is not told to apply it', async () => {
    const { call, kubernetes } = await restartable({ revision, person: 'decline' })
    const { report, text } = await call('run_script', RESTART)
    expect(report).toMatchObject({
      status: 'planned',
      plan: { mutations: 3, complete: true },
      next: `a person runs: srecodex apply ${report.run}`,
    })
    expect(text).toContain('the client’s answer was no')
    expect((await call('apply_plan', { plan: report.run })).report.status).toBe('planned')
    expect(mutating(kubernetes)).toEqual([])
  })

  test.for(['wait', 'cancel'] as const)(
    'unanswered (%s): planned, and the plan still stands',
    async person => {
      const { call, kubernetes, srecodex } = await restartable({
        revision,
        // A client of the newer revision brings the answer itself, however late.
        person: revision === '2026-07-28' ? 'cancel' : person,
        args: ['--answer-within', '1'],
      })
      const { report, text } = await call('run_script', RESTART)
      expect(report).toMatchObject({ status: 'planned', next: `a person runs: srecodex apply ${report.run}` })
      expect(text).toContain('nobody answered')
      expect(mutating(kubernetes)).toEqual([])
      expect((await srecodex(`apply ${report.run} --yes`)).report.status).toBe('succeeded')
      expect(changes(kubernetes)).toEqual(once(DEPLOYMENTS))
    },
  )

  test('nobody can be asked: the result names apply_plan and the command, and apply_plan applies once', async () => {
    const { call, kubernetes, srecodex } = await restartable({ revision })
    const { report, text } = await call('run_script', RESTART)
    const next = `apply_plan {"plan":"${report.run}"}, or a person runs: srecodex apply ${report.run}`
    expect(report).toMatchObject({ status: 'planned', next })
    expect(text).toContain(`next: ${next}`)
    expect(report.plan.targets).toEqual([
      'shop/deployment/cart',
      'shop/deployment/pay',
      'shop/deployment/web',
    ])
    expect(mutating(kubernetes)).toEqual([])

    const answers = await Promise.all(
      Array.from({ length: 3 }, () => call('apply_plan', { plan: report.run, reason: 'they leak' })),
    )
    const applied = answers.filter(({ isError }) => !isError)
    expect(applied.map(one => one.report)).toMatchObject([{ status: 'succeeded', parent: report.run }])
    for (const { text: error } of answers.filter(({ isError }) => isError)) {
      expect(error).toMatch(/^error\[PLAN_STALE\]/)
    }
    expect(changes(kubernetes)).toEqual(once(DEPLOYMENTS))
    const { report: shown } = await srecodex(`runs show ${applied[0]!.report.run}`)
    expect(shown.approvals).toMatchObject([{ how: 'client', reason: 'they leak' }])
    const again = await call('run_status', { run: report.run })
    expect(again.report.next).toBe(`run_status {"run":"${applied[0]!.report.run}"}`)
  })

  test('drift is asked for in place, and ends the run where the answer is no', async () => {
    const drifting = `import os, subprocess, srecodex
def restart(name):
    subprocess.run(["kubectl", "-n", "shop", "rollout", "restart", "deployment/" + name], check=True, capture_output=True)
restart("web")
if os.environ["SRECODEX_PHASE"] == "apply": restart("cart")
srecodex.summary("done")
`
    const script = { script: drifting, language: 'python' }
    const yes = await restartable({ revision, person: 'accept' })
    expect((await yes.call('run_script', script)).report).toMatchObject({
      status: 'succeeded',
      summary: 'done',
    })
    expect(yes.questions.map(question => question.split('\n')[0])).toEqual([
      'Make these changes?',
      'The script wants a change that its plan does not list. Make it, and go on?',
    ])
    expect(changes(yes.kubernetes)).toEqual(once(['shop/web', 'shop/cart']))

    const no = await restartable({
      revision,
      person: asked => (asked.includes('does not list') ? 'decline' : 'accept'),
    })
    const { report } = await no.call('run_script', script)
    expect(report).toMatchObject({ status: 'drifted', error: { code: 'DRIFTED' } })
    expect(report.plan.targets).toContain('shop/deployment/cart')
    expect(changes(no.kubernetes)).toEqual(once(['shop/web']))
  })
})

test('a plan of another folder is not for this client', { timeout: LONG_MS }, async () => {
  const it = await cluster({
    deployments: DEPLOYMENTS,
    files: { 'here/x': '', 'there/restart.py': RESTART.script },
  })
  const env = await callerEnvironment(it.kubeconfig)
  const { report } = await it.srecodex('run restart.py', { cwd: 'there' })
  expect(report.status).toBe('planned')
  const { call } = await connect({ ...it, workspace: it.path('here') }, { env })
  expect((await call('apply_plan', { plan: report.run })).text).toMatch(/^error\[WORKSPACE_INVALID\]/)
  expect((await call('run_status', { run: report.run })).report.status).toBe('planned')
  expect(mutating(it.kubernetes)).toEqual([])
})

test('an answer that was not asked for does nothing', { timeout: LONG_MS }, async () => {
  const it = await restartable({ revision: '2026-07-28', person: 'decline' })
  const { report } = await it.call('run_script', RESTART)
  const params = {
    name: 'apply_plan',
    arguments: { plan: report.run },
    requestState: '00000000-0000-4000-8000-000000000000',
    inputResponses: { answer: { action: 'accept', content: {} } },
  }
  const { structuredContent } = await it.client.callTool(params)
  expect(structuredContent).toMatchObject({ status: 'planned' })
  expect(mutating(it.kubernetes)).toEqual([])
})
