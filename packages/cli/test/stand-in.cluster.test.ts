/**
 * The stand-in of Kubernetes beside a real control plane: the same objects, the same calls of the same kubectl, and what
 * it says of both must be equal. Where they disagree the stand-in is wrong.
 */

import { startKubernetes, type Kubernetes, type WorkloadSeed } from '@srecodex/testkit'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ask,
  create,
  deadPod,
  kubectl,
  KUBECONFIG,
  makeNamespaces,
  podsBecome,
  removeNamespaces,
} from './real-cluster.ts'

const LONG_MS = 120_000
const NAMESPACE = 'srecodex-same'
const seedOf = (name: string, mode = '', more: Partial<WorkloadSeed> = {}): WorkloadSeed => ({
  ...{ namespace: NAMESPACE, name, replicas: 2, image: `registry.test/${name}:1.0${mode}`, ...more },
})
const SEEDS = [
  seedOf('web'),
  seedOf('api', '', { labels: { tier: 'back' } }),
  seedOf('crash', '-crashloop'),
  seedOf('memory', '-oom'),
  seedOf('image', '-imagepull'),
  seedOf('config', '-configerror'),
  seedOf('sick', '-notready'),
  seedOf('still', '', { paused: true }),
  seedOf('db', '', { kind: 'StatefulSet' }),
]
const DEAD = ['evicted', 'succeeded', 'failed']

const folder = mkdtempSync(join(tmpdir(), 'srecodex-same-'))
let standIn: Kubernetes
let kubeconfig: string

beforeAll(async () => {
  standIn = await startKubernetes({ nodes: 5 })
  kubeconfig = standIn.kubeconfig(join(folder, 'kubeconfig'))
  for (const seed of SEEDS) standIn.addWorkload(seed)
  for (const mode of DEAD) standIn.create('pods', deadPod(NAMESPACE, mode, mode) as { metadata: object })
  await makeNamespaces([NAMESPACE])
  await create(
    SEEDS,
    DEAD.map(mode => deadPod(NAMESPACE, mode, mode)),
  )
  await podsBecome([NAMESPACE], { all: 19, ready: 6 })
  await standIn.settled()
}, LONG_MS)
afterAll(async () => {
  await standIn.stop()
  await removeNamespaces()
  rmSync(folder, { recursive: true, force: true })
}, LONG_MS)

/**
 * Names that a server makes, ids, times and addresses differ, and how often a client that waits sees it wait; lines of a
 * list have no order. Only servers from 1.22 on say when a container restarted last.
 */
function settled(text: string): string {
  return text
    .replaceAll(/^Waiting for .*\n/gm, '')
    .replaceAll(/pod-template-hash=\w+/g, 'pod-template-hash=HASH')
    .replaceAll(/-[0-9a-z]{6,10}-[0-9a-z]{5}\b/g, '-POD')
    .replaceAll(/\b(web|api|crash|memory|image|config|sick|still)-[0-9a-f]{6,10}\b/g, '$1-SET')
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'DATE')
    .replaceAll(/\b(?:\d+[smh]){1,2}\b/g, 'AGE')
    .replaceAll(/(\d+) \(AGE ago\)/g, '$1')
    .replaceAll(/\b10\.244\.\d+\.\d+/g, 'ADDRESS')
    .replaceAll(/\bnode-\d\b/g, 'NODE')
    .replaceAll(/https:\/\/[\d.]+:\d+/g, 'SERVER')
    .replaceAll(/ {2,}/g, '  ')
    .split('\n')
    .map(line => line.trimEnd())
    .sort()
    .join('\n')
    .trim()
}

async function both(words: readonly string[], input?: string): Promise<[unknown, unknown]> {
  const all = [...words, '--namespace', NAMESPACE]
  const told = async (config: string): Promise<unknown> => {
    const { stdout, stderr, exitCode } = await ask(config, all, input)
    return { exitCode, stdout: settled(stdout), stderr: settled(stderr) }
  }
  return [await told(kubeconfig), await told(KUBECONFIG)]
}

const READS = [
  'get deployments',
  'get deployments -o wide',
  'get deployments -o name',
  'get statefulsets',
  'get pods',
  'get pods -o wide',
  'get pods --show-labels -l app=web',
  'get pods -l tier=back -o name',
  'get pods -l app=nobody',
  'get pods --field-selector status.phase=Failed -o name',
  'get pods --field-selector status.phase!=Running -o name',
  'get pods --field-selector spec.nothing=1',
  'get pods -l a=b=c',
  'get replicasets',
  'get deployment nobody',
  'get deployment web nobody -o name',
  'get nothings',
  'get deployment web -o jsonpath={.status.readyReplicas}/{.spec.replicas}',
  'get deployment web -o jsonpath={.spec.strategy}',
  'get deployment web -o jsonpath={.spec.template.spec}',
  'get deployment web -o jsonpath={.status.conditions[*].reason}',
  'get deployment crash -o jsonpath={.status.conditions[*].reason}',
  'get pods -l app=crash -o jsonpath={.items[0].status.containerStatuses[0].state.waiting.reason}',
  'get pods -l app=memory -o jsonpath={.items[0].status.containerStatuses[0].lastState.terminated.reason}',
  'get pod evicted -o jsonpath={.status.phase}/{.status.reason}',
  'get events --field-selector reason=BackOff -o jsonpath={.items[0].message}',
  'rollout status deployment/web',
  'rollout status statefulset/db',
  'rollout status deployment/sick --timeout=1s',
  'rollout status deployment/nobody',
  'rollout history deployment/web',
  'rollout history deployment/web --revision=1',
  'rollout history deployment/web --revision=9',
  'logs deployment/web --tail=1',
  'logs deployment/crash --previous --tail=1',
  'logs pod/succeeded --tail=1',
  'auth can-i delete pods',
] as const

describe('what is read', { timeout: LONG_MS }, () => {
  test.each(READS)('kubectl %s', async line => {
    const [ours, real] = await both(line.split(' '))
    expect(ours).toEqual(real)
  })

  test('logs of what never ran', async () => {
    for (const app of ['image', 'config']) {
      const [mine, real] = await both(['logs', '-l', `app=${app}`, '--tail=1'])
      expect(mine).toEqual(real)
    }
  })
})

/** In order: each finds what those before it left. */
const CHANGES = [
  'rollout restart deployment/web --dry-run=client',
  'rollout restart deployment/web',
  'rollout status deployment/web',
  'rollout restart deployment/still',
  'rollout restart deployment/nobody',
  'rollout history deployment/web',
  'set image deployment/web main=registry.test/web:2.0 --dry-run=server',
  'set image deployment/web main=registry.test/web:2.0',
  'set image deployment/web main=registry.test/web:2.0',
  'set image deployment/web other=registry.test/web:2.0',
  'rollout status deployment/web',
  'rollout undo deployment/web --to-revision=9',
  'rollout undo deployment/web --to-revision=1 --dry-run=server',
  'rollout undo deployment/web --to-revision=1',
  'rollout status deployment/web',
  'rollout undo deployment/web --to-revision=4',
  'rollout history deployment/web',
  'rollout undo deployment/api',
  'scale deployment/api --replicas=3',
  'scale deployment/api --replicas=1 --current-replicas=9',
  'scale deployment/nobody --replicas=1',
  'wait deployment/api --for=condition=Available --timeout=60s',
  'scale deployment/api --replicas=0',
  'label deployment/api tier=front',
  'label deployment/api tier=front --overwrite',
  'label deployment/api tier=front --overwrite',
  'label deployment/api tier-',
  'annotate deployment/api note=one',
  'annotate deployment/api note=one',
  'patch deployment api -p {"metadata":{"resourceVersion":"1"}}',
  'patch deployment api -p {"spec":{"paused":true}}',
  'patch deployment api -p {"spec":{"paused":true}}',
  'patch deployment api --type=json -p [{"op":"remove","path":"/spec/nothing"}]',
  'rollout pause deployment/api',
  'rollout resume deployment/api',
  'rollout resume deployment/api',
  'rollout restart statefulset/db',
  'rollout status statefulset/db',
  'delete pod failed --dry-run=server',
  'delete pod failed',
  'delete pod failed',
  'delete pod failed --ignore-not-found',
  'delete pods -l dead=evicted',
  'delete pods -l dead=evicted',
  'delete deployment sick --wait=false',
  'create configmap settings --from-literal=a=1',
  'create configmap settings --from-literal=a=1',
  'get configmap settings -o jsonpath={.data}',
  'create deployment more --image=registry.test/more:1 --dry-run=server -o name',
  'drain nothing',
] as const

test('what is changed, call by call', { timeout: LONG_MS }, async () => {
  for (const [index, line] of CHANGES.entries()) {
    const [ours, real] = await both(line.split(' '))
    expect.soft({ index, line, told: ours }).toEqual({ index, line, told: real })
  }
})

test('the rights of somebody else, as they are refused', { timeout: LONG_MS }, async () => {
  const viewer = standIn.kubeconfig(join(folder, 'viewer'), { user: 'viewer' })
  const words = ['delete', 'pod', 'succeeded', '--namespace', NAMESPACE]
  const [ours, real] = [await ask(viewer, words), await ask(KUBECONFIG, [...words, '--as=viewer'])]
  expect({ ...ours, stderr: settled(ours.stderr) }).toEqual({ ...real, stderr: settled(real.stderr) })
})

test('applied twice, and then otherwise', { timeout: LONG_MS }, async () => {
  const manifest = (replicas: number): string =>
    JSON.stringify({
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'applied' } },
      spec: {
        replicas,
        selector: { matchLabels: { app: 'applied' } },
        template: {
          metadata: { labels: { app: 'applied' } },
          spec: { containers: [{ name: 'main', image: 'registry.test/applied:1.0' }] },
        },
      },
    })
  for (const replicas of [1, 1, 2]) {
    const [ours, real] = await both(['apply', '-f', '-'], manifest(replicas))
    expect(ours).toEqual(real)
  }
  expect(
    await kubectl(['get', 'deployment', 'applied', '-n', NAMESPACE, '-o', 'jsonpath={.spec.replicas}']),
  ).toBe('2')
})
