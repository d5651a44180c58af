/** Any tool without knowledge of its own: what it prints is not known before it ran, and its words mean what they say. */

import type { Call } from '../effects/decision.ts'
import { plainFailure } from './failures.ts'
import type { Rehearsal, ToolKnowledge } from './knowledge.ts'
import { firstWords } from './words.ts'

/** An answer without a word: what the call would print is not known. */
export const unheard = (
  call: Call,
  incomplete: string | null,
  targets: readonly string[] = [firstWords([call.tool, ...call.argv])],
): Rehearsal => ({ exitCode: 0, stdout: '', stderr: '', runs: [call.argv], targets, incomplete, before: {} })

export const GENERIC: ToolKnowledge = {
  canonical: ({ argv }) => argv,
  rehearse: call =>
    Promise.resolve(
      unheard(call, `what \`${firstWords([call.tool, ...call.argv])}\` prints is known only once it ran`),
    ),
  failure: plainFailure,
}
