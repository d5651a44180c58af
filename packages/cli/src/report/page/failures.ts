/** What went wrong, the most frequent first; each group leads to its calls. */

import { plural } from '../../render/units.ts'
import { button, el, mark, section } from './dom.ts'
import type { Filter, Rows } from './rows.ts'
import { END_LOOKS } from './tones.ts'

const MAX_SHOWN = 12
/** In columns, where there is room for more than one. */
const MANY = 3
const MAX_KEPT = 1000

interface Group {
  readonly name: string
  readonly what: string
  readonly lines: string[]
  count: number
  readonly filter: Partial<Filter>
  readonly items: Set<number>
}

export function failures(rows: Rows, filterBy: (filter: Partial<Filter>) => void): HTMLElement | null {
  const groups = [...itemGroups(rows), ...callGroups(rows)]
  if (groups.length === 0) return null
  return section(
    'failures',
    'Failures',
    ...groups.map(({ name, what, count, lines, filter }, index) => {
      return el(
        'details',
        { open: index < 3 },
        el('summary', {}, mark('✘', 'bad'), el('strong', {}, name), `: ${plural(count, what)}`),
        ...listed(lines, count),
        button('Show the calls', () => filterBy(filter)),
      )
    }),
  )
}

function listed(lines: readonly string[], total: number): Node[] {
  const list = el(
    'ul',
    { class: lines.length > MANY ? 'lines many' : 'lines' },
    ...lines.slice(0, MAX_SHOWN).map(line => el('li', {}, line)),
  )
  const rest = lines.slice(MAX_SHOWN)
  if (rest.length === 0) return [list]
  const all = button(`Show all ${total}`, () => {
    list.append(...rest.map(line => el('li', {}, line)))
    if (total > lines.length) list.append(el('li', { class: 'none' }, `… ${total - lines.length} more`))
    all.remove()
  })
  return [list, all, document.createTextNode(' ')]
}

function itemGroups(rows: Rows): Group[] {
  const { items, rehearsed } = rows.data
  const groups = new Map<string, Group>()
  for (let at = 0; at < items.key.length; at += 1) {
    const state = rows.itemState(at)
    if (state !== 'failed' && state !== 'unknown' && state !== 'skipped') continue
    const said = rows.word(items.class[at]!)
    const name = `${state === 'failed' ? said || 'failed' : said === '' ? state : `${state}, ${said}`}${rehearsed ? ', in rehearsal' : ''}`
    const message = rows.word(items.message[at]!)
    const key = rows.word(items.key[at]!)
    add(groups, name, 'item', message === '' ? key : `${key}: ${message}`, {}).items.add(at)
  }
  return sorted(groups).map(group => ({ ...group, filter: { items: group.items } }))
}

/** Calls that failed, by class; an item's class says the same of its calls, but one may be tried again and get well. */
function callGroups(rows: Rows): Group[] {
  const { calls } = rows.data
  const groups = new Map<string, Group>()
  for (let at = 0; at < rows.count; at += 1) {
    if (!rows.isTrouble(at)) continue
    const end = rows.end(at)
    const how = rows.word(calls.how[at]!)
    const name = end === 'failed' ? how || 'failed' : END_LOOKS[end].word
    const isSaid = end === 'refused' || end === 'not planned'
    const line = `${rows.word(calls.text[at]!)}${isSaid && how !== '' ? `: ${how}` : ''}`
    add(
      groups,
      name,
      'call',
      line,
      end === 'failed' && how !== '' ? { end, text: how.toLowerCase() } : { end },
    )
  }
  return sorted(groups)
}

function add(
  groups: Map<string, Group>,
  name: string,
  what: string,
  line: string,
  filter: Partial<Filter>,
): Group {
  const group = groups.get(name) ?? { name, what, lines: [], count: 0, filter, items: new Set<number>() }
  groups.set(name, group)
  group.count += 1
  if (group.lines.length < MAX_KEPT) group.lines.push(line)
  return group
}

function sorted(groups: ReadonlyMap<string, Group>): Group[] {
  return [...groups.values()].sort((a, b) => b.count - a.count)
}
