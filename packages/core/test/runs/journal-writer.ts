/**
 * Writes a journal until it is killed, or its disk is full, and says on stdout what was acknowledged.
 *
 * argv: FOLDER kill | full | limit
 */

import { existsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { SrecodexError } from '../../src/errors.ts'
import { createJournal, readJournal, type JournalEntry } from '../../src/runs/journal.ts'

const [folder = '', mode = ''] = process.argv.slice(2)
const path = join(folder, 'journal.jsonl')

const call = (id: string): JournalEntry => ({
  kind: 'call',
  call: id,
  tool: 'kubectl',
  argv: ['rollout', 'restart', `deployment/${id}`],
  effect: 'mutate',
  verb: 'rollout restart',
  targets: [`shop/deployment/${id}`],
  item: id,
  identity: id,
  occurrence: 1,
  planned: false,
  undo: false,
  before: {},
  ran: null,
})

const result = (id: string, output: string): JournalEntry => ({
  kind: 'result',
  call: id,
  exitCode: 0,
  signal: null,
  durationMs: 1,
  stdoutBytes: output.length,
  stderrBytes: 0,
  stdout: output,
  class: null,
  answered: 'tool',
})

if (mode === 'kill') await writeForever()
else if (mode === 'full') await fill(64 * 1024)
else await fill(0)

/** Eight at a time, each line acknowledged in one write of its own. */
async function writeForever(): Promise<void> {
  const journal = createJournal(path)
  let next = 0
  const worker = async (): Promise<void> => {
    for (;;) {
      next += 1
      const id = `c${next}`
      await journal.commit(call(id))
      writeSync(1, `${id} started\n`)
      journal.append({ kind: 'item', key: id, state: 'running', class: null, message: null, attempt: 1 })
      await journal.commit(result(id, 'x'.repeat(next % 5000)))
      writeSync(1, `${id} ended\n`)
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

async function fill(reserveBytes: number): Promise<void> {
  const failures: string[] = []
  const journal = createJournal(path, { reserveBytes, onFailure: error => failures.push(error.code) })
  const started: string[] = []
  const ended: string[] = []
  let refusal: SrecodexError | null = null
  let inFlight = ''
  for (let n = 1; refusal === null; n += 1) {
    try {
      inFlight = `c${n}`
      await journal.commit(call(inFlight))
      started.push(inFlight)
      if (n % 2 === 1) continue // its result is still to come when the disk is full
      journal.append({
        kind: 'refused',
        tool: 't',
        argv: [],
        verb: '',
        code: 'X',
        message: 'y'.repeat(900),
        item: null,
      })
    } catch (error) {
      if (!(error instanceof SrecodexError)) throw error
      refusal = error
    }
  }
  const late = { result: '', once: '', close: '' }
  const code = (error: unknown): string => (error instanceof SrecodexError ? error.code : String(error))
  await journal.commit(result('c1', 'restarted')).then(
    () => ended.push('c1'),
    (error: unknown) => (late.result = code(error)),
  )
  await journal
    .commit({ kind: 'once', name: 'n', value: 1 })
    .catch((error: unknown) => (late.once = code(error)))
  await journal.close().catch((error: unknown) => (late.close = code(error)))
  const entries = await readJournal(path)
  const isReserveLeft = existsSync(`${path}.reserve`)
  const { code: refused, message, details } = refusal
  writeSync(
    1,
    JSON.stringify({
      started,
      ended,
      refused,
      message,
      details,
      late,
      failures,
      isReserveLeft,
      entries,
      inFlight,
    }),
  )
}
