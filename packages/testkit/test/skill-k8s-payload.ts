/**
 * A skill's payload as a person runs it, outside of any sandbox: the real kubectl against the stand-in, JSON in, JSON
 * out; and the objects that such tests put there beside workloads.
 */

import { execa } from 'execa'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { kubectlProgram } from '../src/kubectl.ts'
import { startKubernetes, type Kubernetes, type KubernetesOptions } from '../src/kubernetes/kubernetes.ts'
import type { OwnerReference } from '../src/kubernetes/object.ts'

const SKILLS = fileURLToPath(new URL('../../../dotcodex/skills/', import.meta.url))
const GUEST = fileURLToPath(new URL('../../core/src/guest/', import.meta.url))

/** To be called inside a test, whose end stops it. */
export async function cluster(options: KubernetesOptions = {}): Promise<Kubernetes> {
  const it = await startKubernetes({ readyDelayMs: 20, terminateDelayMs: 20, ...options })
  onTestFinished(() => it.stop())
  return it
}

// oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
export type Loose = any

export interface Ended {
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
  /** Where it ran, and so where its artifacts are. */
  readonly folder: string
}

export interface PayloadOptions {
  readonly user?: string
  readonly env?: Readonly<Record<string, string>>
  /** A kubeconfig of another cluster. */
  readonly kubeconfig?: string
}

const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  py: ['python3'],
  sh: ['bash'],
  js: [process.execPath, '--import', join(GUEST, 'javascript/register.mjs')],
}

/** @param entry Such as `k8s/pod-cleanup/scripts/pod_cleanup.py`. */
export async function payload(
  it: Kubernetes | null,
  entry: string,
  inputs: unknown,
  { user = 'admin', env = {}, kubeconfig }: PayloadOptions = {},
): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'srecodex-payload-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [program = '', ...words] = PROGRAMS[entry.split('.').at(-1) ?? ''] ?? []
  const { exitCode, stdout, stderr } = await execa(program, [...words, join(SKILLS, entry)], {
    cwd: folder,
    input: typeof inputs === 'string' ? inputs : JSON.stringify(inputs),
    env: {
      PATH: `${dirname(await kubectlProgram())}:${join(GUEST, 'bin')}:${process.env.PATH}`,
      HOME: folder,
      LANG: 'C.UTF-8',
      KUBECONFIG: kubeconfig ?? it!.kubeconfig(join(folder, 'kubeconfig'), { user }),
      PYTHONPATH: join(GUEST, 'python'),
      ...env,
    },
    extendEnv: false,
    reject: false,
  })
  return { exitCode, stdout, stderr, folder }
}

/** The result of a payload that must succeed. */
export function resultOf({ exitCode, stdout, stderr }: Ended): Loose {
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${stderr}`)
  return JSON.parse(stdout)
}

export interface PodSeed {
  readonly namespace: string
  readonly name: string
  /** @default 'evicted' */
  readonly mode?: string
  /** Kind and name: `ReplicaSet/web-1`. @default none: a bare pod */
  readonly owner?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
}

/** A pod that no controller of the stand-in makes, owned by whatever it says. */
export function addPod(it: Kubernetes, { namespace, name, mode = 'evicted', owner, ...seed }: PodSeed): void {
  const [kind = '', of = ''] = owner?.split('/') ?? []
  const reference: OwnerReference = {
    apiVersion: 'v1',
    kind,
    name: of,
    uid: `uid-of-${of}`,
    controller: true,
  }
  it.create('pods', {
    metadata: {
      name,
      namespace,
      labels: { ...seed.labels },
      annotations: { 'sim/mode': mode, ...seed.annotations },
      ...(seed.finalizers === undefined ? {} : { finalizers: [...seed.finalizers] }),
      ...(owner === undefined ? {} : { ownerReferences: [reference] }),
    },
    spec: { containers: [{ name: 'main', image: 'registry.test/main' }] },
  })
}

/** Selects the pods of the workload of that name. */
export function addService(it: Kubernetes, namespace: string, name: string, of = name): void {
  it.create('services', {
    metadata: { namespace, name },
    spec: { selector: { app: of }, ports: [{ port: 80 }] },
  })
}

/** Names of pods that were deleted by a client, in order. */
export function deletedPods(it: Kubernetes): string[] {
  return it.requests
    .filter(({ verb, resource, applied }) => applied && verb === 'delete' && resource === 'pods')
    .map(({ namespace, name }) => `${namespace}/${name}`)
}
