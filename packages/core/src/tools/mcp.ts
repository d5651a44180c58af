/**
 * The tools of the operator's MCP servers, callable by a script.
 *
 * Promises: nothing is started, connected to or even loaded before the first question about a server. A tool that
 * is not known to only read is a mutation. Servers are trusted programs of the operator, outside of the sandbox,
 * and are started with five variables and those that the config names; a script gets their results and the words
 * of their errors, never a token, a header or a variable. After `close` none of their processes is left.
 *
 * Judges nothing: whether a mutation may happen is the broker's to say, by what `describe` tells.
 */

import type { ResolvedConfig } from '../config/schema.ts'
import { didYouMean } from '../suggestion.ts'
import type { ToolIdentity } from './calls.ts'
import { notSent } from './mcp/failure.ts'
import { serverIdentity } from './mcp/identity.ts'
import { McpServer, type CallToolOptions } from './mcp/server.ts'
import { renderSignatures, type SignatureLanguage } from './mcp/signatures.ts'
import { describedTool, type McpTool } from './mcp/tool.ts'
import { cut, plain } from './mcp/words.ts'

export type { CallToolOptions } from './mcp/server.ts'
export type { SignatureLanguage } from './mcp/signatures.ts'
export type { McpTool } from './mcp/tool.ts'
export { McpCallError } from './mcp/failure.ts'

export interface McpServersOptions {
  readonly servers: ResolvedConfig['mcpServers']
  /** No program is started out of it. */
  readonly workspace: string
  readonly callerEnvironment: NodeJS.ProcessEnv
  /** Aborting it closes all. */
  readonly signal?: AbortSignal
}

export type McpServerListing =
  | { readonly server: string; readonly state: 'listed'; readonly tools: readonly McpTool[] }
  | { readonly server: string; readonly state: 'disabled' }
  | {
      readonly server: string
      readonly state: 'failed'
      readonly message: string
      readonly hint: string | null
    }

export interface McpServers {
  /** Those that scripts can call. */
  readonly names: readonly string[]
  /** @throws {CallError} INVALID_PARAMS: there is no such server or tool | REFUSED | TOOL_FAILED */
  describe(server: string, name: string, options?: Pick<CallToolOptions, 'signal'>): Promise<McpTool>
  /**
   * Errors are `McpCallError`s, whose `kind` says what class they have, and whether it is certain that the tool
   * did nothing.
   *
   * @throws {CallError} INVALID_PARAMS | REFUSED | TOOL_FAILED | TOO_LARGE
   */
  call(
    server: string,
    name: string,
    args: Readonly<Record<string, unknown>>,
    options?: CallToolOptions,
  ): Promise<{ readonly value: unknown }>
  /** @throws {CallError} TOOL_FAILED: it cannot be asked. */
  identity(server: string): Promise<ToolIdentity>
  /** Every server of the config, by name. One that fails does not hide the others. */
  list(): Promise<readonly McpServerListing[]>
  signatures(language: SignatureLanguage): Promise<string>
  /** Resolves when no process of any server is left. Never throws. */
  close(): Promise<void>
}

export function openMcpServers(options: McpServersOptions): McpServers {
  const { servers, workspace, callerEnvironment, signal } = options
  const opened = new Map(
    Object.entries(servers)
      .filter(([, config]) => config.enabled)
      .map(([name, config]) => [name, new McpServer(name, config, { workspace, callerEnvironment })]),
  )
  const find = (name: string): McpServer => {
    const server = opened.get(name)
    if (server !== undefined) return server
    const shown = cut(plain(name), 80)
    if (Object.hasOwn(servers, name)) {
      const hint = `\`enabled = true\` in [mcp_servers.${name}] would allow it`
      throw notSent('REFUSED', `the operator has disabled MCP server \`${name}\``, hint)
    }
    const { hint = `servers are configured as [mcp_servers.NAME]${known([...opened.keys()])}` } = didYouMean(
      name,
      [...opened.keys()],
    )
    throw notSent('INVALID_PARAMS', `there is no MCP server \`${shown}\``, hint)
  }
  const list = (): Promise<McpServerListing[]> =>
    Promise.all(
      Object.keys(servers)
        .sort()
        .map(name => listing(name, opened.get(name))),
    )
  const closeAll = async (): Promise<void> => {
    await Promise.allSettled([...opened.values()].map(server => server.close()))
  }
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= closeAll())
  signal?.addEventListener('abort', () => void close(), { once: true })
  if (signal?.aborted === true) void close()
  return {
    names: [...opened.keys()],
    describe: async (server, name, { signal: cancelled } = {}) =>
      describedTool(server, await find(server).tool(name, cancelled)),
    call: async (server, name, args, callOptions) => find(server).call(name, args, callOptions),
    identity: async name => {
      const server = find(name)
      return serverIdentity(name, server.config, (await server.connected()).client.getServerVersion())
    },
    list,
    signatures: async language =>
      renderSignatures(
        (await list()).flatMap(one => (one.state === 'listed' ? one.tools : [])),
        language,
      ),
    close,
  }
}

async function listing(name: string, server: McpServer | undefined): Promise<McpServerListing> {
  if (server === undefined) return { server: name, state: 'disabled' }
  try {
    const tools = (await server.tools()).map(tool => describedTool(name, tool))
    return { server: name, state: 'listed', tools: tools.sort((a, b) => (a.name < b.name ? -1 : 1)) }
  } catch (error) {
    const hint =
      error instanceof Error && 'hint' in error && typeof error.hint === 'string' ? error.hint : null
    return {
      server: name,
      state: 'failed',
      message: error instanceof Error ? error.message : String(error),
      hint,
    }
  }
}

const known = (names: readonly string[]): string =>
  names.length === 0 ? '; there is none' : `: ${names.slice(0, 20).join(', ')}`
