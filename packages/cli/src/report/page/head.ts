/** The head of the page: what ran, how it ended, what it said, what to do next. */

import { age, bytes, count, duration, plural, time } from '../../render/units.ts'
import type { PageData, PageRun } from '../page-data.ts'
import { el, mark, section } from './dom.ts'
import { facts } from './facts.ts'
import { RUN_LOOKS } from './tones.ts'

const HOW = {
  terminal: 'on the terminal',
  command: 'by command',
  client: 'through an MCP client',
  policy: 'by the config',
} as const

export function head(data: PageData): HTMLElement {
  const { report, startedAt, madeAt, running } = data
  const look = RUN_LOOKS[report.status]
  const took = running ? Date.parse(madeAt) - Date.parse(startedAt) : report.durationMs
  const how =
    report.signal ?? (report.exitCode === null || report.exitCode === 0 ? null : `exit ${report.exitCode}`)
  const asOf = running ? ` The run still goes on: this is how it stood ${time(new Date(madeAt))}.` : ''
  return el(
    'header',
    {},
    el('p', { class: 'kicker' }, `srecodex run ${report.run}`),
    el('h1', {}, report.script.name),
    el(
      'p',
      { class: `status ${look.tone}` },
      mark(look.mark, look.tone),
      el('strong', {}, look.word),
      how === null ? '' : ` (${how})`,
      report.status === 'interrupted' ? '' : running ? ` for ${duration(took)}` : ` in ${duration(took)}`,
      `, started ${time(new Date(startedAt))}.${asOf}`,
    ),
    figures(data),
  )
}

/** The few numbers that say how it went. */
function figures({ report }: PageData): HTMLElement {
  const { items, calls, output } = report
  const list: [string, number, string][] = [
    ...(items === null
      ? []
      : ([
          ['items', items.total, 'quiet'],
          ['ok', items.ok, 'ok'],
          ['failed', items.failed, 'bad'],
          ['unknown', items.unknown, 'bad'],
          ['skipped', items.skipped, 'warn'],
          ['pending', items.pending, 'warn'],
        ] as [string, number, string][])),
    ['calls', calls.total, 'quiet'],
    [report.status === 'planned' ? 'changes foreseen' : 'changes', calls.mutations, 'quiet'],
    ['calls failed', calls.failed, 'bad'],
    ['refused', calls.refused, 'bad'],
    ['lines printed', output.stdout.lines + output.stderr.lines, 'quiet'],
  ]
  const shown = list.filter(([name, value]) => value > 0 || name === 'calls')
  return el(
    'ul',
    { class: 'figures' },
    ...shown.map(([name, value, tone]) =>
      el(
        'li',
        { class: tone },
        el('span', { class: 'value' }, count(value)),
        ' ',
        el('span', { class: 'name' }, name),
      ),
    ),
  )
}

export function summary(data: PageData): HTMLElement {
  const { report, problems } = data
  const { error, next } = report
  return section(
    'summary',
    'Summary',
    report.summary === ''
      ? el('p', { class: 'none' }, 'The script said nothing.')
      : el('pre', {}, report.summary),
    error === null
      ? null
      : el(
          'div',
          { class: 'note bad' },
          el('p', {}, mark('✘', 'bad'), el('strong', {}, error.code), `: ${error.message}`),
          error.hint === null ? null : el('p', {}, `hint: ${error.hint}`),
        ),
    ...problems.map(problem => el('p', { class: 'note warn' }, mark('!', 'warn'), problem)),
    ...report.notices.map(notice => el('p', { class: 'note warn' }, mark('!', 'warn'), notice)),
    next === null ? null : el('p', { class: 'next' }, 'Next: ', el('code', {}, next)),
  )
}

export function particulars(data: PageData): HTMLElement {
  const { report } = data
  const { script, sandbox, context, output } = report
  const network = sandbox.backend === 'none' ? '' : `, network ${sandbox.network}`
  const approvals = data.approvals.map(({ by, how, reason, offsetMs }) => {
    const when =
      offsetMs === null ? 'for an earlier run' : time(new Date(Date.parse(data.startedAt) + offsetMs))
    return ['approved', `${by}, ${HOW[how]}, ${when}${reason === null ? '' : `: ${reason}`}`] as const
  })
  return section(
    'run',
    'The run',
    facts([
      ['run', el('code', {}, report.run)],
      ['goes on from', data.parent === null ? '' : runLink(data.parent)],
      ['continued by', data.continuedBy === null ? '' : runLink(data.continuedBy)],
      ['script', el('code', {}, data.script)],
      ['language', `${script.language}, ${bytes(script.bytes)}`],
      ['sha256', el('code', {}, script.sha256)],
      ['arguments', data.args.length === 0 ? '' : el('code', {}, data.args.join(' '))],
      ['workspace', el('code', {}, data.workspace)],
      [
        'sandbox',
        sandbox.backend === 'none'
          ? `none (${sandbox.mode})`
          : `${sandbox.mode} by ${sandbox.backend}${network}`,
      ],
      ...approvals,
      ['stdout', `${plural(output.stdout.lines, 'line')}, ${bytes(output.stdout.bytes)}`],
      ['stderr', `${plural(output.stderr.lines, 'line')}, ${bytes(output.stderr.bytes)}`],
      [
        'tokens',
        data.running ? '' : `≈${count(context.rawTokens)} printed, ≈${count(context.summaryTokens)} returned`,
      ],
      ['kept in', el('code', {}, data.folder)],
      ['page made', `${time(new Date(data.madeAt))} (${age(new Date(data.madeAt), new Date())})`],
    ]),
  )
}

export function runLink({ id, href }: PageRun): Node {
  return href === null ? el('code', {}, id) : el('a', { href }, id)
}
