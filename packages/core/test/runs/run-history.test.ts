/** What a journal says beyond its calls: items with their attempts, approvals, and a plan against what was done. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { CallEntry, JournalEntry, ResultEntry } from '../../src/runs/journal/entries.ts'
import { readRunHistory, type ShownHistory } from '../../src/runs/run-history.ts'
import { findRun, ownerOf } from '../../src/runs/store.ts'
import { makePlan, type PlannedCall } from '../../src/tools/plan.ts'

const RUN = '01M81V5K17GJJFFMNSJVXCZ45B'
const NEXT = '01M81V5K17GJJFFMNSJVXCZ45C'
const BEGUN = Date.parse('2026-01-01T00:00:00.000Z')
const TOKEN = 'tok-7Hq2mZ9xP4vL8sWd'

const begin = (phase: 'plan' | 'apply' = 'apply'): JournalEntry => {
  return { kind: 'begin', run: RUN, parent: null, phase, scriptSha256: 'ab', args: [] }
}

const call = (id: string, identity: string, more: Partial<CallEntry> = {}): CallEntry => ({
  ...{ kind: 'call', call: id, identity, tool: 'kubectl', argv: ['delete', identity], effect: 'mutate' },
  ...{ verb: 'delete', targets: [identity], item: null, occurrence: 1, planned: false, undo: false },
  ...{ before: {}, ran: null },
  ...more,
})

const result = (id: string, more: Partial<ResultEntry> = {}): ResultEntry => ({
  ...{ kind: 'result', call: id, exitCode: 0, signal: null, durationMs: 5, stdoutBytes: 0, stderrBytes: 0 },
  ...{ class: null, answered: 'tool' },
  ...more,
})

const planned = (identity: string): PlannedCall => ({
  ...{ identity, tool: 'kubectl', verb: 'delete', argv: ['delete', identity], runs: [], targets: [identity] },
  ...{ item: null, before: {} },
})

interface Place {
  readonly state: string
  /** Each entry a tenth of a second after the one before. */
  journal(run: string, entries: readonly JournalEntry[]): void
  file(run: string, name: string, text: string): void
}

function store(status = 'failed'): Place {
  const state = mkdtempSync(join(tmpdir(), 'srecodex-history-'))
  onTestFinished(() => rmSync(state, { recursive: true, force: true }))
  const file = (run: string, name: string, text: string): void => {
    mkdirSync(join(state, 'runs', run), { recursive: true })
    writeFileSync(join(state, 'runs', run, name), text)
  }
  for (const id of [RUN, NEXT])
    file(id, 'run.json', JSON.stringify({ id, args: ['--password', TOKEN], report: { status } }))
  return {
    ...{ state, file },
    journal: (run, entries) => {
      const lines = entries.map((entry, index) =>
        JSON.stringify({ seq: index + 1, at: new Date(BEGUN + index * 100).toISOString(), ...entry }),
      )
      file(run, 'journal.jsonl', `${lines.join('\n')}\n`)
    },
  }
}

async function historyOf(place: Place, env: NodeJS.ProcessEnv = {}): Promise<ShownHistory> {
  return readRunHistory(place.state, await findRun(place.state, RUN), env)
}

function planFile(calls: readonly PlannedCall[]): string {
  const dates = { createdAt: new Date(BEGUN - 5000).toISOString(), expiresAt: new Date(BEGUN).toISOString() }
  const bound = { script: 'ab', args: [], workspace: '/w', tools: [] }
  return JSON.stringify(makePlan({ id: RUN, ...dates, bound, calls, may: [], incomplete: [] }))
}

test('each planned change has one state, and what is not planned is told besides', async () => {
  const place = store()
  const identities = ['done', 'twice', 'twice', 'lost', 'half', 'no', 'left', 'old']
  place.file(RUN, 'approved.json', planFile(identities.map(planned)))
  place.journal(RUN, [
    begin(),
    { ...call('o', 'old'), carried: true },
    { ...result('o'), carried: true },
    ...[call('a', 'done'), result('a'), call('b', 'twice'), result('b'), call('c', 'lost')],
    ...[call('d', 'half'), result('d', { exitCode: 1, outcome: 'failed' })],
    ...[call('e', 'no'), result('e', { exitCode: 1, outcome: 'failed-definite', class: 'not found' })],
    ...[call('f', 'back', { undo: true }), result('f'), call('g', 'asked'), result('g')],
    {
      ...{ kind: 'refused', tool: 'kubectl', argv: ['drain', 'n1'], verb: 'drain', item: 'n1' },
      ...{ code: 'SKIPPED', message: 'it is not in the plan' },
    },
  ])
  const { plan } = await historyOf(place)
  expect(plan!.calls.map(({ targets, state }) => `${targets[0]} ${state}`)).toEqual([
    ...['done done', 'twice done', 'twice not-done', 'lost unknown', 'half failed', 'no failed-definite'],
    ...['left not-done', 'old done-before'],
  ])
  expect(plan!.outside.map(({ argv, how, state }) => [...argv, how, state].join(' '))).toEqual([
    ...['delete back undo done', 'delete asked approved done', 'drain n1 skipped '],
  ])
})

test('a plan that another run took on is told by that one; one that nobody took on waits', async () => {
  const place = store('planned')
  place.file(RUN, 'plan.json', planFile([planned('a'), planned('b')]))
  place.journal(RUN, [
    begin('plan'),
    call('x', 'a', { planned: true }),
    result('x', { answered: 'rehearsal' }),
  ])
  const waiting = await historyOf(place)
  expect(waiting).toMatchObject({ rehearsed: true, plan: { continuedBy: null } })
  expect(waiting.plan!.calls.map(({ state }) => state)).toEqual(['waiting', 'waiting'])

  place.file(RUN, 'continued', NEXT)
  place.journal(NEXT, [begin(), call('y', 'a'), result('y')])
  const { plan } = await historyOf(place)
  expect(plan!.continuedBy).toBe(NEXT)
  expect(plan!.calls.map(({ state }) => state)).toEqual(['done', 'not-done'])
})

test('what is under way in the run that goes on is running, and unknown once that run has ended', async () => {
  const place = store('planned')
  place.file(RUN, 'plan.json', planFile([planned('a')]))
  place.journal(RUN, [begin('plan')])
  place.file(RUN, 'continued', NEXT)
  place.journal(NEXT, [begin(), call('y', 'a')])
  const owner = ownerOf(process.pid)
  const states: unknown[] = []
  for (const status of ['running', 'failed']) {
    place.file(NEXT, 'run.json', JSON.stringify({ id: NEXT, args: [], owner, report: { status } }))
    states.push((await historyOf(place)).plan!.calls[0]!.state)
  }
  expect(states).toEqual(['running', 'unknown'])
})

test('what waits for approval, without secrets, until another run takes it on', async () => {
  const place = store('planned')
  place.file(RUN, 'plan.json', planFile([planned('a'), { ...planned('b'), argv: ['label', TOKEN] }]))
  place.journal(RUN, [begin('plan')])
  expect((await historyOf(place, { DEPLOY_TOKEN: TOKEN })).waiting).toMatchObject({
    id: RUN,
    calls: [planned('a'), { argv: ['label', '[redacted:DEPLOY_TOKEN]'] }],
  })
  place.file(RUN, 'continued', NEXT)
  expect(await historyOf(place)).toMatchObject({ waiting: null, continuedBy: NEXT })
})

test('where the run that went on cannot be relied on, all else is told', async () => {
  const place = store('planned')
  place.file(RUN, 'plan.json', planFile([planned('a')]))
  place.journal(RUN, [
    begin('plan'),
    { kind: 'item', key: 'a', state: 'pending', class: null, message: null, attempt: 0 },
  ])
  place.file(RUN, 'continued', NEXT)
  place.file(NEXT, 'journal.jsonl', 'not JSON\n')
  expect(await historyOf(place)).toMatchObject({
    ...{ items: [{ key: 'a' }], continuedBy: NEXT, plan: null },
    problem: expect.stringMatching(
      /^what became of its plan is not known: the journal .* line 1 of it is not JSON$/,
    ),
  })
})

test('items that were rehearsed are pending', async () => {
  const place = store('planned')
  const item = { kind: 'item', key: 'a', class: null, message: null, attempt: 1 } as const
  place.journal(RUN, [
    ...[begin('plan'), { ...item, state: 'running' } as const],
    ...[call('x', 'a', { planned: true }), result('x', { answered: 'rehearsal' })],
    { ...item, state: 'ok' },
  ])
  expect(await historyOf(place)).toMatchObject({
    rehearsed: true,
    itemCounts: { total: 1, ok: 0, pending: 1 },
  })
})

test('a damaged journal, and an altered plan, are said', async () => {
  const place = store()
  place.file(RUN, 'journal.jsonl', 'not JSON\n')
  expect(await historyOf(place)).toMatchObject({
    ...{ items: [], plan: null, args: ['--password', '[redacted:password]'] },
    problem: 'the journal of the run cannot be relied on: line 1 of it is not JSON',
  })
  place.journal(RUN, [begin()])
  place.file(RUN, 'plan.json', planFile([planned('a')]).replace('"delete"', '"drain"'))
  expect((await historyOf(place)).problem).toBe('the plan on the disk is not what was planned')
})

test('items: their attempts and waves, and what an earlier run did of them', async () => {
  const place = store()
  const item = (key: string, state: string, more: object = {}): JournalEntry =>
    ({ kind: 'item', key, state, class: null, message: null, attempt: 1, ...more }) as JournalEntry
  place.journal(RUN, [
    begin(),
    item('old', 'ok', { carried: true }),
    ...[item('old', 'ok', { attempt: 0 }), item('a', 'pending', { attempt: 0 }), item('b', 'pending')],
    ...[item('a', 'running', { wave: 2 }), item('a', 'failed', { class: 'gone', message: `with ${TOKEN}` })],
    ...[item('a', 'running', { attempt: 2, wave: 2 }), item('a', 'ok', { attempt: 2 })],
    ...[item('c', 'running'), item('c', 'running', { attempt: 2 })],
    item('d', 'failed', { class: 'gone' }),
  ])
  const { items, itemCounts, rehearsed, lengthMs } = await historyOf(place, { DEPLOY_TOKEN: TOKEN })
  expect({ rehearsed, lengthMs }).toEqual({ rehearsed: false, lengthMs: 1100 })
  expect(items).toEqual([
    { ...{ key: 'old', state: 'ok', class: null, message: null }, wave: null, carried: true, attempts: [] },
    {
      ...{ key: 'a', state: 'ok', class: null, message: null, wave: 2, carried: false },
      attempts: [
        { startMs: 500, endMs: 600, state: 'failed' },
        { startMs: 700, endMs: 800, state: 'ok' },
      ],
    },
    {
      ...{ key: 'b', state: 'pending', class: null, message: null },
      wave: null,
      carried: false,
      attempts: [],
    },
    {
      ...{ key: 'c', state: 'running', class: null, message: null, wave: null, carried: false },
      attempts: [
        { startMs: 900, endMs: null, state: 'running' },
        { startMs: 1000, endMs: null, state: 'running' },
      ],
    },
    {
      ...{ key: 'd', state: 'failed', class: 'gone', message: null, wave: null, carried: true },
      attempts: [],
    },
  ])
  // What is being worked on is still to be done.
  expect(itemCounts).toEqual({
    ...{ total: 5, ok: 2, failed: 1, unknown: 0, skipped: 0, pending: 2 },
    failures: [{ class: 'gone', count: 1, keys: ['d'] }],
  })
})

test('who approved, how long that took, and no secret in it', async () => {
  const place = store()
  place.file(RUN, 'approved.json', planFile([planned('a')]))
  const approved = { kind: 'approved', plan: 'x', by: 'ann' } as const
  place.journal(RUN, [
    begin(),
    { ...approved, how: 'command', reason: `rotate ${TOKEN}` },
    { ...approved, how: 'terminal', reason: null, waitedMs: 40 },
    { ...approved, how: 'command', reason: null, carried: true },
  ])
  const { approvals, args } = await historyOf(place, { DEPLOY_TOKEN: TOKEN })
  expect(approvals).toMatchObject([
    {
      at: '2026-01-01T00:00:00.100Z',
      offsetMs: 100,
      waitedMs: 5100,
      inPlace: false,
      reason: expect.stringMatching(/^rotate \[redacted/),
    },
    { offsetMs: 200, waitedMs: 40, inPlace: true },
    { at: null, offsetMs: null, waitedMs: null, inPlace: false },
  ])
  expect(args).toEqual(['--password', '[redacted:password]'])
})

test('a run that called nothing has a history too', async () => {
  expect(await historyOf(store())).toEqual({
    ...{
      args: ['--password', '[redacted:password]'],
      rehearsed: false,
      lengthMs: 0,
      items: [],
      approvals: [],
    },
    ...{ itemCounts: null, plan: null, waiting: null, continuedBy: null, problem: null },
  })
})
