#!/usr/bin/env node
/**
 * Compares what teams spent in a period with their budgets, over an MCP server, and tells the violations alone.
 *
 * Inputs as a JSON object on stdin, outputs as one on stdout (both as SKILL.md has them), the log on stderr. Amounts
 * are decimal text and are added up exactly. A team that was not checked completely is never told as compliant.
 */

import { writeFile } from 'node:fs/promises'
import { artifact, each, progress, tool } from 'srecodex'

const TRIES = 5
const FIRST_PAUSE_MS = 200
const MAX_PAGES = 10_000
const AGAIN =
  /throttl|too many requests|rate limit|\b429\b|\b50[234]\b|timed? ?out|timeout|unavailable|overloaded|try again/i
const PERIOD = /^\d{4}(-Q[1-4]|-(0[1-9]|1[0-2]))?$/
/** With exponents, as programs write small and large numbers. */
const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/

const inputs = await read()
const {
  period,
  server = 'finance',
  teams: asked = [],
  warn_at_percent: warnAt = 100,
  at_once: atOnce = 8,
} = inputs
if (!PERIOD.test(period ?? '')) fail('period is a year, quarter or month: 2026, 2026-Q3, 2026-09')

/** How many calls may be under way; fewer after the server asked for it. */
const gate = { most: atOnce, running: 0, waiting: [] }
let calls = 0

const teams = await chosen()
let ended = 0
const done = await each(teams, check, { key: ({ id }) => id, atOnce })
const checked = done.ok.map(({ value }) => value)
const incomplete = [
  ...done.failed.map(({ item, error }) => `${item.name}: ${error.message}`),
  ...[...done.unknown, ...done.skipped, ...done.pending].map(({ item }) => `${item.name}: not asked`),
]
const violations = checked
  .filter(one => one.budget !== null && isReported(one))
  .sort((a, b) => order(minus(amount(b.spent), amount(b.budget)), minus(amount(a.spent), amount(a.budget))))
const without = checked.filter(({ budget }) => budget === null).map(({ team }) => team)
const over = violations.filter(one => isOver(one))
const lines = checked.reduce((sum, one) => sum + one.lines, 0)

await writeFile(
  await artifact(`${process.env.SRECODEX_PREFIX ?? ''}teams.csv`),
  ['team,category,spent,budget', ...checked.flatMap(rows)].join('\n') + '\n',
)
const result = {
  summary: summarized(),
  teams: checked.length,
  lines,
  violations: violations.map(violation),
  without_budget: without,
  incomplete,
}
process.stdout.write(`${JSON.stringify(result)}\n`)

// --- the teams

async function chosen() {
  let known
  try {
    known = await ask('get_teams', {})
  } catch (error) {
    fail(`the teams cannot be had from ${server}: ${error.message}`)
  }
  if (!Array.isArray(known) || known.some(team => typeof team?.id !== 'string')) {
    fail(`get_teams of ${server} gives no list of teams with their ids`)
  }
  const all = known.map(({ id, name }) => ({ id, name: typeof name === 'string' ? name : id }))
  const ids = all.map(({ id }) => id).join(', ')
  if (all.length === 0) fail(`${server} knows no teams`)
  const strangers = asked.filter(id => !all.some(team => team.id === id))
  if (strangers.length > 0) fail(`${server} knows no team ${strangers.join(', ')}; it knows ${ids}`)
  return asked.length === 0 ? all : all.filter(({ id }) => asked.includes(id))
}

async function check(team) {
  try {
    const [expenses, budget] = await Promise.all([expensesOf(team), budgetOf(team)])
    const odd = expenses.currencies.find(one => budget?.currency !== undefined && one !== budget.currency)
    if (odd !== undefined) throw new Error(`expenses in ${odd}, and a budget in ${budget.currency}`)
    if (expenses.currencies.length > 1) throw new Error(`expenses in ${expenses.currencies.join(' and ')}`)
    return {
      team: team.name,
      spent: text(expenses.total),
      budget: budget === null ? null : text(budget.amount),
      lines: expenses.count,
      categories: [...expenses.categories].map(([name, sum]) => [name, text(sum)]),
    }
  } catch (error) {
    log(`${team.id}: ${error.message}`)
    throw error
  } finally {
    ended += 1
    void progress(ended, teams.length, team.name)
  }
}

async function expensesOf({ id }) {
  let total = amount('0')
  let count = 0
  const categories = new Map()
  const currencies = new Set()
  const seen = new Set()
  // An empty page can have a successor.
  for (let cursor = null, pages = 0; ; pages += 1) {
    const page = await ask('get_expenses', { team: id, period, ...(cursor === null ? {} : { cursor }) })
    if (!Array.isArray(page?.lines)) throw new Error('get_expenses gives no lines')
    for (const line of page.lines) {
      const value = amount(line.amount)
      if (value === null) throw new Error(`the amount of line ${line.id ?? count + 1} is no number`)
      const category = String(line.category ?? 'none')
      total = plus(total, value)
      categories.set(category, plus(categories.get(category) ?? amount('0'), value))
      if (typeof line.currency === 'string') currencies.add(line.currency)
      count += 1
    }
    cursor = page.next ?? null
    if (cursor === null) return { total, count, categories, currencies: [...currencies] }
    if (seen.has(cursor) || pages > MAX_PAGES) throw new Error('its pages go round in circles')
    seen.add(cursor)
  }
}

async function budgetOf({ id }) {
  const found = await ask('get_budget', { team: id, period })
  if (found === null) return null
  const value = amount(found.amount)
  if (value === null) throw new Error('its budget is no number')
  return { amount: value, currency: typeof found.currency === 'string' ? found.currency : undefined }
}

// --- calls

/** A read is repeated where the server could not answer, after a pause, and with fewer of them at once. */
async function ask(name, args) {
  for (let attempt = 1; ; attempt += 1) {
    await entered()
    try {
      calls += 1
      return await tool(server, name, args)
    } catch (error) {
      if (error.code === 'REFUSED' || attempt === TRIES || !AGAIN.test(error.message)) throw error
      gate.most = Math.max(1, Math.ceil(gate.most / 2))
      log(`${name}: ${error.message}; again, ${gate.most} at once`)
    } finally {
      left()
    }
    const pauseMs = FIRST_PAUSE_MS * 2 ** (attempt - 1)
    await new Promise(resolve => setTimeout(resolve, pauseMs * (0.5 + Math.random() / 2)))
  }
}

async function entered() {
  while (gate.running >= gate.most) await new Promise(resolve => gate.waiting.push(resolve))
  gate.running += 1
}

function left() {
  gate.running -= 1
  for (const wake of gate.waiting.splice(0)) wake()
}

// --- decimals: a whole number of units, and how many digits stand behind the point

/** @returns null where it is no decimal. */
function amount(given) {
  const found = DECIMAL.exec(
    typeof given === 'number' ? String(given) : typeof given === 'string' ? given.trim() : '',
  )
  if (found === null) return null
  const [, sign, whole, fraction = '', exponent = '0'] = found
  const units = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`)
  const scale = fraction.length - Number(exponent)
  return scale < 0 ? { units: units * 10n ** BigInt(-scale), scale: 0 } : { units, scale }
}

function aligned(a, b) {
  const scale = Math.max(a.scale, b.scale)
  return [a.units * 10n ** BigInt(scale - a.scale), b.units * 10n ** BigInt(scale - b.scale), scale]
}

function plus(a, b) {
  const [x, y, scale] = aligned(a, b)
  return { units: x + y, scale }
}

function minus(a, b) {
  return plus(a, { units: -b.units, scale: b.scale })
}

function order(a, b) {
  const [x, y] = aligned(a, b)
  return x < y ? -1 : x > y ? 1 : 0
}

/** With two digits behind the point, or as many as it takes. */
function text({ units, scale }) {
  const padded = scale < 2 ? { units: units * 10n ** BigInt(2 - scale), scale: 2 } : { units, scale }
  const digits = String(padded.units < 0n ? -padded.units : padded.units).padStart(padded.scale + 1, '0')
  const whole = `${digits.slice(0, -padded.scale)}.${digits.slice(-padded.scale)}`
  return `${padded.units < 0n ? '-' : ''}${whole.replace(/(\.\d\d\d*?)0+$/, '$1')}`
}

// --- what is told

function isOver({ spent, budget }) {
  return order(amount(spent), amount(budget)) > 0
}

/** Over it, or from the asked share of it on. */
function isReported(one) {
  if (isOver(one)) return true
  if (warnAt >= 100) return false
  const [spent, budget, share] = [amount(one.spent), amount(one.budget), amount(String(warnAt))]
  return (
    budget.units > 0n &&
    order(
      { units: spent.units * 100n, scale: spent.scale },
      { units: budget.units * share.units, scale: budget.scale + share.scale },
    ) >= 0
  )
}

function violation({ team, spent, budget, categories }) {
  const [used, granted] = aligned(amount(spent), amount(budget))
  return {
    team,
    spent,
    budget,
    over: text(minus(amount(spent), amount(budget))),
    percent: granted === 0n ? null : Number((used * 10_000n) / granted) / 100,
    largest: categories.toSorted(([, a], [, b]) => order(amount(b), amount(a)))[0]?.[0] ?? null,
  }
}

function rows({ team, budget, categories, spent }) {
  const cell = words => (/[",\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words)
  const parts = categories.map(([name, sum]) => [team, name, sum, ''].map(cell).join(','))
  return [...parts, [team, '(all)', spent, budget ?? ''].map(cell).join(',')]
}

function summarized() {
  const several = words =>
    (words.length > 3 ? [...words.slice(0, 3), `${words.length - 3} more`] : words).join(', ')
  const near = violations.length - over.length
  const parts = [
    `${over.length} of ${teams.length} teams over budget in ${period} (${lines} expense lines)` +
      (over.length > 0 ? `: ${several(over.map(one => `${one.team} ${violation(one).over}`))}` : ''),
    ...(near > 0 ? [`${near} more from ${warnAt}% on`] : []),
    ...(without.length > 0 ? [`no budget set: ${several(without)}`] : []),
    ...(incomplete.length > 0 ? [`NOT CHECKED: ${several(incomplete)}`] : []),
  ]
  return parts.join('; ')
}

async function read() {
  let all = ''
  for await (const piece of process.stdin.setEncoding('utf8')) all += piece
  try {
    const parsed = JSON.parse(all)
    if (parsed !== null && typeof parsed === 'object' && !Array.isArray(parsed)) return parsed
  } catch {
    // Told below.
  }
  return fail('the inputs are a JSON object')
}

function log(words) {
  process.stderr.write(`${words}\n`)
}

function fail(words) {
  log(`error: ${words}`)
  process.exit(1)
}
