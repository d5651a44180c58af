/** `srecodex runs …`: the runs that are kept. */

import {
  homes,
  listRuns,
  loadConfig,
  pruneRuns,
  searchRuns,
  showRun,
  stopRun,
  watchRun,
  type RunRecord,
} from '@srecodex/core'
import { sandboxText } from '../render/report.ts'
import { renderTable } from '../render/table.ts'
import { age, bytes, count, duration, plural } from '../render/units.ts'
import { paint, type Terminal } from '../terminal.ts'

export async function list(
  terminal: Terminal,
  flags: { readonly limit: number; readonly json?: boolean },
): Promise<number> {
  const records = await listRuns(homes(terminal.env).state)
  const shown = records.slice(0, flags.limit)
  if (flags.json) {
    terminal.out(`${JSON.stringify(shown.map(summaryOf))}\n`)
    return 0
  }
  if (shown.length === 0) {
    terminal.err('no runs yet: srecodex run SCRIPT makes one\n')
    return 0
  }
  const now = new Date()
  terminal.out(
    renderTable(
      [
        { title: 'RUN' },
        { title: 'STATUS' },
        { title: 'WHEN' },
        { title: 'TOOK', align: 'right' },
        { title: 'SCRIPT' },
        { title: 'SUMMARY', flexible: true },
      ],
      shown.map(({ id, startedAt, report }) => [
        id,
        report.status,
        age(new Date(startedAt), now),
        report.durationMs === 0 ? '' : duration(report.durationMs),
        report.script.name,
        report.summary.split('\n')[0] ?? '',
      ]),
      terminal.columns,
    ),
  )
  if (records.length > shown.length) terminal.err(`… ${plural(records.length - shown.length, 'older run')}: --limit\n`)
  return 0
}

export async function show(terminal: Terminal, run: string, flags: { readonly json?: boolean }): Promise<number> {
  const record = await showRun(homes(terminal.env).state, run)
  if (flags.json) terminal.out(`${JSON.stringify(summaryOf(record))}\n`)
  else terminal.out(renderRun(record))
  return 0
}

export async function watch(terminal: Terminal, run: string, flags: { readonly json?: boolean }): Promise<number> {
  let last: RunRecord | null = null
  for await (const record of watchRun(homes(terminal.env).state, run)) {
    last = record
    if (flags.json) terminal.out(`${JSON.stringify(summaryOf(record))}\n`)
    else if (record.report.status === 'running') terminal.err(`${record.id} ${record.report.status}\n`)
  }
  if (last !== null && !flags.json) terminal.out(renderRun(last))
  return 0
}

export async function stop(terminal: Terminal, run: string, flags: { readonly json?: boolean }): Promise<number> {
  const { record, stopped } = await stopRun(homes(terminal.env).state, run)
  if (flags.json) terminal.out(`${JSON.stringify({ ...summaryOf(record), stopped })}\n`)
  else terminal.err(`run ${record.id} ${stopped ? 'was ended' : 'had already ended'}: ${record.report.status}\n`)
  return 0
}

export async function search(
  terminal: Terminal,
  regex: string,
  flags: { readonly limit: number; readonly json?: boolean },
): Promise<number> {
  let found = 0
  const hits = searchRuns(homes(terminal.env).state, regex, {
    limit: flags.limit,
    perRun: flags.limit,
    callerEnvironment: terminal.env,
  })
  for await (const hit of hits) {
    found += 1
    if (flags.json) terminal.out(`${JSON.stringify(hit)}\n`)
    else terminal.out(`${paint.out('dim', `${hit.run}:${hit.stream}:${hit.line}:`)} ${hit.text}\n`)
  }
  if (found === 0) terminal.err('no line matches\n')
  return found === 0 ? 1 : 0
}

export async function prune(
  terminal: Terminal,
  flags: {
    readonly keepDays?: number
    readonly maxBytes?: string
    readonly dryRun?: boolean
    readonly json?: boolean
  },
): Promise<number> {
  const { config } = await loadConfig({
    workspace: terminal.cwd,
    env: terminal.env,
    flags: { 'runs.max_bytes': flags.maxBytes },
  })
  const result = await pruneRuns(homes(terminal.env).state, {
    keepDays: flags.keepDays ?? config.runs.keepDays,
    maxBytes: config.runs.maxBytes,
    dryRun: flags.dryRun ?? false,
  })
  if (flags.json) {
    terminal.out(`${JSON.stringify(result)}\n`)
    return 0
  }
  const verb = flags.dryRun ? 'would remove' : 'removed'
  for (const { run, reason, bytes: size } of result.removed) terminal.out(`${verb} ${run} (${reason}, ${bytes(size)})\n`)
  terminal.err(
    `${verb} ${plural(result.removed.length, 'run')}, ${bytes(result.freedBytes)}; ` +
      `${plural(result.keptRuns, 'run')}, ${bytes(result.keptBytes)} kept\n`,
  )
  return 0
}

/** The report, with what only the store knows. */
function summaryOf(record: RunRecord): Record<string, unknown> {
  const { id, startedAt, workspace, scriptPath, args, report } = record
  return { id, startedAt, workspace, scriptPath, args, ...report }
}

function renderRun(record: RunRecord): string {
  const { report } = record
  const rows: [string, string][] = [
    ['run', record.id],
    ['status', report.status],
    ['script', `${record.scriptPath ?? report.script.name} (${report.script.language}, sha256 ${report.script.sha256.slice(0, 12)}…)`],
    ['workspace', record.workspace],
    ['started', record.startedAt],
    ['took', duration(report.durationMs)],
    ['exit', report.signal ?? (report.exitCode === null ? '' : String(report.exitCode))],
    ['sandbox', sandboxText(report.sandbox)],
    ['stdout', `${plural(report.output.stdout.lines, 'line')}, ${bytes(report.output.stdout.bytes)}`],
    ['stderr', `${plural(report.output.stderr.lines, 'line')}, ${bytes(report.output.stderr.bytes)}`],
    ['tokens', `≈${count(report.context.rawTokens)} raw, ≈${count(report.context.summaryTokens)} returned`],
    ...report.artifacts.map(({ name, bytes: size }): [string, string] => ['artifact', `${name} (${bytes(size)})`]),
    ...report.notices.map((notice): [string, string] => ['note', notice]),
    ...(report.error === null ? [] : [['error', `${report.error.code}: ${report.error.message}`] as [string, string]]),
    ...(report.next === null ? [] : [['next', report.next] as [string, string]]),
  ]
  const facts = rows
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${paint.out('dim', name.padEnd(10))} ${value}\n`)
    .join('')
  return report.summary === '' ? facts : `${facts}\n${report.summary}\n`
}
