/** The programs that scripts may call in a workspace, and what each is given: looked up, and not started. */

import { existsSync } from 'node:fs'
import { NAMED_SECTIONS, resolvedDefault, resolveFields, type ResolvedTool } from '../../config/schema.ts'
import { builtInTools } from '../effects/effects.ts'
import { BY_ENTRY_ONLY, toolDefaults } from './defaults.ts'
import { findProgram } from './find.ts'
import { credentialPaths, inHome, passedVariables, type GrantOptions } from './grants.ts'

export interface ListedProgram {
  readonly tool: string
  /** It has a table of its own; any other has only the operator's patterns. */
  readonly builtIn: boolean
  /** It has an entry in the config. */
  readonly configured: boolean
  /** Scripts may call it: it is found, and allowed. */
  readonly callable: boolean
  /** The real program, behind every shim; null: not on PATH outside of the workspace. */
  readonly program: string | null
  /** What is mounted for it: as the config says, else those of its table that are there. */
  readonly credentials: readonly string[]
  readonly helpers: readonly string[]
  readonly cache: readonly string[]
  readonly env: readonly string[]
  /** Of the caller's variables, those that say where its credentials are. */
  readonly credentialVariables: readonly string[]
  readonly args: readonly string[]
  readonly concurrency: number
  readonly ratePerSecond: number
  readonly reads: readonly string[]
  readonly mutates: readonly string[]
  readonly reveals: readonly string[]
}

export interface ListProgramsOptions {
  /** `tools` of the config. */
  readonly tools: Readonly<Record<string, ResolvedTool>>
  /** Real path. */
  readonly workspace: string
  readonly home: string
  readonly environment: NodeJS.ProcessEnv
}

/** Those with a built-in table, then the operator's own by name. */
export function listPrograms(options: ListProgramsOptions): ListedProgram[] {
  const built = builtInTools()
  const own = Object.keys(options.tools).filter(name => !built.includes(name))
  return [...built, ...own.sort()].map(tool => listed(tool, options))
}

function credentialsOf(options: GrantOptions): readonly string[] {
  const { config, defaults, home } = options
  const paths = credentialPaths(options)
  if (config.credentials !== null) return paths
  const kubeconfig = defaults.kubernetes ? passedVariables(options).KUBECONFIG : undefined
  const replaced =
    kubeconfig === undefined || kubeconfig === ''
      ? paths
      : [...kubeconfig.split(':'), ...paths.filter(path => path !== inHome('~/.kube/config', home))]
  return replaced.filter(path => existsSync(path))
}

function listed(tool: string, options: ListProgramsOptions): ListedProgram {
  const configured = Object.hasOwn(options.tools, tool)
  const config = configured
    ? options.tools[tool]!
    : resolveFields(NAMED_SECTIONS.tools.fields, (_key, field) => resolvedDefault(field))
  const defaults = toolDefaults(tool)
  const program = findProgram(tool, options)?.program ?? null
  const { args, concurrency, ratePerSecond, reads, mutates, reveals } = config
  return {
    tool,
    builtIn: builtInTools().includes(tool),
    configured,
    callable: program !== null && (configured || !BY_ENTRY_ONLY.has(tool)),
    program,
    credentials: credentialsOf({ ...options, tool, config, defaults }),
    helpers: config.helpers ?? [],
    cache: config.cache ?? defaults.cache.map(path => inHome(path, options.home)),
    env: config.env ?? defaults.env,
    credentialVariables: config.credentials === null ? Object.keys(defaults.credentialVariables) : [],
    ...{ args, concurrency, ratePerSecond, reads, mutates, reveals },
  }
}
