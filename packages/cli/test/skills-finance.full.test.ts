/** The budget skill over an MCP server that the operator configured: one line of summary from two thousand. */

import { FINANCE_PROGRAM, project, type Project } from '@srecodex/testkit'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { violations } from '../../testkit/src/mcp/ledger.ts'

const SKILLS = fileURLToPath(new URL('../../../dotcodex/skills', import.meta.url))
const TOOLS = pathToFileURL(join(dirname(FINANCE_PROGRAM), 'tools.ts')).href
const LONG_MS = 120_000

const CHECK = `
import json, srecodex
result = srecodex.skill("finance/budget-compliance", **INPUTS)
print(json.dumps(result))
srecodex.summary(result["summary"])
`

/** @param faults Statements that change what the tools of the server do: `tool(name)` is one of them. */
function finance(inputs: object, faults = ''): Project {
  const place = project({ files: { 'check.py': `INPUTS = ${JSON.stringify(inputs)}\n${CHECK}` } })
  const program = `
import { TOOLS } from '${TOOLS}'
const tool = name => TOOLS.find(one => one.definition.name === name)
const say = value => ({ content: [{ type: 'text', text: JSON.stringify(value) }] })
const no = text => ({ content: [{ type: 'text', text }], isError: true })
${faults}
await import('${pathToFileURL(FINANCE_PROGRAM).href}')
`
  place.write('~/finance.mjs', program)
  const config = join(place.srecodexHome, 'config', 'config.toml')
  mkdirSync(dirname(config), { recursive: true })
  const words = JSON.stringify([place.path('~/finance.mjs')])
  writeFileSync(
    config,
    `[mcp_servers.finance]\ncommand = ${JSON.stringify(process.execPath)}\nargs = ${words}\n`,
  )
  return place
}

async function check(
  place: Project,
  // oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
): Promise<{ exitCode: number; report: any; result: any; stderr: string }> {
  const { exitCode, json } = await place.run(`run check.py --skills-dir ${SKILLS} --json`)
  const report = json()
  const folder = join(place.srecodexHome, 'state', 'runs', report.run)
  const [stdout, stderr] = ['stdout', 'stderr'].map(name => readFileSync(join(folder, name), 'utf8'))
  return { exitCode, report, result: stdout === '' ? null : JSON.parse(stdout ?? ''), stderr: stderr ?? '' }
}

test(
  '2,000 lines, one line of summary: the violations, furthest over first',
  { timeout: LONG_MS },
  async () => {
    const place = finance({ period: '2026-Q3' })
    const { exitCode, report, result } = await check(place)
    expect({ exitCode, status: report.status }).toEqual({ exitCode: 0, status: 'succeeded' })
    expect(result).toMatchObject({ teams: 20, lines: 2000, incomplete: [], without_budget: ['Tundra'] })
    const found = result.violations.map(({ team, over }: { team: string; over: string }) => ({ team, over }))
    expect(found).toEqual(violations())
    expect(report.summary).toBe(
      '4 of 20 teams over budget in 2026-Q3 (2000 expense lines): Ridge 180.00, Lumen 120.00, Grove 70.00, 1 more; ' +
        'no budget set: Tundra',
    )
    expect(report).toMatchObject({
      calls: { mutations: 0, reads: 121 },
      items: { total: 20, ok: 20 },
      plan: null,
    })
    const csv = readFileSync(
      join(place.srecodexHome, 'state/runs', report.run, 'artifacts', report.artifacts[0].name),
      'utf8',
    )
    expect(csv.split('\n')).toHaveLength(1 + 20 * 6 + 1)
    const [ridge] = result.violations
    expect(csv).toContain(`Ridge,(all),${ridge.spent},${ridge.budget}`)
    expect(ridge.percent).toBeCloseTo((Number(ridge.spent) / Number(ridge.budget)) * 100, 1)
  },
)

test('some teams, and those that come close', { timeout: LONG_MS }, async () => {
  const { result } = await check(
    finance({ period: '2026-09', teams: ['atlas', 'ridge'], warn_at_percent: 90 }),
  )
  expect(result).toMatchObject({
    teams: 2,
    lines: 200,
    violations: [{ team: 'Ridge' }, { team: 'Atlas', over: '-5.00' }],
  })
  expect(result.summary).toMatch(
    /^1 of 2 teams over budget in 2026-09 .*: Ridge 180\.00; 1 more from 90% on$/,
  )
})

test(
  'decimals are exact: three times 0.1, negative lines, more digits than a double has',
  { timeout: LONG_MS },
  async () => {
    const { result } = await check(
      finance(
        { period: '2026' },
        `
const books = {
  even: [['0.1', '0.1', '0.1'], '0.3'],
  hair: [['0.1', '0.1', '0.1000000000000000001'], '0.3'],
  back: [['100.00', '-0.01'], '99.99'],
  vast: [['90071992547409930.01', '0.02'], '90071992547409930.02'],
  plain: [[1e-7, 12.5], '12'],
}
tool('get_teams').run = () => say(Object.keys(books).map(id => ({ id, name: id })))
tool('get_expenses').definition.outputSchema = undefined
tool('get_expenses').run = ({ team }) => say({ lines: books[team][0].map((amount, id) => ({ id, amount, category: 'a' })), next: null })
tool('get_budget').run = ({ team }) => say({ amount: books[team][1] })
`,
      ),
    )
    expect(
      result.violations.map(({ team, over }: { team: string; over: string }) => `${team} ${over}`),
    ).toEqual(['plain 0.5000001', 'vast 0.01', 'hair 0.0000000000000000001'])
  },
)

test(
  'throttled: read again; forbidden, bad data, another currency: not checked, in capitals',
  { timeout: LONG_MS },
  async () => {
    const { exitCode, report, result } = await check(
      finance(
        { period: '2026-Q3' },
        `
const { run } = tool('get_expenses')
const { run: budgetOf } = tool('get_budget')
let throttled = 3
tool('get_expenses').definition.outputSchema = undefined
tool('get_expenses').run = (args, ...rest) => {
  if (throttled-- > 0) return no('429 Too Many Requests')
  if (args.team === 'beacon') return no('403 forbidden: not your team')
  const page = run(args, ...rest)
  if (args.team !== 'cinder' || args.cursor) return page
  return say({ lines: [{ id: 'cinder-7', amount: '12,50', category: 'travel' }], next: null })
}
tool('get_budget').run = (args, ...rest) => {
  if (args.team === 'delta') return say({ amount: '5.00', currency: 'EUR' })
  return budgetOf(args, ...rest)
}
const second = tool('get_expenses').run
tool('get_expenses').run = (args, ...rest) => {
  const page = second(args, ...rest)
  if (args.team !== 'delta' || page.isError) return page
  return say({ lines: [{ id: 1, amount: '1.00', currency: 'USD' }], next: null })
}
`,
      ),
    )
    expect(result).toMatchObject({ teams: 17, lines: 1700 })
    expect(result.incomplete).toEqual([
      expect.stringContaining('Beacon: '),
      'Cinder: the amount of line cinder-7 is no number',
      'Delta: expenses in USD, and a budget in EUR',
    ])
    expect(report.summary).toContain('NOT CHECKED: Beacon: ')
    expect({ exitCode, items: report.items }).toMatchObject({ exitCode: 1, items: { ok: 17, failed: 3 } })
  },
)

test.each<[string, object, string, string]>([
  ['no teams', { period: '2026' }, "tool('get_teams').run = () => say([])", 'finance knows no teams'],
  [
    'strangers',
    { period: '2026', teams: ['nobody'] },
    '',
    'finance knows no team nobody; it knows atlas, beacon',
  ],
  [
    'forbidden',
    { period: '2026' },
    "tool('get_teams').run = () => no('forbidden')",
    'the teams cannot be had from finance',
  ],
  ['no server', { period: '2026', server: 'treasury' }, '', 'the teams cannot be had from treasury'],
])('%s: an error that says so', { timeout: LONG_MS }, async (_what, inputs, faults, words) => {
  const { exitCode, stderr } = await check(finance(inputs, faults))
  expect(exitCode).not.toBe(0)
  expect(stderr).toContain(words)
})

test(
  'killed half way, and resumed: it only reads, so it asks again, and the answer is whole',
  { timeout: LONG_MS },
  async () => {
    const slow = `
const { run } = tool('get_budget')
tool('get_budget').run = async (...args) => {
  await new Promise(resolve => setTimeout(resolve, 300))
  return run(...args)
}`
    const place = finance({ period: '2026-Q3', at_once: 2 }, slow)
    const kill = new AbortController()
    const words = `run check.py --skills-dir ${SKILLS} --json`
    const killed = place.run(words, { signal: kill.signal, killSignal: 'SIGKILL' }).catch(() => null)
    const done = (): number => {
      const runs = join(place.srecodexHome, 'state', 'runs')
      try {
        const [run = ''] = readdirSync(runs)
        return readFileSync(join(runs, run, 'journal.jsonl'), 'utf8').split('"state":"ok"').length - 1
      } catch {
        return 0
      }
    }
    await expect.poll(done, { timeout: 60_000, interval: 50 }).toBeGreaterThan(4)
    kill.abort()
    expect(await killed).toBeNull()
    const { exitCode, json } = await place.run('resume last --yes --json')
    const report = json()
    expect(exitCode).toBe(0)
    expect(report).toMatchObject({ status: 'succeeded', items: { total: 20, ok: 20 } })
    expect(report.summary).toContain('4 of 20 teams over budget in 2026-Q3 (2000 expense lines)')
    expect(report.calls).toMatchObject({ reads: 121, mutations: 0 })
  },
)
