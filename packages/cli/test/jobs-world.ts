/**
 * The world that a job meets: a workspace, and whichever back-ends it needs, each behind its real client. What was done
 * there is judged by the servers' own logs.
 */

import {
  alertmanagerProgram,
  awsProgram,
  FINANCE_PROGRAM,
  kubectlProgram,
  project,
  startAlertmanager,
  startAws,
  startKubernetes,
  startPostgres,
  type Alertmanager,
  type Aws,
  type AwsOptions,
  type Kubernetes,
  type KubernetesOptions,
  type Outcome,
  type Postgres,
  type Project,
  type RunOptions,
  type SeedAlert,
} from '@srecodex/testkit'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Told } from './cluster.ts'

export interface WorldOptions {
  readonly files?: Readonly<Record<string, string>>
  /** Absent: none. */
  readonly kubernetes?: KubernetesOptions
  /** What fires. Absent: there is no Alertmanager. */
  readonly alerts?: readonly SeedAlert[]
  /** Absent: no AWS. */
  readonly aws?: AwsOptions
  /** @default false */
  readonly postgres?: boolean
  /** The books of twenty teams, as an MCP server. @default false */
  readonly finance?: boolean
  /** Words of amtool, kubectl and aws go as fast as they can; what is tested is not their pace. @default '' */
  readonly config?: string
}

export interface World extends Project {
  /** As a person, or an agent, calls it: both streams as one text, in the order of what was written. */
  readonly say: (words: readonly string[], options?: RunOptions) => Promise<Outcome>
  /** With `--json`. */
  readonly srecodex: (command: string, options?: RunOptions) => Promise<Told>
  readonly runIds: () => string[]
  readonly kubernetes: Kubernetes
  readonly alertmanager: Alertmanager
  readonly aws: Aws
  readonly postgres: Postgres
}

const FAST = 'rate = "1000/s"\nconcurrency = 16\n'
const BOTH_STREAMS = ['bash', '-c', 'exec "$@" 2>&1', '--']

/** To be called inside a test, whose end removes it. What was not asked for throws when it is looked at. */
export async function world(options: WorldOptions = {}): Promise<World> {
  const place = project({ files: options.files ?? {} })
  const config: string[] = [options.config ?? '']
  const programs: string[] = []
  const env: Record<string, string> = {}
  const made: { kubernetes?: Kubernetes; alertmanager?: Alertmanager; aws?: Aws; postgres?: Postgres } = {}

  if (options.kubernetes !== undefined) {
    const kubernetes = await startKubernetes(options.kubernetes)
    onTestFinished(() => kubernetes.stop())
    env.KUBECONFIG = kubernetes.kubeconfig(place.path('~/kubeconfig'), { context: 'production' })
    programs.push(dirname(await kubectlProgram()))
    config.push(`[tools.kubectl]\n${FAST}`)
    made.kubernetes = kubernetes
  }
  if (options.alerts !== undefined) {
    const alertmanager = await startAlertmanager()
    onTestFinished(() => alertmanager.stop())
    await alertmanager.add(options.alerts)
    programs.push(dirname((await alertmanagerProgram()).amtool))
    config.push(
      `[tools.amtool]\nargs = [${JSON.stringify(`--alertmanager.url=${alertmanager.url}`)}]\n${FAST}`,
    )
    made.alertmanager = alertmanager
  }
  if (options.aws !== undefined) {
    const aws = await startAws(options.aws)
    onTestFinished(() => aws.stop())
    mkdirSync(place.path('~/.aws'))
    aws.profiles(place.path('~/.aws'))
    programs.push(dirname(await awsProgram()))
    config.push(`[tools.aws]\nargs = ["--endpoint-url", ${JSON.stringify(aws.url)}]\n${FAST}`)
    made.aws = aws
  }
  if (options.postgres === true) {
    const postgres = await startPostgres()
    onTestFinished(() => postgres.stop())
    const { PATH = '', ...rest } = postgres.env
    programs.push(PATH.split(delimiter)[0]!)
    Object.assign(env, rest)
    made.postgres = postgres
  }
  if (options.finance === true) {
    const words = `command = ${JSON.stringify(process.execPath)}\nargs = [${JSON.stringify(FINANCE_PROGRAM)}]\n`
    config.push(`[mcp_servers.finance]\n${words}`)
  }
  const file = join(place.srecodexHome, 'config', 'config.toml')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, config.join('\n'))
  env.PATH = [...programs, process.env.PATH].join(delimiter)

  const asked = <Name extends keyof typeof made>(name: Name): NonNullable<(typeof made)[Name]> => {
    const found = made[name]
    if (found === undefined) throw new Error(`this world has no ${name}`)
    return found
  }
  const folder = join(place.srecodexHome, 'state', 'runs')
  return {
    ...place,
    say: (words, run = {}) => place.run(words, { ...run, env: { ...env, ...run.env }, within: BOTH_STREAMS }),
    srecodex: async (command, run = {}) => {
      const { exitCode, json, stderr } = await place.run(`${command} --json`, {
        ...run,
        env: { ...env, ...run.env },
      })
      return { exitCode, report: json(), stderr }
    },
    runIds: () => (existsSync(folder) ? readdirSync(folder).sort() : []),
    get kubernetes() {
      return asked('kubernetes')
    },
    get alertmanager() {
      return asked('alertmanager')
    },
    get aws() {
      return asked('aws')
    },
    get postgres() {
      return asked('postgres')
    },
  }
}
