/** What clients have to be told, from the config and from how srecodex was started. */

import { listTools, SrecodexError, type ListedProgram, type LoadedConfig } from '@srecodex/core'
import { readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Terminal } from '../terminal.ts'
import type { Setup } from './client.ts'
import { canStart, decideLaunch } from './launch.ts'

/** Over the time of a script: a person may be asked for a minute, and a result takes its time. */
const SPARE_SECONDS = 60

/** Where srecodex keeps its config and its runs: agent and person must speak of the same ones. */
const OWN_VARIABLES = ['SRECODEX_HOME', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME']

/** @throws {SrecodexError} WORKSPACE_INVALID: this folder can be no project, such as home. */
export function loadSetup({ config }: LoadedConfig, terminal: Terminal): Setup {
  const variables = variablesOf(config, terminal)
  const project = realpathSync(terminal.cwd)
  // This module is bundled: beside it lies the entry, above it the manifest.
  const bin = join(realpathSync(import.meta.dirname), 'bin.js')
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as {
    version: string
  }
  const { PATH } = terminal.env
  return {
    launch: decideLaunch({ bin, node: process.execPath, version, project, path: PATH }),
    timeoutSeconds: Math.ceil(config.scripts.executionTimeoutMs / 1000) + SPARE_SECONDS,
    variables,
    starts: argv => canStart(argv, project, PATH),
  }
}

/** Of every tool that scripts can call here, of every MCP server, and srecodex's own. */
function variablesOf(config: LoadedConfig['config'], terminal: Terminal): string[] {
  const tools = toolsOf(config, terminal)
  const servers = Object.values(config.mcpServers).filter(({ enabled }) => enabled)
  const set = Object.keys(terminal.env).filter(name => name.startsWith('SRECODEX_'))
  return [
    ...new Set([
      ...tools
        .filter(({ callable }) => callable)
        .flatMap(({ env, credentialVariables }) => [...env, ...credentialVariables]),
      ...servers.flatMap(({ envVars, bearerTokenEnvVar, envHttpHeaders }) => [
        ...envVars,
        ...(bearerTokenEnvVar === null ? [] : [bearerTokenEnvVar]),
        ...Object.values(envHttpHeaders),
      ]),
      ...OWN_VARIABLES,
      ...set.sort(),
    ]),
  ]
}

function toolsOf(config: LoadedConfig['config'], terminal: Terminal): ListedProgram[] {
  try {
    return listTools({ config, workspace: terminal.cwd, environment: terminal.env })
  } catch (error) {
    if (!(error instanceof SrecodexError) || error.code !== 'WORKSPACE_INVALID') throw error
    throw new SrecodexError(error.code, error.message, {
      cause: error,
      hint: 'a client is set up for one project: run it in the folder of that',
      details: error.details,
    })
  }
}
