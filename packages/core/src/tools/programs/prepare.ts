/**
 * One tool of one run, made ready at its first call: what it is given, its environment, its standing arguments.
 */

import { basename, join } from 'node:path'
import { statSync } from 'node:fs'
import type { ResolvedTool } from '../../config/schema.ts'
import type { Mount, SystemLayout } from '../../sandbox/profile.ts'
import { CallError } from '../protocol.ts'
import { toolDefaults, type ToolDefaults } from './defaults.ts'
import { makeRoomInEtc } from './etc.ts'
import { findProgram, type FoundProgram } from './find.ts'
import {
  cacheMounts,
  credentialMounts,
  credentialPaths,
  inHome,
  passedVariables,
  type GrantOptions,
} from './grants.ts'
import { grantKubernetes, type KubernetesGrants } from './kubernetes.ts'
import { operatorFlag } from './operator-args.ts'
import { TOOL_PLACES, type ToolGrants } from './profile.ts'

export interface PreparedTool {
  readonly program: string
  /** Before the words of a call. */
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly grants: ToolGrants
  readonly defaults: ToolDefaults
  /** null: not a tool of Kubernetes. */
  readonly kubernetes: KubernetesGrants['identity'] | null
}

export interface PrepareOptions {
  readonly found: FoundProgram
  readonly config: ResolvedTool
  /** Of another tool, which this one may start. */
  configOf(tool: string): ResolvedTool
  readonly home: string
  readonly workspace: string
  readonly environment: NodeJS.ProcessEnv
  readonly system: SystemLayout
  /** See `etc.ts`. */
  readonly etcFolder: string
  readonly etc: readonly Mount[]
  readonly folder: string
  readonly cacheFolder: string
}

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** @throws {CallError} REFUSED | TOOL_FAILED */
export async function prepareTool(options: PrepareOptions): Promise<PreparedTool> {
  const { found, config, home } = options
  const defaults = toolDefaults(found.name)
  const own = grantOptions(options, found.name, config)
  const helpers = (config.helpers ?? []).map(name => findHelper(name, options))
  const loginPath = pathOf(helpers)
  const kubernetes = defaults.kubernetes
    ? await grantKubernetes({ ...own, folder: options.folder, cacheFolder: options.cacheFolder, loginPath })
    : null
  const args = kubernetes?.args ?? config.args
  const strict = { ...own, config: { ...config, args }, environment: without(own, kubernetes) }
  const lent = helpers.map(helper => grantOptions(options, helper.name, options.configOf(helper.name)))
  const all = [strict, ...lent]
  const passed = Object.assign({}, ...lent.map(passedVariables), passedVariables(strict)) as Record<
    string,
    string
  >
  const standalone = found.standalone && helpers.length === 0
  const caches = uniqueByTarget([...(kubernetes?.caches ?? []), ...all.flatMap(cacheMounts)])
  const credentials = uniqueByTarget([
    ...credentialMounts(strict, kubernetes?.credentials ?? credentialPaths(own)),
    ...lent.flatMap(one => credentialMounts(one, credentialPaths(one))),
    ...(kubernetes?.mounts ?? []),
    ...(found.name === 'psql' ? postgresSocket(passed, args) : []),
  ])
  makeRoomInEtc(options.etcFolder, [...caches, ...credentials])

  return {
    program: found.program,
    args: [...defaults.args, ...args],
    environment: {
      ...Object.assign({}, ...all.map(one => one.defaults.fixedEnv)),
      ...passed,
      ...Object.assign({}, ...all.map(forcedVariables)),
      ...kubernetes?.environment,
      PATH: kubernetes !== null || standalone ? TOOL_PLACES.helpers : pathOf([found, ...helpers]),
      HOME: home,
      LANG: options.environment.LANG ?? 'C.UTF-8',
      TMPDIR: '/tmp',
    },
    grants: {
      system: standalone ? null : options.system,
      etc: options.etc,
      home,
      readable: [...new Set([...found.readable, ...helpers.flatMap(helper => helper.readable)])].sort(),
      helpers: helpers.map(helper => ({ name: helper.name, program: helper.program })),
      caches,
      credentials,
    },
    defaults,
    kubernetes: kubernetes?.identity ?? null,
  }
}

function grantOptions(options: PrepareOptions, tool: string, config: ResolvedTool): GrantOptions {
  const { home, workspace, environment } = options
  const args = config.args.map(word => word.replace(/(^|=|^@)~\//, `$1${home}/`))
  return { tool, config: { ...config, args }, defaults: toolDefaults(tool), home, workspace, environment }
}

/** The kubeconfigs themselves stay outside: the tool has the copy. */
function without(own: GrantOptions, kubernetes: KubernetesGrants | null): NodeJS.ProcessEnv {
  if (kubernetes === null) return own.environment
  const { KUBECONFIG: _kubeconfig, ...rest } = own.environment
  return rest
}

function findHelper(name: string, options: PrepareOptions): FoundProgram {
  const found = findProgram(name, options)
  if (found !== null) return { ...found, name: basename(name) }
  const tool = options.found.name
  throw new CallError('TOOL_FAILED', `${tool} may start \`${name}\`, which is not on your PATH`, {
    hint: `install it, or take it out of \`[tools.${tool}] helpers\``,
  })
}

/** `AWS_CONFIG_FILE` and the like name what was mounted, whatever the caller's say. */
function forcedVariables(options: GrantOptions): Record<string, string> {
  const paths = credentialPaths(options)
  return Object.fromEntries(
    Object.entries(options.defaults.credentialVariables).flatMap(([variable, path]) => {
      const own = options.config.credentials === null ? options.environment[variable] : undefined
      const chosen = paths.find(one => one === own) ?? paths.find(one => basename(one) === basename(path))
      return [[variable, chosen ?? inHome(path, options.home)]]
    }),
  )
}

function pathOf(programs: readonly FoundProgram[]): string {
  const folders = programs
    .flatMap(one => one.folders)
    .filter(folder => !SYSTEM_PATH.split(':').includes(folder))
  return [...new Set([TOOL_PLACES.helpers, ...folders]), SYSTEM_PATH].join(':')
}

/** A server on this machine is met at a socket: that one, and no other of its folder. */
function postgresSocket(environment: Readonly<Record<string, string>>, args: readonly string[]): Mount[] {
  const host = operatorFlag(args, ['-h', '--host']) ?? environment.PGHOST ?? '/var/run/postgresql'
  const port = operatorFlag(args, ['-p', '--port']) ?? environment.PGPORT ?? '5432'
  const path = join(host, `.s.PGSQL.${port}`)
  if (!host.startsWith('/') || !statSync(path, { throwIfNoEntry: false })?.isSocket()) return []
  return [{ source: path, target: path }]
}

function uniqueByTarget(mounts: readonly Mount[]): Mount[] {
  return [...new Map(mounts.map(mount => [mount.target, mount])).values()].sort((one, other) =>
    one.target < other.target ? -1 : 1,
  )
}
