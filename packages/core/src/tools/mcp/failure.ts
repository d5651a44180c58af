/**
 * What goes wrong with a call of an MCP tool, in the codes of the protocol and the classes of the ledger.
 *
 * `definite` is said only where it is certain that the tool did nothing: the call never left srecodex, or the
 * server refused it before it looked at it. All else leaves a mutation's outcome unknown.
 */

import { CallError } from '../protocol.ts'
import type { FailureKind } from '../knowledge/knowledge.ts'
import { shown, type Redact } from './words.ts'

const MAX_WORDS = 1000

/** A failed call that says of which kind it is. */
export class McpCallError extends CallError {
  readonly kind: FailureKind

  constructor(
    code: string,
    message: string,
    kind: Omit<FailureKind, 'hint'>,
    options: { readonly hint?: string } = {},
  ) {
    super(code, message, options)
    this.kind = { ...kind, hint: options.hint ?? null }
  }
}

/** The call did not leave srecodex. */
export const notSent = (code: string, message: string, hint?: string, className = 'failed'): McpCallError =>
  new McpCallError(
    code,
    message,
    { class: className, definite: true, throttled: false },
    hint === undefined ? {} : { hint },
  )

export interface FailedCall {
  readonly server: string
  readonly tool: string
  readonly toolTimeoutMs: number
  readonly cancelled: boolean
  readonly redact: Redact
  /** How the server's process ended, with its last words; null where it did not. */
  readonly ending: string | null
  /** Variables of the config that are not set. */
  readonly unsetVariables: readonly string[]
}

/** The mark of an answer that was too large to take in; the transports put it in the answer's place. */
export const OVERSIZED = 'srecodex: the message is too large'
/** The same for an answer that never came, though its stream ended. */
export const UNANSWERED = 'srecodex: the stream ended without an answer'

export const tooLarge = (server: string, tool: string, bytes: number | null): McpCallError =>
  new McpCallError(
    'TOO_LARGE',
    `the result of \`${tool}\` of MCP server \`${server}\` is too large` +
      `${bytes === null ? '' : `: ${bytes} bytes`}; a call carries at most 15 MiB`,
    { class: 'too large', definite: false, throttled: false },
    { hint: 'ask for less: a page, a filter, fewer fields' },
  )

/** Of a request that the SDK gave up, or that the server answered with an error of the protocol. */
export function failedCall(error: unknown, call: FailedCall): McpCallError {
  const what = `\`${call.tool}\` of MCP server \`${call.server}\``
  const fail = (className: string, message: string, rest: Partial<FailureKind> = {}): McpCallError =>
    new McpCallError(
      'TOOL_FAILED',
      message,
      { class: className, definite: rest.definite ?? false, throttled: rest.throttled ?? false },
      typeof rest.hint === 'string' ? { hint: rest.hint } : {},
    )
  const { code, status, message, cause } = facts(error)
  const words = shown(message, call.redact, MAX_WORDS)
  if (message.includes(OVERSIZED)) return tooLarge(call.server, call.tool, null)
  if (call.cancelled) return fail('cancelled', `${what} was cancelled`)
  if (code === 'REQUEST_TIMEOUT') {
    return fail('timed out', `${what} did not answer within ${call.toolTimeoutMs / 1000} s`, {
      hint: `\`tool_timeout_sec\` in [mcp_servers.${call.server}] allows more; whether it did something is not known`,
    })
  }
  if (status !== null) return httpFailure(status, what, call, words, fail)
  if (code === 'UNSUPPORTED_RESULT_TYPE' || code === -32042) {
    return fail('failed', `${what} asks a person for input, which a script cannot give`, {
      hint: 'give it all that it needs as arguments, or call it in chat',
    })
  }
  if (code === 'CONNECTION_CLOSED' || code === 'NOT_CONNECTED' || call.ending !== null) {
    const ending = call.ending ?? 'the connection was closed'
    return fail('unreachable', `MCP server \`${call.server}\` was lost during \`${call.tool}\`: ${ending}`, {
      definite: code === 'NOT_CONNECTED',
      hint: 'whether this call did something is not known; the next call starts the server again, once a run',
    })
  }
  if (message.includes(UNANSWERED)) return fail('unreachable', `${what} sent no answer: its stream ended`)
  if (typeof code === 'number') {
    return fail('failed', `${what} answered with error ${code}: ${words}`, {
      // -32601 and -32602: there is no such method, or its parameters do not fit. Said before anything is done.
      definite: code === -32601 || code === -32602,
    })
  }
  const reason = shown(cause === null ? message : `${message} (${cause})`, call.redact, MAX_WORDS)
  return fail('unreachable', `${what} cannot be reached: ${reason}`, {
    definite: cause === 'ECONNREFUSED' || cause === 'ENOTFOUND' || cause === 'EAI_AGAIN',
    hint: `its address is \`url\` in [mcp_servers.${call.server}]`,
  })
}

type Fail = (className: string, message: string, rest?: Partial<FailureKind>) => McpCallError

function httpFailure(
  status: number,
  what: string,
  call: FailedCall,
  words: string,
  fail: Fail,
): McpCallError {
  const unset = call.unsetVariables.length === 0 ? '' : `; not set here: ${call.unsetVariables.join(', ')}`
  const section = `[mcp_servers.${call.server}]`
  const message = `${what} answered with HTTP ${status}`
  if (status === 401) {
    const hint = `the token of ${section} is missing or no longer valid: \`bearer_token_env_var\`${unset}`
    return fail('expired login', message, { definite: true, hint })
  }
  if (status === 403) {
    const hint = `the server does not allow it to whom ${section} acts as${unset}`
    return fail('forbidden', message, { definite: true, hint })
  }
  if (status === 429) return fail('throttled', message, { definite: true, throttled: true })
  if (status === 404) {
    const hint = `\`url\` of ${section} is wrong, or the server has forgotten the session: the next call opens another`
    return fail('unreachable', message, { definite: true, hint })
  }
  const className = status >= 500 ? 'unreachable' : 'failed'
  return fail(className, words === '' ? message : `${message}: ${words}`, { throttled: status === 503 })
}

interface ErrorFacts {
  readonly code: string | number | null
  readonly status: number | null
  readonly message: string
  readonly cause: string | null
}

/** Read by their fields: the SDK's classes are not loaded before the first call. */
export function facts(error: unknown): ErrorFacts {
  if (!(error instanceof Error)) return { code: null, status: null, message: String(error), cause: null }
  let root: Error = error
  let status = statusOf(error)
  for (let depth = 0; root.cause instanceof Error && depth < MAX_CAUSES; depth += 1) {
    root = root.cause
    status ??= statusOf(root)
  }
  const code = codeOf(error)
  const cause = root === error ? null : (codeOf(root) ?? root.message)
  return { code, status, message: error.message, cause: cause === null ? null : String(cause) }
}

const MAX_CAUSES = 5

function statusOf(error: Error): number | null {
  if ('status' in error && typeof error.status === 'number') return error.status
  return error.constructor.name === 'UnauthorizedError' ? 401 : null
}

const codeOf = (error: Error): string | number | null =>
  'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? error.code : null
