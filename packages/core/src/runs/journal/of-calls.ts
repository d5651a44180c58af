/** The broker's calls, as lines of the journal. */

import type { CallJournal, EndedCall, KeptOutput } from '../../tools/broker/record.ts'
import type { Journal } from '../journal.ts'
import type { ResultEntry } from './entries.ts'
import { keepBytes } from './kept-bytes.ts'

export function journalOfCalls(journal: Journal): CallJournal {
  const mutations = new Set<string>()
  const occurrences = new Map<string, number>()
  return {
    async started({ fallback, runs, ...call }) {
      const { identity, planned, effect } = call
      const occurrence = effect === 'read' ? 0 : (occurrences.get(identity) ?? 0) + 1
      if (effect === 'mutate') {
        occurrences.set(identity, occurrence)
        mutations.add(call.call)
      }
      const entry = {
        kind: 'call' as const,
        ...call,
        occurrence,
        undo: fallback,
        ran: runs.length === 0 ? null : runs,
      }
      if (effect === 'mutate' && !planned) await journal.commit(entry)
      else journal.append(entry)
    },
    async ended(call) {
      const entry = resultEntry(call, mutations.delete(call.call))
      if (call.answered === 'tool' && entry.outcome !== undefined) await journal.commit(entry)
      else journal.append(entry)
    },
    refused(call) {
      journal.append({ kind: 'refused', ...call })
    },
  }
}

function resultEntry(call: EndedCall, isMutation: boolean): ResultEntry {
  const { stdout, stderr, outcome, ...rest } = call
  const counts = { kind: 'result' as const, ...rest, stdoutBytes: stdout.bytes, stderrBytes: stderr.bytes }
  if (!isMutation) return counts
  const isCut = stdout.kept === null || stderr.kept === null
  return {
    ...counts,
    ...keptAs('stdout', stdout),
    ...keptAs('stderr', stderr),
    ...(isCut ? { cut: true } : {}),
    outcome,
  }
}

function keptAs(
  name: 'stdout' | 'stderr',
  { kept }: KeptOutput,
): Partial<Pick<ResultEntry, 'stdout' | 'stderr'>> {
  return kept === null ? {} : { [name]: keepBytes(kept).kept }
}
