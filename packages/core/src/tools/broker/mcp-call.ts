/** A call of an MCP tool: `tool("budget", "get_expenses", team="web")`. Its annotations tell its effect. */

import type { BrokerState } from '../broker.ts'
import type { CallHandler } from '../channel.ts'
import { judge, type Decision } from '../effects/decision.ts'
import type { FailureKind } from '../knowledge/knowledge.ts'
import { McpCallError } from '../mcp.ts'
import { callIdentity } from '../plan.ts'
import { CallError, type CallParams } from '../protocol.ts'
import type { Performed } from './forward.ts'
import { mutate, type Mutation } from './mutate.ts'
import { MAX_KEPT_BYTES, type KeptOutput } from './record.ts'

interface McpCall {
  readonly server: string
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
  readonly item: string | null
}

interface McpAnswer {
  readonly value: unknown
}

const NONE: KeptOutput = { bytes: 0, kept: Buffer.alloc(0) }

export function mcpHandler(state: BrokerState): CallHandler {
  return async (params, { signal }) => {
    const call = parse(state, params)
    state.admit(wordsOf(call).argv)
    const { servers } = state.options
    const described = await servers.describe(call.server, call.name)
    const {
      lift: _lift,
      words: _words,
      ...decision
    } = judge(described.effect, call.name, described.why, {
      target: { kind: 'words', words: [call.server, call.name] },
    })
    state.used(`mcp:${call.server}`)
    if (described.effect === 'read') return readTool(state, call, decision, signal)
    return mutate(state, mutationOf(state, call, decision))
  }
}

function parse(state: BrokerState, params: CallParams): McpCall {
  const { server, name, arguments: args = {}, item = null } = params
  if (typeof server !== 'string' || typeof name !== 'string') {
    throw new CallError('INVALID_PARAMS', 'the server and the name of a tool are texts')
  }
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    throw new CallError('INVALID_PARAMS', 'the arguments of a tool are an object')
  }
  if (item !== null && typeof item !== 'string')
    throw new CallError('INVALID_PARAMS', 'an item is told by its token')
  return {
    server,
    name,
    args: args as Readonly<Record<string, unknown>>,
    item: item === null ? null : state.options.items.itemKey(item),
  }
}

async function readTool(
  state: BrokerState,
  call: McpCall,
  decision: Decision,
  signal: AbortSignal,
): Promise<McpAnswer> {
  const { journal, servers } = state.options
  state.counts.reads += 1
  const id = state.newCallId()
  await journal.started({
    call: id,
    ...wordsOf(call),
    effect: 'read',
    verb: decision.verb,
    targets: [call.name],
    identity: '',
    planned: false,
    fallback: false,
    before: {},
    runs: [],
  })
  const begun = performance.now()
  const end = (failed: string | null, bytes: number): Promise<void> =>
    journal.ended({
      call: id,
      exitCode: failed === null ? 0 : 1,
      signal: null,
      durationMs: Math.round(performance.now() - begun),
      stdout: { bytes, kept: null },
      stderr: NONE,
      class: failed,
      outcome: failed === null ? 'ok' : 'failed-definite',
      answered: 'tool',
    })
  try {
    const { value } = await servers.call(call.server, call.name, call.args, {
      signal: AbortSignal.any([signal, state.ending.signal]),
    })
    await end(null, Buffer.byteLength(JSON.stringify(value ?? null)))
    return { value }
  } catch (error) {
    state.counts.failed += 1
    await end(failureOf(error).class, 0)
    throw error
  }
}

/** What it returned, or said when it failed, between `perform` and `result`. */
type Said = { readonly value: unknown } | { readonly error: unknown }

function mutationOf(state: BrokerState, call: McpCall, decision: Decision): Mutation<McpAnswer> {
  const { servers } = state.options
  const { tool, argv, item } = wordsOf(call)
  const canonical = [call.name, canonicalJson(call.args)]
  const identify = (of: string | null): string => callIdentity({ tool, canonical, bodies: [], item: of })
  let said: Said | null = null
  return {
    tool,
    argv,
    decision,
    item,
    identity: identify(item),
    fallbackIdentity: identify(null),
    targets: [`${call.server} ${call.name}`],
    undoes: () => false,
    rehearse: async () => {
      await servers.describe(call.server, call.name)
      return {
        exitCode: 0,
        stdout: Buffer.from('null'),
        stderr: Buffer.alloc(0),
        runs: [argv],
        targets: [`${call.server} ${call.name}`],
        incomplete: `what ${call.name} of ${call.server} returns is known only once it was called`,
        before: {},
      }
    },
    settle: async () => 'unknown',
    perform: async () => {
      const begun = performance.now()
      const done = (failure: Performed['failure'], value: unknown): Performed => ({
        exitCode: failure === null ? 0 : 1,
        signal: null,
        durationMs: Math.round(performance.now() - begun),
        stdout: kept(value),
        stderr: NONE,
        failure,
      })
      try {
        const { value } = await servers.call(call.server, call.name, call.args, {
          signal: state.ending.signal,
        })
        said = { value }
        return done(null, value)
      } catch (error) {
        said = { error }
        return done(failureOf(error), null)
      }
    },
    answer: async ({ stdout, stderr }) => {
      // Of an earlier run, and more than its journal kept.
      if (stderr.byteLength > 0) throw new CallError('TOOL_FAILED', Buffer.from(stderr).toString().trim())
      return { value: stdout.byteLength === 0 ? null : JSON.parse(Buffer.from(stdout).toString()) }
    },
    result: () => {
      if (said !== null && 'error' in said) throw said.error
      return { value: said?.value ?? null }
    },
  }
}

function failureOf(error: unknown): FailureKind {
  if (error instanceof McpCallError) return error.kind
  return { class: 'failed', definite: false, throttled: false, hint: null }
}

function kept(value: unknown): KeptOutput {
  const text = Buffer.from(JSON.stringify(value ?? null))
  return { bytes: text.length, kept: text.length > MAX_KEPT_BYTES ? null : text }
}

function wordsOf({ server, name, args, item }: McpCall) {
  return { tool: `mcp:${server}`, argv: [name, canonicalJson(args)], item }
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
