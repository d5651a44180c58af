/** One job of many items, killed at random moments and resumed until it is done; what it came to, by the server. */

import { setTimeout } from 'node:timers/promises'
import { expect } from 'vitest'
import { callerEnvironment, cluster, mutating, type Cluster } from './cluster.ts'
import { live, seeded, VICTIMS, type Kill, type Life, type Victim } from './lives.ts'

/** Each item reads, then changes: a restart, which shows when it is done twice, or an annotation. */
const JOB = `
import os, subprocess, srecodex

def kubectl(*words):
    return subprocess.run(["kubectl", *words, "-n", "shop"], check=True, capture_output=True, text=True).stdout

mark = srecodex.once("mark", lambda: os.urandom(6).hex())

def work(index):
    name = "deployment/app-%03d" % index
    kubectl("get", name, "-o", "name")
    if index % 3:
        kubectl("rollout", "restart", name)
    else:
        kubectl("annotate", name, "mark=" + mark)

result = srecodex.each(range(int(os.environ["ITEMS"])), work, at_once=8)
srecodex.summary(result.summary())
`

export interface KilledJobOptions {
  readonly seed: number
  readonly items: number
  /** At most so many; fewer where the job is done before. */
  readonly kills: number
  /** @default 'plan' */
  readonly mutations?: 'plan' | 'allow'
  /** @default all of them */
  readonly victims?: readonly Victim[]
  /** Part of the changes whose answer is lost after the server did them. @default 0 */
  readonly lost?: number
  /** Longest time between two kills. @default 700 */
  readonly withinMs?: number
}

export interface KilledJobResult {
  readonly kills: number
  readonly lives: number
  readonly unknown: number
}

/** @throws {Error} A change reached the server twice, or was lost, or the job comes to no end. */
export async function killedJob(options: KilledJobOptions): Promise<KilledJobResult> {
  const { seed, items, mutations = 'plan', victims = VICTIMS, lost = 0, withinMs = 700 } = options
  const random = seeded(seed)
  const at = await cluster({ files: { 'job.py': JOB }, controllerDelayMs: 20 })
  at.configure('[scripts]\nexecution_timeout = 600')
  for (let index = 0; index < items; index += 1) {
    const name = `app-${String(index).padStart(3, '0')}`
    at.kubernetes.addWorkload({ namespace: 'shop', name, replicas: 0 })
  }
  await at.kubernetes.settled(60_000)
  const fate = seeded(seed + 1)
  at.kubernetes.onRequest = ({ method, dryRun }) =>
    method === 'PATCH' && !dryRun && fate() < lost ? 'drop-after-apply' : 'ok'

  const env = await callerEnvironment(at.kubeconfig)
  let kills = 0
  const next = (): Kill | null => {
    if (kills >= options.kills) return null
    const victim = victims[Math.floor(random() * victims.length)]!
    return { victim, after: setTimeout(random() * withinMs) }
  }
  const run = ['run', 'job.py', '--env', `ITEMS=${items}`, '--mutations', mutations]
  let begin: readonly string[] = run
  if (mutations === 'plan') {
    const planned = await at.srecodex(run)
    expect(planned).toMatchObject({ exitCode: 3, report: { plan: { complete: true, mutations: items } } })
    begin = ['apply', planned.report.run, '--yes']
  }
  const runs = at.runIds().length
  let words = begin
  for (let lives = 1; ; lives += 1) {
    if (lives > 4 * options.kills + 10) throw new Error(`seed ${seed}: no end after ${lives - 1} lives`)
    const life = await live(at, env, words, next, () => {
      kills += 1
    })
    if (isDone(life)) {
      judge(at, life, options)
      return { kills, lives, unknown: life.report.items.unknown }
    }
    words = at.runIds().length === runs ? begin : (goOn(life) ?? ['resume', 'last'])
  }
}

/** A run that was killed before it began says which one to go on from. */
function goOn({ report }: Life): readonly string[] | null {
  const [, ...words] = (report?.error?.hint ?? '').split(' ')
  if (report?.error?.code !== 'RUN_NOT_RESUMABLE') return null
  return words[0] === 'apply' ? [...words, '--yes'] : words
}

/** Nothing is left but what nobody can tell. */
function isDone({ exitCode, report }: Life): boolean {
  if (exitCode === 0) return true
  if (exitCode !== 1 || !report?.items) return false
  const { failed, pending, unknown } = report.items
  return failed + pending === 0 && unknown > 0
}

function judge({ kubernetes }: Cluster, { report }: Life, { seed, items }: KilledJobOptions): void {
  const { ok, unknown, total } = report.items
  expect({ seed, total, sum: ok + unknown }).toEqual({ seed, total: items, sum: items })
  const reached = new Map<string, number>()
  for (const { name, status } of mutating(kubernetes)) {
    if (status === 200) reached.set(name ?? '', (reached.get(name ?? '') ?? 0) + 1)
  }
  const twice = [...reached].filter(([, count]) => count !== 1)
  expect({ seed, twice }).toEqual({ seed, twice: [] })
  // What is told as done was done.
  expect(reached.size).toBeGreaterThanOrEqual(ok)
  expect(reached.size).toBeLessThanOrEqual(items)
}
