/** Much data: a log, and the books of twenty teams. */

import { Random } from '@srecodex/testkit/demo/random'
import { violations } from '@srecodex/testkit/mcp'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FINANCE_SERVER, financeServerToml } from '../place.ts'
import { withSrecodex, type Moves } from './arm.ts'
import { expectEqual, type ContextCase, type ContextScene } from './case.ts'
import { findSkill, script, shell } from './moves.ts'
import { emptyWorld } from './world.ts'

const LINES = 100_000
const KINDS = [
  'PaymentDeclined',
  'PoolTimeout',
  'ConnectionReset',
  'StaleLock',
  'QuotaExceeded',
  'BadChecksum',
]
const SERVICES = ['checkout-api', 'payments-api', 'inventory-api', 'cart-service']

interface Log {
  readonly text: string
  /** How many lines of each type. */
  readonly truth: Readonly<Record<string, number>>
}

/** One line in fifty is an error; one in five hundred merely speaks of one. */
function logOf(lines: number): Log {
  const random = new Random(11)
  const truth: Record<string, number> = {}
  const hex = (): string => random.below(2 ** 31).toString(16)
  const text = Array.from({ length: lines }, (_, index) => {
    const time = new Date(Date.UTC(2026, 10, 21) + index * 860).toISOString()
    const head = `[${random.pick(SERVICES)}] req=${hex()}${hex()}`
    if (random.below(500) === 0) return `${time} INFO ${head} replay of the ERROR of ${hex()} is done`
    if (random.below(50) > 0) return `${time} INFO ${head} GET /v1/orders/${hex()} 200 ${random.below(900)}ms`
    const kind = random.pick(KINDS.slice(0, 1 + random.below(KINDS.length)))
    truth[kind] = (truth[kind] ?? 0) + 1
    return `${time} ERROR ${head} ${kind}: order ${hex()} of user-${hex()} after ${random.below(9000)}ms`
  })
  return { text: `${text.join('\n')}\n`, truth: ranked(truth) }
}

function ranked(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)))
}

const GROUP = `
import collections, re
from srecodex import summary
kinds = collections.Counter(m[1] for line in open("app.log") if (m := re.match(r"\\S+ ERROR \\S+ \\S+ (\\w+):", line)))
summary("\\n".join("%d %s" % (n, kind) for kind, n in kinds.most_common()))
`

function logScene(chat: () => Moves): ContextScene {
  const world = emptyWorld()
  const { text, truth } = logOf(LINES)
  writeFileSync(join(world.workspace, 'app.log'), text)
  return {
    world,
    script: { moves: () => script(GROUP), mcpServers: withSrecodex(world) },
    chat: { moves: chat },
    judge: answer => {
      const told = [...answer.matchAll(/^ *(\d+) (\w+)$/gm)].map(([, n, kind = '']) => [kind, Number(n)])
      expectEqual('errors', ranked(Object.fromEntries(told) as Record<string, number>), truth)
    },
  }
}

const LOG = {
  prompt: 'Find all ERROR lines in app.log and group by error type.',
} as const

export const LOG_BY_PAGES: ContextCase = {
  ...LOG,
  id: 'log',
  name: 'Errors of a log of 100,000 lines, by type',
  kind: 'bulk',
  isReadOnly: true,
  arms: { script: 'one script', chat: '`grep ERROR app.log`, read in pages of 50 KB' },
  set: () =>
    Promise.resolve(
      logScene(function* (): Moves {
        const found = yield* shell('grep ERROR app.log')
        const counts: Record<string, number> = {}
        for (const [, kind = ''] of found.matchAll(/^\S+ ERROR \S+ \S+ (\w+):/gm))
          counts[kind] = (counts[kind] ?? 0) + 1
        return Object.entries(ranked(counts))
          .map(([kind, count]) => `${count} ${kind}`)
          .join('\n')
      }),
    ),
}

const PIPE = `grep -oP '^\\S+ ERROR \\S+ \\S+ \\K\\w+(?=:)' app.log | sort | uniq -c | sort -rn`

export const LOG_BY_PIPE: ContextCase = {
  ...LOG,
  id: 'log-pipe',
  name: 'The same log, by one pipe in the agent’s own shell',
  kind: 'chat',
  isReadOnly: true,
  arms: { script: 'one script', chat: '`grep -oP … | sort | uniq -c`: a script of one line' },
  set: () =>
    Promise.resolve(
      logScene(function* (): Moves {
        return yield* shell(PIPE)
      }),
    ),
}

const PERIOD = '2026-Q3'

const CHECK = `
import srecodex
srecodex.summary(srecodex.skill("finance/budget-compliance", period="${PERIOD}")["summary"])
`

interface Page {
  readonly lines: readonly { readonly amount: string }[]
  readonly next: string | null
}

export const BUDGETS: ContextCase = {
  id: 'budgets',
  name: 'Budgets of 20 teams, 2,000 expense lines',
  kind: 'bulk',
  isReadOnly: true,
  arms: {
    script: 'a skill found, one script that calls the MCP tools',
    chat: 'the same MCP tools by calls of the model, 121 of them',
  },
  prompt: 'Which teams went over their Q3 budget, and by how much?',
  set: () => {
    const world = emptyWorld()
    const config = join(world.srecodexHome, 'config')
    mkdirSync(config, { recursive: true })
    writeFileSync(join(config, 'config.toml'), financeServerToml())
    return Promise.resolve({
      world,
      script: {
        moves: function* (): Moves {
          yield* findSkill('teams over budget', 'finance/budget-compliance')
          return yield* script(CHECK)
        },
        mcpServers: withSrecodex(world),
      },
      chat: {
        moves: budgetsByCalls,
        mcpServers: { finance: { command: FINANCE_SERVER, timeoutMs: 60_000 } },
      },
      judge: answer => {
        // The skill names the first three; their sums are right only if every line was read.
        for (const { team, over } of violations().slice(0, 3))
          if (!answer.includes(`${team} ${over}`)) throw new Error(`no ${team} ${over} in: ${answer}`)
        if (!answer.startsWith('4 of 20 teams over budget')) throw new Error(`not 4 of 20: ${answer}`)
      },
    })
  },
}

function* budgetsByCalls(): Moves {
  const teams = JSON.parse(yield { name: 'finance_get_teams', arguments: {} }) as {
    readonly id: string
    readonly name: string
  }[]
  const over: { readonly name: string; readonly cents: number }[] = []
  for (const { id: team, name } of teams) {
    let spent = 0
    for (let cursor: string | null = ''; cursor !== null;) {
      const more: { readonly cursor?: string } = cursor === '' ? {} : { cursor }
      const told: string = yield {
        name: 'finance_get_expenses',
        arguments: { team, period: PERIOD, ...more },
      }
      const page = JSON.parse(told) as Page
      spent += page.lines.reduce((sum, { amount }) => sum + centsOf(amount), 0)
      cursor = page.next
    }
    const told = yield { name: 'finance_get_budget', arguments: { team, period: PERIOD } }
    const budget = JSON.parse(told) as { readonly amount: string } | null
    if (budget !== null && spent > centsOf(budget.amount))
      over.push({ name, cents: spent - centsOf(budget.amount) })
  }
  const worst = over
    .sort((a, b) => b.cents - a.cents)
    .map(({ name, cents }) => `${name} ${(cents / 100).toFixed(2)}`)
  return `${over.length} of ${teams.length} teams over budget: ${worst.join(', ')}`
}

function centsOf(amount: string): number {
  const [whole = '0', part = '00'] = amount.split('.')
  return Number(whole) * 100 + Number(part)
}
