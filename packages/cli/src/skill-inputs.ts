/** Flags from a skill's JSON Schema, and inputs from such flags. Pure. */

import { nearest, type Problem } from '@srecodex/core'

type Schema = Readonly<Record<string, unknown>>

type Kind = 'boolean' | 'integer' | 'number' | 'text' | 'list' | 'json'

export interface InputFlag {
  /** As the schema has it. */
  readonly name: string
  readonly flag: string
  readonly kind: Kind
  readonly schema: Schema
  readonly required: boolean
}

export function inputFlags(schema: Schema | null): InputFlag[] {
  const properties = (schema?.properties ?? {}) as Readonly<Record<string, unknown>>
  const required = Array.isArray(schema?.required) ? (schema.required as unknown[]) : []
  return Object.entries(properties).map(([name, one]) => {
    const own = isSchema(one) ? one : {}
    return { name, flag: flagOf(name), kind: kindOf(own), schema: own, required: required.includes(name) }
  })
}

/** `rollout_timeout_seconds` → `--rollout-timeout-seconds` */
export function flagOf(name: string): string {
  return `--${name.replaceAll('_', '-')}`
}

export interface ParsedInputs {
  readonly inputs: Readonly<Record<string, unknown>>
  readonly problems: readonly Problem[]
}

/** Every problem at once; what cannot be read is left out of the inputs. */
export function parseInputs(words: readonly string[], flags: readonly InputFlag[]): ParsedInputs {
  const inputs: Record<string, unknown> = {}
  const problems: Problem[] = []
  const seen = new Set<string>()
  const say = (message: string, hint?: string): void =>
    void problems.push(hint === undefined ? { message } : { message, hint })
  let at = 0
  while (at < words.length) {
    const word = words[at++]!
    const [given, inline] = splitFlag(word)
    const found = findFlag(given, flags)
    if (found === null) {
      const near = nearest(
        given,
        flags.map(({ flag }) => flag),
      )
      say(
        word.startsWith('-') ? `there is no input \`${given}\`` : `\`${word}\` belongs to no flag`,
        near === undefined ? undefined : `did you mean ${near}?`,
      )
      // Its values are nobody's either, and are not told one by one.
      while (at < words.length && !words[at]!.startsWith('-')) at++
      continue
    }
    const { input, negated } = found
    const { flag, name, kind } = input
    if (kind !== 'list' && seen.has(name)) say(`\`${flag}\` is given more than once`)
    seen.add(name)
    if (kind === 'boolean' && inline === undefined) {
      inputs[name] = !negated
      continue
    }
    const values = inline === undefined ? [] : [inline]
    // A list takes what follows it, anything else one word, which may be a negative number.
    const takes = (next: string | undefined): boolean =>
      next !== undefined && (!next.startsWith('-') || (/^-[\d.]/.test(next) && kind !== 'boolean'))
    const most = inline !== undefined ? 0 : kind === 'list' ? Infinity : 1
    for (let taken = 0; taken < most && takes(words[at]); taken++) values.push(words[at++]!)
    if (values.length === 0) {
      say(`\`${flag}\` needs a value: ${flag} ${placeholder(input)}`)
      continue
    }
    const before = kind === 'list' && Array.isArray(inputs[name]) ? (inputs[name] as unknown[]) : []
    const read = kind === 'list' ? listOf(values, input) : valueOf(values[0]!, input.schema, kind)
    if ('problem' in read) say(`\`${flag}\` is "${values.join(' ')}"; it must be ${read.problem}`)
    else inputs[name] = kind === 'list' ? [...before, ...(read.value as unknown[])] : read.value
  }
  return { inputs, problems }
}

/** What stands for the value in help. */
export function placeholder({ kind, schema }: InputFlag): string {
  const choices = Array.isArray(schema.enum) ? schema.enum : itemsOf(schema).enum
  if (Array.isArray(choices)) return `<${choices.map(String).join('|')}>${kind === 'list' ? '...' : ''}`
  if (kind === 'list') return `<${typesOf(itemsOf(schema)).join('|') || 'json'}>...`
  return kind === 'text' ? '<text>' : `<${kind}>`
}

type Read = { readonly value: unknown } | { readonly problem: string }

function valueOf(word: string, schema: Schema, kind: Kind): Read {
  if (Array.isArray(schema.enum)) {
    const chosen = schema.enum.findIndex(one => String(one) === word)
    return chosen === -1
      ? { problem: `one of ${schema.enum.map(String).join(', ')}` }
      : { value: schema.enum[chosen] as unknown }
  }
  switch (kind) {
    case 'text':
      return { value: word }
    case 'boolean':
      return word === 'true' || word === 'false' ? { value: word === 'true' } : { problem: 'true or false' }
    case 'integer':
      return /^-?\d+$/.test(word) ? { value: Number(word) } : { problem: 'a whole number' }
    case 'number':
      return /^-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(word)
        ? { value: Number(word) }
        : { problem: 'a number' }
    case 'list':
    case 'json':
      try {
        return { value: JSON.parse(word) as unknown }
      } catch {
        return { problem: 'JSON' }
      }
  }
}

/** Words, each one element; or the whole list as JSON, which is also how an empty one is written. */
function listOf(words: readonly string[], { schema }: InputFlag): Read {
  if (words.length === 1 && words[0]!.startsWith('[')) {
    const whole = jsonList(words[0]!)
    if (whole !== null) return { value: whole }
  }
  const items = itemsOf(schema)
  const values: unknown[] = []
  for (const word of words) {
    const read = elementOf(word, items)
    if ('problem' in read) return { problem: `a list of which each is ${read.problem}` }
    values.push(read.value)
  }
  return { value: values }
}

function elementOf(word: string, items: Schema): Read {
  const types = typesOf(items)
  // Of several types the narrowest that fits: `1` and `100%` for waves.
  const numeric = types.find(type => type === 'integer' || type === 'number') as Kind | undefined
  if (numeric !== undefined && types.includes('string') && items.enum === undefined) {
    const read = valueOf(word, items, numeric)
    return 'problem' in read ? { value: word } : read
  }
  return valueOf(word, items, kindOf(items))
}

function jsonList(word: string): unknown[] | null {
  try {
    const value: unknown = JSON.parse(word)
    return Array.isArray(value) ? value : null
  } catch {
    return null
  }
}

function kindOf(schema: Schema): Kind {
  const types = typesOf(schema)
  if (types.length === 0) return Array.isArray(schema.enum) ? 'text' : 'json'
  if (types.includes('array')) return 'list'
  if (types.includes('string')) return 'text'
  const [type] = types
  return type === 'boolean' || type === 'integer' || type === 'number' ? type : 'json'
}

function typesOf(schema: Schema): string[] {
  return [schema.type].flat().filter((type): type is string => typeof type === 'string' && type !== 'null')
}

function itemsOf(schema: Schema): Schema {
  return isSchema(schema.items) ? schema.items : {}
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function splitFlag(word: string): [flag: string, inline: string | undefined] {
  const equals = word.indexOf('=')
  return equals === -1 || !word.startsWith('--')
    ? [word, undefined]
    : [word.slice(0, equals), word.slice(equals + 1)]
}

/** `--a-b`, `--a_b`, and `--no-a-b` for a boolean. */
function findFlag(
  given: string,
  flags: readonly InputFlag[],
): { readonly input: InputFlag; readonly negated: boolean } | null {
  if (!given.startsWith('--')) return null
  const wanted = given.replaceAll('_', '-')
  const input = flags.find(({ flag, name }) => flag === wanted || `--${name}` === given)
  if (input !== undefined) return { input, negated: false }
  const denied = flags.find(({ flag, kind }) => kind === 'boolean' && `--no-${flag.slice(2)}` === wanted)
  return denied === undefined ? null : { input: denied, negated: true }
}
