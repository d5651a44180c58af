/** Decides a call of amtool by its closed table. kingpin reads arguments from `@file`, which is refused. */

import { judge, lookup, readOrNull, Refusal } from './decision.ts'
import type { Call, Judgement, ToolPolicy } from './decision.ts'
import { Operands } from './operands.ts'
import { KINGPIN, parseOptionSpecs, readArgv, valuesOf } from './options.ts'
import type { ReadArgv } from './options.ts'
import {
  AMTOOL_DEFAULTS,
  AMTOOL_FILE_FLAGS,
  AMTOOL_GLOBAL_FLAGS,
  AMTOOL_IDENTITY,
  AMTOOL_VERBS,
} from './tables/amtool.ts'

const GLOBAL = parseOptionSpecs(AMTOOL_GLOBAL_FLAGS)

/** A call of amtool, flags and operands apart. */
export interface ParsedAmtool {
  readonly verb: string
  readonly before: ReadArgv
  readonly read: ReadArgv
}

/** The call as the table reads it; null: it cannot. */
export const readAmtool = (argv: readonly string[]): ParsedAmtool | null =>
  readOrNull(() => {
    const before = readArgv(argv, GLOBAL, KINGPIN, true)
    const { verb, after } = verbOf(argv.slice(before.consumed))
    const own = parseOptionSpecs(lookup(AMTOOL_VERBS, verb)?.flags ?? '')
    return { verb, before, read: readArgv(after, [...GLOBAL, ...own], KINGPIN) }
  })

export const decideAmtool = (call: Call, policy: ToolPolicy): Judgement => {
  if (call.argv.some(word => word.startsWith('@')))
    throw new Refusal('`@file` puts arguments in that no table sees')
  const before = readArgv(call.argv, GLOBAL, KINGPIN, true)
  const rest = call.argv.slice(before.consumed)
  const { verb, after } = verbOf(rest)
  const row = lookup(AMTOOL_VERBS, verb)
  if (verb === '') {
    refuseIdentity(before.options, policy)
    return judge('read', '', 'prints its help or its version')
  }
  if (row === undefined) throw new Refusal(`the verb \`${verb}\` is not in the table`, { verb })
  const read = readArgv(after, [...GLOBAL, ...parseOptionSpecs(row.flags)], KINGPIN)
  refuseIdentity([...before.options, ...read.options], policy)
  const operands = new Operands(call)
  for (const flag of AMTOOL_FILE_FLAGS) for (const value of valuesOf(read, flag)) operands.add(value)
  const words = [...read.operands, ...(read.rest ?? [])]
  if (row.files === true) {
    for (const word of words) operands.add(word)
    if (verb === 'silence import' && words.length === 0) operands.readsStdin = true
  }
  const reason =
    row.effect === 'read' ? `\`${verb}\` changes nothing` : `\`${verb}\` changes alerts or silences`
  return judge(row.effect, verb, reason, {
    target: { kind: 'words', words },
    files: operands.files,
    readsStdin: operands.readsStdin,
    words: [...verb.split(' '), ...after],
  })
}

/** Sub-commands stand at once behind their command; a flag in between is refused with the rest of the table. */
const verbOf = (argv: readonly string[]): { verb: string; after: readonly string[] } => {
  let verb = argv[0] ?? ''
  let after = argv.slice(1)
  if (lookup(AMTOOL_VERBS, `${verb} ${after[0] ?? ''}`) !== undefined) {
    return { verb: `${verb} ${after[0] ?? ''}`, after: after.slice(1) }
  }
  while (lookup(AMTOOL_DEFAULTS, verb) !== undefined) {
    const next = after[0] ?? ''
    const sub = `${verb} ${next}`
    const isKnown = lookup(AMTOOL_VERBS, sub) !== undefined || lookup(AMTOOL_DEFAULTS, sub) !== undefined
    if (isKnown) {
      verb = sub
      after = after.slice(1)
      continue
    }
    // A flag here hides which sub-command comes behind it, so nothing that could be one may follow.
    const hidden = after.find(word => lookup(AMTOOL_VERBS, `${verb} ${word}`) !== undefined)
    if (hidden !== undefined)
      throw new Refusal(`a flag stands between \`${verb}\` and \`${hidden}\``, { verb })
    verb = `${verb} ${lookup(AMTOOL_DEFAULTS, verb) ?? ''}`
  }
  return { verb, after }
}

const refuseIdentity = (
  options: readonly { readonly name: string; readonly value: string | null }[],
  policy: ToolPolicy,
): void => {
  const operators = readArgv(policy.args, GLOBAL, KINGPIN).options
  for (const { name, value } of options) {
    if (!AMTOOL_IDENTITY.has(name) || operators.some(one => one.name === name && one.value === value))
      continue
    throw new Refusal(`\`--${name}\` decides where the operator's identity goes`, {
      hint: 'leave it out; the operator sets it in `[tools.amtool] args`',
    })
  }
}
