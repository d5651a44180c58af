/** What is known of psql. SQL is never run in planning, not even inside a transaction that is taken back. */

import type { Call, Decision } from '../effects/decision.ts'
import { readPsql } from '../effects/psql.ts'
import { failureBy, NETWORK_FAILURES } from './failures.ts'
import type { FailureRule } from './failures.ts'
import { canonicalOptions } from './flags.ts'
import { unheard } from './generic.ts'
import type { ToolKnowledge } from './knowledge.ts'

const ORDERED = new Set(['command', 'file'])
const HARMLESS = new Set(['dbname', 'host', 'port', 'username', 'no-password', 'no-psqlrc', ...ORDERED])

const canonical = (call: Call, { target }: Decision): readonly string[] => {
  const read = readPsql(call.argv)
  if (read === null) return call.argv
  const database = target.kind === 'sql' ? target.database : null
  // `--set` and `--variable` are one flag.
  const options = read.options.map(one => (one.name === 'variable' ? { ...one, name: 'set' } : one))
  return [
    `--dbname=${database ?? ''}`,
    ...canonicalOptions(options, { harmless: HARMLESS, repeated: new Set(['set', 'pset']) }),
    '--',
    // What is run, in its order: psql mixes both.
    ...read.options
      .filter(({ name }) => ORDERED.has(name))
      .map(({ name, value }) => (name === 'file' ? '--file=<file>' : `--command=${value ?? ''}`)),
  ]
}

/** `prod/shop: UPDATE orders SET`. */
const targetsOf = ({ target }: Decision): readonly string[] => {
  if (target.kind !== 'sql') return ['psql']
  const heads = target.statements.map(statement => statement.split(/\s+/, 3).join(' '))
  const shown = [...new Set(heads)].map(head =>
    target.database === null ? head : `${target.database}: ${head}`,
  )
  return shown.length === 0 ? [target.database ?? 'psql'] : shown
}

const RULES: readonly FailureRule[] = [
  {
    class: 'expired login',
    definite: true,
    when: /failed: FATAL:\s+(?:password|\w+) authentication failed|no password supplied|fe_sendauth|PAM authentication failed/,
    hint: 'the password or token of the role is not accepted: renew it',
  },
  {
    class: 'throttled',
    definite: true,
    throttled: true,
    when: /failed: FATAL:\s+(?:sorry, too many clients already|remaining connection slots are reserved|too many connections)/,
  },
  { class: 'not found', definite: true, when: /failed: FATAL:\s+(?:database|role) ".*" does not exist/ },
  {
    class: 'forbidden',
    definite: true,
    when: /failed: FATAL:\s+(?:permission denied|no pg_hba\.conf entry)/,
  },
  // Nothing was sent before there is a connection.
  {
    class: 'unreachable',
    definite: true,
    when: /^psql: error: (?:connection to server|could not (?:connect|translate))/m,
  },
  { class: 'timed out', definite: false, when: /canceling statement due to|timeout expired/ },
  {
    class: 'unreachable',
    definite: false,
    when: /server closed the connection unexpectedly|connection to server was lost/,
  },
  // What came before in the same script may stand, so none of these is definite.
  {
    class: 'forbidden',
    definite: false,
    when: /ERROR:\s+(?:permission denied|must be owner|cannot execute .* in a read-only)/,
  },
  {
    class: 'conflict',
    definite: false,
    when: /ERROR:\s+(?:duplicate key|deadlock detected|could not serialize|.* already exists)/,
  },
  { class: 'not found', definite: false, when: /ERROR:\s+.* does not exist/ },
  {
    class: 'invalid',
    definite: false,
    when: /ERROR:\s+(?:syntax error|invalid input|null value|new row|value too long|column|operator)/,
  },
]

export const PSQL: ToolKnowledge = {
  canonical,
  rehearse: (call, decision) =>
    Promise.resolve(unheard(call, 'what SQL prints is known only once it ran', targetsOf(decision))),
  failure: (exitCode, stderr, stdout = '') => {
    const options = { didSomething: stdout !== '' }
    // Exit code 2: the connection. Before it there is nothing, and after it nothing is certain.
    const refused = exitCode === 2 && /^psql: error: /m.test(stderr)
    return failureBy(refused ? RULES : [...RULES, ...NETWORK_FAILURES], stderr, options)
  },
}
