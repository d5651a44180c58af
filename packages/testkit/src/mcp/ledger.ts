/**
 * The books of twenty teams: a hundred expense lines and a budget each, the same in every process. Pure.
 *
 * Amounts are whole cents inside, decimal text outside, so that every sum has one right value.
 */

export interface Team {
  readonly id: string
  readonly name: string
}

export interface ExpenseLine {
  readonly id: string
  readonly amount: string
  readonly category: string
}

export interface ExpensePage {
  readonly lines: readonly ExpenseLine[]
  readonly next: string | null
}

export const LINES_PER_TEAM = 100
const PAGE_LINES = 25
const CATEGORIES = ['cloud', 'travel', 'licences', 'hardware', 'training']
/** By their place in `TEAMS`. */
const OVER_BUDGET: ReadonlySet<number> = new Set([2, 6, 11, 17])
const WITHOUT_BUDGET = 19

export const TEAMS: readonly Team[] = [
  ...['atlas', 'beacon', 'cinder', 'delta', 'ember', 'fjord', 'grove', 'harbor', 'indigo', 'juniper'],
  ...['krypton', 'lumen', 'meridian', 'nimbus', 'onyx', 'prairie', 'quartz', 'ridge', 'summit', 'tundra'],
].map(id => ({ id, name: id.charAt(0).toUpperCase() + id.slice(1) }))

const centsOf = (team: number, line: number, period: string): number => {
  const seed = `${team}/${line}/${period}`
    .split('')
    .reduce((sum, unit) => (sum * 31 + unit.charCodeAt(0)) >>> 0, 7)
  return 100 + (seed % 250_000)
}

const decimal = (cents: number): string =>
  `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`

const placeOf = (id: string): number => TEAMS.findIndex(team => team.id === id)

export const spentCents = (id: string, period: string): number =>
  Array.from({ length: LINES_PER_TEAM }, (_, line) => centsOf(placeOf(id), line, period)).reduce(
    (sum, cents) => sum + cents,
    0,
  )

/** Null: none is set. */
export function budget(id: string, period: string): { readonly amount: string } | null {
  const place = placeOf(id)
  if (place === WITHOUT_BUDGET) return null
  const spent = spentCents(id, period)
  return { amount: decimal(OVER_BUDGET.has(place) ? spent - 1000 * (place + 1) : spent + 500) }
}

/** The third page of every team is empty, and has a successor. */
export function expensePage(id: string, period: string, cursor: string | undefined): ExpensePage | null {
  const page = cursor === undefined ? 0 : Number(/^page-(\d)$/.exec(cursor)?.[1] ?? Number.NaN)
  const place = placeOf(id)
  if (place === -1 || !(page <= LINES_PER_TEAM / PAGE_LINES)) return null
  const first = page < 2 ? page * PAGE_LINES : (page - 1) * PAGE_LINES
  const count = page === 2 ? 0 : PAGE_LINES
  const lines = Array.from({ length: count }, (_, index) => ({
    id: `${id}-${first + index}`,
    amount: decimal(centsOf(place, first + index, period)),
    category: CATEGORIES[(place + first + index) % CATEGORIES.length] ?? 'other',
  }))
  return { lines, next: page === LINES_PER_TEAM / PAGE_LINES ? null : `page-${page + 1}` }
}

/** What a right script finds, in every period: furthest over budget first. */
export function violations(): readonly { readonly team: string; readonly over: string }[] {
  return TEAMS.filter((_, place) => OVER_BUDGET.has(place))
    .map(team => ({ team: team.name, cents: 1000 * (placeOf(team.id) + 1) }))
    .sort((a, b) => b.cents - a.cents)
    .map(({ team, cents }) => ({ team, over: decimal(cents) }))
}
