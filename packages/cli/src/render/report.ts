/** One run, for a person: what it returned, what became of it, where the rest is. */

import {
  homes,
  isOpen,
  type Approval,
  type RunRecord,
  type RunReport,
  type RunStatus,
  type ShownHistory,
} from '@srecodex/core'
import { join } from 'node:path'
import { paint, type Terminal } from '../terminal.ts'
import { renderHint, renderNotice } from './error.ts'
import { flow, widthOf, wrap } from './layout.ts'
import { homePath } from './path.ts'
import { plain, renderPlan } from './plan.ts'
import { callsText, failureLines, firstKeys, itemsText } from './items.ts'
import { age, bytes, count, duration, plural, time } from './units.ts'

type Paint = (typeof paint)['out']

/** Columns that the widest label takes, with its gap. */
const LABEL_ROOM = 'goes on from'.length + 2

/** What goes to stderr after the summary went to stdout. */
export function renderEnding(report: RunReport, terminal: Terminal): string {
  const { run, status, output, context, error, next } = report
  const { stdout, stderr } = output
  // What ended a script that wanted too much was srecodex.
  const how =
    status === 'drifted'
      ? []
      : [
          ...(report.exitCode === null || report.exitCode === 0 ? [] : [`exit ${report.exitCode}`]),
          ...(report.signal === null ? [] : [report.signal]),
        ]
  const ending = [`${statusMark(status, paint.err)} ${status} in ${duration(report.durationMs)}`, ...how]
  const done = [
    ...(report.items === null ? [] : [itemsText(report.items)]),
    ...(report.calls.total + report.calls.refused === 0 ? [] : [callsText(report)]),
  ]
  const numbers = [
    `${plural(stdout.lines + stderr.lines, 'line')} of output (${bytes(stdout.bytes + stderr.bytes)})`,
    // A plan's own words are more than a script that printed nothing.
    context.rawTokens < context.summaryTokens
      ? `≈${plural(context.summaryTokens, 'token')} returned`
      : `≈${count(context.summaryTokens)} of ≈${plural(context.rawTokens, 'token')} returned`,
  ]
  const where = [`run ${run}`, sandboxText(report.sandbox)]
  const lines = [
    ending.join(' · '),
    ...[done, numbers, where].flatMap(parts => flow(parts, ' · ', terminal.columns - 2)),
  ]
  return [
    ...report.notices.map(notice => inWidth(renderNotice(notice), terminal)),
    // A cancel is no news to whoever cancelled.
    ...(error === null || status === 'cancelled'
      ? []
      : [inWidth(`${paint.err('red', `error[${error.code}]`)}: ${plain(error.message)}\n`, terminal)]),
    ...(error?.hint ? [`\n${inWidth(renderHint(error.hint), terminal)}`] : []),
    ...report.artifacts.map(
      ({ name, bytes: size }) => `artifact (${bytes(size)}): ${artifactPath(run, name, terminal)}\n`,
    ),
    ...(report.items === null ? [] : failureLines(report.items.failures, terminal.columns)),
    ...lines.map((line, index) => (index === 0 ? `${line}\n` : `  ${paint.err('dim', line)}\n`)),
    ...(next === null ? [] : [`  next: ${next}\n`]),
  ].join('')
}

/** A terminal breaks inside of words. What is read by a program, or later, stays one line. */
function inWidth(text: string, terminal: Terminal): string {
  if (!terminal.isInteractive) return text
  return text.replaceAll(/.+/g, line => wrap(line, terminal.columns).join('\n'))
}

/** All that is known of one run, the summary last. */
export function renderRun(record: RunRecord, history: ShownHistory, terminal: Terminal): string {
  const { report } = record
  const { script, output, context, error } = report
  const begun = new Date(record.startedAt)
  const running = isOpen(record)
  const took = running ? Date.now() - begun.getTime() : report.durationMs
  const name =
    record.scriptPath === null ? `${script.name} (given as text)` : homePath(record.scriptPath, terminal)
  const exit =
    report.signal ?? (report.exitCode === null || report.exitCode === 0 ? '' : `exit ${report.exitCode}`)
  const rows: readonly (readonly [string, string])[] = [
    ['run', record.id],
    ['status', `${statusMark(report.status, paint.out)} ${report.status}${exit === '' ? '' : `, ${exit}`}`],
    ['error', error === null ? '' : `${error.code}: ${plain(error.message)}`],
    ['hint', error?.hint ?? ''],
    ['goes on from', report.parent ?? ''],
    ['continued by', history.continuedBy ?? ''],
    ['script', name],
    ['', `${script.language}, ${bytes(script.bytes)}, sha256 ${script.sha256.slice(0, 16)}…`],
    ['args', history.args.map(quoted).join(' ')],
    ['workspace', homePath(record.workspace, terminal)],
    ['started', `${time(begun)} (${age(begun, new Date())})`],
    // Nobody was left to look at the clock.
    [running ? 'running for' : 'took', report.status === 'interrupted' ? '' : duration(took)],
    ['sandbox', sandboxText(report.sandbox)],
    ...history.approvals.map(approval => ['approved', approvalText(approval)] as const),
    ...itemRows(history, report),
    ['calls', report.calls.total + report.calls.refused === 0 ? '' : callsText(report)],
    ['stdout', running ? '' : `${plural(output.stdout.lines, 'line')}, ${bytes(output.stdout.bytes)}`],
    ['stderr', running ? '' : `${plural(output.stderr.lines, 'line')}, ${bytes(output.stderr.bytes)}`],
    [
      'tokens',
      running ? '' : `≈${count(context.rawTokens)} printed, ≈${count(context.summaryTokens)} returned`,
    ],
    ...report.artifacts.map(artifact => ['artifact', artifactText(record.id, artifact, terminal)] as const),
    ...report.notices.map(notice => ['note', notice] as const),
    ['note', history.problem ?? ''],
    ['kept in', homePath(runPath(record.id, terminal), terminal)],
    ['next', report.next ?? ''],
  ]
  const shown = rows.filter(([, value]) => value !== '')
  const labelColumns = Math.max(...shown.map(([label]) => widthOf(label))) + 2
  const facts = shown.flatMap(([label, value]) =>
    wrap(value, terminal.outColumns - labelColumns).map(
      (line, index) => `${paint.out('dim', (index === 0 ? label : '').padEnd(labelColumns))}${line}\n`,
    ),
  )
  const plan = history.waiting === null ? [] : [`\n${renderPlan(history.waiting, null, terminal, 'out')}`]
  return [...facts, ...plan, ...(report.summary === '' ? [] : [`\n${report.summary}\n`])].join('')
}

const HOW: Readonly<Record<Approval['how'], string>> = {
  terminal: 'on the terminal',
  command: 'by command',
  client: 'through an MCP client',
  policy: 'by the config',
}

function approvalText({ by, how, reason, at }: Approval): string {
  const when = at === null ? 'for an earlier run' : age(new Date(at), new Date())
  return plain(`${by}, ${HOW[how]}, ${when}${reason === null ? '' : `: ${reason}`}`)
}

/** An ended run's report counts as its ledger did; the keys are the journal's. */
function itemRows(history: ShownHistory, report: RunReport): (readonly [string, string])[] {
  const items = report.items ?? history.itemCounts
  if (items === null) return []
  const failures = history.itemCounts?.failures ?? items.failures
  return [
    ['items', itemsText(items)],
    ...failures.map(
      ({ class: name, count: number, keys }) =>
        ['', `${plain(name)} (${count(number)}): ${firstKeys(keys)}`] as const,
    ),
    ...(['unknown', 'skipped'] as const).flatMap(state => {
      const keys = history.rehearsed
        ? [] // still to be done
        : history.items.filter(item => item.state === state).map(({ key }) => key)
      return keys.length === 0 ? [] : [['', `${state}: ${firstKeys(keys)}`] as const]
    }),
  ]
}

export function sandboxText({ mode, backend, network }: RunReport['sandbox']): string {
  return backend === 'none' ? `no sandbox (${mode})` : `${mode} by ${backend}, network ${network}`
}

const COLOURS: Readonly<Record<RunStatus, 'green' | 'red' | 'yellow' | 'cyan'>> = {
  succeeded: 'green',
  running: 'cyan',
  waiting: 'yellow',
  planned: 'yellow',
  failed: 'red',
  'timed-out': 'red',
  cancelled: 'yellow',
  interrupted: 'red',
  refused: 'red',
  drifted: 'red',
}

export function statusColour(status: RunStatus): 'green' | 'red' | 'yellow' | 'cyan' {
  return COLOURS[status]
}

function statusMark(status: RunStatus, painted: Paint): string {
  const colour = COLOURS[status]
  const mark = { green: '✔', red: '✘', yellow: '!', cyan: '…' }[colour]
  return painted(colour, mark)
}

function runPath(run: string, terminal: Terminal): string {
  return join(homes(terminal.env).state, 'runs', run)
}

/** The last entry of a list that was cut says how many more; it is no file. */
function artifactPath(run: string, name: string, terminal: Terminal): string {
  return name.startsWith('… ') ? name : homePath(join(runPath(run, terminal), 'artifacts', name), terminal)
}

/** Where the whole path has no room, its end: the folder stands beside `kept in`. */
function artifactText(
  run: string,
  { name, bytes: size }: RunReport['artifacts'][number],
  terminal: Terminal,
): string {
  const text = `${artifactPath(run, name, terminal)} (${bytes(size)})`
  const fits = widthOf(text) + LABEL_ROOM <= terminal.outColumns
  return fits || name.startsWith('… ') ? text : `${join('artifacts', plain(name))} (${bytes(size)})`
}

/** As a shell would take it. */
function quoted(argument: string): string {
  return /^[\w./:=@%+,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`
}
