import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createJournal } from '../../src/runs/journal.ts'
import { carryOver } from '../../src/runs/journal/carry-over.ts'
import type {
  BeginEntry,
  CallEntry,
  ItemEntry,
  JournalEntry,
  RecordedEntry,
  ResultEntry,
} from '../../src/runs/journal/entries.ts'
import { historyOf, loadHistory, type RunHistory } from '../../src/runs/journal/history.ts'

const begin = (phase: 'plan' | 'apply' = 'apply'): BeginEntry => ({
  kind: 'begin',
  run: '01J',
  parent: null,
  phase,
  scriptSha256: 'ab',
  args: [],
})

const call = (id: string, identity: string, more: Partial<CallEntry> = {}): CallEntry => ({
  kind: 'call',
  call: id,
  tool: 'kubectl',
  argv: ['rollout', 'restart', identity],
  effect: 'mutate',
  verb: 'rollout restart',
  targets: [identity],
  item: null,
  identity,
  occurrence: 1,
  planned: false,
  undo: false,
  before: {},
  ran: null,
  ...more,
})

const result = (id: string, more: Partial<ResultEntry> = {}): ResultEntry => ({
  kind: 'result',
  call: id,
  exitCode: 0,
  signal: null,
  durationMs: 5,
  stdoutBytes: 2,
  stderrBytes: 0,
  stdout: id,
  class: null,
  answered: 'tool',
  ...more,
})

const failed = (id: string): ResultEntry => result(id, { exitCode: 1, class: 'timed out', outcome: 'failed' })
const definite = (id: string): ResultEntry =>
  result(id, { exitCode: 1, class: 'not found', outcome: 'failed-definite' })

const item = (key: string, state: ItemEntry['state'], more: Partial<ItemEntry> = {}): ItemEntry => ({
  kind: 'item',
  key,
  state,
  class: null,
  message: null,
  attempt: 1,
  ...more,
})

const stamped = (entries: readonly JournalEntry[]): RecordedEntry[] =>
  entries.map((entry, i) => ({ ...entry, seq: i + 1, at: '2026-11-22T00:00:00.000Z' }))

const history = (...entries: JournalEntry[]): RunHistory => historyOf(stamped(entries))

/** `x: c1 ok, c2 unknown` for each identity. */
function told({ mutations }: RunHistory): string[] {
  return [...mutations].map(([identity, row]) => {
    const words = row.map(({ call: { call: id, occurrence }, outcome }, i) => {
      expect(occurrence).toBe(i + 1)
      return `${id} ${outcome}`
    })
    return `${identity}: ${words.join(', ')}`
  })
}

const states = ({ items }: RunHistory): Record<string, string> =>
  Object.fromEntries([...items].map(([key, { state }]) => [key, state]))

test.each<[string, JournalEntry[], string[]]>([
  ['a result', [call('c1', 'x'), result('c1')], ['x: c1 ok']],
  ['no result', [call('c1', 'x')], ['x: c1 unknown']],
  ['a failure', [call('c1', 'x'), failed('c1')], ['x: c1 failed']],
  ['a failure by its exit code', [call('c1', 'x'), result('c1', { exitCode: 3 })], ['x: c1 failed']],
  ['a signal', [call('c1', 'x'), result('c1', { exitCode: null, signal: 'SIGKILL' })], ['x: c1 unknown']],
  ['a definite failure', [call('c1', 'x'), definite('c1')], []],
  ['a read', [call('c1', 'x', { effect: 'read' }), result('c1')], []],
  ['a planned call', [call('c1', 'x', { planned: true })], []],
  ['a rehearsal', [call('c1', 'x', { planned: true }), result('c1', { answered: 'rehearsal' })], []],
  ['results out of order', [call('c1', 'x'), call('c2', 'x'), result('c2')], ['x: c2 ok, c1 unknown']],
  [
    'a definite failure, then another try',
    [call('c1', 'x'), definite('c1'), call('c2', 'x', { occurrence: 2 }), result('c2')],
    ['x: c2 ok'],
  ],
  [
    'a failure that was settled as not done, and done then',
    [call('c1', 'x'), failed('c1'), call('c2', 'x'), result('c2')],
    ['x: c2 ok'],
  ],
  [
    'a failure that was settled as done',
    [
      call('c1', 'x'),
      failed('c1'),
      call('c2', 'x', { planned: true }),
      result('c2', { answered: 'settled' }),
    ],
    ['x: c2 ok'],
  ],
  ['two at once', [call('c1', 'x'), call('c2', 'x')], ['x: c1 unknown, c2 unknown']],
  [
    'answered from the journal, killed before its answer',
    [call('c1', 'x', { carried: true }), result('c1', { carried: true }), call('c2', 'x', { planned: true })],
    ['x: c1 ok'],
  ],
  [
    'answered from the journal',
    [
      call('c1', 'x', { carried: true }),
      result('c1', { carried: true }),
      call('c2', 'x', { planned: true }),
      result('c2', { answered: 'journal' }),
    ],
    ['x: c1 ok'],
  ],
  [
    'one that a run before left unknown, done again',
    [call('c1', 'x', { carried: true }), call('c2', 'x'), result('c2')],
    ['x: c2 ok'],
  ],
  [
    'one that a run before left unknown, begun again and killed',
    [call('c1', 'x', { carried: true }), call('c2', 'x')],
    ['x: c2 unknown'],
  ],
  [
    'one that a run before left unknown, settled by its own id, and once more by its caller',
    [
      call('c1', 'x', { carried: true }),
      result('c1', { answered: 'settled' }),
      call('c2', 'x', { planned: true }),
      result('c2', { answered: 'settled' }),
    ],
    ['x: c1 ok'],
  ],
  [
    'one that a run before left unknown, settled by its own id',
    [call('c1', 'x', { carried: true }), result('c1', { answered: 'settled', outcome: 'failed-definite' })],
    [],
  ],
])('a mutation with %s', (_, entries, expected) => {
  expect(told(history(begin(), ...entries))).toEqual(expected)
})

test('what was recorded of a finished mutation is there to answer with', () => {
  const kept = result('c1', { stdout: { base64: '/w==' }, stdoutBytes: 1 })
  const { mutations } = history(begin(), call('c1', 'x', { before: { uid: '7' } }), kept)
  expect(mutations.get('x')).toEqual([
    { call: call('c1', 'x', { before: { uid: '7' } }), result: kept, outcome: 'ok' },
  ])
})

test.each<[string, JournalEntry[], string]>([
  ['not started', [item('a', 'pending', { attempt: 0 })], 'pending'],
  ['started', [item('a', 'pending'), item('a', 'running')], 'pending'],
  [
    'started, with a finished mutation',
    [item('a', 'running'), call('c', 'x', { item: 'a' }), result('c')],
    'pending',
  ],
  ['started, with a mutation in flight', [item('a', 'running'), call('c', 'x', { item: 'a' })], 'unknown'],
  [
    'started, with a failed mutation',
    [item('a', 'running'), call('c', 'x', { item: 'a' }), failed('c')],
    'unknown',
  ],
  ['failed', [item('a', 'running'), item('a', 'failed', { class: 'boom' })], 'failed'],
  [
    'failed, with a definite failure',
    [item('a', 'running'), call('c', 'x', { item: 'a' }), definite('c'), item('a', 'failed')],
    'failed',
  ],
  ['ok in spite of a failed mutation', [call('c', 'x', { item: 'a' }), failed('c'), item('a', 'ok')], 'ok'],
  ['skipped', [item('a', 'running'), item('a', 'skipped')], 'skipped'],
  ['unknown without any call', [item('a', 'unknown')], 'unknown'],
  [
    'unknown, and recorded as finished afterwards',
    [item('a', 'running'), call('c', 'x', { item: 'a' }), item('a', 'unknown'), result('c')],
    'pending',
  ],
  ['known by its mutation alone', [call('c', 'x', { item: 'a' })], 'unknown'],
])('an item that was %s', (_, entries, expected) => {
  expect(states(history(begin(), ...entries))).toEqual({ a: expected })
})

test('what is final stays as it was first told, with its value', () => {
  const { items } = history(
    begin(),
    item('a', 'ok', { value: { n: 1 }, carried: true }),
    item('a', 'ok', { attempt: 0 }),
    item('a', 'running', { attempt: 2 }),
  )
  expect(items.get('a')).toMatchObject({ state: 'ok', value: { n: 1 }, own: true })
})

test('of a planning run only decisions count, and what it had carried', () => {
  const past = history(
    begin('plan'),
    item('done', 'ok', { value: 1, carried: true }),
    call('c0', 'x', { carried: true }),
    result('c0', { carried: true }),
    { kind: 'once', name: 'now', value: 17 },
    { kind: 'once', name: 'now', value: 18 },
    { kind: 'may', argv: ['kubectl', 'rollout', 'undo'] },
    { kind: 'may', argv: ['kubectl', 'rollout', 'undo'] },
    item('done', 'ok', { attempt: 0 }),
    item('new', 'pending'),
    item('new', 'ok', { value: 2 }),
    call('c1', 'y', { item: 'new', planned: true }),
    result('c1', { answered: 'rehearsal' }),
    { kind: 'end', status: 'planned' },
  )
  expect(past.status).toBe('planned')
  expect(past.items.get('done')).toMatchObject({ state: 'ok', value: 1, own: true })
  expect(past.items.get('new')).toEqual({
    key: 'new',
    state: 'pending',
    class: null,
    message: null,
    attempt: 0,
    own: true,
    open: [],
  })
  expect(told(past)).toEqual(['x: c0 ok'])
  expect(past.once).toEqual(new Map([['now', 17]]))
  expect(past.may).toEqual([['kubectl', 'rollout', 'undo']])
})

/** All that a run goes by: whose it is changes when it is carried. */
function essence(past: RunHistory): unknown {
  return {
    approvals: past.approvals.map(({ carried: _carried, ...approval }) => approval),
    once: past.once,
    may: past.may,
    mutations: [...past.mutations].map(([identity, row]) => [
      identity,
      row.map(({ call: { carried: _c, planned: _p, ...made }, result: ended, outcome }) => {
        const { carried: _r, ...rest } = ended ?? { carried: true }
        return { made, rest, outcome }
      }),
    ]),
    items: [...past.items.values()]
      .filter(({ state }) => state !== 'failed' && state !== 'pending')
      .map(({ key, state, value, open }) => ({ key, state, value, open: open.length }))
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
  }
}

function randomEntries(): JournalEntry[] {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)]!
  const entries: JournalEntry[] = [begin(pick(['plan', 'apply', 'apply']))]
  const calls: string[] = []
  for (let n = 0; n < Math.random() * 60; n += 1) {
    const id = `c${n}`
    const key = pick(['a', 'b', 'c'])
    const act = pick(['call', 'call', 'end', 'end', 'item', 'once', 'may', 'approved'])
    if (act === 'call') {
      const identity = pick(['x', 'y', 'z'])
      entries.push(call(id, `${identity}-${key}`, { item: pick([key, null]), planned: Math.random() < 0.2 }))
      calls.push(id)
    } else if (act === 'end' && calls.length > 0) {
      const ended = calls.splice(Math.floor(Math.random() * calls.length), 1)[0]!
      entries.push(
        pick([result(ended), result(ended, { answered: 'settled' }), failed(ended), definite(ended)]),
      )
    } else if (act === 'item') {
      const state = pick(['pending', 'running', 'ok', 'failed', 'unknown', 'skipped'] as const)
      entries.push(item(key, state, state === 'ok' ? { value: n } : {}))
    } else if (act === 'once') entries.push({ kind: 'once', name: key, value: n })
    else if (act === 'may') entries.push({ kind: 'may', argv: ['kubectl', key] })
    else entries.push({ kind: 'approved', plan: key, by: 'root', how: 'command', reason: null })
  }
  return entries
}

test('a run that carried a history over, and did nothing yet, has the same history', () => {
  for (let round = 0; round < 300; round += 1) {
    const past = history(...randomEntries())
    for (const phase of ['plan', 'apply'] as const) {
      const next = history(begin(phase), ...carryOver(past))
      expect(essence(next)).toEqual(essence(past))
      expect([...next.items.values()].filter(({ own }) => own)).toEqual([])
      expect(essence(history(begin(), ...carryOver(next)))).toEqual(essence(past))
    }
  }
})

/**
 * The broker's order for one identity, over many lives: done ones answer first, open ones are settled, only then
 * is it done anew. The server knows how often it really happened.
 */
test('over random kills no mutation is done twice, and none that was done is forgotten', () => {
  for (let round = 0; round < 500; round += 1) {
    const wanted = 1 + Math.floor(Math.random() * 3)
    const happened: string[] = []
    let past: RunHistory | null = null
    let id = 0
    for (let life = 0, isComplete = false; !isComplete; life += 1) {
      const entries: JournalEntry[] = [begin(), ...(past === null ? [] : carryOver(past))]
      const row = [...(past?.mutations.get('x') ?? [])]
      isComplete = live(entries, row, { wanted, happened, nextId: () => `c${(id += 1)}`, mayDie: life < 20 })
      past = history(...entries)
    }
    expect(happened).toHaveLength(wanted)
    expect(past!.mutations.get('x')!.map(({ outcome }) => outcome)).toEqual(Array(wanted).fill('ok'))
  }
})

interface World {
  readonly wanted: number
  readonly happened: string[]
  readonly nextId: () => string
  readonly mayDie: boolean
}

/** False: it was killed. */
function live(
  entries: JournalEntry[],
  row: { call: CallEntry; outcome: string }[],
  { wanted, happened, nextId, mayDie }: World,
): boolean {
  const dies = (): boolean => mayDie && Math.random() < 0.15
  for (let n = 0; n < wanted; n += 1) {
    const before = row.shift()
    const id = nextId()
    const isDone = before?.outcome === 'ok' || (before !== undefined && happened.includes(before.call.call))
    if (isDone) {
      entries.push(call(id, 'x', { planned: true }))
      if (dies()) return false
      entries.push(result(id, { answered: before.outcome === 'ok' ? 'journal' : 'settled' }))
      continue
    }
    if (dies()) return false
    entries.push(call(id, 'x'))
    if (dies()) return false
    if (Math.random() < 0.2) {
      entries.push(definite(id))
      n -= 1
      continue
    }
    happened.push(id)
    if (dies()) return false
    entries.push(result(id))
  }
  return true
}

test('a history of 10,000 calls is read as a stream, and is the same as from entries', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'srecodex-history-'))
  try {
    const entries: JournalEntry[] = [begin()]
    for (let n = 0; n < 10_000; n += 1) {
      entries.push(item(`i${n}`, 'running'), call(`c${n}`, `x${n}`, { item: `i${n}` }))
      if (n % 100 !== 0) entries.push(result(`c${n}`), item(`i${n}`, 'ok', { value: n }))
    }
    const path = join(folder, 'journal.jsonl')
    const journal = createJournal(path)
    for (const entry of entries) journal.append(entry)
    await journal.close()
    const past = await loadHistory(path)
    expect(past).toEqual(history(...entries))
    const counts = { ok: 0, unknown: 0 }
    for (const { state } of past.items.values()) if (state === 'ok' || state === 'unknown') counts[state] += 1
    expect(counts).toEqual({ ok: 9900, unknown: 100 })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
