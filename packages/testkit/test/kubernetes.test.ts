import { execa } from 'execa'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest'
import { kubectlProgram } from '../src/kubectl.ts'
import { startKubernetes, type Kubernetes, type KubernetesOptions } from '../src/kubernetes/kubernetes.ts'
import type { Workload } from '../src/kubernetes/object.ts'
import { applied } from '../src/kubernetes/request-log.ts'
import { resourceOf } from '../src/kubernetes/resources.ts'

const PODS = resourceOf('pods')

let program: string
let folder: string
let kubernetes: Kubernetes | null = null

beforeAll(async () => {
  program = await kubectlProgram()
  folder = mkdtempSync(join(tmpdir(), 'srecodex-kubernetes-'))
}, 180_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeEach(() => {
  kubernetes = null
})

afterEach(async () => {
  await kubernetes?.stop()
})

interface Cluster extends Kubernetes {
  kubectl(
    words: string,
    input?: string,
  ): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }>
}

async function cluster(options: KubernetesOptions = {}, user?: string): Promise<Cluster> {
  const started = (kubernetes = await startKubernetes({ readyDelayMs: 20, terminateDelayMs: 20, ...options }))
  const config = started.kubeconfig(join(folder, 'config'), user === undefined ? {} : { user })
  return Object.assign(started, {
    async kubectl(words: string, input = '') {
      // Words with blanks in them are not needed here.
      const { exitCode, stdout, stderr } = await execa(program, words.split(' '), {
        env: { PATH: process.env.PATH ?? '', HOME: folder, KUBECONFIG: config },
        extendEnv: false,
        input,
        reject: false,
      })
      return { exitCode, stdout, stderr }
    },
  })
}

async function withWeb(options: KubernetesOptions = {}, user?: string): Promise<Cluster> {
  const it = await cluster(options, user)
  it.addWorkload({ namespace: 'shop', name: 'web', labels: { team: 'red' } })
  await it.settled()
  return it
}

const imageOf = (it: Kubernetes): string | undefined =>
  (it.get('deployments', 'shop', 'web') as Workload).spec.template.spec.containers[0]?.image

const changes = (it: Kubernetes): string[] =>
  applied(it.requests).map(({ verb, resource, name }) => `${verb} ${resource} ${name}`)

describe('reads', () => {
  test('tables are made by the server', async () => {
    const it = await withWeb()
    const { stdout, stderr } = await it.kubectl('get deployments,pods -n shop -l team=red --no-headers')
    expect(stderr).toBe('')
    const lines = stdout.split('\n').filter(Boolean)
    expect(
      lines.map(line =>
        line
          .replace(/-[a-z0-9]+-[a-z0-9]{5}/, '-POD')
          .split(/\s+/)
          .slice(0, 3),
      ),
    ).toEqual([
      ['deployment.apps/web', '2/2', '2'],
      ['pod/web-POD', '1/1', 'Running'],
      ['pod/web-POD', '1/1', 'Running'],
    ])
  })

  test('lists come in pages, and nothing is lost between them', async () => {
    const it = await cluster()
    it.addDeployments(23, { namespaces: ['shop', 'pay'] })
    const { stdout } = await it.kubectl('get deployments -A --chunk-size=5 -o name')
    expect(new Set(stdout.split('\n')).size).toBe(23)
    const pages = it.requests.filter(request => request.resource === 'deployments')
    expect(pages.map(page => page.query.limit)).toEqual(['5', '5', '5', '5', '5'])
    expect(pages.filter(page => page.query.continue !== undefined)).toHaveLength(4)
  })

  test('a set-based label selector and a field selector narrow a list', async () => {
    const it = await cluster()
    it.addWorkload({ namespace: 'shop', name: 'good', labels: { team: 'red' } })
    it.addWorkload({
      namespace: 'shop',
      name: 'bad',
      image: 'registry.test/bad:1-imagepull',
      labels: { team: 'blue' },
    })
    await it.settled()
    const labelled = await it.kubectl('get deploy -n shop -o name -l team!=blue,team')
    expect(labelled.stdout).toBe('deployment.apps/good')
    const pending = await it.kubectl('get pods -n shop --no-headers --field-selector status.phase=Pending')
    expect(pending.stdout.match(/^bad-.*ImagePullBackOff/gm)).toHaveLength(2)
    const wrong = await it.kubectl('get pods -n shop --field-selector spec.colour=red')
    expect(wrong).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('field label not supported') })
  })

  test('describe, logs and events tell of a crash loop', async () => {
    const it = await cluster()
    it.addWorkload({ namespace: 'shop', name: 'web', replicas: 1, image: 'registry.test/web:1-crashloop' })
    await it.settled()
    const pods = await it.kubectl('get pods -n shop --no-headers')
    expect(pods.stdout).toMatch(/0\/1 +CrashLoopBackOff +7 \(\d+s ago\)/)
    const described = await it.kubectl('describe pods -n shop')
    expect(described.stdout).toMatch(/Last State: +Terminated\n +Reason: +Error/)
    expect(described.stdout).toContain('Back-off restarting failed container')
    const logs = await it.kubectl('logs deploy/web -n shop --previous --tail=1')
    expect(logs.stdout).toBe('psycopg2.OperationalError: connection refused')
  })

  test('what is not there is an error with the words of the real API', async () => {
    const it = await withWeb()
    expect(await it.kubectl('get deploy nope -n shop')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'Error from server (NotFound): deployments.apps "nope" not found',
    })
  })
})

describe('rollouts', () => {
  test('a restart gives new pods, and rollout status waits for them', async () => {
    const it = await withWeb()
    const names = async (): Promise<string[]> =>
      (await it.kubectl('get pods -n shop -o name')).stdout.split('\n').sort()
    const before = await names()
    expect((await it.kubectl('rollout restart deploy/web -n shop')).stdout).toBe(
      'deployment.apps/web restarted',
    )
    const status = await it.kubectl('rollout status deploy/web -n shop --timeout=20s')
    expect(status.stdout).toMatch(/deployment "web" successfully rolled out$/)
    await it.settled()
    const after = await names()
    expect(after).toHaveLength(2)
    expect(after.filter(name => before.includes(name))).toEqual([])
    const [restart] = applied(it.requests)
    expect(restart).toMatchObject({
      verb: 'patch',
      fieldManager: 'kubectl-rollout',
      dryRun: false,
      status: 200,
    })
    expect(JSON.stringify(restart?.body)).toContain('kubectl.kubernetes.io/restartedAt')
    const { metadata } = it.get('deployments', 'shop', 'web')
    expect(metadata.managedFields?.map(entry => entry.manager)).toContain('kubectl-rollout')
  })

  test('an image that crashes does not replace all pods; undo brings the old one back', async () => {
    const it = await withWeb()
    await it.kubectl('set image deploy/web -n shop main=registry.test/web:2-crashloop')
    const status = await it.kubectl('rollout status deploy/web -n shop --timeout=1s')
    expect(status).toMatchObject({ exitCode: 1, stderr: 'error: timed out waiting for the condition' })
    const { stdout } = await it.kubectl('get deploy web -n shop --no-headers')
    expect(stdout.split(/\s+/).slice(0, 4)).toEqual(['web', '2/2', '1', '2'])
    expect((await it.kubectl('rollout undo deploy/web -n shop')).stdout).toBe(
      'deployment.apps/web rolled back',
    )
    expect(await it.kubectl('rollout status deploy/web -n shop --timeout=20s')).toMatchObject({ exitCode: 0 })
    expect(imageOf(it)).toBe('registry.test/web:1.0')
    const history = await it.kubectl('rollout history deploy/web -n shop')
    expect(history.stdout.match(/^\d+/gm)).toEqual(['2', '3'])
  })

  test('a deadline that passes ends rollout status', async () => {
    const it = await cluster()
    it.addWorkload({
      namespace: 'shop',
      name: 'web',
      progressDeadlineSeconds: 1,
      image: 'registry.test/web:1-notready',
    })
    const status = await it.kubectl('rollout status deploy/web -n shop --timeout=20s')
    expect(status).toMatchObject({
      exitCode: 1,
      stderr: 'error: deployment "web" exceeded its progress deadline',
    })
  })

  test.each(['StatefulSet', 'DaemonSet'] as const)('a %s rolls', async kind => {
    const it = await cluster()
    it.addWorkload({ namespace: 'shop', name: 'db', kind })
    await it.settled()
    const uids = new Set(it.store.list(PODS).map(pod => pod.metadata.uid))
    await it.kubectl(`rollout restart ${kind}/db -n shop`)
    const status = await it.kubectl(`rollout status ${kind}/db -n shop --timeout=20s`)
    expect(status).toMatchObject({ exitCode: 0 })
    const after = it.store.list(PODS)
    expect(after).toHaveLength(kind === 'DaemonSet' ? 3 : 2)
    expect(after.filter(pod => uids.has(pod.metadata.uid))).toEqual([])
  })
})

describe('writes', () => {
  test('a dry run changes nothing, and the same without it does', async () => {
    const it = await withWeb()
    const words = 'set image deploy/web -n shop main=registry.test/web:2.0'
    const dry = await it.kubectl(`${words} --dry-run=server`)
    expect(dry.stdout).toBe('deployment.apps/web image updated (server dry run)')
    expect(await it.kubectl('scale deploy/web -n shop --replicas=9 --dry-run=server')).toMatchObject({
      exitCode: 0,
    })
    expect(await it.kubectl('delete deploy web -n shop --dry-run=server')).toMatchObject({ exitCode: 0 })
    expect(changes(it)).toEqual([])
    expect(imageOf(it)).toBe('registry.test/web:1.0')
    expect(it.requests.filter(request => request.dryRun).map(({ verb }) => verb)).toEqual([
      'patch',
      'patch',
      'delete',
    ])
    await it.kubectl(words)
    expect(imageOf(it)).toBe('registry.test/web:2.0')
    expect(changes(it)).toEqual(['patch deployments web'])
  })

  test('apply creates, then merges; what kubectl creates as protobuf is read', async () => {
    const it = await cluster()
    const config = (value: string): string =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'a', namespace: 'shop' },
        data: { value },
      })
    expect((await it.kubectl('create namespace shop')).stdout).toBe('namespace/shop created')
    expect((await it.kubectl('apply -f -', config('1'))).stdout).toBe('configmap/a created')
    expect((await it.kubectl('apply -f -', config('1'))).stdout).toBe('configmap/a unchanged')
    expect((await it.kubectl('apply -f -', config('2'))).stdout).toBe('configmap/a configured')
    const secret = await it.kubectl('create secret generic s -n shop --from-literal=key=hidden')
    expect(secret.stdout).toBe('secret/s created')
    expect(it.get('secrets', 'shop', 's').data).toEqual({ key: Buffer.from('hidden').toString('base64') })
    const deployment = await it.kubectl('create deployment d -n shop --image=registry.test/d:1 --replicas=2')
    expect(deployment.stdout).toBe('deployment.apps/d created')
    expect(await it.kubectl('rollout status deploy/d -n shop --timeout=20s')).toMatchObject({ exitCode: 0 })
  })

  test('a replace with an old resourceVersion is a conflict', async () => {
    const it = await withWeb()
    const { stdout: old } = await it.kubectl('get deploy web -n shop -o json')
    await it.kubectl('label deploy web -n shop tier=api')
    const replaced = await it.kubectl('replace -f -', old)
    expect(replaced.exitCode).toBe(1)
    expect(replaced.stderr).toContain('Error from server (Conflict)')
    expect(replaced.stderr).toContain('the object has been modified')
  })

  test('a delete with the uid of another object is refused', async () => {
    const it = await withWeb()
    const remove = (uid: string): ReturnType<Cluster['kubectl']> =>
      it.kubectl(
        'delete --raw /apis/apps/v1/namespaces/shop/deployments/web -f -',
        JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } }),
      )
    expect(await remove('11111111-2222-3333-4444-555555555555')).toMatchObject({ exitCode: 1 })
    expect(changes(it)).toEqual([])
    expect(await remove(it.get('deployments', 'shop', 'web').metadata.uid)).toMatchObject({ exitCode: 0 })
    expect(() => it.get('deployments', 'shop', 'web')).toThrow('not found')
  })

  test('deleting a deployment takes its pods along, unless they are orphaned', async () => {
    const it = await withWeb()
    await it.kubectl('delete deploy web -n shop --cascade=orphan')
    expect(it.store.list(PODS)).toHaveLength(2)
    it.addWorkload({ namespace: 'pay', name: 'web' })
    await it.settled()
    expect(await it.kubectl('delete deploy web -n pay --cascade=foreground')).toMatchObject({ exitCode: 0 })
    expect(it.store.list(PODS, 'pay')).toEqual([])
  })
})

describe('what goes wrong', () => {
  test('a wrong token is 401', async () => {
    const it = await withWeb()
    it.kubeconfig(join(folder, 'config'), { token: 'wrong' })
    const { exitCode, stderr } = await it.kubectl('get pods -n shop')
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/You must be logged in to the server|Unauthorized/)
    expect(it.requests.at(-1)).toMatchObject({ user: null, status: 401 })
  })

  test('a rule forbids one verb in one namespace; the viewer may only read', async () => {
    const it = await withWeb({ forbidden: [{ verb: 'patch', resource: 'deployments', namespace: 'shop' }] })
    it.addWorkload({ namespace: 'pay', name: 'web' })
    const refused = await it.kubectl('label deploy web -n shop a=b')
    expect(refused.stderr).toBe(
      'Error from server (Forbidden): deployments.apps "web" is forbidden: User "admin" cannot patch resource "deployments" in API group "apps" in the namespace "shop"',
    )
    expect(await it.kubectl('label deploy web -n pay a=b')).toMatchObject({ exitCode: 0 })
    it.kubeconfig(join(folder, 'config'), { user: 'viewer' })
    expect(await it.kubectl('get deploy -n shop')).toMatchObject({ exitCode: 0 })
    expect(await it.kubectl('label deploy web -n pay c=d')).toMatchObject({ exitCode: 1 })
    expect((await it.kubectl('auth can-i delete pods -n shop')).stdout).toBe('no')
  })

  test('throttling with a time is repeated by kubectl, without one it is told', async () => {
    const it = await withWeb()
    let left = 1
    it.onRequest = ({ verb }) =>
      verb === 'patch' && left-- > 0 ? { status: 429, retryAfterSeconds: 1 } : 'ok'
    expect(await it.kubectl('label deploy web -n shop a=b')).toMatchObject({ exitCode: 0 })
    expect(it.requests.filter(({ verb }) => verb === 'patch').map(({ status }) => status)).toEqual([429, 200])
    it.onRequest = ({ verb }) => (verb === 'patch' ? { status: 429 } : 'ok')
    const { stderr } = await it.kubectl('label deploy web -n shop c=d')
    expect(stderr).toMatch(/TooManyRequests|too many requests/)
  })

  test('an answer that is lost after the change: the client fails, and the log knows better', async () => {
    const it = await withWeb()
    it.onRequest = ({ verb }) => (verb === 'patch' ? 'drop-after-apply' : 'ok')
    expect(await it.kubectl('label deploy web -n shop a=b')).toMatchObject({ exitCode: 1 })
    expect(it.get('deployments', 'shop', 'web').metadata.labels).toMatchObject({ a: 'b' })
    expect(it.requests.findLast(({ verb }) => verb === 'patch')).toMatchObject({
      applied: true,
      answered: false,
    })
    it.onRequest = ({ verb }) => (verb === 'patch' ? 'drop' : 'ok')
    expect(await it.kubectl('label deploy web -n shop c=d')).toMatchObject({ exitCode: 1 })
    expect(it.get('deployments', 'shop', 'web').metadata.labels).not.toHaveProperty('c')
  })

  test('a request that hangs is given up by the client alone', async () => {
    const it = await withWeb()
    it.onRequest = ({ verb }) => (verb === 'patch' ? 'hang' : 'ok')
    const { exitCode } = await it.kubectl('label deploy web -n shop a=b --request-timeout=1s')
    expect(exitCode).toBe(1)
    expect(it.requests.at(-1)).toMatchObject({ verb: 'patch', status: null, applied: false, answered: false })
  })
})
