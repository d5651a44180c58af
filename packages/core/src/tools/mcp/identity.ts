/** Whom the tools of a server act as: what a plan over them is bound to. Holds no secret. */

import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import type { ResolvedMcpServer } from '../../config/schema.ts'
import type { ToolIdentity } from '../calls.ts'
import { cut, plain } from './words.ts'

const MAX_NAME = 100

/**
 * Arguments and paths can hold tokens, so their digest stands for them: a server that is told to work on another
 * database, or another tenant, is another server.
 */
export function serverIdentity(
  server: string,
  config: Pick<ResolvedMcpServer, 'command' | 'args' | 'url'>,
  reported: { readonly name: string; readonly version: string } | undefined,
): ToolIdentity {
  const name = reported === undefined ? 'unnamed' : cut(plain(reported.name), MAX_NAME)
  const version = reported === undefined ? 'unknown' : cut(plain(reported.version), MAX_NAME)
  const who = { name, version }
  if (config.url === null) {
    const command = config.command ?? ''
    return {
      tool: `mcp:${server}`,
      summary: `${name} ${version}, started as ${basename(command)}`,
      fields: { command, arguments: digest(config.args), ...who },
    }
  }
  const { host, protocol, pathname, search } = new URL(config.url)
  return {
    tool: `mcp:${server}`,
    summary: `${name} ${version} at ${host}`,
    fields: { host: `${protocol}//${host}`, path: digest([pathname, search]), ...who },
  }
}

const digest = (words: readonly string[]): string =>
  `sha256:${createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 16)}`
