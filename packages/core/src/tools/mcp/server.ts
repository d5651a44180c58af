/**
 * One configured server over the time of a run: not started before it is needed, started once for all who wait,
 * started again once when it died.
 *
 * A server over HTTP has no process to lose: it is connected to again as often as it is lost.
 */

import type { ResolvedMcpServer } from '../../config/schema.ts'
import { didYouMean } from '../../suggestion.ts'
import type { Progress } from '../channel/recording.ts'
import { connect, type Connection, type Tool } from './connection.ts'
import { failedCall, McpCallError, notSent } from './failure.ts'
import { resultValue } from './result.ts'
import { argumentsCheck, type CheckArguments } from './validate.ts'

export interface CallToolOptions {
  /** Aborting it cancels the call, also at the server. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

export interface ServerOptions {
  readonly workspace: string
  readonly callerEnvironment: NodeJS.ProcessEnv
}

/** The first start, and one more. */
const MAX_STARTS = 2
const MAX_NOTE = 500

export class McpServer {
  readonly name: string
  readonly config: ResolvedMcpServer
  readonly #options: ServerOptions
  readonly #closing = new AbortController()
  readonly #checks = new WeakMap<Tool, Promise<CheckArguments>>()
  #connection: Promise<Connection> | null = null
  #live: Connection | null = null
  #starts = 0
  #lastFailure: unknown = null

  constructor(name: string, config: ResolvedMcpServer, options: ServerOptions) {
    this.name = name
    this.config = config
    this.#options = options
  }

  /** The tools that the operator allows. */
  async tools(signal?: AbortSignal): Promise<readonly Tool[]> {
    const connection = await this.connected(signal)
    return [...(await this.#listed(connection)).values()].filter(tool => this.#refusal(tool.name) === null)
  }

  /** @throws {CallError} REFUSED | INVALID_PARAMS: there is no such tool | TOOL_FAILED */
  async tool(name: string, signal?: AbortSignal): Promise<Tool> {
    return (await this.#find(name, signal)).tool
  }

  async call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options: CallToolOptions = {},
  ): Promise<{ readonly value: unknown }> {
    const { signal, onProgress } = options
    const { connection, tool } = await this.#find(name, signal)
    const check = await this.#checkOf(tool)
    check(args)
    // An answer without its structured content is still an answer: the SDK would turn it into an error.
    const { outputSchema: _unchecked, ...toolDefinition } = tool
    let result
    try {
      result = await connection.client.callTool(
        { name, arguments: { ...args } },
        {
          toolDefinition,
          timeout: this.config.toolTimeoutMs,
          ...(signal === undefined ? {} : { signal }),
          ...(onProgress === undefined
            ? {}
            : {
                onprogress: ({ progress, total = null, message = '' }) =>
                  onProgress({ done: progress, total, note: message.slice(0, MAX_NOTE) }),
              }),
        },
      )
    } catch (error) {
      const failure = failedCall(error, {
        server: this.name,
        tool: name,
        toolTimeoutMs: this.config.toolTimeoutMs,
        cancelled: signal?.aborted === true,
        redact: connection.redact,
        ending: connection.ending(),
        unsetVariables: connection.unsetVariables,
      })
      if (hasForgottenUs(error)) await this.#drop(connection)
      throw failure
    }
    return {
      value: resultValue(result, { server: this.name, tool: name, redact: connection.redact }),
    }
  }

  /** The connection that everyone shares. */
  async connected(signal?: AbortSignal): Promise<Connection> {
    if (this.#closing.signal.aborted) throw this.#closed()
    if (this.#live?.lost === true) await this.#drop(this.#live)
    this.#connection ??= this.#start()
    return signal === undefined ? this.#connection : this.#unlessAborted(this.#connection, signal)
  }

  /** Resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.#closing.abort()
    const connection = await this.#connection?.catch(() => null)
    await connection?.close()
  }

  async #start(): Promise<Connection> {
    const limited = this.config.url === null
    if (limited && this.#starts >= MAX_STARTS) {
      const why = this.#lastFailure instanceof McpCallError ? `: ${this.#lastFailure.message}` : ''
      this.#connection = null
      throw notSent(
        'TOOL_FAILED',
        `MCP server \`${this.name}\` has died twice in this run, and is not started again${why}`,
        `look at what it says, and at [mcp_servers.${this.name}]`,
        'unreachable',
      )
    }
    this.#starts += 1
    try {
      const connection = await connect(this.name, this.config, {
        ...this.#options,
        signal: this.#closing.signal,
      })
      this.#live = connection
      return connection
    } catch (error) {
      this.#connection = null
      if (this.#closing.signal.aborted) throw this.#closed()
      this.#lastFailure = error
      throw error
    }
  }

  async #drop(connection: Connection): Promise<void> {
    if (this.#live === connection) {
      this.#live = null
      this.#connection = null
    }
    await connection.close()
  }

  async #find(
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly connection: Connection; readonly tool: Tool }> {
    const refusal = this.#refusal(name)
    if (refusal !== null) throw refusal
    const connection = await this.connected(signal)
    const tools = await this.#listed(connection)
    const tool = tools.get(name)
    if (tool !== undefined) return { connection, tool }
    const offered = [...tools.keys()].filter(one => this.#refusal(one) === null)
    const { hint = `\`srecodex tools list\` prints what [mcp_servers.${this.name}] offers` } = didYouMean(
      name,
      offered,
    )
    throw notSent('INVALID_PARAMS', `MCP server \`${this.name}\` has no tool ${quoted(name)}`, hint)
  }

  async #listed(connection: Connection): Promise<ReadonlyMap<string, Tool>> {
    try {
      return await connection.tools()
    } catch (error) {
      const failure = failedCall(error, {
        server: this.name,
        tool: 'tools/list',
        toolTimeoutMs: this.config.startupTimeoutMs,
        cancelled: this.#closing.signal.aborted,
        redact: connection.redact,
        ending: connection.ending(),
        unsetVariables: connection.unsetVariables,
      })
      if (hasForgottenUs(error)) await this.#drop(connection)
      throw notSent('TOOL_FAILED', failure.message, failure.hint ?? undefined, failure.kind.class)
    }
  }

  #refusal(tool: string): McpCallError | null {
    const { enabledTools, disabledTools } = this.config
    const key = disabledTools.includes(tool)
      ? 'disabled_tools'
      : enabledTools !== null && !enabledTools.includes(tool)
        ? 'enabled_tools'
        : null
    if (key === null) return null
    const where = `\`${key}\` in [mcp_servers.${this.name}]`
    return notSent(
      'REFUSED',
      `the operator does not allow ${quoted(tool)} of MCP server \`${this.name}\``,
      key === 'disabled_tools' ? `it is listed in ${where}` : `it is not among ${where}`,
    )
  }

  #checkOf(tool: Tool): Promise<CheckArguments> {
    const known = this.#checks.get(tool)
    if (known !== undefined) return known
    const check = argumentsCheck(this.name, tool.name, tool.inputSchema)
    this.#checks.set(tool, check)
    return check
  }

  async #unlessAborted<T>(pending: Promise<T>, signal: AbortSignal): Promise<T> {
    const cancelled = (): McpCallError =>
      notSent('TOOL_FAILED', `the call of MCP server \`${this.name}\` was cancelled`, undefined, 'cancelled')
    if (signal.aborted) {
      pending.catch(() => {}) // somebody else's
      throw cancelled()
    }
    let onAbort = (): void => {}
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(cancelled())
      signal.addEventListener('abort', onAbort, { once: true })
    })
    try {
      return await Promise.race([pending, aborted])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  #closed(): McpCallError {
    return notSent(
      'TOOL_FAILED',
      `MCP server \`${this.name}\` is closed: the run is ending`,
      undefined,
      'cancelled',
    )
  }
}

/** A server over HTTP that was restarted does not know its sessions any more. */
function hasForgottenUs(error: unknown): boolean {
  return error instanceof Error && 'status' in error && error.status === 404
}

const quoted = (name: string): string => `\`${name.slice(0, 80).replaceAll(/[^\x20-\x7e]/g, '?')}\``
