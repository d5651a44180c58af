/**
 * What tests of plan, apply and resume stand on: a project whose `kubectl` is the real one, and a Kubernetes API whose
 * log of requests is the judge of what was done.
 */

import {
  kubectlProgram,
  project,
  startKubernetes,
  type Kubernetes,
  type KubernetesOptions,
  type Project,
  type RequestEntry,
  type RunOptions,
} from '@srecodex/testkit'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface Told {
  readonly exitCode: number
  /** The report, or the document that stands for an error. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
  readonly report: any
  readonly stderr: string
}

export interface Cluster extends Project {
  readonly kubernetes: Kubernetes
  readonly kubeconfig: string
  /** With `--json`. */
  readonly srecodex: (command: string | readonly string[], options?: RunOptions) => Promise<Told>
  /** Replaces the user's config; the pace of kubectl is no part of it. */
  readonly configure: (toml: string) => void
  /** A file of a run's folder. */
  readonly runFile: (run: string, file: string) => string
  readonly runIds: () => string[]
}

/** Kubectl as fast as it can: what is tested here is not its pace. */
const PACE = '[tools.kubectl]\nrate = "1000/s"\nconcurrency = 16\n'

export interface ClusterOptions extends KubernetesOptions {
  readonly files?: Readonly<Record<string, string>>
  /** By namespace and name: `shop/web`, or with the tag of its image: `shop/web:1.0-crashloop`. */
  readonly deployments?: readonly string[]
}

/** To be called inside a test, whose end removes it. */
export async function cluster({
  files = {},
  deployments = [],
  ...options
}: ClusterOptions = {}): Promise<Cluster> {
  const kubernetes = await startKubernetes(options)
  onTestFinished(() => kubernetes.stop())
  for (const deployment of deployments) addDeployment(kubernetes, deployment)
  await kubernetes.settled()
  const place = project({ files })
  const kubeconfig = kubernetes.kubeconfig(place.path('~/kubeconfig'))
  const env = await callerEnvironment(kubeconfig)
  const configFile = join(place.srecodexHome, 'config', 'config.toml')
  const configure = (toml: string): void => {
    mkdirSync(dirname(configFile), { recursive: true })
    writeFileSync(configFile, `${toml}\n${PACE}`)
  }
  configure('')
  const folder = join(place.srecodexHome, 'state', 'runs')
  return {
    ...place,
    kubernetes,
    kubeconfig,
    configure,
    srecodex: async (command, run = {}) => {
      const words = typeof command === 'string' ? command.split(' ') : command
      const at = words.indexOf('--')
      const flagged = at === -1 ? [...words, '--json'] : words.toSpliced(at, 0, '--json')
      const { exitCode, json, stderr } = await place.run(flagged, { ...run, env: { ...env, ...run.env } })
      return { exitCode, report: json(), stderr }
    },
    runFile: (run, file) => join(folder, run, file),
    runIds: () => (existsSync(folder) ? readdirSync(folder).sort() : []),
  }
}

export async function callerEnvironment(kubeconfig: string): Promise<Record<string, string>> {
  return { PATH: `${dirname(await kubectlProgram())}:${process.env.PATH}`, KUBECONFIG: kubeconfig }
}

export function addDeployment(kubernetes: Kubernetes, words: string): void {
  const [, namespace = '', name = '', tag = '1.0'] = /^([^/]+)\/([^:]+)(?::(.+))?$/.exec(words) ?? []
  kubernetes.addWorkload({ namespace, name, replicas: 1, image: `registry.test/${name}:${tag}` })
}

/** What asked for a change, rehearsals aside, whether or not it was granted or answered. */
export function mutating({ requests }: { readonly requests: readonly RequestEntry[] }): RequestEntry[] {
  return requests.filter(({ method, dryRun, resource }) => {
    return method !== 'GET' && !dryRun && resource?.startsWith('selfsubject') !== true
  })
}

/** How often each object was changed: `{ 'patch shop/web': 1 }`. */
export function changes({
  requests,
}: {
  readonly requests: readonly RequestEntry[]
}): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { applied, verb, namespace, name } of requests) {
    if (!applied) continue
    const key = `${verb} ${namespace}/${name}`
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

/** Each of them patched once. */
export function once(deployments: readonly string[]): Record<string, number> {
  return Object.fromEntries(deployments.map(each => [`patch ${each.replace(/:.*/, '')}`, 1]))
}

/** The lines of a run's journal. */
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export function journalOf({ runFile }: Cluster, run: string): any[] {
  return readFileSync(runFile(run, 'journal.jsonl'), 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
}

/** Restarts every deployment there is, each an item of its own, in each language. */
export const RESTART_ALL = {
  'restart.py': `
import json, subprocess, srecodex

def kubectl(*words):
    return subprocess.run(["kubectl", *words], check=True, capture_output=True, text=True).stdout

def restart(key):
    namespace, name = key.split("/")
    kubectl("rollout", "restart", "deployment/" + name, "-n", namespace)

found = json.loads(kubectl("get", "deployments", "-A", "-o", "json"))["items"]
keys = ["%(namespace)s/%(name)s" % one["metadata"] for one in found]
srecodex.summary(srecodex.each(keys, restart).summary())
`,
  'restart.sh': `
restart() { kubectl rollout restart "deployment/\${1#*/}" --namespace "\${1%/*}"; }
export -f restart
kubectl get deployments -A -o jsonpath='{range .items[*]}{.metadata.namespace}/{.metadata.name}{"\\n"}{end}' |
  each restart 2>counts
cat counts >&2
summary "$(tail -n 1 counts)"
`,
  'restart.js': `
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { each, summary } from 'srecodex'

const kubectl = async (...words) => (await promisify(execFile)('kubectl', words)).stdout
const found = JSON.parse(await kubectl('get', 'deployments', '-A', '-o', 'json')).items
const keys = found.map(({ metadata }) => metadata.namespace + '/' + metadata.name)
const result = await each(keys, async key => {
  const [namespace, name] = key.split('/')
  await kubectl('rollout', 'restart', 'deployment/' + name, '-n', namespace)
})
await summary(result.summary())
`,
} as const
