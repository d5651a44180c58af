/**
 * Where a benchmark works: a folder for workspace, state and scripts, which goes when the benchmark ends, the CLI as it
 * is built, and an MCP server for scripts to call.
 */

import { FINANCE_PROGRAM } from '@srecodex/testkit/mcp'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const CLI = join(import.meta.dirname, '../../cli/dist/bin.js')

/** @throws {Error} It is not built. */
export function requireCli(): void {
  if (!existsSync(CLI)) throw new Error(`build the CLI first: there is no ${CLI}`)
}

/** Its argv; it speaks over stdio. */
export const FINANCE_SERVER: readonly string[] = [process.execPath, FINANCE_PROGRAM]

/** For config.toml: it is called `finance`. */
export function financeServerToml(): string {
  const [command, ...args] = FINANCE_SERVER
  return `[mcp_servers.finance]\ncommand = ${JSON.stringify(command)}\nargs = ${JSON.stringify(args)}\n`
}

export interface Place {
  readonly workspace: string
  readonly environment: Readonly<Record<string, string>>
  readonly file: (name: string) => string
  readonly script: (name: string, text: string) => string
}

export async function withPlace<Result>(act: (place: Place) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'srecodex-bench-'))
  const workspace = join(folder, 'workspace')
  mkdirSync(workspace)
  try {
    return await act({
      workspace,
      environment: {
        PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
        HOME: process.env.HOME ?? '/root',
        SRECODEX_HOME: join(folder, 'home'),
      },
      file: name => join(folder, name),
      script: (name, text) => {
        const path = join(workspace, name)
        writeFileSync(path, text)
        return path
      },
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
