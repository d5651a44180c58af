/**
 * Decides a call of kubectl.
 *
 * Refuses what `tables/kubectl.ts` does not list. Besides the verb it holds what was found to leak inside reads:
 * identity flags, `--raw` paths, secrets in any output that shows contents, templates and manifests outside the
 * workspace, and verbosity that prints bodies.
 */

import { didYouMean } from '../../suggestion.ts'
import { during, judge, lookup, readOrNull, Refusal } from './decision.ts'
import type { Call, Effect, Judgement, KubernetesObject, ToolPolicy, Unresolved } from './decision.ts'
import { Operands } from './operands.ts'
import { isSurelyOn, lastValue, mayBeOn, parseOptionSpecs, PFLAG, readArgv, valuesOf } from './options.ts'
import type { OptionSpec, ReadArgv } from './options.ts'
import { KUBECTL_FLAGS } from './tables/kubectl-flags.ts'
import {
  KUBECTL_ALIASES,
  KUBECTL_BARE_OUTPUTS,
  KUBECTL_FILE_FLAGS,
  KUBECTL_IDENTITY,
  KUBECTL_MAX_VERBOSITY,
  KUBECTL_NEWER_FLAGS,
  KUBECTL_OUTPUTS,
  KUBECTL_REFUSED_FLAGS,
  KUBECTL_VERBS,
} from './tables/kubectl.ts'
import type { KubectlVerb } from './tables/kubectl.ts'
import { canonicalResource, isSecretResource } from './tables/kubernetes-resources.ts'

const GLOBAL = parseOptionSpecs(`${KUBECTL_FLAGS[''] ?? ''} ${KUBECTL_NEWER_FLAGS} h/help`)
const GLOBAL_NAMES = new Set(GLOBAL.map(spec => spec.long))

const specsOf = (path: string): OptionSpec[] => {
  const own = parseOptionSpecs(lookup(KUBECTL_FLAGS, path) ?? '')
  const names = new Set(own.map(spec => spec.long))
  return [...GLOBAL.filter(spec => !names.has(spec.long)), ...own]
}

const isGroup = (path: string): boolean => Object.keys(KUBECTL_FLAGS).some(key => key.startsWith(`${path} `))

/** A call of kubectl, flags and operands apart. */
export interface ParsedKubectl {
  readonly path: string
  /** null: a group that names no sub-command, which prints its help. */
  readonly verb: KubectlVerb | null
  readonly read: ReadArgv
  readonly before: ReadArgv
  readonly words: readonly string[]
}

export const decideKubectl = (call: Call, policy: ToolPolicy): Judgement => {
  const parsed = parse(call.argv)
  return during(parsed.path, () => decideParsed(call, policy, parsed))
}

const decideParsed = (call: Call, policy: ToolPolicy, parsed: ParsedKubectl): Judgement => {
  if (parsed.verb === null) {
    refuseIdentity(parsed, policy)
    return judge('read', parsed.path, 'prints its help')
  }
  refuseIdentity(parsed, policy)
  if (isSurelyOn(parsed.read, 'help')) {
    return judge('read', parsed.path, 'prints its help')
  }
  refuseFlags(parsed)
  const operands = gatherFiles(call, parsed)
  const target = targetOf(parsed)
  const effect = effectOf(call, parsed, operands, target.objects)
  return judge(effect.effect, parsed.path, effect.reason, {
    target: { kind: 'kubernetes', ...target },
    readsStdin: operands.readsStdin,
    files: operands.files,
    ownDryRun: effect.ownDryRun ?? false,
    needs: effect.needs ?? [],
    hint: effect.hint ?? null,
    words: parsed.words,
    ...(effect.effect === 'refuse' && parsed.verb.mayBeAllowed === true ? { lift: 'pattern' as const } : {}),
  })
}

const ASCII_WORD = /^[\u0021-\u007e]+$/

/** The call as the tables read it; null: they cannot. */
export const readKubectl = (argv: readonly string[]): ParsedKubectl | null => readOrNull(() => parse(argv))

const parse = (argv: readonly string[]): ParsedKubectl => {
  const before = readArgv(argv, GLOBAL, PFLAG, true)
  const first = argv[before.consumed]
  if (before.rest !== null) throw new Refusal('`--` stands before the verb')
  if (first === undefined) return { path: '', verb: null, read: before, before, words: [] }
  if (!ASCII_WORD.test(first)) throw new Refusal('the verb is not plain ASCII')

  let path = lookup(KUBECTL_ALIASES, first) ?? first
  if (lookup(KUBECTL_VERBS, path) === undefined && !isGroup(path)) {
    refuseIdentityOfPlugin(argv)
    throw new Refusal(`the verb \`${first}\` is not in the table: it may be a plug-in`, {
      verb: first,
      lift: 'pattern',
      ...didYouMean(first, [...new Set(Object.keys(KUBECTL_VERBS).map(key => key.split(' ')[0] ?? ''))]),
    })
  }
  let rest = argv.slice(before.consumed + 1)
  while (isGroup(path)) {
    const read = readArgv(rest, specsOf(path), PFLAG, true)
    const word = read.rest === null ? rest[read.consumed] : undefined
    if (word === undefined) break
    const sub = lookup(KUBECTL_ALIASES, `${path} ${word}`) ?? `${path} ${word}`
    if (lookup(KUBECTL_VERBS, sub) === undefined && !isGroup(sub)) {
      if (lookup(KUBECTL_VERBS, path) !== undefined) break
      throw new Refusal(`\`${path}\` has no sub-command \`${word}\` in the table`, { verb: path })
    }
    // Which command a flag belongs to is settled only once the sub-command is known, so none of the group's own
    // may stand between; the table would otherwise read it one way and kubectl another.
    if (read.options.some(option => !GLOBAL_NAMES.has(option.name))) {
      throw new Refusal(`a flag stands between \`${path}\` and \`${word}\``, { verb: sub })
    }
    path = sub
    rest = [...rest.slice(0, read.consumed), ...rest.slice(read.consumed + 1)]
  }
  const words = [...path.split(' '), ...rest]
  const read = during(path, () => readArgv(rest, specsOf(path), PFLAG))
  return { path, verb: lookup(KUBECTL_VERBS, path) ?? null, read, before, words }
}

/** kustomize takes `github.com/a/b`, `git@host:a/b` and `host//a?ref=b` for repositories before it looks for a folder. */
const refuseRepository = (path: string, operand: string): void => {
  if (/[:@?]|\/\/|^github\.com|\.git(\/|$)|_git|^gh$/i.test(operand)) {
    throw new Refusal(`\`${operand}\` may be a repository, which the tool would fetch by itself`, {
      verb: path,
    })
  }
}

/** What the operator's own `args` say may be said again; anything else would lead elsewhere. */
const refuseIdentity = (parsed: ParsedKubectl, policy: ToolPolicy): void => {
  const own = new Set(parseOptionSpecs(lookup(KUBECTL_FLAGS, parsed.path) ?? '').map(spec => spec.long))
  const given = [...parsed.before.options, ...parsed.read.options.filter(option => !own.has(option.name))]
  const asked = given.filter(option => KUBECTL_IDENTITY.has(option.name))
  if (asked.length === 0) return
  const operators = readArgv(policy.args, GLOBAL, PFLAG).options
  for (const { name, value } of asked) {
    if (operators.some(one => one.name === name && one.value === value)) continue
    throw new Refusal(`\`--${name}\` decides where the operator's identity goes`, {
      verb: parsed.path,
      hint: `leave it out; the operator sets it in \`[tools.kubectl] args\``,
    })
  }
}

/** A plug-in that the operator allows has flags of its own, which no table reads: the words alone must do. */
const refuseIdentityOfPlugin = (argv: readonly string[]): void => {
  const odd = argv.find(word => {
    const name = (word.split('=', 1)[0] ?? '').replaceAll('_', '-')
    return name.startsWith('--') ? KUBECTL_IDENTITY.has(name.slice(2)) : /^-[A-Za-z]*s/.test(name)
  })
  if (odd !== undefined) throw new Refusal(`\`${odd}\` may decide where the operator's identity goes`)
}

const refuseFlags = ({ path, read, before }: ParsedKubectl): void => {
  const options = [...before.options, ...read.options]
  for (const { name, value } of options) {
    const why = lookup(KUBECTL_REFUSED_FLAGS, `${path} --${name}`) ?? lookup(KUBECTL_REFUSED_FLAGS, name)
    if (why !== undefined && !(value === 'false' && name === 'edit')) {
      throw new Refusal(`\`--${name}\` ${why}`, { verb: path })
    }
    if (name === 'v' && !(/^\d$/.test(value ?? '') && Number(value) <= KUBECTL_MAX_VERBOSITY)) {
      throw new Refusal('this verbosity prints headers and bodies, secrets included', {
        verb: path,
        hint: `\`-v\` goes up to ${KUBECTL_MAX_VERBOSITY}`,
      })
    }
    if (name === 'output' && path !== 'kustomize' && !KUBECTL_OUTPUTS.has(outputForm(value ?? ''))) {
      throw new Refusal(`the output form \`${value ?? ''}\` is not in the table`, {
        verb: path,
        lift: 'exact',
      })
    }
  }
}

const outputForm = (value: string): string => (value.split('=', 1)[0] ?? '').toLowerCase()

const gatherFiles = (call: Call, { path, read }: ParsedKubectl): Operands => {
  const operands = new Operands(call)
  const add = (value: string, access: 'read' | 'write', form: 'file' | 'kustomization' = 'file'): void => {
    if (form === 'kustomization') refuseRepository(path, value)
    operands.add(value, { access, form })
  }

  for (const { flag, list, pairs, access } of KUBECTL_FILE_FLAGS) {
    // `rollout -f` and `get -f` name files, `logs -f` follows: the flag's long name is what counts.
    for (const value of valuesOf(read, flag)) {
      if (list && value.includes('"')) throw new Refusal(`\`--${flag}\` with quotes in it`, { verb: path })
      for (const one of list ? value.split(',') : [value]) {
        const file = pairs && one.includes('=') ? one.slice(one.indexOf('=') + 1) : one
        add(file, access, flag === 'kustomize' ? 'kustomization' : 'file')
      }
    }
  }
  const outputs = valuesOf(read, 'output')
  if (path === 'kustomize') {
    for (const value of outputs) add(value, 'write')
    const folders = [...read.operands, ...(read.rest ?? [])]
    for (const folder of folders.length === 0 ? ['.'] : folders) add(folder, 'read', 'kustomization')
    return operands
  }
  for (const value of outputs) {
    if (outputForm(value).includes('file') && value.includes('='))
      add(value.slice(value.indexOf('=') + 1), 'read')
  }
  // `--template` is a path where the form asks for a file; kubectl decides by the last of both, so any will do.
  if (outputs.some(value => outputForm(value).includes('file'))) {
    for (const value of valuesOf(read, 'template')) add(value, 'read')
  }
  if (path === 'set env' && [...read.operands, ...valuesOf(read, 'env')].includes('-'))
    operands.readsStdin = true
  if (mayBeOn(read, 'interactive') || mayBeOn(read, 'stdin')) operands.readsStdin = true
  if (path === 'cp') {
    for (const one of read.operands.filter(word => !word.includes(':'))) add(one, 'write')
  }
  return operands
}

interface KubernetesTarget {
  readonly namespace: string | null
  readonly allNamespaces: boolean
  readonly objects: readonly KubernetesObject[]
  readonly unresolved: readonly Unresolved[]
}

const targetOf = (parsed: ParsedKubectl): KubernetesTarget => {
  const { verb, read, before } = parsed
  const objects = verb === null ? [] : objectsOf(verb, read)
  const unresolved = new Set<Unresolved>()
  const has = (name: string): boolean => valuesOf(read, name).some(value => value !== '')
  if (has('selector') || has('field-selector') || has('pod-selector')) unresolved.add('selector')
  const allNamespaces = mayBeOn(read, 'all-namespaces')
  const everyOne = verb?.effect === 'mutate' && objects.some(object => object.name === null)
  if (mayBeOn(read, 'all') || mayBeOn(read, 'prune') || allNamespaces || everyOne) unresolved.add('all')
  for (const value of valuesOf(read, 'filename')) {
    unresolved.add(value === '-' || value === '/dev/stdin' ? 'stdin' : 'file')
  }
  if (has('kustomize')) unresolved.add('kustomization')
  const namespace = lastValue(read, 'namespace') ?? lastValue(before, 'namespace')
  return { namespace, allNamespaces, objects, unresolved: [...unresolved] }
}

const objectsOf = ({ operands: form }: KubectlVerb, read: ReadArgv): KubernetesObject[] => {
  if (form === 'free') return []
  // What follows `--` is the program of a container, except where the verb has none: there it is operands too.
  const containerOnly = form === 'pod' || (typeof form === 'object' && form.of !== 'nodes')
  const words = [...read.operands, ...(containerOnly ? [] : (read.rest ?? []))]
  if (typeof form === 'object') return words.slice(0, 1).length === 0 ? [] : named(form.of, words)
  if (form === 'pod') {
    const [first] = words
    if (first === undefined) return []
    return first.includes('/') ? typed([first]) : [{ resource: 'pods', name: first }]
  }
  if (form === 'typed-then-one') return typed(words.length > 1 ? words.slice(0, -1) : words)
  return typed(form === 'typed' ? words : words.filter(word => !isChange(word)))
}

/** No name of an object holds `=` or ends in `-`. */
export const isChange = (word: string): boolean => word.includes('=') || word.endsWith('-')

const named = (resource: string, names: readonly string[]): KubernetesObject[] =>
  names.map(name => ({ resource, name }))

const typed = (words: readonly string[]): KubernetesObject[] => {
  const [first, ...names] = words
  if (first === undefined) return []
  const odd = words.find(word => !ASCII_WORD.test(word) || word.startsWith('-'))
  if (odd !== undefined) throw new Refusal(`\`${odd}\` is no name of a resource or an object`)
  if (words.some(word => word.includes('/'))) {
    return words.flatMap(word => {
      const [types = '', name] = word.split('/', 2)
      return types.split(',').map(type => ({ resource: canonicalResource(type), name: name ?? null }))
    })
  }
  const resources = first.split(',').map(canonicalResource)
  if (names.length === 0) return resources.map(resource => ({ resource, name: null }))
  return resources.flatMap(resource => named(resource, names))
}

interface Outcome {
  readonly effect: Effect
  readonly reason: string
  readonly ownDryRun?: boolean
  readonly needs?: readonly string[]
  readonly hint?: string
}

const SECRET_HINT = "`kubectl get secret` without `-o` names secrets; their contents need the operator's word"

const effectOf = (
  call: Call,
  parsed: ParsedKubectl,
  operands: Operands,
  objects: readonly KubernetesObject[],
): Outcome => {
  const { path, read } = parsed
  const verb = parsed.verb
  if (verb === null) return { effect: 'read', reason: 'prints its help' }
  const raw = valuesOf(read, 'raw')
  // `get`, `create`, `replace` and `delete` take a path; `config view --raw` is a switch.
  if (raw.length > 0 && path !== 'config view') return rawOutcome(path, raw)
  if (verb.effect === 'refuse') return { effect: 'refuse', reason: `\`${path}\` ${verb.note}` }
  if (path === 'run' && ['attach', 'stdin', 'tty', 'rm'].some(name => mayBeOn(read, name))) {
    return { effect: 'refuse', reason: '`run` attached to the container is a session' }
  }
  if (path === 'config view' && (mayBeOn(read, 'raw') || mayBeOn(read, 'flatten'))) {
    return { effect: 'reveal', reason: 'prints the certificates and tokens of the kubeconfig' }
  }
  if (path === 'set env' && mayBeOn(read, 'resolve')) {
    return { effect: 'reveal', reason: 'resolves and prints the secrets that variables refer to' }
  }
  const shown = secretsShown(call, parsed, operands, objects)
  if (shown !== null) return shown
  if (verb.effect === 'reveal') return { effect: 'reveal', reason: `\`${path}\` ${verb.note}` }
  if (verb.effect === 'read') return { effect: 'read', reason: `\`${path}\` changes nothing` }
  if (listsOnly(parsed)) return { effect: 'read', reason: `\`${path} --list\` without a change` }
  const dryRun = read.options.findLast(option => option.name === 'dry-run')
  // Bare, it meant different things to different versions, and `--dry-run none` looks like a value and is none.
  const isDry = dryRun?.value === 'client' || dryRun?.value === 'server'
  // `replace --force` deletes first, and no version agrees on what a dry run of that is.
  if (isDry && !(path === 'replace' && mayBeOn(read, 'force'))) {
    return { effect: 'read', reason: "the script's own dry run", ownDryRun: true }
  }
  return { effect: 'mutate', reason: `\`${path}\` changes the cluster` }
}

const listsOnly = ({ path, read }: ParsedKubectl): boolean => {
  if (!['label', 'annotate', 'set env'].includes(path) || !isSurelyOn(read, 'list')) return false
  const changes = [...read.operands, ...(read.rest ?? [])].some(isChange)
  return !changes && read.options.every(option => option.name !== 'env' && option.name !== 'from')
}

/** `--raw` goes past everything that kubectl knows: dry runs, printers, masks. */
const rawOutcome = (path: string, paths: readonly string[]): Outcome => {
  for (const one of paths) {
    const [folder = ''] = one.split('?', 1)
    // No encoding, no dots: the server would read the path otherwise than this table.
    if (!/^\/[A-Za-z0-9._~:/@-]*$/.test(folder) || /\/\/|\/\.{1,2}(\/|$)/.test(folder)) {
      return {
        effect: 'refuse',
        reason: `the path \`${one}\` is not plain`,
        hint: 'write it without `%`, `//`, `..`',
      }
    }
  }
  const segments = paths.flatMap(one => (one.split('?', 1)[0] ?? '').toLowerCase().split('/'))
  if (segments.some(word => ['exec', 'attach', 'portforward'].includes(word))) {
    return { effect: 'refuse', reason: 'the path opens a session in a container' }
  }
  if (segments.includes('secrets') || (path !== 'get' && segments.includes('token'))) {
    return { effect: 'reveal', reason: '`--raw` prints what the server holds', hint: SECRET_HINT }
  }
  if (path !== 'get') return { effect: 'mutate', reason: `\`${path} --raw\` ignores any dry run` }
  if (segments.includes('proxy')) {
    return { effect: 'mutate', reason: 'a request through the proxy does what its receiver does' }
  }
  return { effect: 'read', reason: '`get --raw` changes nothing' }
}

const secretsShown = (
  call: Call,
  { path, verb, read }: ParsedKubectl,
  operands: Operands,
  objects: readonly KubernetesObject[],
): Outcome | null => {
  if (verb?.printsLive !== true || !showsContents(path, read)) return null
  if (objects.some(object => isSecretResource(object.resource))) {
    return { effect: 'reveal', reason: 'prints the contents of secrets', hint: SECRET_HINT }
  }
  const manifests = operands.files.filter(file => namesManifest(read, file.operand)).map(file => file.path)
  const asked = [...manifests, ...(operands.readsStdin ? ['-'] : [])]
  const unread = asked.filter(key => call.texts?.[key] === undefined)
  if (asked.some(key => mayHoldSecret(call.texts?.[key] ?? ''))) {
    return {
      effect: 'reveal',
      reason: 'prints what the server holds of secrets in a file',
      hint: SECRET_HINT,
    }
  }
  if (unread.length === 0) return null
  return {
    effect: 'reveal',
    reason: 'prints what the server holds of objects in files that have not been looked at',
    needs: unread,
    hint: 'name kind and object in place of `-f`',
  }
}

/**
 * `copy` and `move` take a value without naming it to where it is shown, or where the server's refusal quotes it;
 * `test` says whether it is the one that is guessed.
 */
const mayCopy = (read: ReadArgv): boolean => {
  const types = valuesOf(read, 'type')
  if (!types.some(type => type.trim().toLowerCase() === 'json')) return false
  const patches = valuesOf(read, 'patch')
  if (patches.length === 0 || valuesOf(read, 'patch-file').length > 0) return true
  // An escape can spell a word that no search finds, and so can YAML.
  return patches.some(
    patch => !/^\s*\[/.test(patch) || /\\|copy|move|test/i.test(patch) || !isJsonArray(patch),
  )
}

const isJsonArray = (text: string): boolean => {
  try {
    return Array.isArray(JSON.parse(text))
  } catch {
    return false
  }
}

const namesManifest = (read: ReadArgv, operand: string): boolean =>
  [...valuesOf(read, 'filename').flatMap(value => value.split(',')), ...valuesOf(read, 'kustomize')].includes(
    operand,
  )

/** An escape can spell a kind that no search finds. */
const mayHoldSecret = (text: string): boolean => /secret|binary|[\\\0\uFFFD\uFEFF]/i.test(text)

const showsContents = (path: string, read: ReadArgv): boolean => {
  if (path === 'describe' || path === 'apply view-last-applied') return true
  if (path === 'patch' && mayCopy(read)) return true
  if (path === 'annotate' && mayBeOn(read, 'list')) return true
  if (valuesOf(read, 'template').length > 0) return true
  if (path === 'wait' && valuesOf(read, 'for').some(value => /jsonpath/i.test(value))) return true
  if (valuesOf(read, 'sort-by').some(value => !isPlainField(value.replaceAll(/[{}]/g, '')))) return true
  return valuesOf(read, 'output').some(
    value => !KUBECTL_BARE_OUTPUTS.has(outputForm(value)) && !showsOnlyNames(value),
  )
}

/** Not annotations: the last applied configuration is one of them. */
const isPlainField = (expression: string): boolean =>
  /^(\.items\[\*\])?\.?(metadata\.(name|namespace|uid|creationTimestamp|resourceVersion)|type|kind)$/.test(
    expression,
  )

/** A template over names and types is no reveal: scripts list secrets that way. */
const showsOnlyNames = (value: string): boolean => {
  const argument = value.slice(value.indexOf('=') + 1)
  if (outputForm(value) === 'custom-columns') {
    return argument.split(',').every(column => isPlainField(column.slice(column.indexOf(':') + 1)))
  }
  if (outputForm(value) !== 'jsonpath') return false
  const expressions = [...argument.matchAll(/\{([^{}]*)\}/g)].map(match => (match[1] ?? '').trim())
  if (/[{}]/.test(argument.replaceAll(/\{[^{}]*\}/g, ''))) return false
  return expressions.every(one => /^(range \.items\[\*\]|end|"[^"]*")$/.test(one) || isPlainField(one))
}
