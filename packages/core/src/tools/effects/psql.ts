/**
 * Decides a call of psql.
 *
 * No reading of SQL is a proof: functions write, `WITH … DELETE` writes, `EXPLAIN ANALYZE` runs. So SQL is a
 * mutation unless the operator says with `reads = ["sql"]` that the role can only read. What psql does by itself
 * (programs, files, other servers) is refused whoever asks.
 */

import { judge, readOrNull, Refusal } from './decision.ts'
import type { Call, Judgement, ToolPolicy } from './decision.ts'
import { Operands } from './operands.ts'
import { GETOPT, lastValue, parseOptionSpecs, readArgv, valuesOf } from './options.ts'
import type { ReadArgv } from './options.ts'
import { pastedCommand, scanCommand, scanScript, type Variable } from './psql-text.ts'
import { PSQL_FLAGS, PSQL_IDENTITY, PSQL_REFUSED_VARIABLES } from './tables/psql.ts'

const SPECS = parseOptionSpecs(PSQL_FLAGS)
const SQL_PATTERN = 'sql'

/** The call as the table reads it; null: it cannot. */
export const readPsql = (argv: readonly string[]): ReadArgv | null =>
  readOrNull(() => readArgv(argv, SPECS, GETOPT))

export const decidePsql = (call: Call, policy: ToolPolicy): Judgement => {
  const read = readArgv(call.argv, SPECS, GETOPT)
  const has = (name: string): boolean => read.options.some(one => one.name === name)
  const database = connection(read, policy)
  const operands = new Operands(call)
  for (const name of ['log-file', 'output']) {
    for (const value of valuesOf(read, name)) {
      if (value.startsWith('|')) throw new Refusal(`\`--${name}\` starts a program`)
      operands.add(value, { access: 'write', dash: false })
    }
  }
  const variables = [...valuesOf(read, 'set'), ...valuesOf(read, 'variable')].map(variableOf)
  for (const { name, value } of variables) {
    if (PSQL_REFUSED_VARIABLES.test(name)) {
      throw new Refusal(`the variable \`${name}\` is one that psql runs or writes to`)
    }
    if (value.includes('\\')) throw new Refusal('the value of a variable may not hold a backslash')
  }
  for (const value of valuesOf(read, 'pset'))
    if (/pager/i.test(value)) throw new Refusal('a pager is a program')
  for (const value of valuesOf(read, 'file')) operands.add(value)

  // Not sooner: psql opens `-o` and `-L` as it reads them, before it comes to `--help`.
  if (has('version') || has('help')) return judge('read', 'help', 'prints its help or its version')

  const commands = valuesOf(read, 'command')
  const fromStdin =
    commands.length === 0 && operands.files.every(one => one.access === 'write') && !has('list')
  const readsStdin = operands.readsStdin || fromStdin
  const scripts = [
    ...operands.files.filter(one => one.access === 'read').map(one => one.path),
    ...(readsStdin && call.stdin === 'inherited' ? ['-'] : []),
  ]
  const needs = scripts.filter(key => call.texts?.[key] === undefined)
  const files = scripts.flatMap(key => call.texts?.[key] ?? [])
  const scans = [...commands.map(scanCommand), ...files.map(scanScript)]
  const rest = {
    target: { kind: 'sql' as const, database, statements: scans.flatMap(one => one.statements) },
    files: operands.files,
    readsStdin,
    needs,
    words: call.argv,
  }
  const refused =
    scans.find(one => one.refused !== null)?.refused ?? pastedCommand(files, commands, variables)
  if (refused !== null) return judge('refuse', SQL_PATTERN, refused, rest)
  if (needs.length > 0) {
    return judge(
      'refuse',
      SQL_PATTERN,
      'a backslash command can start programs, and this text has not been read',
      rest,
    )
  }
  if (has('list') && scans.length === 0) return judge('read', 'list', 'lists the databases', rest)
  if (scans.every(one => one.looksOnly))
    return judge('read', 'look', 'backslash commands that only look', rest)
  if (policy.reads.some(pattern => pattern.trim() === SQL_PATTERN)) {
    return judge('read', SQL_PATTERN, 'the operator says that the role can only read', rest)
  }
  return judge('mutate', SQL_PATTERN, 'SQL may write: only the role that runs it can rule that out', {
    ...rest,
    hint: '`[tools.psql] reads = ["sql"]` says that the role can only read',
  })
}

/** @returns the database, if the call names one. */
const connection = (read: ReadArgv, policy: ToolPolicy): string | null => {
  const operators = readArgv(policy.args, SPECS, GETOPT).options
  for (const { name, value } of read.options) {
    if (name === 'password' || name === 'single-step') throw new Refusal(`\`--${name}\` asks on a terminal`)
    if (!PSQL_IDENTITY.has(name) || operators.some(one => one.name === name && one.value === value)) continue
    throw new Refusal(`\`--${name}\` decides where the operator's identity goes`, {
      hint: 'leave it out; the operator sets it in `[tools.psql] args`',
    })
  }
  const operands = [...read.operands, ...(read.rest ?? [])]
  if (operands.length > 1) throw new Refusal('a second operand is the role to log in as')
  const names = [...valuesOf(read, 'dbname'), ...operands]
  for (const name of names) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(name)) {
      throw new Refusal(
        `\`${name}\` may be a connection string, which decides where the operator's identity goes`,
      )
    }
  }
  return lastValue(read, 'dbname') ?? operands[0] ?? null
}

const variableOf = (assignment: string): Variable => {
  const [name = '', value = ''] = assignment.split(/=(.*)/s, 2)
  return { name, value }
}
