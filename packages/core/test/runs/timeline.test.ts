/** What a run called, as it is told afterwards: order, ends, and no secret in it. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { CallEntry, JournalEntry, RecordedEntry, ResultEntry } from '../../src/runs/journal/entries.ts'
import { searchRuns } from '../../src/runs/output.ts'
import { openProgress } from '../../src/runs/progress.ts'
import { readTimeline, timelineOf, type TimelineEntry } from '../../src/runs/timeline.ts'

const RUN = '01M81V5K17GJJFFMNSJVXCZ45B'
const BEGUN = Date.parse('2026-01-01T00:00:00.000Z')

const begin = (phase: 'plan' | 'apply' = 'apply'): JournalEntry => ({
  kind: 'begin',
  run: RUN,
  parent: null,
  phase,
  scriptSha256: 'ab',
  args: [],
})

const call = (id: string, argv: readonly string[], more: Partial<CallEntry> = {}): CallEntry => ({
  kind: 'call',
  call: id,
  tool: 'kubectl',
  argv,
  effect: 'mutate',
  verb: argv[0] ?? '',
  targets: [],
  item: null,
  identity: id,
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
  stdoutBytes: 0,
  stderrBytes: 0,
  class: null,
  answered: 'tool',
  ...more,
})

/** Each entry a tenth of a second after the one before. */
function stamped(entries: readonly JournalEntry[]): RecordedEntry[] {
  return entries.map((entry, index) => ({
    seq: index + 1,
    at: new Date(BEGUN + index * 100).toISOString(),
    ...entry,
  }))
}

/** A store with one run in it. */
function store(entries: readonly JournalEntry[], given?: Readonly<Record<string, string>>): string {
  const state = mkdtempSync(join(tmpdir(), 'srecodex-timeline-'))
  onTestFinished(() => rmSync(state, { recursive: true, force: true }))
  const folder = join(state, 'runs', RUN)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'run.json'), JSON.stringify({ id: RUN, report: { status: 'succeeded' } }))
  writeFileSync(join(folder, 'journal.jsonl'), lines(entries))
  if (given !== undefined) writeFileSync(join(folder, 'environment.json'), JSON.stringify(given))
  return state
}

function lines(entries: readonly JournalEntry[]): string {
  return stamped(entries)
    .map(entry => `${JSON.stringify(entry)}\n`)
    .join('')
}

async function all<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const found: Value[] = []
  for await (const value of values) found.push(value)
  return found
}

/** The words that a test is about. */
function brief(entry: TimelineEntry): string {
  if (entry.kind === 'item') return `item ${entry.item} ${entry.state}`
  const words = `${entry.kind} ${entry.argv.join(' ')}`
  return entry.kind === 'call' ? `${words} ${entry.outcome ?? 'no result'}` : words
}

test('a call stands where it began, with the end that came later', async () => {
  const told = await all(
    timelineOf(
      stamped([
        begin(),
        call('a', ['slow'], { item: 'web' }),
        call('b', ['quick']),
        result('b', { exitCode: 1, class: 'not found', outcome: 'failed-definite' }),
        { kind: 'item', key: 'api', state: 'running', class: null, message: null, attempt: 1 },
        { kind: 'item', key: 'api', state: 'failed', class: 'not found', message: 'no', attempt: 1 },
        result('a', { durationMs: 400 }),
        call('c', ['lost']),
      ]),
    ),
  )
  expect(told.map(brief)).toEqual([
    'call slow ok',
    'call quick failed-definite',
    'item api failed',
    'call lost no result',
  ])
  expect(told[0]).toEqual({
    ...{ kind: 'call', line: 2, offsetMs: 100, item: 'web', tool: 'kubectl', argv: ['slow'], verb: 'slow' },
    ...{ effect: 'mutate', targets: [], planned: false, undo: false, durationMs: 400, exitCode: 0 },
    ...{ signal: null, class: null, outcome: 'ok', answered: 'tool' },
  })
  expect(told[3]).toMatchObject({ durationMs: null, exitCode: null, answered: null })
})

test('refusals and changes that no plan lists are told; what an earlier run did is not', async () => {
  const told = await all(
    timelineOf(
      stamped([
        begin('plan'),
        { ...call('old', ['earlier']), carried: true },
        { ...result('old'), carried: true },
        { kind: 'item', key: 'old', state: 'ok', class: null, message: null, attempt: 1, carried: true },
        {
          ...{ kind: 'refused', tool: 'kubectl', argv: ['proxy'], verb: 'proxy' },
          ...{ code: 'REFUSED', message: 'it opens a door', item: null },
        },
        {
          ...{ kind: 'refused', tool: 'kubectl', argv: ['delete'], verb: 'delete' },
          ...{ code: 'SKIPPED', message: 'it is not in the plan', item: 'web' },
        },
        { kind: 'item', key: 'web', state: 'ok', class: null, message: null, attempt: 1 },
      ]),
      true,
    ),
  )
  expect(told.map(brief)).toEqual(['refused proxy', 'refused delete', 'item web ok'])
  expect(told[0]).toMatchObject({ code: 'REFUSED', message: 'it opens a door' })
  expect(told[2]).toMatchObject({ rehearsed: true })
})

test('secrets and control characters of arguments and messages do not come out', async () => {
  const token = 'tok-7Hq2mZ9xP4vL8sWd'
  const state = store(
    [
      begin(),
      call('a', ['create', 'secret', '--from-literal=password=hunter22hunter', '--password', 'openSesame99']),
      call('b', ['apply', '--token', 'short', '--as', `Bearer ${token}`], { item: `web/${token}` }),
      call('c', ['\u001B[2Jget\u0007', 'harmless\rrm -rf', 'a\nb', 'zero\u200Bwidth'], {
        targets: ['\u009B1mx'],
      }),
      call('d', ['--sort-key', 'created-at', '--name', 'w'.repeat(5000)]),
      {
        ...{ kind: 'refused', tool: 'kubectl', argv: [], verb: '', code: 'REFUSED', item: null },
        message: `no ${token} here\u001B]0;x\u0007`,
      },
    ],
    { DEPLOY_TOKEN: token },
  )
  const told = await all(readTimeline(state, 'last', { callerEnvironment: {} }))
  const argv = told.map(entry => (entry.kind === 'item' ? [] : entry.argv))
  expect(argv[0]).toEqual([
    ...['create', 'secret', '--from-literal=password=[redacted:password]', '--password'],
    '[redacted:password]',
  ])
  expect(JSON.stringify(told)).not.toContain(token)
  expect(argv[1]!.slice(0, 3)).toEqual(['apply', '--token', 'short']) // too short to be one
  expect(told[1]!.item).toMatch(/^web\/\[redacted/)
  expect(argv[2]).toEqual(['get', 'harmless rm -rf', 'a b', 'zerowidth'])
  expect(told[2]).toMatchObject({ targets: ['x'] })
  expect(argv[3]!.slice(0, 3)).toEqual(['--sort-key', 'created-at', '--name'])
  expect(argv[3]![3]!.length).toBeLessThanOrEqual(1000)
  expect(told[4]).toMatchObject({ message: expect.stringMatching(/^no \[redacted.*\] here$/) })
  // The control: who knows no such secret sees the words.
  rmSync(join(state, 'runs', RUN, 'environment.json'))
  const unknowing = await all(readTimeline(state, 'last', { callerEnvironment: {} }))
  expect(unknowing[1]!.item).toBe(`web/${token}`)
})

test('ten thousand calls, some of them open at one time, come in order and in parts', async () => {
  const entries: JournalEntry[] = [begin()]
  for (let index = 0; index < 10_000; index++) {
    entries.push(call(`c${index}`, ['restart', String(index)]))
    if (index >= 8) entries.push(result(`c${index - 8}`)) // eight at a time
  }
  const state = store(entries)
  const begun = performance.now()
  const numbers: number[] = []
  let firstMs = 0
  for await (const entry of readTimeline(state, RUN)) {
    if (numbers.length === 0) firstMs = performance.now() - begun
    if (entry.kind === 'call') numbers.push(Number(entry.argv[1]))
  }
  expect(numbers).toEqual(Array.from({ length: 10_000 }, (_, index) => index))
  expect(firstMs).toBeLessThan((performance.now() - begun) / 2)
}, 60_000)

test('a call that never ends does not keep back the others for ever', async () => {
  const told = await all(
    timelineOf(stamped([begin(), call('hangs', ['a']), call('b', ['b']), result('b'), call('c', ['c'])])),
  )
  expect(told.map(brief)).toEqual(['call a no result', 'call b ok', 'call c no result'])
})

test('a run without a journal has no calls, and a torn journal says so', async () => {
  const state = store([begin()])
  rmSync(join(state, 'runs', RUN, 'journal.jsonl'))
  expect(await all(readTimeline(state, RUN))).toEqual([])
  writeFileSync(join(state, 'runs', RUN, 'journal.jsonl'), `${lines([begin()])}{"torn\n`)
  await expect(all(readTimeline(state, RUN))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
})

test('a search finds calls by words, target and refusal, and no secret by guessing it', async () => {
  const state = store([
    begin(),
    call('a', ['scale', 'deployment', '-l', 'app=web', '--password', 'openSesame99'], {
      targets: ['shop/deployment/web-1'],
    }),
    { kind: 'item', key: 'web-1', state: 'ok', class: null, message: null, attempt: 1 },
    {
      ...{ kind: 'refused', tool: 'kubectl', argv: ['proxy'], verb: 'proxy' },
      ...{ code: 'REFUSED', message: 'it opens a door', item: null },
    },
  ])
  const found = (pattern: string, limit = 10) =>
    all(searchRuns(state, pattern, { limit, perRun: limit, callerEnvironment: {} }))
  const scale = {
    ...{ run: RUN, stream: 'call', line: 2 },
    text: 'kubectl scale deployment -l app=web --password [redacted:password] (scale: shop/deployment/web-1)',
  }
  expect(await found('app=web')).toEqual([scale])
  expect(await found('(?i)DEPLOYMENT/WEB')).toEqual([scale])
  expect(await found('opens a d.or')).toEqual([
    { run: RUN, stream: 'call', line: 4, text: 'kubectl proxy (refused: it opens a door)' },
  ])
  expect(await found('openSesame')).toEqual([])
  expect(await found('kubectl', 1)).toEqual([scale])
  await expect(found('(')).rejects.toMatchObject({ code: 'USAGE' })
})

test('progress counts what a growing journal says, and half a line not yet', async () => {
  const state = store([])
  const path = join(state, 'runs', RUN, 'journal.jsonl')
  const reader = openProgress(state, RUN)
  expect(await reader.read()).toEqual({ items: null, calls: { total: 0, mutations: 0, open: 0 } })
  const whole = lines([
    begin(),
    { kind: 'item', key: 'a', state: 'pending', class: null, message: null, attempt: 0 },
    { kind: 'item', key: 'b', state: 'pending', class: null, message: null, attempt: 0 },
    call('x', ['restart'], { item: 'a' }),
    call('y', ['get'], { effect: 'read' }),
    result('x', { exitCode: 1 }),
    { kind: 'item', key: 'a', state: 'failed', class: 'exit 1', message: null, attempt: 1 },
  ])
  const half = whole.length - 20
  writeFileSync(path, whole.slice(0, half))
  expect(await reader.read()).toEqual({
    items: { total: 2, ended: 0, failed: 0, unknown: 0 },
    calls: { total: 2, mutations: 1, open: 1 },
  })
  writeFileSync(path, whole)
  expect(await reader.read()).toEqual({
    items: { total: 2, ended: 1, failed: 1, unknown: 0 },
    calls: { total: 2, mutations: 1, open: 1 },
  })
})
