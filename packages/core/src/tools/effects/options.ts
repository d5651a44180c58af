/**
 * Reads an argv as the tool itself will read it. Where the two could differ, the call is refused: a flag that one
 * side takes for a value is how a mutation is smuggled past a table.
 *
 * Abbreviated flags are never completed. They are unknown, and unknown is refused.
 */

import { Refusal } from './decision.ts'

export interface OptionSpec {
  readonly long: string
  readonly short: string | null
  /** `optional`: only `--flag=value` gives it one; `--flag value` leaves the value an operand. */
  readonly takes: 'nothing' | 'value' | 'optional'
}

export interface GivenOption {
  readonly name: string
  /** null: the flag stood alone. */
  readonly value: string | null
}

export interface ReadArgv {
  readonly options: readonly GivenOption[]
  readonly operands: readonly string[]
  /** What follows `--`; null: there was none. */
  readonly rest: readonly string[] | null
}

/** How a family of tools spells its flags. */
export interface Dialect {
  /** `--flag=value` is understood. */
  readonly longEquals: boolean
  /** `-n=value` means the value, not `=value`. */
  readonly shortEquals: boolean
  /** `--no-flag` turns a flag off. */
  readonly negation: boolean
}

/** Go's pflag: kubectl, helm. */
export const PFLAG: Dialect = { longEquals: true, shortEquals: true, negation: false }
/** Go's kingpin: amtool. */
export const KINGPIN: Dialect = { longEquals: true, shortEquals: false, negation: true }
/** getopt_long: psql. */
export const GETOPT: Dialect = { longEquals: true, shortEquals: false, negation: false }
/** curl reads `--data=x` as one unknown name. */
export const CURL: Dialect = { longEquals: false, shortEquals: false, negation: false }

/**
 * `A/all-namespaces n/namespace= dry-run?`: a short form before the slash; `=` takes a value, `?` may take one.
 */
export const parseOptionSpecs = (text: string): OptionSpec[] =>
  text
    .split(/\s+/)
    .filter(word => word !== '')
    .map(word => {
      const slash = word.indexOf('/')
      const last = word.at(-1)
      const takes = last === '=' ? 'value' : last === '?' ? 'optional' : 'nothing'
      const long = word.slice(slash + 1, takes === 'nothing' ? undefined : -1)
      return { long, short: slash === 1 ? word.slice(0, 1) : null, takes }
    })

const unknownFlag = (flag: string): Refusal =>
  new Refusal(`the flag \`${flag}\` is not in the table`, {
    hint: 'write flags in full; a pattern that spells the whole call lets through one that the table lacks',
    lift: 'exact',
  })

/** @throws {Refusal} for a flag that is not in `specs`, lacks its value, or has one that it cannot take. */
export const readArgv = (
  argv: readonly string[],
  specs: readonly OptionSpec[],
  dialect: Dialect,
  stopAtOperand = false,
): ReadArgv & { readonly consumed: number } => {
  const byLong = new Map(specs.map(spec => [spec.long, spec]))
  const byShort = new Map(specs.flatMap(spec => (spec.short === null ? [] : [[spec.short, spec] as const])))
  const options: GivenOption[] = []
  const operands: string[] = []

  let index = 0
  const nextValue = (flag: string): string => {
    index += 1
    const value = argv[index]
    if (value === undefined) throw new Refusal(`the flag \`${flag}\` needs a value`)
    return value
  }

  const readLong = (word: string): void => {
    const equals = dialect.longEquals ? word.indexOf('=') : -1
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals)
    const value = equals < 0 ? null : word.slice(equals + 1)
    const negated = dialect.negation && name.startsWith('no-') ? byLong.get(name.slice(3)) : undefined
    const spec = byLong.get(name)
    if (spec === undefined && negated?.takes === 'nothing' && value === null) {
      options.push({ name: negated.long, value: 'false' })
      return
    }
    if (spec === undefined) throw unknownFlag(`--${name}`)
    if (spec.takes === 'nothing' && value !== null && dialect !== PFLAG) {
      throw new Refusal(`the flag \`--${name}\` takes no value`)
    }
    const taken = spec.takes === 'value' ? (value ?? nextValue(`--${name}`)) : value
    options.push({ name: spec.long, value: taken })
  }

  const readCluster = (word: string): void => {
    let letters = word.slice(1)
    while (letters !== '') {
      const letter = letters.slice(0, 1)
      const spec = byShort.get(letter)
      if (spec === undefined) throw unknownFlag(`-${letter}`)
      letters = letters.slice(1)
      if (dialect.shortEquals && letters.startsWith('=')) {
        options.push({ name: spec.long, value: letters.slice(1) })
        return
      }
      if (spec.takes === 'value') {
        options.push({ name: spec.long, value: letters === '' ? nextValue(`-${letter}`) : letters })
        return
      }
      options.push({ name: spec.long, value: null })
    }
  }

  for (; index < argv.length; index += 1) {
    const word = argv[index] ?? ''
    if (word === '--') return { options, operands, rest: argv.slice(index + 1), consumed: argv.length }
    if (word.startsWith('--')) readLong(word)
    else if (word.startsWith('-') && word !== '-') readCluster(word)
    else if (stopAtOperand) return { options, operands, rest: null, consumed: index }
    else operands.push(word)
  }
  return { options, operands, rest: null, consumed: argv.length }
}

export const valuesOf = (read: ReadArgv, name: string): string[] =>
  read.options.flatMap(one => (one.name === name && one.value !== null ? [one.value] : []))

/** The last one counts, as it does for the tools. */
export const lastValue = (read: ReadArgv, name: string): string | null => valuesOf(read, name).at(-1) ?? null

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

/** For what makes a call safer: on only if the last word says so. */
export const isSurelyOn = (read: ReadArgv, name: string): boolean => {
  const last = read.options.findLast(one => one.name === name)
  return last !== undefined && (last.value === null || TRUE.has(last.value))
}

/** For what makes a call worse: on if any word might say so. */
export const mayBeOn = (read: ReadArgv, name: string): boolean =>
  read.options.some(one => one.name === name && (one.value === null || !FALSE.has(one.value)))
