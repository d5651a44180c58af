import { expect, test } from 'vitest'
import { createRedactor } from '../../src/runs/redact.ts'
import { shownPlan } from '../../src/runs/shown-plan.ts'
import { makePlan } from '../../src/tools/plan.ts'

const SECRET = 'hunter2-is-secret'
const TOKEN = `ghp_${'a1B2c3D4e5'.repeat(3)}F6g7h8`.slice(0, 40)

test('a plan is shown without secrets, with every target', async () => {
  const targets = Array.from({ length: 700 }, (_, index) => `shop/pod/p${index}-${SECRET}`)
  const plan = makePlan({
    id: '01M82NDXYC9FKZRBB1NKWX4F27',
    createdAt: '2026-11-22T10:00:00Z',
    expiresAt: '2026-11-22T10:15:00Z',
    bound: { script: 'abc', args: ['--password', SECRET], workspace: '/ws', tools: [] },
    calls: [
      {
        ...{ identity: 'one', tool: 'kubectl', verb: 'delete', item: `item ${TOKEN}` },
        ...{
          argv: ['delete', 'pod', '--token', SECRET],
          runs: [['delete', SECRET]],
          targets,
          before: { a: SECRET },
        },
      },
    ],
    may: [{ identity: 'two', tool: 'psql', argv: ['-c', `SELECT '${SECRET}'`] }],
    incomplete: [`stopped at ${TOKEN}`],
  })
  const redactor = createRedactor({ values: [{ name: 'DB_PASSWORD', value: SECRET }] })
  const shown = await shownPlan(plan, redactor)
  expect(JSON.stringify(shown)).not.toContain(SECRET)
  expect(JSON.stringify(shown)).not.toContain(TOKEN)
  expect(shown.calls[0]!.targets).toHaveLength(700)
  expect(shown.calls[0]!.targets[7]).toMatch(/^shop\/pod\/p7-\[redacted/)
  expect(shown).toMatchObject({
    id: plan.id,
    sha256: plan.sha256,
    calls: [{ verb: 'delete', tool: 'kubectl' }],
  })
})
