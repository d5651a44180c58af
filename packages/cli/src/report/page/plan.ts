/** What was planned against what happened: the groups in which something is left to do or to look at come first. */

import { plural, time } from '../../render/units.ts'
import type { PageData, PagePlan } from '../page-data.ts'
import { button, el, mark, section } from './dom.ts'
import { runLink } from './head.ts'
import { PLAN_LOOKS } from './tones.ts'

const MAX_SHOWN = 200

const OUTSIDE: Readonly<Record<PagePlan['outside'][number]['how'], string>> = {
  approved: 'not in the plan, made all the same',
  undo: 'undoes what the run did',
  refused: 'not in the plan: the run ended there',
  skipped: 'not in the plan: its item was skipped',
}

export function plan(data: PageData): HTMLElement | null {
  if (data.plan === null) return withoutPlan(data)
  const { calls, outside, may, incomplete, tools, continuedBy, id } = data.plan
  const groups = Object.entries(PLAN_LOOKS).flatMap(([state, look]) => {
    const own = calls.filter(call => call.state === state)
    if (own.length === 0) return []
    const lines = own.map(({ text, targets, item }) => [text, targets, item ?? ''] as const)
    return [group(look, own.length, ['planned change', 'targets', 'item'], lines, look.tone !== 'ok')]
  })
  const drift =
    outside.length === 0
      ? []
      : [
          group(
            { mark: '!', word: 'Drift: wanted or made without being planned', tone: 'bad' },
            outside.length,
            ['call', 'what became of it', 'item'],
            outside.map(({ text, how, state, item }) => [text, outcome(how, state), item ?? '']),
            true,
          ),
        ]
  const about = el(
    'p',
    {},
    `${plural(calls.length, 'change')} planned`,
    by(data.plan, data.report.run),
    '.',
    life(data.plan),
  )
  return section(
    'plan',
    'Plan and what happened',
    about,
    tools.length === 0 ? null : el('p', { class: 'quiet' }, tools.join(' · ')),
    ...incomplete.map(why =>
      el('p', { class: 'note warn' }, mark('!', 'warn'), `The plan is not complete: ${why}`),
    ),
    ...groups,
    ...drift,
    may.length === 0 ? null : el('p', {}, 'Fallbacks that it allows: ', el('code', {}, may.join(' · '))),
    continuedBy === null || continuedBy.id === data.report.run || id !== data.report.run
      ? null
      : el('p', { class: 'quiet' }, 'As the last run that went on from it tells: ', runLink(continuedBy)),
  )
}

function by({ id }: PagePlan, run: string): string {
  return id === run ? ' by this run' : ` by run ${id}`
}

/** Of one that waits: until when. The page may be read long after it was made. */
function life({ continuedBy, expiresAt }: PagePlan): string {
  if (continuedBy !== null) return ''
  const at = new Date(expiresAt)
  return at.getTime() > Date.now()
    ? ` It waits for approval until ${time(at)}.`
    : ` It expired ${time(at)}: run the script again.`
}

function outcome(
  how: PagePlan['outside'][number]['how'],
  state: PagePlan['outside'][number]['state'],
): string {
  return state === null ? OUTSIDE[how] : `${OUTSIDE[how]} (${PLAN_LOOKS[state].word.toLowerCase()})`
}

/** Changes without a plan are told as such; where nothing was to be changed there is nothing to say. */
function withoutPlan({ report, mutations }: PageData): HTMLElement | null {
  if (report.calls.mutations === 0) return null
  const words =
    mutations === 'allow'
      ? `There was no plan: the config allows changes without one, and ${plural(report.calls.mutations, 'change was')} asked for.`
      : `No plan is kept with this run.`
  return section('plan', 'Plan and what happened', el('p', {}, words))
}

function group(
  look: { readonly mark: string; readonly word: string; readonly tone: string },
  total: number,
  titles: readonly string[],
  lines: readonly (readonly string[])[],
  open: boolean,
): HTMLElement {
  const used = titles.map((_, column) => column === 0 || lines.some(line => line[column] !== ''))
  const row = (cells: readonly string[], tag: 'td' | 'th'): HTMLElement =>
    el('tr', {}, ...cells.filter((_, column) => used[column]).map(text => el(tag, {}, text)))
  const body = el('tbody', {}, ...lines.slice(0, MAX_SHOWN).map(line => row(line, 'td')))
  const rest = lines.slice(MAX_SHOWN)
  const all = button(`Show all ${total}`, () => {
    body.append(...rest.map(line => row(line, 'td')))
    all.remove()
  })
  return el(
    'details',
    { open },
    el('summary', {}, mark(look.mark, look.tone), el('strong', {}, look.word), `: ${total}`),
    el('div', { class: 'scroll' }, el('table', {}, el('thead', {}, row(titles, 'th')), body)),
    rest.length === 0 ? null : all,
  )
}
