/** What is known of amtool. It has no dry run, and the id of a silence is made by Alertmanager. */

import { readAmtool } from '../effects/amtool.ts'
import type { Call } from '../effects/decision.ts'
import { AMTOOL_FILE_FLAGS, AMTOOL_IDENTITY } from '../effects/tables/amtool.ts'
import { failureBy, NETWORK_FAILURES } from './failures.ts'
import type { FailureRule } from './failures.ts'
import { canonicalOptions } from './flags.ts'
import { unheard } from './generic.ts'
import type { Rehearsal, ToolKnowledge } from './knowledge.ts'

const RULES_OF_FLAGS = {
  harmless: new Set(['version-check', 'timeout', 'verbose', 'date.format', ...AMTOOL_IDENTITY]),
  repeated: new Set(['annotation']),
  files: new Set(AMTOOL_FILE_FLAGS),
}

const canonical = (call: Call): readonly string[] => {
  const parsed = readAmtool(call.argv)
  if (parsed === null) return call.argv
  const words = [...parsed.read.operands, ...(parsed.read.rest ?? [])]
  const isSet = parsed.verb.startsWith('silence ') && parsed.verb !== 'silence import'
  return [
    parsed.verb,
    ...canonicalOptions([...parsed.before.options, ...parsed.read.options], RULES_OF_FLAGS),
    '--',
    // Matchers, and ids, are sets.
    ...(isSet ? words.toSorted() : parsed.verb === 'silence import' ? words.map(() => '<file>') : words),
  ]
}

/** In the form that scripts cut out and pass on; no silence has it. */
const NO_ID = '00000000-0000-0000-0000-000000000000'

const rehearse = (call: Call): Rehearsal => {
  const parsed = readAmtool(call.argv)
  if (parsed === null) return unheard(call, 'the words of this call are in no table')
  const words = [...parsed.read.operands, ...(parsed.read.rest ?? [])]
  switch (parsed.verb) {
    case 'silence add':
      return {
        ...unheard(call, 'the id of a silence is known only once it is added', [
          `silence ${words.join(' ')}`,
        ]),
        stdout: `${NO_ID}\n`,
      }
    case 'silence expire':
      return unheard(call, null, words.length === 0 ? ['silence'] : words.map(id => `silence/${id}`))
    case 'alert add':
      return unheard(call, null, [`alert ${words.join(' ')}`])
    default:
      return unheard(call, `what \`amtool ${parsed.verb}\` prints is known only once it ran`)
  }
}

const RULES: readonly FailureRule[] = [
  { class: 'forbidden', definite: true, when: /\b(?:401|403)\b|unauthorized|forbidden/i },
  { class: 'throttled', definite: true, throttled: true, when: /\b429\b|too many requests/i },
  { class: 'not found', definite: true, when: /\[404\]|not found/i },
  {
    class: 'invalid',
    definite: true,
    when: /\[400\]|bad matcher|no matchers|matcher value contains|comment required|unknown (?:long |short )?flag|expected .* argument|not a valid duration|silence (?:cannot|duration must)|parsing time/,
  },
]

export const AMTOOL: ToolKnowledge = {
  canonical,
  rehearse: call => Promise.resolve(rehearse(call)),
  failure: (_exitCode, stderr, stdout = '') =>
    failureBy([...RULES, ...NETWORK_FAILURES], stderr, { didSomething: stdout !== '' }),
}
