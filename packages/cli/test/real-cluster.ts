/**
 * A real control plane, by KUBECONFIG: filled with what is known, in namespaces that the tests make and take away. It
 * keeps no log for tests, so what was done is judged by its objects: the generation of a deployment counts its changes.
 */

import {
  kubectlProgram,
  manifestOf,
  project,
  type Project,
  type RunOptions,
  type WorkloadSeed,
} from '@srecodex/testkit'
import { execa } from 'execa'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { expect, vi } from 'vitest'
import type { Told } from './cluster.ts'

/** Whoever has namespaces of these names has a cluster that is no test's. */
export const MARK = 'srecodex.test/made'

export const KUBECONFIG = (process.env.KUBECONFIG ?? '')
  .split(delimiter)
  .map(path => resolve(path))
  .join(delimiter)

export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number | undefined
}

/** Where it keeps what it discovers. */
const HOME_OF_KUBECTL = mkdtempSync(join(tmpdir(), 'srecodex-kubectl-'))
process.once('exit', () => rmSync(HOME_OF_KUBECTL, { recursive: true, force: true }))

export async function ask(kubeconfig: string, words: readonly string[], input?: string): Promise<Ran> {
  const { stdout, stderr, exitCode } = await execa(await kubectlProgram(), words, {
    env: { KUBECONFIG: kubeconfig, HOME: HOME_OF_KUBECTL },
    reject: false,
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
  })
  return { stdout, stderr, exitCode }
}

/** @throws {Error} It failed. */
export async function kubectl(words: readonly string[], input?: string): Promise<string> {
  const { stdout, stderr, exitCode } = await ask(KUBECONFIG, words, input)
  if (exitCode !== 0) throw new Error(`kubectl ${words.join(' ')}: ${stderr}`)
  return stdout
}

// oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
export async function listed(...words: string[]): Promise<any[]> {
  return JSON.parse(await kubectl(['get', ...words, '-o', 'json'])).items
}

/** @throws {Error} They are there already, and nobody knows whose they are. */
export async function makeNamespaces(names: readonly string[]): Promise<void> {
  const there = new Set((await listed('namespaces')).map(({ metadata }) => metadata.name))
  const taken = names.filter(name => there.has(name))
  if (taken.length > 0) {
    throw new Error(
      `${taken.join(', ')} exist: the cluster tests fill a control plane that is empty, and no other`,
    )
  }
  const items = names.map(name => ({
    ...{ apiVersion: 'v1', kind: 'Namespace' },
    metadata: { name, labels: { [MARK]: 'true' } },
  }))
  await kubectl(['create', '-f', '-'], listOf(items))
  // A pod of no controller is not admitted before its namespace has an account.
  await vi.waitFor(
    async () => {
      const found = new Set((await listed('serviceaccounts', '-A')).map(({ metadata }) => metadata.namespace))
      expect(names.filter(name => !found.has(name))).toEqual([])
    },
    { timeout: 60_000, interval: 200 },
  )
}

export async function removeNamespaces(): Promise<void> {
  await kubectl(['delete', 'namespaces', '-l', `${MARK}=true`, '--ignore-not-found', '--timeout=5m'])
}

export async function create(seeds: readonly WorkloadSeed[], others: readonly object[] = []): Promise<void> {
  await kubectl(['create', '-f', '-'], listOf([...seeds.map(seed => manifestOf(seed)), ...others]))
}

/** Each has a status that its node gave it, and so many are ready. @throws {Error} Not in time. */
export async function podsBecome(
  namespaces: readonly string[],
  { all, ready }: { readonly all: number; readonly ready: number },
): Promise<void> {
  await vi.waitFor(
    async () => {
      const pods = (await listed('pods', '-A')).filter(({ metadata }) =>
        namespaces.includes(metadata.namespace),
      )
      const isReady = (one: { readonly ready: boolean }): boolean => one.ready
      expect({
        all: pods.length,
        posed: pods.filter(({ status }) => status.containerStatuses || status.reason === 'Evicted').length,
        ready: pods.filter(({ status }) => status.containerStatuses?.some(isReady)).length,
      }).toEqual({ all, posed: all, ready })
    },
    { timeout: 300_000, interval: 1000 },
  )
}

/** A pod that nobody owns, in an end state. */
export const deadPod = (namespace: string, name: string, mode: string): object => ({
  ...{ apiVersion: 'v1', kind: 'Pod' },
  metadata: { name, namespace, labels: { dead: mode }, annotations: { 'sim/mode': mode } },
  spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'registry.test/once:1' }] },
})

const listOf = (items: readonly object[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items })

/** How often the spec of each was changed since its creation. */
export async function changesOf(selector: string): Promise<Record<string, number>> {
  const found = await listed('deployments', '-A', '-l', selector)
  return Object.fromEntries(
    found.map(({ metadata }) => [`${metadata.namespace}/${metadata.name}`, metadata.generation - 1]),
  )
}

export interface Ground extends Project {
  /** With `--json`. */
  readonly srecodex: (command: string, options?: RunOptions) => Promise<Told>
}

/** To be called inside a test. */
export async function ground(
  files: Readonly<Record<string, string>>,
  kubeconfig = KUBECONFIG,
): Promise<Ground> {
  const place = project({ files })
  const config = join(place.srecodexHome, 'config', 'config.toml')
  mkdirSync(dirname(config), { recursive: true })
  writeFileSync(config, '[tools.kubectl]\nrate = "1000/s"\nconcurrency = 16\n')
  const env = { PATH: `${dirname(await kubectlProgram())}:${process.env.PATH}`, KUBECONFIG: kubeconfig }
  return {
    ...place,
    srecodex: async (command, options = {}) => {
      const { exitCode, json, stderr } = await place.run(`${command} --json`, {
        ...options,
        env: { ...env, ...options.env },
      })
      return { exitCode, report: json(), stderr }
    },
  }
}

/** Applies a plan, and kills that with SIGKILL as soon as the server is so far. */
export async function killedWhen(
  { srecodex }: Ground,
  plan: string,
  isFar: () => Promise<boolean>,
): Promise<void> {
  const killer = new AbortController()
  let isOver = false
  const apply = srecodex(`apply ${plan} --yes`, { signal: killer.signal, killSignal: 'SIGKILL' })
  const watch = (async () => {
    for (let far = false; !far; far = isOver || (await isFar()));
    killer.abort()
  })()
  try {
    await expect(apply).rejects.toThrow(/SIGKILL/)
  } finally {
    isOver = true
    await watch
  }
}
