/**
 * What is known of helm 3.
 *
 * A dry run is the client's: one against the server would let a chart look up secrets and print them in its notes
 * before anybody approved anything. It prints the manifest, which a real call does not, so that is taken out.
 */

import type { AskTool } from '../calls.ts'
import type { Call, Decision } from '../effects/decision.ts'
import { readHelm } from '../effects/helm.ts'
import type { ParsedHelm } from '../effects/helm.ts'
import { isSurelyOn, lastValue } from '../effects/options.ts'
import { HELM_IDENTITY } from '../effects/tables/helm.ts'
import { failureBy, NETWORK_FAILURES } from './failures.ts'
import type { FailureRule } from './failures.ts'
import { canonicalOptions } from './flags.ts'
import { unheard } from './generic.ts'
import type { Rehearsal, StartedMutation, ToolKnowledge } from './knowledge.ts'
import { firstWords } from './words.ts'

const REPEATED = new Set(['set', 'set-string', 'set-json', 'set-literal', 'set-file', 'values'])
const HARMLESS = new Set(['namespace', 'burst-limit', 'qps', ...HELM_IDENTITY])

const canonical = (call: Call, { target }: Decision): readonly string[] => {
  const parsed = readHelm(call.argv)
  if (parsed === null) return call.argv
  const namespace = target.kind === 'helm' ? target.namespace : null
  const options = [...parsed.before.options, ...parsed.read.options].map(option =>
    option.name === 'values' ? { ...option, value: '<file>' } : option,
  )
  return [
    parsed.verb,
    ...(namespace === null ? [] : [`--namespace=${namespace}`]),
    ...canonicalOptions(options, { harmless: HARMLESS, repeated: REPEATED }),
    '--',
    ...parsed.read.operands,
    ...(parsed.read.rest ?? []),
  ]
}

const NO_RELEASE = /release: not found/

const REHEARSED = new Set(['install', 'upgrade', 'uninstall', 'rollback'])

const rehearse = async (call: Call, decision: Decision, ask: AskTool): Promise<Rehearsal> => {
  const parsed = readHelm(call.argv)
  if (parsed === null || !REHEARSED.has(parsed.verb)) {
    return unheard(call, `\`helm ${parsed?.verb ?? firstWords(call.argv)}\` has no dry run`)
  }
  const behind = parsed.read.rest === null ? call.argv.length : call.argv.length - parsed.read.rest.length - 1
  const words = call.argv.filter((word, index) => index >= behind || !/^--dry-run(=|$)/.test(word))
  const at = words.length - (call.argv.length - behind)
  const [told, revision] = await Promise.all([
    ask([...words.slice(0, at), '--dry-run', ...words.slice(at)]),
    revisionOf(decision, ask),
  ])
  const targets = targetsOf(decision, call, parsed)
  if (told.exitCode !== 0) {
    const nothing = { stdout: '', runs: [], targets: [], incomplete: null, before: {} }
    // Its dry run forgot this flag for a while: https://github.com/helm/helm/issues/12970
    const isFine = isSurelyOn(parsed.read, 'ignore-not-found') && NO_RELEASE.test(told.stderr)
    return { ...told, ...nothing, exitCode: isFine ? 0 : told.exitCode }
  }
  return {
    ...told,
    stdout: asDone(parsed, told.stdout),
    runs: [call.argv],
    targets,
    incomplete: null,
    before: Object.fromEntries(targets.map(target => [target, JSON.stringify({ revision })])),
  }
}

const targetsOf = ({ target }: Decision, call: Call, { verb, read }: ParsedHelm): readonly string[] => {
  if (target.kind !== 'helm' || target.release === null) return [firstWords([call.tool, ...call.argv])]
  const place = target.namespace === null ? '' : `${target.namespace}/`
  const releases = verb === 'uninstall' ? [...read.operands, ...(read.rest ?? [])] : [target.release]
  return releases.map(release => `${place}release/${release}`)
}

/** Empty: there is no such release; null: nobody can say. */
const revisionOf = async ({ target }: Decision, ask: AskTool): Promise<string | null> => {
  if (target.kind !== 'helm' || target.release === null) return null
  const words = target.namespace === null ? [] : ['--namespace', target.namespace]
  const { exitCode, stdout, stderr } = await ask([
    'history',
    target.release,
    ...words,
    '--max',
    '1',
    '--output',
    'json',
  ])
  if (exitCode !== 0) return NO_RELEASE.test(stderr) ? '' : null
  try {
    const [last] = JSON.parse(stdout) as readonly { readonly revision?: number }[]
    return last?.revision === undefined ? null : String(last.revision)
  } catch {
    return null
  }
}

/** The status as it is once it is done, without hooks and manifest. */
const asDone = (parsed: ParsedHelm, stdout: string): string => {
  if (parsed.verb !== 'install' && parsed.verb !== 'upgrade') return stdout
  if (lastValue(parsed.read, 'output') === 'json') return doneJson(stdout)
  const hooks = stdout.search(/^HOOKS:$/m)
  const notes = stdout.lastIndexOf('\nNOTES:\n')
  const head = hooks < 0 ? stdout : stdout.slice(0, hooks)
  const tail = hooks < 0 || notes < hooks ? '' : stdout.slice(notes + 1)
  return `${head}${tail}`
    .replace(/^STATUS: pending-\w+$/m, 'STATUS: deployed')
    .replace(
      /^DESCRIPTION: Dry run complete$/m,
      `DESCRIPTION: ${parsed.verb === 'install' ? 'Install' : 'Upgrade'} complete`,
    )
}

const doneJson = (stdout: string): string => {
  try {
    const release = JSON.parse(stdout) as { readonly info?: Readonly<Record<string, unknown>> }
    return `${JSON.stringify({ ...release, info: { ...release.info, status: 'deployed' } })}\n`
  } catch {
    return stdout
  }
}

/** helm writes a new revision down before it acts, so without one it has not begun. */
const settle = async (mutation: StartedMutation, ask: AskTool): Promise<'done' | 'not-done' | 'unknown'> => {
  const [kept, ...others] = Object.values(mutation.before)
  if (kept === undefined || others.length > 0) return 'unknown'
  const before = revisionIn(kept)
  const now = await revisionOf(mutation.decision, ask)
  if (now === null) return 'unknown'
  if (mutation.decision.verb === 'uninstall') {
    if (now === '') return 'done'
    // A revision that is on its way out is still the last one.
    return 'unknown'
  }
  return before !== null && before === now ? 'not-done' : 'unknown'
}

const revisionIn = (kept: string): string | null => {
  try {
    return (JSON.parse(kept) as { readonly revision?: string | null }).revision ?? null
  } catch {
    return null
  }
}

const RULES: readonly FailureRule[] = [
  {
    class: 'expired login',
    definite: true,
    when: /getting credentials: exec|\bUnauthorized\b|must be logged in/,
    hint: 'log in again',
  },
  { class: 'throttled', definite: false, throttled: true, when: /TooManyRequests|too many requests/i },
  {
    class: 'conflict',
    definite: true,
    when: /another operation \(install\/upgrade\/rollback\) is in progress|cannot re-use a name that is still in use/,
  },
  {
    class: 'not found',
    definite: true,
    when: /release: not found|has no deployed releases|chart ".*" (?:version )?.*not found/,
  },
  // It may come in the middle of a release.
  { class: 'forbidden', definite: false, when: /is forbidden: / },
  {
    class: 'invalid',
    definite: true,
    when: /unknown (?:shorthand )?flag|requires (?:at least )?\d argument|execution error at|parse error at|YAML parse error|values don't meet the specifications/,
  },
]

export const HELM: ToolKnowledge = {
  canonical,
  rehearse: (call, decision, ask) => rehearse(call, decision, ask),
  settle,
  failure: (_exitCode, stderr, stdout = '') =>
    failureBy([...RULES, ...NETWORK_FAILURES], stderr, { didSomething: stdout !== '' }),
}
