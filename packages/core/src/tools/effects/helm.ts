/** Decides a call of helm by its closed table. A chart is a program: what it can look up, it can print. */

import { didYouMean } from '../../suggestion.ts'
import { judge, lookup, readOrNull, Refusal } from './decision.ts'
import type { Call, Judgement, ToolPolicy } from './decision.ts'
import { Operands } from './operands.ts'
import { isSurelyOn, lastValue, mayBeOn, parseOptionSpecs, PFLAG, readArgv, valuesOf } from './options.ts'
import type { ReadArgv } from './options.ts'
import {
  HELM_ALIASES,
  HELM_GLOBAL_FLAGS,
  HELM_IDENTITY,
  HELM_REFUSED_FLAGS,
  HELM_VERBS,
} from './tables/helm.ts'
import type { HelmVerb } from './tables/helm.ts'

const GLOBAL = parseOptionSpecs(HELM_GLOBAL_FLAGS)

const isGroup = (word: string): boolean => Object.keys(HELM_VERBS).some(key => key.startsWith(`${word} `))

/** A call of helm, flags and operands apart. */
export interface ParsedHelm {
  readonly verb: string
  readonly before: ReadArgv
  readonly read: ReadArgv
}

/** The call as the table reads it; null: it cannot. */
export const readHelm = (argv: readonly string[]): ParsedHelm | null =>
  readOrNull(() => {
    const before = readArgv(argv, GLOBAL, PFLAG, true)
    const { verb, rest } = verbOf(argv[before.consumed] ?? '', argv.slice(before.consumed + 1))
    const own = parseOptionSpecs(lookup(HELM_VERBS, verb)?.flags ?? '')
    return { verb, before, read: readArgv(rest, [...GLOBAL, ...own], PFLAG) }
  })

export const decideHelm = (call: Call, policy: ToolPolicy): Judgement => {
  const before = readArgv(call.argv, GLOBAL, PFLAG, true)
  const first = call.argv[before.consumed]
  if (before.rest !== null) throw new Refusal('`--` stands before the verb')
  if (first === undefined) {
    refuseFlags('', before, policy)
    return judge('read', '', 'prints its help')
  }
  const { verb, rest } = verbOf(first, call.argv.slice(before.consumed + 1))
  const row = lookup(HELM_VERBS, verb)
  if (row === undefined) {
    refuseFlags(verb, before, policy)
    if (isGroup(verb) && rest.length === 0) return judge('read', verb, 'prints its help')
    const odd = rest.find(word => HELM_IDENTITY.has((word.split('=', 1)[0] ?? '').slice(2)))
    if (odd !== undefined)
      throw new Refusal(`\`${odd}\` decides where the operator's identity goes`, { verb })
    throw new Refusal(`the verb \`${verb}\` is not in the table: it may be a plug-in`, {
      verb,
      lift: isGroup(verb) ? 'never' : 'pattern',
      ...didYouMean(verb, Object.keys(HELM_VERBS)),
    })
  }
  const read = readArgv(rest, [...GLOBAL, ...parseOptionSpecs(row.flags)], PFLAG)
  refuseFlags(verb, before, policy)
  refuseFlags(verb, read, policy)
  const words = [...verb.split(' '), ...rest]
  if (row.effect === 'refuse') return judge('refuse', verb, `\`${verb}\` ${row.note}`, { words })
  if (isSurelyOn(read, 'help')) return judge('read', verb, 'prints its help')

  const operands = gatherFiles(call, verb, row, read)
  const names = [...read.operands, ...(read.rest ?? [])]
  const [release = null, chart = null] = row.operands === 'chart' ? [null, names[0] ?? null] : names
  return judge(...effectOf(verb, row, read), {
    target: {
      kind: 'helm',
      namespace: lastValue(read, 'namespace') ?? lastValue(before, 'namespace'),
      release: row.operands === 'none' ? null : release,
      chart: row.operands === 'release' ? null : chart,
    },
    readsStdin: operands.readsStdin,
    files: operands.files,
    ownDryRun: isDry(verb, read),
    words,
  })
}

const verbOf = (first: string, rest: readonly string[]): { verb: string; rest: readonly string[] } => {
  const word = lookup(HELM_ALIASES, first) ?? first
  const [next, ...after] = rest
  if (!isGroup(word) || next === undefined) return { verb: word, rest }
  const sub = next === 'ls' ? 'list' : next
  return { verb: `${word} ${sub}`, rest: after }
}

const refuseFlags = (verb: string, read: ReadArgv, policy: ToolPolicy): void => {
  for (const { name, value } of read.options) {
    const why = lookup(HELM_REFUSED_FLAGS, name)
    if (why !== undefined) throw new Refusal(`\`--${name}\` ${why}`, { verb })
    if (!HELM_IDENTITY.has(name)) continue
    const operators = readArgv(policy.args, GLOBAL, PFLAG).options
    if (operators.some(one => one.name === name && one.value === value)) continue
    throw new Refusal(`\`--${name}\` decides where the operator's identity goes`, {
      verb,
      hint: 'leave it out; the operator sets it in `[tools.helm] args`',
    })
  }
}

/** `--set a=b`: a comma and a path; helm reads the files of `--set-file` only. */
const gatherFiles = (call: Call, verb: string, row: HelmVerb, read: ReadArgv): Operands => {
  const operands = new Operands(call)
  for (const value of valuesOf(read, 'values')) {
    if (value.includes('"')) throw new Refusal('`--values` with quotes in it', { verb })
    for (const one of value.split(',')) operands.add(one)
  }
  for (const value of valuesOf(read, 'set-file')) {
    for (const pair of value.split(',')) operands.add(pair.slice(pair.indexOf('=') + 1))
  }
  for (const value of valuesOf(read, 'output-dir')) operands.add(value, { access: 'write' })
  const names = [...read.operands, ...(read.rest ?? [])]
  if (row.operands !== 'chart' && row.operands !== 'release-chart') return operands
  for (const [index, name] of names.entries()) {
    // The first is the name of the release, unless helm makes one up. REPO/CHART looks like a path, and helm
    // prefers the path where it exists.
    const isRelease = row.operands === 'release-chart' && index === 0 && names.length > 1
    if (!isRelease || /[/\\:]|^[.~]/.test(name)) operands.add(name)
  }
  return operands
}

const isDry = (verb: string, read: ReadArgv): boolean => {
  const last = read.options.findLast(one => one.name === 'dry-run')
  if (last === undefined) return false
  if (verb === 'uninstall' || verb === 'rollback') return isSurelyOn(read, 'dry-run')
  return last.value === null || ['client', 'true', 'server'].includes(last.value)
}

const effectOf = (verb: string, row: HelmVerb, read: ReadArgv): [HelmVerb['effect'], string, string] => {
  const looksUp = valuesOf(read, 'dry-run').some(value => value !== 'client') || mayBeOn(read, 'validate')
  if (
    ['install', 'upgrade', 'template'].includes(verb) &&
    looksUp &&
    (verb === 'template' || isDry(verb, read))
  ) {
    return ['reveal', verb, 'a chart that is rendered against the server can print any secret it looks up']
  }
  if (row.effect === 'mutate' && isDry(verb, read)) return ['read', verb, "the script's own dry run"]
  if (row.effect === 'reveal') return ['reveal', verb, `\`${verb}\`: ${row.note}`]
  if (row.effect === 'read') return ['read', verb, `\`${verb}\` changes nothing`]
  return ['mutate', verb, `\`${verb}\` changes a release`]
}
