/**
 * What a mutation by kubectl would do, without doing it: the server's dry run where the verb has one.
 *
 * Selectors, `--all` and bare types are resolved first, and the dry run is of the names. What the dry run refuses as
 * a whole is what the script would get, so nothing is planned; what it refuses in part is planned for the rest.
 */

import type { AskTool } from '../../calls.ts'
import type { Call, Decision } from '../../effects/decision.ts'
import { readKubectl } from '../../effects/kubectl.ts'
import type { ParsedKubectl } from '../../effects/kubectl.ts'
import { lastValue } from '../../effects/options.ts'
import type { Rehearsal } from '../knowledge.ts'
import { firstWords } from '../words.ts'
import { beforeOf, findObjects, OBJECTS_TEMPLATE, parseObjects } from './objects.ts'
import { fileWords, namespaceOf, resolve, targetsOf, unread } from './resolve.ts'
import type { Rehearsed } from './resolve.ts'
import { rehearseRollout, ROLLOUT_PATCHES } from './rollout.ts'
import { rehearseWithoutDryRun } from './without-dry-run.ts'
import { hasValue, isOn, namesFiles, takesFlag, withOptions } from './words.ts'

export const rehearseKubectl = async (
  call: Call,
  decision: Decision,
  ask: AskTool,
  stdin: string | null,
): Promise<Rehearsal> => {
  const parsed = readKubectl(call.argv)
  if (parsed === null)
    return unread(call, `the words of \`kubectl ${firstWords(call.argv)}\` are in no table`)
  const one: Rehearsed = { call, parsed, decision, ask, stdin }
  if (hasValue(parsed, 'raw')) {
    const method = parsed.path === 'get' ? 'get' : parsed.path
    return {
      ...unread(call, `\`${parsed.path} --raw\` has no dry run`),
      targets: [`${method} ${lastValue(parsed.read, 'raw') ?? ''}`],
    }
  }
  const patch = ROLLOUT_PATCHES[parsed.path]
  if (patch !== undefined) return rehearseRollout(one, patch, await resolve(one))
  const isDry = takesFlag(parsed.path, 'dry-run') && parsed.path !== 'auth reconcile'
  if (!isDry || (parsed.path === 'replace' && isOn(parsed, 'force'))) return rehearseWithoutDryRun(one)
  if (parsed.path === 'apply' && isOn(parsed, 'prune')) return refusedPrune(call)
  return createsObjects(parsed) ? rehearseCreation(one) : rehearseChange(one)
}

/** What would be pruned can be told, but no argv can hold an apply to it. */
const refusedPrune = (call: Call): Rehearsal => ({
  ...unread(call, ''),
  exitCode: 1,
  stderr:
    'error: srecodex cannot hold `apply --prune` to what was planned: apply without it, and delete by name what is to go\n',
  runs: [],
  targets: [],
  incomplete: null,
})

const CREATING = /^(create\b|run$|expose$|autoscale$|apply$|replace$)/

const createsObjects = ({ path }: ParsedKubectl): boolean => CREATING.test(path)

const OWN_DRY_RUN = new Set(['dry-run', 'interactive'])
const FOR_OBJECTS = new Set([...OWN_DRY_RUN, 'output', 'template', 'show-managed-fields'])
const SERVER = { name: 'dry-run', value: 'server' }

/** The last `--dry-run` counts, so the script's own goes. */
const dryRunOf = (argv: readonly string[], asObjects = false): readonly string[] => {
  const parsed = readKubectl(argv)
  if (parsed === null) throw new Error('an argv that was put together cannot be read')
  return asObjects
    ? withOptions(parsed, FOR_OBJECTS, [{ name: 'output', value: `go-template=${OBJECTS_TEMPLATE}` }, SERVER])
    : withOptions(parsed, OWN_DRY_RUN, [SERVER])
}

const printsText = (parsed: ParsedKubectl): boolean =>
  !hasValue(parsed, 'output') && !hasValue(parsed, 'template')

const withoutMark = (parsed: ParsedKubectl, stdout: string): string =>
  printsText(parsed) ? stdout.replaceAll(/ \((?:server )?dry run\)$/gm, '') : stdout

/** Objects that need not be there yet, whose names only the server's answer tells. */
const rehearseCreation = async (one: Rehearsed): Promise<Rehearsal> => {
  const { call, parsed, ask, stdin } = one
  const options = { stdin }
  const [told, shown, found] = await Promise.all([
    ask(dryRunOf(call.argv), options),
    ask(dryRunOf(call.argv, true), options),
    namesFiles(parsed) && parsed.path !== 'expose' && parsed.path !== 'autoscale'
      ? findObjects(ask, [...fileWords(parsed), ...namespaceOf(parsed), '--ignore-not-found'], stdin)
      : null,
  ])
  const stdout = withoutMark(parsed, told.stdout)
  const answer = { exitCode: told.exitCode, stdout, stderr: told.stderr, before: {} }
  if (told.exitCode !== 0 && stdout === '') return { ...answer, runs: [], targets: [], incomplete: null }
  const wanted = parseObjects(shown.stdout)
  const existing = found?.objects ?? []
  const madeUp = wanted.filter(
    ({ generateName, target }) => generateName !== '' && existing.every(other => other.target !== target),
  )
  // Nothing is kept of what cannot be found again, or could not be looked at: it might be taken for absent.
  const isKnown = madeUp.length === 0 && (found === null || found.exitCode === 0)
  const named = wanted.map(object =>
    madeUp.includes(object)
      ? { ...object, target: `${object.target.slice(0, -object.name.length)}${object.generateName}*` }
      : object,
  )
  return {
    ...answer,
    runs: [call.argv],
    targets: targetsOf(named, one),
    incomplete:
      madeUp.length > 0 ? 'the server makes up a name, which is known only once it is created' : null,
    before: isKnown ? beforeOf(existing, wanted) : {},
  }
}

/** Objects that are there. */
const rehearseChange = async (one: Rehearsed): Promise<Rehearsal> => {
  const { call, parsed, ask, stdin } = one
  const { runs, objects, bySelector, failed } = await resolve(one)
  if (failed !== null) return { ...failed, stdout: '', runs: [], targets: [], incomplete: null, before: {} }
  // What no selector finds is asked as it stands, for what the verb says then.
  const rehearsed = runs.length === 0 ? [call.argv] : runs
  const told = await Promise.all(rehearsed.map(argv => ask(dryRunOf(argv), { stdin })))
  const said = withoutMark(parsed, told.map(({ stdout }) => stdout).join(''))
  const exitCode = told.find(answer => answer.exitCode !== 0)?.exitCode ?? 0
  const answer = {
    exitCode,
    stdout: parsed.path === 'drain' ? withEvictions(said) : said,
    stderr: told.map(({ stderr }) => stderr).join(''),
    incomplete: null,
  }
  const nothing = (exitCode !== 0 && said === '') || (bySelector && runs.length === 0)
  if (nothing) return { ...answer, runs: [], targets: [], before: {} }
  return { ...answer, runs, targets: targetsOf(objects, one), before: beforeOf(objects) }
}

/** A real drain says of each pod that it is gone as well. */
const withEvictions = (said: string): string => {
  const pods = [...said.matchAll(/^evicting pod [^/\s]+\/(\S+)$/gm)].map(
    ([, name = '']) => `pod/${name} evicted\n`,
  )
  return said.replace(/^(node\/\S+ drained)$/m, `${pods.join('')}$1`)
}
