/** How far a run has come, from its journal as it grows. Reads each byte once. */

import { open } from 'node:fs/promises'
import type { ItemState, RecordedEntry } from './journal/entries.ts'
import { runFolder } from './store.ts'

export interface RunProgress {
  /** Null: it has none. `ended` counts those that are ok, failed, unknown or skipped. */
  readonly items: {
    readonly total: number
    readonly ended: number
    readonly failed: number
    readonly unknown: number
  } | null
  readonly calls: { readonly total: number; readonly mutations: number; readonly open: number }
}

export interface ProgressReader {
  /** What is there now. A journal that is not there yet, or cannot be read, says nothing. */
  read(): Promise<RunProgress>
}

const CHUNK_BYTES = 256 * 1024
const NEWLINE = 0x0a

export function openProgress(stateFolder: string, run: string): ProgressReader {
  const { journal } = runFolder(stateFolder, run)
  const telling = new Telling()
  let position = 0
  let rest: Buffer = Buffer.alloc(0)
  return {
    read: async () => {
      const file = await open(journal, 'r').catch(() => null)
      if (file === null) return telling.progress()
      try {
        for (;;) {
          const { buffer, bytesRead } = await file.read(
            Buffer.allocUnsafe(CHUNK_BYTES),
            0,
            CHUNK_BYTES,
            position,
          )
          if (bytesRead === 0) return telling.progress()
          position += bytesRead
          const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
          const end = bytes.lastIndexOf(NEWLINE)
          for (const line of bytes.toString('utf8', 0, Math.max(0, end)).split('\n'))
            telling.hear(parse(line))
          rest = bytes.subarray(end + 1)
        }
      } finally {
        await file.close()
      }
    },
  }
}

/** What is torn is told by whoever needs it whole; progress goes on without. */
function parse(line: string): RecordedEntry | null {
  try {
    return JSON.parse(line) as RecordedEntry
  } catch {
    return null
  }
}

class Telling {
  readonly #items = new Map<string, ItemState>()
  readonly #open = new Set<string>()
  #total = 0
  #mutations = 0

  hear(entry: RecordedEntry | null): void {
    if (entry?.kind === 'item') {
      if (entry.carried !== true || entry.state === 'ok') this.#items.set(entry.key, entry.state)
    } else if (entry?.kind === 'call' && entry.carried !== true) {
      this.#total += 1
      if (entry.effect === 'mutate') this.#mutations += 1
      this.#open.add(entry.call)
    } else if (entry?.kind === 'result') this.#open.delete(entry.call)
  }

  progress(): RunProgress {
    const counts = new Map<ItemState, number>()
    for (const state of this.#items.values()) counts.set(state, (counts.get(state) ?? 0) + 1)
    const of = (state: ItemState): number => counts.get(state) ?? 0
    const total = this.#items.size
    return {
      items:
        total === 0
          ? null
          : {
              total,
              ended: total - of('pending') - of('running'),
              failed: of('failed'),
              unknown: of('unknown'),
            },
      calls: { total: this.#total, mutations: this.#mutations, open: this.#open.size },
    }
  }
}
