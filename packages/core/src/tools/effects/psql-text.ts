/**
 * Looks for what psql itself would do with a text: start programs, read and write files, go to other servers.
 *
 * psql reads a text by rules that the server can change as it goes (a quote by its settings, a letter by its encoding,
 * a whole line by a variable), so no reading of strings and comments is a proof of what psql takes for a command.
 * Two looks, then. What must never happen is searched for without regard to strings and comments: leading that astray
 * gains nothing. Besides, the statements are told apart for the plan, and each command between them is looked up.
 */

import { PSQL_COMMANDS, PSQL_LOOKS, PSQL_REFUSED_VARIABLES } from './tables/psql.ts'

export interface Variable {
  readonly name: string
  readonly value: string
}

export interface PsqlScan {
  /** Why psql must not see this text; null: nothing in it concerns psql. */
  readonly refused: string | null
  /** There is no SQL in it. */
  readonly looksOnly: boolean
  /** One by one, without comments; what psql itself is told as well. A refused text has none. */
  readonly statements: readonly string[]
}

/**
 * The text of `-c`. One that begins with a backslash is a single command, and the rest of it, lines and all, its
 * arguments; any other goes to the server as it is.
 */
export const scanCommand = (text: string): PsqlScan => {
  if (text.startsWith('\\')) {
    const why = /[\n\r]/.test(text) ? 'a backslash command is one line' : refusedCommand(text)
    return why === null ? { ...scanned(text), looksOnly: isLook(text) } : refusal(why)
  }
  return { ...scanned(text), looksOnly: false }
}

/** A file, or stdin. */
export const scanScript = (text: string): PsqlScan => {
  // A backtick counts on the line of a command only; whether a backslash begins one is not for us to say.
  if (/\\[^\n]*`/.test(text)) return refusal('a backtick on the line of a backslash can start a program')
  const lines = text.split('\n').filter(line => line.trim() !== '')
  return { ...scanned(text), looksOnly: lines.length > 0 && lines.every(isLook) }
}

const isLook = (line: string): boolean => {
  const command = commandOf(line.trimStart())
  const known = PSQL_LOOKS.has(command) || /^d[A-Za-z]*\+?$/.test(command)
  return known && /^[\t\r -~]*$/.test(line)
}

const refusal = (why: string): PsqlScan => ({ refused: why, looksOnly: false, statements: [] })

/** What starts a program, opens a file, shows the environment or leaves for another server. */
const NEVER =
  /\\(?:!|(?:copy|setenv|getenv|password|prompt|gexec|gset)\b|lo_|(?:c|connect|e|edit|ef|ev|i|ir|include|include_relative)(?=[\s\\]|$)|(?:g|gx|o|out|w|write)[ \t|(]+[^\s;])/

/** Variables that psql sets itself, to what a server says. */
const TOLD = ['LAST_ERROR_MESSAGE', 'DBNAME', 'USER', 'HOST', 'ENCODING', 'SERVER_VERSION_NAME']

/** A value that stays one word wherever it is put. */
const HARMLESS = /^(?:(?!--|\/\*|\*\/|:[A-Za-z_\u0080-\uffff{'"])[^'"\\`$\n\r\0])*$/

/**
 * Why a variable could bring a command into a text. `:name` is put there before the text is read, with the quotes and
 * backslashes that it holds; `:'name'` is quoted, and safe.
 *
 * @param scripts where a value is put. The arguments of `-c '\…'` are not read again.
 * @param commands of the same call: a variable lives from one to the next.
 */
export const pastedCommand = (
  scripts: readonly string[],
  commands: readonly string[],
  variables: readonly Variable[],
): string | null => {
  const set = [...[...commands, ...scripts].join('\n').matchAll(/\\set[ \t]+(\S+)[ \t]*([^\n]*)/g)].map(
    ([, name = '', value = '']) => ({
      name,
      value: /^'([^']*)'\s*$/.exec(value)?.[1] ?? value,
    }),
  )
  const harmful = [...variables, ...set].filter(({ value }) => !HARMLESS.test(value)).map(one => one.name)
  const odd = harmful.find(name => !/^[\w\u0080-\uffff]+$/.test(name))
  if (odd !== undefined) return `\`${odd}\` is no plain name of a variable`
  const names = [...TOLD, ...harmful].join('|')
  const pasted = new RegExp(`(?<!:):(${names})(?![\\w\\u0080-\\uffff])`).exec(scripts.join('\n'))?.[1]
  if (pasted === undefined) return null
  return `\`:${pasted}\` puts a value into the text that could hold a command; \`:'${pasted}'\` quotes it`
}

/** Statements and commands, past strings and comments. */
const scanned = (text: string): Omit<PsqlScan, 'looksOnly'> => {
  const statements: string[] = []
  let statement = ''
  const ends = (): void => {
    if (statement.trim() !== '') statements.push(statement.trim())
    statement = ''
  }
  let at = 0
  const never = NEVER.exec(text)?.[0]
  if (never !== undefined)
    return refusal(`\`${never}\` starts a program, opens a file or goes to another server`)
  // Also what stands for a text that was too large to be read.
  if (text.includes('\0')) return refusal('a text holds a NUL byte, or is too large to be looked at')
  const pieces: readonly (readonly [RegExp, 'blank' | 'sql'])[] = [
    [/--[^\n\r]*/y, 'blank'],
    [/[ \t\n\r\f\v]+|;/y, 'blank'],
    [/[eE]'(?:[^'\\]|\\[^]|'')*'/y, 'sql'],
    [/'(?:[^']|'')*'/y, 'sql'],
    [/"(?:[^"]|"")*"/y, 'sql'],
    [/\$([A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$[^]*?\$\1\$/y, 'sql'],
    [/[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y, 'sql'],
  ]
  while (at < text.length) {
    if (text.startsWith('/*', at)) {
      const end = endOfComment(text, at)
      if (end === null) return refusal('a comment does not end')
      statement += ' '
      at = end
      continue
    }
    // `\;` is a semicolon, and all that follows on its line is SQL.
    if (text.startsWith('\\;', at)) {
      ends()
      at += 2
      continue
    }
    if (text[at] === '\\') {
      const line = /^[^\n]*/.exec(text.slice(at))?.[0] ?? ''
      const why = refusedCommand(line)
      if (why !== null) return refusal(why)
      ends()
      statements.push(line.trim())
      at += line.length
      continue
    }
    const [found, kind] = nextPiece(text, at, pieces)
    // Whether such a quote ends the string depends on a setting of the server.
    if (kind === 'sql' && found.includes(String.raw`\'`))
      return refusal("`\\'` in a string ends it or not, by a setting")
    if (found.length === 1 && OPENS_QUOTATION.test(text.slice(at, at + 80))) {
      return refusal('a quotation does not end')
    }
    if (found.startsWith('--')) statement += ' '
    else if (found === ';') ends()
    else statement += found
    at += found.length
  }
  ends()
  return { refused: null, statements }
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
