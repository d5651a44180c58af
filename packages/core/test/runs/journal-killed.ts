/** Kills a writer of a journal at a random moment and looks at what it left. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readJournal } from '../../src/runs/journal.ts'

export const WRITER = fileURLToPath(new URL('./journal-writer.ts', import.meta.url))

export interface Leftover {
  /** What the writer was told to be durable, in the order of its output. */
  readonly acknowledged: readonly string[]
  /** `c1 started`, `c1 ended`, in the order of the file. */
  readonly found: readonly string[]
  readonly isTorn: boolean
}

export async function killWriter(afterMs: number): Promise<Leftover> {
  const folder = mkdtempSync(join(tmpdir(), 'srecodex-journal-'))
  try {
    const child = spawn(process.execPath, [WRITER, folder, 'kill'], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
    const closed = once(child, 'close')
    await once(child.stdout, 'data')
    await sleep(afterMs)
    child.kill('SIGKILL')
    await closed
    const path = join(folder, 'journal.jsonl')
    const found = (await readJournal(path)).flatMap(entry => {
      if (entry.kind === 'call') return `${entry.call} started`
      return entry.kind === 'result' ? `${entry.call} ended` : []
    })
    const acknowledged = output.split('\n').slice(0, -1)
    return { acknowledged, found, isTorn: !readFileSync(path, 'utf8').endsWith('\n') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What was acknowledged and is not there, and results that stand before their calls. */
export function wrongIn({ acknowledged, found }: Leftover): string[] {
  const places = new Map(found.map((line, i) => [line, i]))
  const lost = acknowledged.filter(line => !places.has(line)).map(line => `lost: ${line}`)
  const unordered = found
    .filter(line => line.endsWith(' ended'))
    .filter(line => (places.get(line.replace('ended', 'started')) ?? Infinity) > places.get(line)!)
    .map(line => `before its call: ${line}`)
  return [...lost, ...unordered]
}
