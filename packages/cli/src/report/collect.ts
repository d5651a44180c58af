/**
 * All that the page of a run shows, from the run's folder. What a script or a server said is fit to be shown as core
 * gives it: redacted where it is read, or, in the report, before it was kept. Of paths, those that the operator chose
 * stay as they are.
 */

import {
  commandText,
  homes,
  isOpen,
  listArtifacts,
  readRunHistory,
  readTimeline,
  SrecodexError,
  type PlanHistory,
  type RunRecord,
} from '@srecodex/core'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { homePath } from '../render/path.ts'
import { plain } from '../render/plan.ts'
import type { Terminal } from '../terminal.ts'
import { shownArtifacts } from './artifacts.ts'
import { CallRows, itemColumns, MAX_ROWS, Words } from './columns.ts'
import { readStream } from './output-parts.ts'
import type { PageData, PagePlan, PageRun } from './page-data.ts'

export const PAGE_NAME = 'report.html'

/** @param page the file that the page will be; null: it goes to stdout. @throws {SrecodexError} RUN_NOT_FOUND | … */
export async function collect(
  record: RunRecord,
  page: string | null,
  terminal: Pick<Terminal, 'env'>,
): Promise<PageData> {
  const state = homes(terminal.env).state
  const folder = join(state, 'runs', record.id)
  const { report } = record
  const running = isOpen(record)
  const words = new Words()
  const calls = new CallRows(words, running)
  const history = await readRunHistory(state, record, terminal.env)
  const problems = history.problem === null ? [] : [history.problem]
  try {
    const timeline = readTimeline(state, record.id, { callerEnvironment: terminal.env })
    for await (const entry of timeline) if (entry.kind !== 'item') calls.add(entry)
  } catch (error) {
    if (!(error instanceof SrecodexError)) throw error
    if (error.message !== history.problem) problems.push(error.message)
  }
  const streams = await Promise.all(
    (['stdout', 'stderr'] as const).map(name =>
      readStream({ state, run: record.id, env: terminal.env }, name, report.output[name]),
    ),
  )
  const artifacts = shownArtifacts(await listArtifacts(state, record.id, terminal.env), folder, page)
  if (artifacts.leftOut > 0) problems.push(`${artifacts.leftOut} more artifacts are not listed here`)
  const other = (id: string | null): PageRun | null => (id === null ? null : pageOf(id, state, folder, page))
  return {
    ...{ madeAt: new Date().toISOString(), startedAt: record.startedAt, running },
    script:
      record.scriptPath === null
        ? `${plain(report.script.name)} (given as text)`
        : plain(homePath(record.scriptPath, terminal)),
    args: history.args,
    workspace: plain(homePath(record.workspace, terminal)),
    ...{ mutations: record.mutations, folder: plain(homePath(folder, terminal)), report },
    lengthMs: Math.max(history.lengthMs, running ? 0 : report.durationMs),
    ...{ rehearsed: history.rehearsed, approvals: history.approvals },
    parent: other(report.parent),
    continuedBy: other(history.continuedBy),
    plan: history.plan === null ? null : planOf(history.plan, other),
    items: itemColumns(history.items, words),
    itemsLeftOut: Math.max(0, history.items.length - MAX_ROWS),
    ...{ words: words.all, calls: calls.columns, callsLeftOut: calls.leftOut },
    ...{ output: streams, artifacts: artifacts.shown, problems },
  }
}

function planOf(plan: PlanHistory, other: (id: string | null) => PageRun | null): PagePlan {
  return {
    ...{ id: plan.id, expiresAt: plan.expiresAt, continuedBy: other(plan.continuedBy) },
    tools: plan.tools.map(({ tool, summary }) => plain(`${tool} as ${summary}`)),
    calls: plan.calls.map(({ tool, argv, targets, item, state }) => ({
      ...{ text: plain(commandText(tool, argv)), targets: plain(targets.join(', ')), state },
      item: item === null ? null : plain(item),
    })),
    outside: plan.outside.map(({ tool, argv, item, how, state }) => ({
      ...{ text: plain(commandText(tool, argv)), how, state },
      item: item === null ? null : plain(item),
    })),
    may: plan.may.map(({ tool, argv }) => plain(commandText(tool, argv))),
    incomplete: plan.incomplete.map(plain),
  }
}

/** Linked where its page is there by now. */
function pageOf(id: string, state: string, folder: string, page: string | null): PageRun {
  const path = join(state, 'runs', id, PAGE_NAME)
  if (!existsSync(path)) return { id, href: null }
  const isBeside = page !== null && page === join(folder, PAGE_NAME)
  return { id, href: isBeside ? `../${id}/${PAGE_NAME}` : pathToFileURL(path).href }
}
