/** `srecodex runs …`: the runs that are kept. */

import {
  homes,
  listRuns,
  pruneRuns,
  searchRuns,
  stopRun,
  type RunRecord,
  type SearchHit,
} from '@srecodex/core'
import { loadConfig } from '../config.ts'
import { renderNotice } from '../render/error.ts'
import { statusColour } from '../render/report.ts'
import { renderTable } from '../render/table.ts'
import { age, bytes, duration, plural } from '../render/units.ts'
import { paint, type Terminal } from '../terminal.ts'

/** A ULID: the first 10 characters are its time, the next tell runs of one millisecond apart. */
const SHORT_ID_CHARS = 13
const WIDE_COLUMNS = 120

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
  const ids = shownIds(shown, terminal.outColumns)
  terminal.out(
    renderTable(
      [
        { title: 'RUN' },
        {
          title: 'STATUS',
          paint: cell => paint.out(statusColour(cell.trim() as RunRecord['report']['status']), cell),
        },
        { title: 'WHEN' },
        { title: 'TOOK', align: 'right' },
        { title: 'SCRIPT', most: Math.floor(terminal.outColumns / 5) },
        { title: 'SUMMARY', flexible: true },
      ],
      shown.map(({ startedAt, report }, index) => [
        ids[index]!,
        report.status,
        age(new Date(startedAt), now),
        report.durationMs === 0 ? '' : duration(report.durationMs),
        report.script.name,
        headline(report, terminal.outColumns),
      ]),
      terminal.outColumns,
    ),
  )
  const older = records.length - shown.length
  if (older > 0)
    terminal.err(renderNotice(`${plural(older, 'older run')}: --limit ${records.length} shows all`))
  return 0
}

export async function stop(
  terminal: Terminal,
  run: string,
  flags: { readonly json?: boolean },
): Promise<number> {
  const { record, stopped } = await stopRun(homes(terminal.env).state, run)
  if (flags.json) terminal.out(`${JSON.stringify({ ...summaryOf(record), stopped })}\n`)
  else
    terminal.err(`run ${record.id} ${stopped ? 'was ended' : 'had already ended'}: ${record.report.status}\n`)
  return 0
}

export async function search(
  terminal: Terminal,
  regex: string,
  flags: { readonly limit: number; readonly json?: boolean },
): Promise<number> {
  const found: SearchHit[] = []
  const hits = searchRuns(homes(terminal.env).state, regex, {
    limit: flags.limit,
    perRun: flags.limit,
    callerEnvironment: terminal.env,
  })
  for await (const hit of hits) {
    found.push(hit)
    if (!flags.json)
      terminal.out(`${paint.out('dim', `${hit.run}:${hit.stream}:${hit.line}:`)} ${hit.text}\n`)
  }
  if (flags.json) terminal.out(`${JSON.stringify(found)}\n`)
  if (found.length === 0) terminal.err(renderNotice('no line and no call matches'))
  else if (found.length === flags.limit)
    terminal.err(renderNotice(`there may be more: --limit is ${flags.limit}`))
  return 0
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
  for (const { run, reason, bytes: size } of result.removed)
    terminal.out(`${verb} ${run} (${reason}, ${bytes(size)})\n`)
  const kept = `${plural(result.keptRuns, 'run')}, ${bytes(result.keptBytes)}`
  const gone = `${plural(result.removed.length, 'run')}, ${bytes(result.freedBytes)}`
  terminal.err(
    result.removed.length === 0 ? `nothing to remove; kept ${kept}\n` : `${verb} ${gone}; kept ${kept}\n`,
  )
  return 0
}

/** The report, with what only the store knows. Its arguments are for `runs show`, which takes secrets out. */
export function summaryOf(record: RunRecord): Record<string, unknown> {
  const { id, startedAt, workspace, scriptPath, report } = record
  return { id, startedAt, workspace, scriptPath, ...report }
}

/** Whole where there is room, else as much as tells the listed runs apart: a prefix is as good as an id. */
function shownIds(records: readonly RunRecord[], columns: number): string[] {
  const ids = records.map(({ id }) => id)
  const short = ids.map(id => id.slice(0, SHORT_ID_CHARS))
  return columns >= WIDE_COLUMNS || new Set(short).size < short.length ? ids : short
}

/** The line that says most: what went wrong, what the script declared, or the last line that it printed. */
function headline({ status, error, summary, next }: RunRecord['report'], columns: number): string {
  const by = /^srecodex runs show (\S+)$/.exec(next ?? '')?.[1]
  // An id that is cut leads nowhere.
  if (by !== undefined)
    return `${columns < WIDE_COLUMNS ? 'see' : 'went on in'} ${by.slice(0, SHORT_ID_CHARS)}`
  if (status === 'planned' && next === null) return 'its plan has expired'
  if (error !== null) return error.message
  const lines = summary.split('\n')
  return (
    (/^… .* before \(srecodex output /.test(lines[0]!)
      ? lines.findLast(line => line.trim() !== '')
      : lines[0]) ?? ''
  )
}
