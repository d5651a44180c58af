/**
 * One live connection to a server: the SDK's client over one of two transports, and the tools that it offers.
 *
 * Offers servers nothing: no roots, no sampling, no elicitation, and no interest in their logs. A server that asks
 * is told that the method does not exist, or its call fails.
 */

import type { Client, ListToolsResult, Transport } from '@modelcontextprotocol/client'
import type { ResolvedMcpServer } from '../../config/schema.ts'
import { facts, notSent } from './failure.ts'
import { boundedFetch, serverHeaders } from './http.ts'
import { serverProgram } from './program.ts'
import { StdioTransport } from './stdio-transport.ts'
import { redactor, shown, type Redact } from './words.ts'

export type Tool = ListToolsResult['tools'][number]

export interface Connection {
  readonly client: Client
  readonly redact: Redact
  readonly unsetVariables: readonly string[]
  /** Listed at the first question, and again after the server said that they changed. */
  tools(): Promise<ReadonlyMap<string, Tool>>
  /** How the server's process ended; null while it lives, and for a server over HTTP. */
  ending(): string | null
  readonly lost: boolean
  close(): Promise<void>
}

export interface ConnectOptions {
  readonly workspace: string
  readonly callerEnvironment: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

interface Line {
  readonly transport: Transport
  readonly redact: Redact
  readonly unsetVariables: readonly string[]
  ending(): string | null
  /** What the server said on stderr; empty over HTTP. */
  lastWords(): string
  /** Before the transport is closed. */
  leave(): Promise<void>
}

/** More tools than an agent could ever be told of; a server that pages on for ever is stopped. */
const MAX_TOOL_PAGES = 200
/** A server answers so to `initialize` when it only speaks revisions that begin with `server/discover`. */
const UNSUPPORTED_PROTOCOL_VERSION = -32022
const GOODBYE_MS = 1000

/** @throws {CallError} TOOL_FAILED | REFUSED: with what the server said, and the key that may help. */
export async function connect(
  server: string,
  config: ResolvedMcpServer,
  options: ConnectOptions,
): Promise<Connection> {
  const sdk = await import('@modelcontextprotocol/client')
  const open = async (discover: boolean): Promise<Connection> => {
    const line = lineTo(server, config, options, sdk)
    let stale = 0
    let lost = false
    const client = new sdk.Client(
      { name: 'srecodex', version: '1' },
      {
        capabilities: {},
        versionNegotiation: { mode: discover ? 'auto' : 'legacy' },
        inputRequired: { autoFulfill: false },
        listMaxPages: MAX_TOOL_PAGES,
        // The script gets what the server says, also where that is not what its schema promises.
        jsonSchemaValidator: {
          getValidator: () => input => ({ valid: true, data: input as never, errorMessage: undefined }),
        },
        listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => (stale += 1) } },
      },
    )
    /* oxlint-disable unicorn/prefer-add-event-listener -- the SDK's client is no event target */
    client.onclose = () => (lost = true)
    client.onerror = () => {} // what matters fails the request that it belongs to
    /* oxlint-enable unicorn/prefer-add-event-listener */
    const close = async (): Promise<void> => {
      lost = true
      await line.leave()
      await client.close().catch(() => {})
      await line.transport.close()
    }
    try {
      await client.connect(line.transport, { timeout: config.startupTimeoutMs, signal: options.signal })
    } catch (error) {
      const startFailure = failedStart(server, config, line, error)
      await close()
      throw facts(error).code === UNSUPPORTED_PROTOCOL_VERSION ? error : startFailure
    }
    let listed: { readonly stale: number; readonly tools: Promise<ReadonlyMap<string, Tool>> } | null = null
    const tools = (): Promise<ReadonlyMap<string, Tool>> => {
      if (listed?.stale !== stale) {
        const listing = listTools(client, config.startupTimeoutMs)
        listed = { stale, tools: listing }
        listing.catch(() => (listed = null))
      }
      return listed.tools
    }
    return {
      client,
      redact: line.redact,
      unsetVariables: line.unsetVariables,
      tools,
      ending: () => line.ending(),
      get lost() {
        return lost
      },
      close,
    }
  }
  // Every server on a pipe speaks the older handshake, but for those that refuse it in so many words; a probe of
  // the newer one would end some. Over HTTP a probe is one more request, and does no harm.
  try {
    return await open(config.url !== null)
  } catch (error) {
    if (facts(error).code !== UNSUPPORTED_PROTOCOL_VERSION) throw error
    return open(true)
  }
}

/** The SDK prints to stdout when it lists the tools of a server that has none to offer. */
async function listTools(client: Client, timeout: number): Promise<ReadonlyMap<string, Tool>> {
  if (client.getServerCapabilities()?.tools === undefined) return new Map()
  const { tools } = await client.listTools(undefined, { timeout, cacheMode: 'refresh' })
  return new Map(tools.map(tool => [tool.name, tool]))
}

function lineTo(
  server: string,
  config: ResolvedMcpServer,
  options: ConnectOptions,
  sdk: Pick<typeof import('@modelcontextprotocol/client'), 'StreamableHTTPClientTransport'>,
): Line {
  const { callerEnvironment } = options
  if (config.url === null) {
    const values = [
      ...Object.values(config.env),
      ...config.envVars.map(name => callerEnvironment[name] ?? ''),
    ]
    const redact = redactor(values)
    const program = serverProgram(server, config, options)
    const transport = new StdioTransport(program, redact)
    return {
      transport,
      redact,
      unsetVariables: config.envVars.filter(name => callerEnvironment[name] === undefined),
      ending: () => transport.ending(),
      lastWords: () => transport.lastWords(),
      leave: () => Promise.resolve(),
    }
  }
  const { headers, secrets, unset } = serverHeaders(server, config, callerEnvironment)
  const address = new URL(config.url)
  if (address.username !== '') {
    // `fetch` refuses an address with a password in it.
    const words = `${decodeURIComponent(address.username)}:${decodeURIComponent(address.password)}`
    address.username = address.password = ''
    Object.assign(headers, { Authorization: `Basic ${Buffer.from(words).toString('base64')}`, ...headers })
  }
  const transport = new sdk.StreamableHTTPClientTransport(address, {
    requestInit: { headers },
    fetch: boundedFetch,
  })
  return {
    transport,
    redact: redactor(secrets),
    unsetVariables: unset,
    ending: () => null,
    lastWords: () => '',
    leave: async () => {
      if (transport.sessionId === undefined) return
      const stop = new AbortController()
      const timer = setTimeout(() => stop.abort(), GOODBYE_MS)
      const given = new Promise<void>(resolve => {
        stop.signal.addEventListener('abort', () => resolve(), { once: true })
      })
      await Promise.race([transport.terminateSession().catch(() => {}), given])
      clearTimeout(timer)
    },
  }
}

function failedStart(server: string, config: ResolvedMcpServer, line: Line, error: unknown): Error {
  const { code, status, message, cause } = facts(error)
  const section = `[mcp_servers.${server}]`
  const ending = line.ending()
  const words = line.lastWords()
  const start = `MCP server \`${server}\` did not start`
  if (ending !== null) {
    return notSent(
      'TOOL_FAILED',
      `${start}: ${ending}`,
      `look at \`command\`, \`args\`, \`env\` in ${section}`,
    )
  }
  if (code === 'REQUEST_TIMEOUT') {
    const said = words === '' ? '' : `; its last words: ${words}`
    return notSent(
      'TOOL_FAILED',
      `${start} within ${config.startupTimeoutMs / 1000} s${said}`,
      `\`startup_timeout_sec\` in ${section} allows more`,
      'timed out',
    )
  }
  if (status === 401 || status === 403) {
    const unset = line.unsetVariables.length === 0 ? '' : `; not set here: ${line.unsetVariables.join(', ')}`
    const hint = `its token and headers are \`bearer_token_env_var\`, \`http_headers\`, \`env_http_headers\` in ${section}${unset}`
    return notSent('TOOL_FAILED', `${start}: it answered with HTTP ${status}`, hint, 'expired login')
  }
  const reason = shown(cause === null ? message : `${message} (${cause})`, line.redact, 500)
  const key = config.url === null ? 'command' : 'url'
  return notSent('TOOL_FAILED', `${start}: ${reason}`, `it is \`${key}\` in ${section}`, 'unreachable')
}
