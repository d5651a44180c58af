/** The tools of the finance server: three that a budget check needs, and those that go wrong. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CallToolResult, ServerContext, Tool } from '@modelcontextprotocol/server'
import { budget, expensePage, TEAMS } from './ledger.ts'

/** What the requests of one server have in common, whatever the transport does with connections. */
export interface FinanceState {
  /** Every call that does something, and every cancellation, as a line of JSON; null: nowhere. */
  readonly log: string | null
  extraTools: number
  waiting: (() => void)[]
  toolsChanged: () => void
}

export interface FinanceTool {
  readonly definition: Tool
  run(
    args: Readonly<Record<string, unknown>>,
    context: ServerContext,
    state: FinanceState,
  ): CallToolResult | Promise<CallToolResult>
}

type Properties = NonNullable<Tool['inputSchema']['properties']>

const TEAM = { type: 'string', description: 'Id of a team.' }
const PERIOD = { type: 'string', pattern: '^[0-9]{4}(-Q[1-4]|-(0[1-9]|1[0-2]))?$' }
const READS = { readOnlyHint: true }

const input = (properties: Properties, required: readonly string[] = []): Tool['inputSchema'] => ({
  type: 'object',
  properties: { ...properties },
  required: [...required],
  additionalProperties: false,
})

const say = (text: string): CallToolResult => ({ content: [{ type: 'text', text }] })
const json = (value: unknown): CallToolResult => say(JSON.stringify(value))
const failure = (text: string): CallToolResult => ({ ...say(text), isError: true })

const record = (state: FinanceState, entry: Readonly<Record<string, unknown>>): void => {
  if (state.log !== null) appendFileSync(state.log, `${JSON.stringify(entry)}\n`)
}

const LINE = {
  type: 'object',
  properties: { id: { type: 'string' }, amount: { type: 'string' }, category: { type: 'string' } },
  required: ['id', 'amount', 'category'],
}

/** A picture of one pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='

export const TOOLS: readonly FinanceTool[] = [
  {
    definition: {
      name: 'get_teams',
      title: 'Teams',
      description: 'Lists all teams.',
      inputSchema: input({}),
      annotations: READS,
    },
    run: () => json(TEAMS),
  },
  {
    definition: {
      name: 'get_expenses',
      title: 'Expenses',
      description: 'Expense lines of one team, a page at a time.',
      inputSchema: input({ team: TEAM, period: PERIOD, cursor: { type: 'string' } }, ['team', 'period']),
      outputSchema: {
        type: 'object',
        properties: { lines: { type: 'array', items: LINE }, next: { type: ['string', 'null'] } },
        required: ['lines', 'next'],
      },
      annotations: READS,
    },
    run: ({ team, period, cursor }) => {
      const page = expensePage(String(team), String(period), typeof cursor === 'string' ? cursor : undefined)
      if (page === null) return failure(`no team ${String(team)}, or no such page`)
      return { ...json(page), structuredContent: { ...page } }
    },
  },
  {
    definition: {
      name: 'get_budget',
      title: 'Budget',
      description: 'The budget of one team; null where none is set.',
      inputSchema: input({ team: TEAM, period: PERIOD }, ['team', 'period']),
      annotations: READS,
    },
    run: ({ team, period }) => json(budget(String(team), String(period))),
  },
  {
    definition: {
      name: 'create_ticket',
      title: 'Create a ticket',
      description: 'Opens a ticket with the controllers.',
      inputSchema: input(
        { team: TEAM, text: { type: 'string', minLength: 1 }, priority: { enum: ['low', 'high'] } },
        ['team', 'text'],
      ),
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
    },
    run: (args, _context, state) => {
      record(state, { tool: 'create_ticket', ...args })
      return json({ ticket: `T-${String(args.team)}` })
    },
  },
  {
    definition: {
      name: 'close_books',
      description: 'Closes a period.',
      inputSchema: input({ period: PERIOD }),
    },
    run: (args, _context, state) => {
      record(state, { tool: 'close_books', ...args })
      return say('closed')
    },
  },
  {
    definition: {
      name: 'slow',
      description: 'Answers after a while, and tells how far it is.',
      inputSchema: input({ ms: { type: 'integer', minimum: 0 }, key: { type: 'string' } }, ['ms']),
      annotations: READS,
    },
    run: async ({ ms, key }, context, state) => {
      const { signal, _meta } = context.mcpReq
      const token = _meta?.progressToken
      const steps = 4
      record(state, { tool: 'slow', key, started: true })
      try {
        for (let step = 1; step <= steps; step += 1) {
          await sleep(Number(ms) / steps, null, { signal })
          if (token === undefined) continue
          await context.mcpReq.notify({
            method: 'notifications/progress',
            params: { progressToken: token, progress: step, total: steps, message: `step ${step}` },
          })
        }
      } catch {
        record(state, { tool: 'slow', key, cancelled: true })
        return failure('cancelled')
      }
      return say('done')
    },
  },
  {
    definition: {
      name: 'meet',
      description: 'Answers once so many calls wait for it at the same time.',
      inputSchema: input({ count: { type: 'integer', minimum: 1 } }, ['count']),
      annotations: READS,
    },
    run: async ({ count }, _context, state) => {
      await new Promise<void>(resolve => {
        state.waiting.push(resolve)
        if (state.waiting.length < Number(count)) return
        for (const wake of state.waiting.splice(0)) wake()
      })
      return json({ met: count })
    },
  },
  {
    definition: {
      name: 'fail',
      description: 'Fails, in the words that it is given.',
      inputSchema: input({ words: { type: 'string' } }),
      annotations: READS,
    },
    run: ({ words = 'the ledger is locked' }) => failure(String(words)),
  },
  {
    definition: {
      name: 'crash',
      description: 'Ends the server.',
      inputSchema: input({ words: { type: 'string' } }),
      annotations: READS,
    },
    run: ({ words = 'out of ink' }) => {
      process.stderr.write(`\u001b[31mfatal:\u001b[0m ${String(words)}\n`)
      process.exit(3)
    },
  },
  {
    definition: {
      name: 'large_report',
      description: 'So many bytes of text.',
      inputSchema: input({ bytes: { type: 'integer', minimum: 0 } }, ['bytes']),
      annotations: READS,
    },
    run: ({ bytes }) => say('x'.repeat(Number(bytes))),
  },
  {
    definition: { name: 'chart', description: 'A picture.', inputSchema: input({}), annotations: READS },
    run: () => ({
      content: [
        { type: 'image', mimeType: 'image/png', data: PIXEL },
        { type: 'image', mimeType: 'image/png', data: 'A'.repeat(200_000) },
        { type: 'resource_link', uri: 'ledger://2026', name: 'ledger' },
      ],
    }),
  },
  {
    definition: {
      name: 'environment',
      description: 'The environment and the folder that the server runs in.',
      inputSchema: input({}),
      annotations: READS,
    },
    run: () => json({ variables: process.env, folder: process.cwd() }),
  },
  {
    definition: {
      name: 'start_helper',
      description: 'Starts a process that outlives its parent, and tells its id.',
      inputSchema: input({}),
    },
    run: async () => {
      // Forks away from its parent, starts a session of its own, and ignores what asks it to leave.
      const loop = 'trap "" TERM HUP; echo $$; while :; do sleep 1; done'
      const helper = spawn('setsid', ['--fork', 'sh', '-c', loop], { stdio: ['ignore', 'pipe', 'ignore'] })
      const [told] = (await once(helper.stdout, 'data')) as [Buffer]
      return json({ server: process.pid, helper: Number(told.toString()) })
    },
  },
  {
    definition: {
      name: 'ask_person',
      description: 'Asks the person at the client before it answers.',
      inputSchema: input({}),
      annotations: READS,
    },
    run: async (_args, context) => {
      try {
        const answer = await context.mcpReq.elicitInput({
          message: 'Which cost centre?',
          requestedSchema: { type: 'object', properties: { centre: { type: 'string' } } },
        })
        return json(answer)
      } catch (error) {
        return failure(`nobody answers: ${error instanceof Error ? error.message : String(error)}`)
      }
    },
  },
  {
    definition: {
      name: 'add_tool',
      description: 'From now on the server offers one tool more.',
      inputSchema: input({}),
    },
    run: (_args, _context, state) => {
      state.extraTools += 1
      state.toolsChanged()
      return say('added')
    },
  },
]

export const extraTool = (number: number): FinanceTool => ({
  definition: {
    name: `extra_${number}`,
    description: 'A tool that was not there at first.',
    inputSchema: input({}),
    annotations: READS,
  },
  run: () => json({ extra: number }),
})
