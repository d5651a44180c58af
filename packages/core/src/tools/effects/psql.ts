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
import {
  PSQL_COMMANDS,
  PSQL_FLAGS,
  PSQL_IDENTITY,
  PSQL_LOOKS,
  PSQL_REFUSED_VARIABLES,
} from './tables/psql.ts'

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
  for (const value of [...valuesOf(read, 'set'), ...valuesOf(read, 'variable')]) {
    if (PSQL_REFUSED_VARIABLES.test(value.split('=', 1)[0] ?? '')) {
      throw new Refusal(`the variable of \`${value}\` is one that psql runs or writes to`)
    }
    // `:name` is put into the text before it is read, backslash commands included.
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
  const texts = [...commands, ...scripts.flatMap(key => call.texts?.[key] ?? [])]
  const scans = texts.map(scanPsql)
  const rest = {
    target: { kind: 'sql' as const, database, statements: scans.flatMap(one => one.statements) },
    files: operands.files,
    readsStdin,
    needs,
    words: call.argv,
  }
  const refused = scans.find(one => one.refused !== null)?.refused
  if (refused !== undefined && refused !== null) return judge('refuse', SQL_PATTERN, refused, rest)
  if (needs.length > 0) {
    return judge(
      'refuse',
      SQL_PATTERN,
      'a backslash command can start programs, and this text has not been read',
      rest,
    )
  }
  if (has('list') && texts.length === 0) return judge('read', 'list', 'lists the databases', rest)
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

export interface PsqlScan {
  /** Why psql must not see this text; null: nothing in it concerns psql. */
  readonly refused: string | null
  /** There is no SQL in it. */
  readonly looksOnly: boolean
  /** One by one, without comments; what psql itself is told as well. A refused text has none. */
  readonly statements: readonly string[]
}

/** Looks for what psql itself would do with a text, past strings and comments. */
export const scanPsql = (text: string): PsqlScan => {
  const statements: string[] = []
  let statement = ''
  const ends = (): void => {
    if (statement.trim() !== '') statements.push(statement.trim())
    statement = ''
  }
  let looksOnly = true
  let at = 0
  // Whatever the lexer below makes of it: no honest string holds these.
  const blunt = /\\(?:!|copy\b|setenv\b|gexec\b|o\s*\|)/i.exec(text)
  const refused = (why: string): PsqlScan => ({ refused: why, looksOnly: false, statements: [] })
  if (blunt !== null) return refused(`\`${blunt[0]}\` starts a program or reads files`)
  // Also what stands for a text that was too large to be read.
  if (text.includes('\0')) return refused('a text holds a NUL byte, or is too large to be looked at')
  const pieces: readonly (readonly [RegExp, 'blank' | 'sql'])[] = [
    [/--[^\n]*/y, 'blank'],
    [/\s+|;/y, 'blank'],
    [/[eE]'(?:[^'\\]|\\[^]|'')*'/y, 'sql'],
    [/'(?:[^']|'')*'/y, 'sql'],
    [/"(?:[^"]|"")*"/y, 'sql'],
    [/\$([A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$[^]*?\$\1\$/y, 'sql'],
    [/[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y, 'sql'],
  ]
  while (at < text.length) {
    if (text.startsWith('/*', at)) {
      const end = endOfComment(text, at)
      if (end === null) return refused('a comment does not end')
      statement += ' '
      at = end
      continue
    }
    // `\;` is a semicolon, and all that follows on its line is SQL.
    if (text.startsWith('\\;', at)) {
      ends()
      looksOnly = false
      at += 2
      continue
    }
    if (text[at] === '\\') {
      const line = /^[^\n]*/.exec(text.slice(at))?.[0] ?? ''
      const why = refusedCommand(line)
      if (why !== null) return refused(why)
      const command = commandOf(line)
      if (!PSQL_LOOKS.has(command) && !command.startsWith('d')) looksOnly = false
      ends()
      statements.push(line.trim())
      at += line.length
      continue
    }
    const [found, kind] = nextPiece(text, at, pieces)
    // Whether such a quote ends the string depends on a setting of the server.
    if (kind === 'sql' && found.includes(String.raw`\'`))
      return refused("`\\'` in a string ends it or not, by a setting")
    if (found.length === 1 && OPENS_QUOTATION.test(text.slice(at, at + 80))) {
      return refused('a quotation does not end')
    }
    if (kind === 'sql') looksOnly = false
    if (found.startsWith('--')) statement += ' '
    else if (found === ';') ends()
    else statement += found
    at += found.length
  }
  ends()
  return { refused: null, looksOnly: looksOnly && text.trim() !== '', statements }
}

const OPENS_QUOTATION = /^(?:['"]|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)/

const nextPiece = (
  text: string,
  at: number,
  pieces: readonly (readonly [RegExp, 'blank' | 'sql'])[],
): readonly [string, 'blank' | 'sql'] => {
  for (const [pattern, kind] of pieces) {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined && found !== '') return [found, kind]
  }
  return [text.charAt(at), 'sql']
}

/** Comments nest in PostgreSQL. */
const endOfComment = (text: string, from: number): number | null => {
  let depth = 0
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith('/*', at)) {
      depth += 1
      at += 1
    } else if (text.startsWith('*/', at)) {
      depth -= 1
      at += 1
      if (depth === 0) return at + 1
    }
  }
  return null
}

const commandOf = (line: string): string => /^\\([A-Za-z]+\+?|[?;!\\])/.exec(line)?.[1] ?? ''

const refusedCommand = (line: string): string | null => {
  const command = commandOf(line)
  if (line.includes('`')) return 'backticks on the line of a backslash command start a program'
  if (line.indexOf('\\', 1) > 0) return 'two backslash commands on one line'
  const known = PSQL_COMMANDS.has(command) || /^d[A-Za-z]*\+?$/.test(command)
  if (!known || command === '!') return `the command \`\\${command}\` is not in the table`
  const argument = line.slice(command.length + 1).trim()
  if (/^(g|gx)$/.test(command) && argument !== '' && argument !== ';') {
    return `\`\\${command}\` with an argument writes to a file or a program`
  }
  if (command === 'set' && PSQL_REFUSED_VARIABLES.test(argument.split(/\s/, 1)[0] ?? '')) {
    return 'the variable is one that psql runs or writes to'
  }
  if (command === 'pset' && /pager/i.test(argument)) return 'a pager is a program'
  return null
}
