/** The owner's two scripts: one byte for byte, one with its missing helpers, by the real kubectl through the shims. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { changes, cluster, mutating, once } from './cluster.ts'

const LONG_MS = 120_000

const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'owner-scripts', name), 'utf8')

describe('find all pods in CrashLoopBackOff and restart their deployments', { timeout: LONG_MS }, () => {
  const CRASHING = ['shop/cart', 'pay/ledger', 'search/index']
  const deployments = [
    ...CRASHING.map(name => `${name}:2.0-crashloop`),
    'shop/web',
    'pay/tax',
    'batch/nightly:1.0-imagepull',
    // Of the same name as one that crashes elsewhere.
    'pay/cart',
  ]

  test('planned, approved, applied: those that crash are restarted, and no others', async () => {
    const files = { 'crashloop.py': fixture('crashloop.py') }
    const { kubernetes, srecodex } = await cluster({ files, deployments })
    const planned = await srecodex('run crashloop.py')
    expect(planned).toMatchObject({
      exitCode: 3,
      report: { status: 'planned', plan: { complete: true, mutations: 3 } },
    })
    expect(planned.report.plan.targets.toSorted()).toEqual(
      CRASHING.map(key => key.replace('/', '/deployment/')).sort(),
    )
    expect(planned.report.summary).toContain('Restarted 3 deployments for 3 crashed pods')
    expect(mutating(kubernetes)).toEqual([])

    const applied = await srecodex(`apply ${planned.report.run} --yes`)
    expect(applied).toMatchObject({ exitCode: 0, report: { status: 'succeeded' } })
    expect(applied.report.summary).toContain('Restarted 3 deployments for 3 crashed pods')
    expect(changes(kubernetes)).toEqual(once(CRASHING))
    expect(mutating(kubernetes)).toHaveLength(3)
  })
})

describe('deploy the new version and verify it is healthy, roll back if not', { timeout: LONG_MS }, () => {
  const deployment = (image: string): string =>
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'shop' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image }] } },
      },
    })
  // `time`, and what it calls besides, the owner's sketch leaves to whoever uses it.
  const script = `from deploy_helpers import *\n${fixture('deploy.py')}`
  const files = (image: string) => ({
    'deploy.py': script,
    'deploy_helpers.py': fixture('deploy_helpers.py'),
    'deployment.yaml': deployment(image),
  })

  test('a healthy image stays', async () => {
    const at = await cluster({
      files: files('registry.test/web:2.0'),
      deployments: ['shop/web', 'shop/cart'],
    })
    const { kubernetes, srecodex } = at
    const planned = await srecodex('run deploy.py')
    expect(planned).toMatchObject({ exitCode: 3, report: { plan: { targets: ['shop/deployment/web'] } } })
    expect(mutating(kubernetes)).toEqual([])
    const applied = await srecodex(`apply ${planned.report.run} --yes`)
    expect(applied.report.summary).toMatch(/^Deployment successful\. Health: /)
    expect(applied.exitCode).toBe(0)
    expect(changes(kubernetes)).toEqual(once(['shop/web']))
    expect(imageOf(kubernetes.get('deployments', 'shop', 'web'))).toBe('registry.test/web:2.0')
  })

  test('an unhealthy one is rolled back, though no plan foresaw it: once', async () => {
    const at = await cluster({
      files: files('registry.test/web:2.0-crashloop'),
      deployments: ['shop/web', 'shop/cart'],
    })
    const { kubernetes, srecodex } = at
    const planned = await srecodex('run deploy.py')
    expect(planned).toMatchObject({ exitCode: 3, report: { plan: { mutations: 1, may: [] } } })
    const applied = await srecodex(`apply ${planned.report.run} --yes`)
    expect(applied.report.summary).toMatch(/^Rolled back due to health check failure: /)
    expect(applied.exitCode).toBe(0)
    expect(mutating(kubernetes).map(({ verb, name, resource }) => `${verb} ${resource} ${name}`)).toEqual([
      'patch deployments web',
      'patch deployments web',
    ])
    expect(changes(kubernetes)).toEqual({ 'patch shop/web': 2 })
    expect(imageOf(kubernetes.get('deployments', 'shop', 'web'))).toBe('registry.test/web:1.0')
  })
})

function imageOf(deployment: unknown): string {
  const { spec } = deployment as { spec: { template: { spec: { containers: { image: string }[] } } } }
  return spec.template.spec.containers[0]!.image
}
