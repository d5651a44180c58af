/** What the tests of the Kubernetes skills ask of the stand-in beyond workloads. */

import { execa } from 'execa'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { kubectlProgram } from '../src/kubectl.ts'
import type { Kubernetes } from '../src/kubernetes/kubernetes.ts'
import { cluster } from './skill-k8s-payload.ts'

async function kubectl(it: Kubernetes, words: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'srecodex-stand-in-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const env = { HOME: folder, KUBECONFIG: it.kubeconfig(join(folder, 'config')) }
  const { stdout, stderr } = await execa(await kubectlProgram(), words.split(' '), { env, reject: false })
  return [stdout, stderr].filter(text => text !== '').join('\n')
}

test('an object of any resource is put there with its status, in a namespace that is made for it', async () => {
  const it = await cluster()
  const conditions = [{ type: 'Complete', status: 'True' }]
  it.create('jobs', { metadata: { namespace: 'batch', name: 'nightly' }, spec: {}, status: { conditions } })
  const complete = 'jsonpath={.items[*].status.conditions[0].type}'
  expect(await kubectl(it, `get jobs -n batch -o ${complete}`)).toBe('Complete')
  expect(await kubectl(it, 'get job.batch nightly -n batch -o name')).toBe('job.batch/nightly')
  expect(() => it.create('jobs', { metadata: { namespace: 'batch', name: 'nightly' } })).toThrow(
    /already exists/,
  )
})

test('a StatefulSet waits for a bad pod in order, under whatever template, until that is deleted', async () => {
  const it = await cluster()
  it.addWorkload({ namespace: 'shop', name: 'db', kind: 'StatefulSet' })
  await it.settled()
  const image = 'get pod db-1 -n shop -o jsonpath={.spec.containers[0].image}'
  const bad = 'registry.test/db:2-imagepull'
  await kubectl(it, `set image statefulset/db main=${bad} -n shop`)
  await expect.poll(() => kubectl(it, image), { timeout: 10_000 }).toBe(bad)
  await kubectl(it, 'rollout undo statefulset/db -n shop')
  expect(await kubectl(it, 'rollout status statefulset/db -n shop --timeout=2s')).toContain('timed out')
  expect(await kubectl(it, image)).toBe(bad)
  await kubectl(it, 'delete pod db-1 -n shop --wait=false')
  const status = await kubectl(it, 'rollout status statefulset/db -n shop --timeout=20s')
  expect(status).toContain('complete')
  expect(await kubectl(it, image)).toBe('registry.test/db:1.0')
}, 60_000)
