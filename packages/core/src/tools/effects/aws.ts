/**
 * Decides a call of the AWS CLI.
 *
 * What is not known to read is a mutation. Refused: whoever could change the identity, and every first word that
 * is no service (an alias may start programs). argparse completes abbreviated flags, so a prefix of a refused flag
 * is refused too.
 *
 * Of the operator's `args` the last `--profile` is the tool's identity, which a plan is bound to. Those before it are
 * open to reads alone.
 */

import { judge, lookup, readOrNull, Refusal } from './decision.ts'
import type { Call, Effect, Judgement, ToolPolicy } from './decision.ts'
import { Operands } from './operands.ts'
import { AWS_SERVICES } from './tables/aws-services.ts'
import {
  AWS_FILE_FLAGS,
  AWS_GLOBAL_FLAGS,
  AWS_ID_FLAGS,
  AWS_OPERATIONS,
  AWS_READ_WORDS,
  AWS_REVEALING_NAMES,
  AWS_S3_VALUE_FLAGS,
  AWS_WRITES_FILE,
} from './tables/aws.ts'
import type { AwsOperation } from './tables/aws.ts'

interface Given {
  readonly name: string
  readonly values: readonly string[]
}

interface Bare {
  readonly word: string
  /** The flag whose value it may be. */
  readonly after: string | null
  /** The word right behind that flag. */
  readonly isFirst: boolean
}

/** A call of the AWS CLI, flags and operands apart. */
export interface ParsedAws {
  readonly service: string | null
  readonly operation: string | null
  /** Every flag with all the words up to the next one: argparse lets many take several. */
  readonly flags: readonly Given[]
  /** Words after the operation that no flag precedes. */
  readonly operands: readonly string[]
  /** Words after the operation that are no flags. */
  readonly bare: readonly Bare[]
  readonly words: readonly string[]
}

export const decideAws = (call: Call, policy: ToolPolicy): Judgement => {
  refuseFlags(call.argv, policy)
  const parsed = parse(call.argv)
  const { service, operation } = parsed
  if (service === null) return judge('read', '', 'prints its help or its version')
  if (service === 'help' || operation === 'help') return judge('read', 'help', 'prints its help')
  const verb = operation === null ? service : `${service} ${operation}`
  const known = lookup(AWS_OPERATIONS, `${service} *`) ?? lookup(AWS_OPERATIONS, verb)
  if (known?.effect === 'refuse') {
    const words = parsed.words
    return judge('refuse', verb, `\`${verb}\` ${known.note}`, { words })
  }
  if (!AWS_SERVICES.has(service)) {
    throw new Refusal(`\`${service}\` is no service in the table: it may be an alias`, {
      verb,
      lift: 'exact',
    })
  }
  if (operation === null) return judge('read', verb, 'prints its help')

  const operands = new Operands(call)
  gatherFiles(call.argv, operands)
  gatherPaths(verb, parsed, operands)
  const outcome = service === 's3' ? transfer(parsed, operands) : classify(verb, operation, known, parsed)
  if (AWS_WRITES_FILE.has(verb)) gatherOutfile(parsed, operands)
  const profile = parsed.flags.findLast(one => one.name === 'profile')?.values[0]
  if (
    outcome.effect !== 'read' &&
    profile !== undefined &&
    profile !== operatorsOwn(policy.args, 'profile').at(-1)
  ) {
    throw new Refusal(`the profile \`${profile}\` is open to reads alone`, {
      verb,
      hint: 'the last `--profile` in `[tools.aws] args` is the one that may change something',
    })
  }
  return judge(outcome.effect, verb, outcome.reason, {
    target: {
      kind: 'aws',
      service,
      operation,
      region: parsed.flags.findLast(one => one.name === 'region')?.values[0] ?? null,
      ids: idsOf(parsed),
    },
    files: operands.files,
    readsStdin: operands.readsStdin,
    ownDryRun: outcome.ownDryRun ?? false,
    words: parsed.words,
  })
}

const flagName = (word: string): string => word.slice(2).split('=', 1)[0] ?? ''

const refuseFlags = (argv: readonly string[], policy: ToolPolicy): void => {
  for (const [index, word] of argv.entries()) {
    if (word === '--') throw new Refusal('`--` hides what follows from the table')
    if (!word.startsWith('--')) continue
    const name = flagName(word)
    const first = lookup(AWS_GLOBAL_FLAGS, name)
    const completed = Object.keys(AWS_GLOBAL_FLAGS).find(flag => flag.startsWith(name))
    if (first === undefined && completed !== undefined) {
      throw new Refusal(`\`--${name}\` may be completed to \`--${completed}\``, {
        hint: 'write flags in full',
      })
    }
    if (first === undefined || first.refused === null) continue
    const value = word.includes('=') ? word.slice(word.indexOf('=') + 1) : argv[index + 1]
    const own = operatorsOwn(policy.args, name)
    const open = name === 'profile' ? own : own.slice(-1)
    if (first.takes === 'value' && value !== undefined && open.includes(value)) continue
    throw new Refusal(`\`--${name}\` ${first.refused}`, {
      hint: 'leave it out; the operator sets it in `[tools.aws] args`',
    })
  }
}

const operatorsOwn = (args: readonly string[], flag: string): readonly string[] =>
  args.flatMap((word, index) => {
    if (word.startsWith(`--${flag}=`)) return [word.slice(flag.length + 3)]
    const value = args[index + 1]
    return word === `--${flag}` && value !== undefined ? [value] : []
  })

/** The call as the tables read it; null: they cannot. */
export const readAws = (argv: readonly string[]): ParsedAws | null => readOrNull(() => parse(argv))

const parse = (argv: readonly string[]): ParsedAws => {
  const names: string[] = []
  const flags: { name: string; values: string[] }[] = []
  const operands: string[] = []
  const bare: Bare[] = []
  let from = argv.length
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? ''
    const isDone = names.length === 2
    if (word.startsWith('--')) {
      const name = flagName(word)
      const global = lookup(AWS_GLOBAL_FLAGS, name)
      if (!isDone && global === undefined)
        throw new Refusal(`the flag \`--${name}\` stands before the operation`)
      const values = word.includes('=') ? [word.slice(word.indexOf('=') + 1)] : []
      if (global?.takes === 'value' && values.length === 0) {
        index += 1
        values.push(argv[index] ?? '')
      }
      if (name === 'region' && !/^[a-z0-9-]+$/.test(values[0] ?? '')) {
        throw new Refusal('the region becomes part of a host name, and is not plain')
      }
      flags.push({ name, values })
    } else if (!isDone) {
      if (!/^[a-z0-9][a-z0-9.-]*$/.test(word)) throw new Refusal(`\`${word}\` is no service and no operation`)
      if (names.length === 0) from = index
      names.push(word)
    } else {
      const last = flags.at(-1)
      const isFlagged = last !== undefined && flagsStartedAfter(argv, index)
      if (isFlagged) last.values.push(word)
      else operands.push(word)
      bare.push({
        word,
        after: isFlagged ? last.name : null,
        isFirst: (argv[index - 1] ?? '').startsWith('--'),
      })
    }
  }
  const [service = null, operation = null] = names
  return { service, operation, flags, operands, bare, words: argv.slice(from) }
}

/** Whether the word before this one is a flag, or a value of one. */
const flagsStartedAfter = (argv: readonly string[], index: number): boolean => {
  const previous = argv[index - 1] ?? ''
  if (previous.startsWith('--'))
    return !previous.includes('=') && lookup(AWS_GLOBAL_FLAGS, flagName(previous)) === undefined
  for (let at = index - 1; at >= 0; at -= 1) {
    const word = argv[at] ?? ''
    if (!word.startsWith('--')) continue
    return lookup(AWS_GLOBAL_FLAGS, flagName(word)) === undefined && !word.includes('=')
  }
  return false
}

/** A value that begins with `file://` is replaced by the file, one with `http://` by what that address says. */
const gatherFiles = (argv: readonly string[], operands: Operands): void => {
  for (const word of argv) {
    const value = word.startsWith('--') && word.includes('=') ? word.slice(word.indexOf('=') + 1) : word
    const whole = /^fileb?:\/\/([^]*)$/i.exec(value)
    const shorthand = whole === null ? [...value.matchAll(/@=fileb?:\/\/([^,{}[\]]*)/gi)] : [whole]
    if (shorthand.length === 0 && /fileb?:\/\//i.test(value)) {
      throw new Refusal('a `file://` stands inside a value where it is not clear what reads it')
    }
    for (const [, path = ''] of shorthand) {
      if (path.includes('$')) throw new Refusal('variables in a `file://` are those of the tool')
      operands.add(path, { dash: false })
    }
    const address = /^https?:\/\/([^/?#\\]*)/i.exec(value)
    if (address !== null && !/^[a-z0-9.-]+\.amazonaws\.com(\.cn)?(:\d+)?$/i.test(address[1] ?? '')) {
      throw new Refusal(`\`${value}\` is an address that the AWS CLI may fetch`, {
        hint: 'fetch it in the script where the network is allowed',
      })
    }
  }
}

/** argparse completes a prefix, and the CLI expands variables in what it opens. */
const gatherPaths = (verb: string, parsed: ParsedAws, operands: Operands): void => {
  for (const { flag, access, of } of AWS_FILE_FLAGS) {
    if (of !== null && !of.has(verb)) continue
    for (const { name, values } of parsed.flags) {
      const [value] = values
      if (name === '' || !flag.startsWith(name) || value === undefined) continue
      if (value.includes('$')) throw new Refusal('variables in a path are those of the tool')
      operands.add(value, { access, dash: false })
    }
  }
}

/** Where the answer goes: the one word that no flag takes. A switch may stand before it, so all are looked at. */
const gatherOutfile = (parsed: ParsedAws, operands: Operands): void => {
  for (const { word, after, isFirst } of parsed.bare) {
    const isKey = isFirst && after !== null && ['key', 'bucket', 'version-id'].includes(after)
    const isPath = after === null || !isFirst || /^[/~]|(^|\/)\.\.(\/|$)/.test(word)
    if (!isKey && isPath && !/^fileb?:/i.test(word)) operands.add(word, { access: 'write' })
  }
}

interface Outcome {
  readonly effect: Effect
  readonly reason: string
  readonly ownDryRun?: boolean
}

const hasFlag = (parsed: ParsedAws, name: string): boolean => parsed.flags.some(one => one.name === name)

/** argparse completes a prefix. */
const mayHaveFlag = (parsed: ParsedAws, name: string): boolean =>
  parsed.flags.some(one => one.name.length > 0 && name.startsWith(one.name))

const classify = (
  verb: string,
  operation: string,
  known: AwsOperation | undefined,
  parsed: ParsedAws,
): Outcome => {
  const hidden = mayHaveFlag(parsed, 'cli-input-json') || mayHaveFlag(parsed, 'cli-input-yaml')
  if (known !== undefined) {
    const asks = known.revealsWith !== undefined && (hidden || mayHaveFlag(parsed, known.revealsWith))
    return { effect: asks ? 'reveal' : known.effect, reason: `\`${verb}\`: ${known.note}` }
  }
  if (operation === 'wait') return { effect: 'read', reason: 'waits for a state' }
  if (AWS_READ_WORDS.some(word => operation.startsWith(`${word}-`))) {
    const reveals =
      !operation.startsWith('list-') && AWS_REVEALING_NAMES.some(pattern => pattern.test(operation))
    return reveals
      ? { effect: 'reveal', reason: `\`${verb}\` prints a credential, by its name` }
      : { effect: 'read', reason: `\`${verb}\` reads, by its name` }
  }
  const isDry = verb.startsWith('ec2 ') && hasFlag(parsed, 'dry-run') && !hidden
  if (isDry && !parsed.flags.some(one => one.name.startsWith('no-d'))) {
    return { effect: 'read', reason: "the script's own dry run", ownDryRun: true }
  }
  return { effect: 'mutate', reason: `\`${verb}\` is not known to be a read` }
}

/** `aws s3`: what is not an address of S3 is a file here. */
const transfer = (parsed: ParsedAws, operands: Operands): Outcome => {
  const { operation } = parsed
  if (operation === 'ls') return { effect: 'read', reason: '`s3 ls` lists' }
  if (operation === 'presign') return { effect: 'reveal', reason: 'prints an address that needs no login' }
  if (operation === null || !['cp', 'mv', 'sync', 'rm'].includes(operation)) {
    return { effect: 'mutate', reason: `\`s3 ${operation ?? ''}\` is not known to be a read` }
  }
  // A value that is taken for a place only makes the call worse; a place that is taken for a value would hide it.
  const places = parsed.bare.filter(
    one => one.after === null || !one.isFirst || !AWS_S3_VALUE_FLAGS.has(one.after),
  )
  const [source, destination] = places.map(one => one.word)
  const isRemote = (place: string | undefined): boolean => place?.startsWith('s3://') ?? false
  for (const { word } of places) {
    if (!isRemote(word)) operands.add(word, { access: word === source ? 'read' : 'write' })
  }
  const isDry = hasFlag(parsed, 'dryrun')
  if (isDry) return { effect: 'read', reason: "the script's own dry run", ownDryRun: true }
  const downloads = places.length === 2 && isRemote(source) && !isRemote(destination)
  if (downloads && (operation === 'cp' || operation === 'sync')) {
    return { effect: 'read', reason: 'copies from S3 into the workspace' }
  }
  return { effect: 'mutate', reason: `\`s3 ${operation}\` changes a bucket` }
}

const idsOf = (parsed: ParsedAws): string[] => [
  ...parsed.operands.filter(word => word.startsWith('s3://')),
  ...parsed.flags.flatMap(one => (AWS_ID_FLAGS.test(one.name) ? one.values : [])),
]
