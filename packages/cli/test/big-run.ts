/** A run with as many calls as a test wants, as the journal's own writer tells them: the calls themselves are not made. */

import type { Project } from '@srecodex/testkit'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { vi } from 'vitest'
import { createJournal } from '../../core/src/runs/journal.ts'

const CALLS_AN_ITEM = 5
const AT_ONCE = 16
const BEGUN = Date.parse('2026-11-22T10:00:00Z')

/** @returns the id of the run. */
export async function bigRun(place: Project, calls: number): Promise<string> {
  place.write(
    'big.sh',
    'for i in {1..9000}; do echo "line $i of a long log"; done; summary "restarted all of them"',
  )
  const { run } = (await place.run('run big.sh --json')).json()
  const folder = join(place.srecodexHome, 'state', 'runs', run)
  rmSync(join(folder, 'journal.jsonl'), { force: true })
  const items = Math.ceil(calls / CALLS_AN_ITEM)
  const journal = createJournal(join(folder, 'journal.jsonl'))
  vi.useFakeTimers({ toFake: ['Date'], now: BEGUN })
  const failed = Array.from({ length: items }, (_, item) => item).filter(isBad).length
  try {
    const at = (ms: number): void => void vi.setSystemTime(BEGUN + ms)
    journal.append({ kind: 'begin', run, parent: null, phase: 'apply', scriptSha256: '', args: [] })
    for (let item = 0; item < items; item += 1) journal.append(itemEntry(item, 'pending', 0))
    for (const { ms, say } of events(items, calls)) {
      at(ms)
      say(journal)
    }
    journal.append({ kind: 'end', status: 'failed' })
  } finally {
    vi.useRealTimers()
  }
  await journal.close()
  const record = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'))
  const reads = Math.ceil((calls * 2) / CALLS_AN_ITEM)
  Object.assign(record.report, {
    status: 'failed',
    durationMs: 138_000,
    calls: { ...record.report.calls, total: calls, reads, mutations: calls - reads, failed },
    items: {
      ...{ total: items, ok: items - failed, failed, unknown: 0, skipped: 0, pending: 0 },
      failures: [{ class: 'NotFound', count: failed, keys: ['shop-00/web-0100'] }],
    },
  })
  writeFileSync(join(folder, 'run.json'), JSON.stringify(record))
  return run
}

type Say = (journal: ReturnType<typeof createJournal>) => void

/** What happens, in the order of time: items side by side, each with its calls one after another. */
function events(items: number, calls: number): { readonly ms: number; readonly say: Say }[] {
  const list: { ms: number; say: Say }[] = []
  let made = 0
  for (let item = 0; item < items; item += 1) {
    let ms = Math.floor(item / AT_ONCE) * 1100 + (item % AT_ONCE) * 23
    list.push({
      ms,
      say: journal => journal.append({ ...itemEntry(item, 'running', 1), wave: waveOf(item, items) }),
    })
    for (let n = 0; n < CALLS_AN_ITEM && made < calls; n += 1, made += 1) {
      const call = `call-${made}`
      const isLast = n === CALLS_AN_ITEM - 1
      const took = 40 + ((item * 7 + n * 13) % 90)
      const isRead = n < 2
      list.push({ ms, say: journal => journal.append(callEntry(call, item, n, isRead)) })
      ms += took
      list.push({ ms, say: journal => journal.append(resultEntry(call, took, isLast && isBad(item))) })
    }
    list.push({
      ms: ms + 1,
      say: journal => journal.append(itemEntry(item, isBad(item) ? 'failed' : 'ok', 1)),
    })
  }
  return list.sort((a, b) => a.ms - b.ms)
}

function isBad(item: number): boolean {
  return item % 97 === 3
}

function waveOf(item: number, items: number): number {
  return item < AT_ONCE ? 1 : item < Math.max(AT_ONCE, Math.floor(items / AT_ONCE / 3) * AT_ONCE) ? 2 : 3
}

function itemKey(item: number): string {
  return `shop-${String(item % 20).padStart(2, '0')}/web-${String(item).padStart(4, '0')}`
}

function itemEntry(item: number, state: 'pending' | 'running' | 'ok' | 'failed', attempt: number) {
  const words =
    state === 'failed' ? { class: 'NotFound', message: 'it is gone' } : { class: null, message: null }
  return { kind: 'item' as const, key: itemKey(item), state, ...words, attempt }
}

const VERBS = [
  ['get', 'deployment'],
  ['rollout', 'status'],
  ['set', 'image'],
  ['annotate', 'deployment'],
  ['rollout', 'restart'],
] as const

function callEntry(call: string, item: number, n: number, isRead: boolean) {
  const [namespace = '', name = ''] = itemKey(item).split('/')
  return {
    ...{ kind: 'call' as const, call, tool: 'kubectl', item: itemKey(item), identity: isRead ? '' : call },
    argv: [...VERBS[n]!, `deployment/${name}`, '-n', namespace],
    effect: isRead ? ('read' as const) : ('mutate' as const),
    verb: VERBS[n]!.join(' '),
    targets: isRead ? [] : [`${namespace}/deployment/${name}`],
    ...{ occurrence: isRead ? 0 : 1, planned: false, undo: false, before: {}, ran: null },
  }
}

function resultEntry(call: string, durationMs: number, isBadNow: boolean) {
  return {
    ...{ kind: 'result' as const, call, durationMs, signal: null, stdoutBytes: 40, stderrBytes: 0 },
    ...{ exitCode: isBadNow ? 1 : 0, class: isBadNow ? 'NotFound' : null, answered: 'tool' as const },
    outcome: isBadNow ? ('failed-definite' as const) : ('ok' as const),
  }
}
