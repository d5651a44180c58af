import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { FINANCE_PROGRAM } from '../../../testkit/src/mcp/launch.ts'
import type { ResolvedMcpServer } from '../../src/config/schema.ts'
import { McpCallError, openMcpServers, type McpServers } from '../../src/tools/mcp.ts'
import { temporaryFolder } from './listening.ts'

export const serverConfig = (overrides: Partial<ResolvedMcpServer> = {}): ResolvedMcpServer => ({
  command: process.execPath,
  args: [FINANCE_PROGRAM],
  env: {},
  envVars: [],
  cwd: null,
  url: null,
  bearerTokenEnvVar: null,
  httpHeaders: {},
  envHttpHeaders: {},
  startupTimeoutMs: 20_000,
  toolTimeoutMs: 20_000,
  enabled: true,
  enabledTools: null,
  disabledTools: [],
  ...overrides,
})

export interface Finance {
  readonly servers: McpServers
  readonly folder: string
  readonly log: () => readonly Readonly<Record<string, unknown>>[]
}

/** The finance server over stdio, not started yet; its processes end with the test. */
export function finance(
  overrides: Partial<ResolvedMcpServer> = {},
  callerEnvironment: NodeJS.ProcessEnv = process.env,
): Finance {
  const folder = temporaryFolder()
  const file = join(folder, 'log.jsonl')
  const config = serverConfig({ args: [FINANCE_PROGRAM, '--log', file], ...overrides })
  const servers = opened({ finance: config }, callerEnvironment)
  return {
    servers,
    folder,
    log: () =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .split('\n')
            .slice(0, -1) // what follows the last line end is still being written
            .map(line => JSON.parse(line) as Record<string, unknown>)
        : [],
  }
}

export function opened(
  configs: Readonly<Record<string, ResolvedMcpServer>>,
  callerEnvironment: NodeJS.ProcessEnv = process.env,
  workspace = temporaryFolder(),
): McpServers {
  const servers = openMcpServers({ servers: configs, workspace, callerEnvironment })
  onTestFinished(() => servers.close())
  return servers
}

export async function failureOf(pending: Promise<unknown>): Promise<McpCallError> {
  const error: unknown = await pending.then(
    value => expect.fail(`expected a failure, and got ${JSON.stringify(value).slice(0, 200)}`),
    (thrown: unknown) => thrown,
  )
  if (error instanceof McpCallError) return error
  throw error
}

export async function until(condition: () => boolean, withinMs = 5000): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += 20) {
    if (waitedMs > withinMs) expect.fail(`not within ${withinMs} ms: ${String(condition)}`)
    await sleep(20)
  }
}

/** A zombie is not alive. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1))
  } catch {
    return false
  }
}

/** Of this process, at any depth. */
export function descendants(): readonly number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter(entry => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]))
    } catch {
      // gone in between
    }
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid)
    return parent === process.pid || (parent !== undefined && parent !== 0 && isBelow(parent))
  }
  return [...parents.keys()].filter(pid => isBelow(pid) && isAlive(pid))
}
