/** deploy/rollout by hand: shipped, verified, and taken back where it is bad, whatever the server does meanwhile. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Kubernetes } from '../src/kubernetes/kubernetes.ts'
import { applied } from '../src/kubernetes/request-log.ts'
import { resourceOf } from '../src/kubernetes/resources.ts'
import { addService, cluster, payload, resultOf, type Ended, type Loose } from './skill-k8s-payload.ts'

const ENTRY = 'deploy/rollout/scripts/rollout.py'
const GOOD = 'registry.test/web:2.0'
const BAD = 'registry.test/web:2.0-imagepull'

const deploy = (it: Kubernetes, inputs: object, user?: string): Promise<Ended> =>
  payload(
    it,
    ENTRY,
    {
      namespace: 'shop',
      workload: 'deployment/web',
      rollout_timeout_seconds: 10,
      settle_seconds: 0,
      ...inputs,
    },
    user === undefined ? {} : { user },
  )

async function withWeb(seed: object = {}, options: object = {}): Promise<Kubernetes> {
  const it = await cluster(options)
  it.addWorkload({ namespace: 'shop', name: 'web', ...seed })
  await it.settled()
  return it
}

const imageOf = (it: Kubernetes, plural = 'deployments', name = 'web'): string =>
  (it.get(plural, 'shop', name) as Loose).spec.template.spec.containers[0].image

/** Changes of the workload by a client, in order. */
const changes = (it: Kubernetes): string[] =>
  applied(it.requests).map(({ verb, resource, name, body }) => {
    const image = /registry\.test\/[^"\\]+/.exec(JSON.stringify(body))?.[0] ?? ''
    return `${verb} ${resource}/${name} ${image}`.trim()
  })

/** A client's change to the live object. */
function edit(it: Kubernetes, change: (object: Loose) => void, plural = 'deployments', name = 'web'): void {
  const object = structuredClone(it.get(plural, 'shop', name)) as Loose
  change(object)
  it.store.update(resourceOf(plural), object, { writer: { manager: 'somebody', subresource: null } })
}

/** YAML, of which JSON is a part. */
const documents = (...objects: readonly object[]): string =>
  objects.map(object => JSON.stringify(object)).join('\n---\n')

test.each(['Deployment', 'StatefulSet', 'DaemonSet'] as const)('a %s: shipped and verified', async kind => {
  const it = await withWeb({ kind })
  addService(it, 'shop', 'web')
  await it.settled()
  const workload = `${kind.toLowerCase()}/web`
  const done = resultOf(await deploy(it, { workload, image: GOOD, settle_seconds: 1 }))
  expect(done).toEqual({
    summary: `${workload} in shop is healthy with ${GOOD}, revision 2; it was at 1`,
    status: 'deployed',
    reason: null,
    image_before: ['main=registry.test/web:1.0'],
    image_after: [`main=${GOOD}`],
    revision_before: 1,
    revision_after: 2,
    duration_seconds: expect.any(Number),
  })
  expect(changes(it)).toEqual([`patch ${kind.toLowerCase()}s/web ${GOOD}`])
})

test.each(['Deployment', 'StatefulSet', 'DaemonSet'] as const)('a %s: bad, and taken back', async kind => {
  const it = await withWeb({ kind })
  const workload = `${kind.toLowerCase()}/web`
  const done = resultOf(await deploy(it, { workload, image: BAD, rollout_timeout_seconds: 2 }))
  expect(done).toMatchObject({
    status: 'rolled-back',
    revision_before: 1,
    image_after: ['main=registry.test/web:1.0'],
  })
  expect(done.reason).toContain('ImagePullBackOff')
  expect(done.summary).toContain(`rolled ${workload} in shop back to what revision 1 was: `)
  expect(imageOf(it, `${kind.toLowerCase()}s`)).toBe('registry.test/web:1.0')
})

test('back to the revision that was there, not to the one before it', async () => {
  const it = await withWeb()
  edit(it, object => (object.spec.template.spec.containers[0].image = 'registry.test/web:1.5'))
  await it.settled()
  const done = resultOf(await deploy(it, { image: BAD, rollout_timeout_seconds: 2 }))
  expect(done).toMatchObject({ status: 'rolled-back', revision_before: 2, revision_after: 4 })
  expect(imageOf(it)).toBe('registry.test/web:1.5')
})

test('rollback false leaves it for whoever wants to look', async () => {
  const it = await withWeb()
  const done = resultOf(await deploy(it, { image: BAD, rollout_timeout_seconds: 2, rollback: false }))
  expect(done).toMatchObject({ status: 'failed', image_after: [`main=${BAD}`] })
  expect(done.reason).toContain('ImagePullBackOff')
})

test('it rolls out, and then its containers restart: bad', async () => {
  const it = await withWeb({ replicas: 1 })
  let asked = false
  it.onRequest = ({ verb, resource }) => {
    if (verb === 'list' && resource === 'pods' && imageOf(it) === GOOD) {
      if (asked) {
        const pods = resourceOf('pods')
        for (const pod of it.store.list(pods)) {
          const copy = structuredClone(pod) as Loose
          if (copy.spec.containers[0].image !== GOOD || copy.status.containerStatuses === undefined) continue
          copy.status.containerStatuses[0].restartCount += 1
          it.store.update(pods, copy, { writer: { manager: 'kubelet', subresource: 'status' } })
        }
      }
      asked = true
    }
    return 'ok'
  }
  const done = resultOf(await deploy(it, { image: GOOD, settle_seconds: 3 }))
  expect(done).toMatchObject({
    status: 'rolled-back',
    reason: expect.stringMatching(/^containers restarted \d+ times/),
  })
  expect(imageOf(it)).toBe('registry.test/web:1.0')
}, 40_000)

test('a service that selects the pods has too few endpoints: bad', async () => {
  const it = await withWeb({ replicas: 2 })
  addService(it, 'shop', 'web')
  addService(it, 'shop', 'other', 'cart')
  await it.settled()
  // Slices of the service, as a controller that lags behind leaves them.
  const slices = resourceOf('endpointslices')
  it.store.onChange(({ resource, object }) => {
    if (resource !== slices || (object as Loose).endpoints.length === 0) return
    const empty: Loose = { ...structuredClone(object), endpoints: [] }
    it.store.update(slices, empty, {
      writer: { manager: 'kube-controller-manager', subresource: null },
    })
  })
  const done = resultOf(await deploy(it, { image: GOOD }))
  expect(done).toMatchObject({
    status: 'rolled-back',
    reason: 'service web has 0 ready endpoints for 2 replicas',
  })
}, 60_000)

test('the URL has the last word', async () => {
  let code = 500
  const server = createServer((_request, response) => {
    response.statusCode = code
    response.end()
    code = 503
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const health_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/healthz`
  const it = await withWeb({ replicas: 1 })
  const bad = resultOf(await deploy(it, { image: GOOD, health_url, health_retries: 2 }))
  expect(bad).toMatchObject({ status: 'rolled-back', reason: `${health_url} answers 503` })
  code = 204
  await it.settled()
  expect(resultOf(await deploy(it, { image: GOOD, health_url, health_retries: 1 }))).toMatchObject({
    status: 'deployed',
  })
}, 40_000)

test('the image is there already: nothing is changed, and its health is looked at', async () => {
  const it = await withWeb()
  expect(resultOf(await deploy(it, { image: 'registry.test/web:1.0' }))).toMatchObject({
    status: 'unchanged',
  })
  const sick = await withWeb({ image: BAD, progressDeadlineSeconds: 1 })
  const done = resultOf(await deploy(sick, { image: BAD, rollout_timeout_seconds: 2 }))
  expect(done).toMatchObject({ status: 'failed' })
  expect(done.summary).toContain('it was unhealthy before the deploy')
  expect([...changes(it), ...changes(sick)]).toEqual([])
})

test('a manifest: applied, or already so, or bad in its template', async () => {
  const it = await withWeb()
  const file = join(tmpdir(), `srecodex-manifest-${process.pid}-$(id).yaml`)
  const write = (image: string, rate: string): void => {
    const { metadata, spec } = it.get('deployments', 'shop', 'web') as Loose
    const template = structuredClone(spec.template)
    template.spec.containers[0].image = image
    const workload = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: metadata.name, namespace: 'shop', labels: metadata.labels },
      spec: { replicas: spec.replicas, selector: spec.selector, template },
    }
    const map = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'limits', namespace: 'shop' },
      data: { rate },
    }
    onTestFinished(() => rmSync(file, { force: true }))
    writeFileSync(file, documents(map, workload))
  }
  write('registry.test/web:1.0', '1')
  expect(resultOf(await deploy(it, { manifest: file }))).toMatchObject({
    status: 'unchanged',
    reason: null,
    revision_after: 1,
  })
  write(GOOD, '2')
  expect(resultOf(await deploy(it, { manifest: file }))).toMatchObject({
    status: 'deployed',
    revision_after: 2,
  })
  write(BAD, '3')
  const bad = resultOf(await deploy(it, { manifest: file, rollout_timeout_seconds: 2 }))
  expect(bad).toMatchObject({ status: 'rolled-back', image_after: [`main=${GOOD}`] })
}, 60_000)

test('apply that fails half way: what was changed all the same is named, and the template goes back', async () => {
  const it = await withWeb()
  const file = join(tmpdir(), `srecodex-half-${process.pid}.yaml`)
  const spec = structuredClone((it.get('deployments', 'shop', 'web') as Loose).spec)
  spec.template.spec.containers[0].image = GOOD
  const of = (kind: string, name: string, more: object): object => ({
    apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1',
    kind,
    metadata: { name, namespace: 'shop' },
    ...more,
  })
  const workload = of('Deployment', 'web', { spec })
  const items = [of('ConfigMap', 'limits', { data: {} }), workload, of('ConfigMap', 'closed', { data: {} })]
  onTestFinished(() => rmSync(file, { force: true }))
  writeFileSync(file, documents(...items))
  it.forbidden.push({ verb: 'create', name: 'closed' })
  it.onRequest = ({ verb, name }) =>
    verb === 'create' && name === 'closed'
      ? { status: 403, message: 'configmaps "closed" is forbidden: no' }
      : 'ok'
  const done = resultOf(await deploy(it, { manifest: file }))
  expect(done).toMatchObject({ status: 'rolled-back' })
  expect(done.reason).toContain('changed all the same, and not undone: configmap/limits')
  expect(imageOf(it)).toBe('registry.test/web:1.0')
})

test('before the first change: nothing is done where it cannot work', async () => {
  const it = await withWeb({ paused: true })
  it.addWorkload({ namespace: 'shop', name: 'hand', kind: 'DaemonSet', updateStrategy: 'OnDelete' })
  it.addWorkload({ namespace: 'shop', name: 'two' })
  edit(
    it,
    object => object.spec.template.spec.containers.push({ name: 'side', image: 'registry.test/side:1' }),
    'deployments',
    'two',
  )
  await it.settled()
  for (const [inputs, reason] of [
    [{}, 'it is paused: a change would not be rolled out'],
    [{ workload: 'daemonset/hand' }, 'its updateStrategy is OnDelete: a change would replace no pod'],
    [{ workload: 'deployment/two' }, 'which container gets the image? It has main, side'],
    [{ workload: 'deployment/two', container: 'x' }, 'it has no container x, but main, side'],
    [{ workload: 'deployment/gone' }, expect.stringMatching(/not found: nothing was done$/)],
  ] as const) {
    expect(resultOf(await deploy(it, { image: GOOD, ...inputs }))).toMatchObject({ status: 'failed', reason })
  }
  const viewer = resultOf(
    await deploy(it, { image: GOOD, workload: 'deployment/two', container: 'side' }, 'viewer'),
  )
  expect(viewer).toMatchObject({ status: 'failed', reason: expect.stringContaining('forbidden') })
  expect(changes(it)).toEqual([])
}, 40_000)

test('the answer to the change is lost: the template decides', async () => {
  const it = await withWeb({ replicas: 1 })
  it.onRequest = ({ verb }) => (verb === 'patch' ? 'drop' : 'ok')
  expect(resultOf(await deploy(it, { image: GOOD }))).toMatchObject({ status: 'failed', revision_after: 1 })
  it.onRequest = ({ verb }) => (verb === 'patch' ? 'drop-after-apply' : 'ok')
  expect(resultOf(await deploy(it, { image: GOOD }))).toMatchObject({ status: 'deployed', revision_after: 2 })
  expect(changes(it)).toEqual([`patch deployments/web ${GOOD}`])
}, 40_000)

test('connections that break and throttling: the change is made once, and the wait goes on', async () => {
  const it = await withWeb({ replicas: 1 }, { readyDelayMs: 1500 })
  let patches = 1
  let watches = 2
  it.onRequest = ({ verb }) => {
    if (verb === 'patch' && patches-- > 0) return { status: 429 }
    if (verb === 'watch' && watches-- > 0) return { status: 503, message: 'connection refused by a proxy' }
    return 'ok'
  }
  expect(resultOf(await deploy(it, { image: GOOD, rollout_timeout_seconds: 20 }))).toMatchObject({
    status: 'deployed',
  })
  expect(changes(it)).toEqual([`patch deployments/web ${GOOD}`])
}, 40_000)

test('the answer to the rollback is lost: it is not done twice, which would lead back', async () => {
  const it = await withWeb({ replicas: 1 })
  let patches = 0
  it.onRequest = ({ verb }) => (verb === 'patch' && ++patches === 2 ? 'drop-after-apply' : 'ok')
  const done = resultOf(await deploy(it, { image: BAD, rollout_timeout_seconds: 2 }))
  expect(done).toMatchObject({ status: 'rolled-back' })
  expect(changes(it)).toHaveLength(2)
}, 40_000)

test('a rollback that fails as well needs a person, in capitals', async () => {
  const it = await withWeb({ replicas: 1 })
  let patches = 0
  it.onRequest = ({ verb }) => (verb === 'patch' && ++patches >= 2 ? { status: 500 } : 'ok')
  const done = resultOf(await deploy(it, { image: BAD, rollout_timeout_seconds: 2 }))
  expect(done).toMatchObject({ status: 'rollback-failed', image_after: [`main=${BAD}`] })
  expect(done.summary).toMatch(
    /^ROLLBACK FAILED, NEEDS A PERSON: deployment\/web in shop: .*ImagePullBackOff/,
  )
}, 40_000)

test.each([
  [{ workload: 'cronjob/x', image: GOOD }, 'is no deployment/NAME'],
  [{ workload: 'deployment/--all', image: GOOD }, 'is no deployment/NAME'],
  [{ image: '--all' }, 'is no image'],
  [{ image: GOOD, manifest: 'x.yaml' }, 'either `image` or `manifest`'],
  [{ manifest: 'https://example.com/x.yaml' }, 'there is no file'],
  [{ image: GOOD, health_url: 'file:///etc/passwd' }, 'is a http or https URL'],
])('inputs that are none: %j', async (inputs, words) => {
  const it = await cluster()
  const { exitCode, stderr } = await deploy(it, inputs)
  expect(exitCode).toBe(1)
  expect(stderr).toContain(words)
  expect(it.requests).toEqual([])
})
