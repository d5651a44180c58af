#!/usr/bin/env node
/**
 * Which services and workloads are unhealthy, and why.
 *
 * Inputs as a JSON object on stdin, outputs as one on stdout (both as SKILL.md has them), the log on stderr. Reads
 * alone, and afresh at every run: nothing is taken over from an earlier one.
 */

import { readFileSync } from 'node:fs'
import { progress } from 'srecodex'
import { atOnce, KubectlError, listed } from './cluster.js'
import { grouped, judge } from './judge.js'

const AT_ONCE = 8
const KINDS = [
  'deployments',
  'statefulsets',
  'daemonsets',
  'replicasets',
  'pods',
  'services',
  'endpointslices',
]
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/
const STATES = ['down', 'degraded', 'stuck', 'unstable']
const SHOWN = 6
const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function fail(words) {
  process.stderr.write(`error: ${words}\n`)
  process.exit(1)
}

function checked(inputs) {
  if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs))
    fail('the inputs are a JSON object')
  const { namespace, all_namespaces: everywhere, workloads, events_since: since = '1h' } = inputs
  if (namespace === undefined && !everywhere && workloads === undefined) {
    fail('say what to look at: namespace, all_namespaces or workloads')
  }
  if (namespace !== undefined && !NAME.test(namespace)) fail(`${JSON.stringify(namespace)} is no namespace`)
  for (const workload of workloads ?? []) {
    const parts = workload.split('/')
    if (
      parts.length !== 3 ||
      !/^(deployment|statefulset|daemonset)$/.test(parts[1]) ||
      !parts.every(part => NAME.test(part))
    ) {
      fail(`${JSON.stringify(workload)} is no namespace/kind/name`)
    }
  }
  if (!/^\d+[smhd]$/.test(since)) fail(`${JSON.stringify(since)} is no age, such as 90m or 7d`)
  return inputs
}

/** null: all of them in one listing, since the names of namespaces may not be read. */
async function namespacesOf({ namespace, workloads }) {
  if (namespace !== undefined) return [namespace]
  if (workloads !== undefined)
    return [...new Set(workloads.map(workload => workload.split('/')[0]))].sort(byText)
  try {
    return (await listed('namespaces')).map(({ metadata }) => metadata.name)
  } catch (error) {
    if (!(error instanceof KubectlError && error.forbidden)) throw error
    return null
  }
}

/** Objects of one namespace by kind; what could not be read is absent, and named in `unreadable`. */
async function look(namespace, unreadable) {
  const where = namespace === null ? '--all-namespaces' : `--namespace=${namespace}`
  const name = namespace ?? 'all namespaces'
  const whole = async () => ({ items: await listed(KINDS.join(','), where), kinds: KINDS })
  const oneByOne = async refused => {
    // One kind may be what is forbidden. What broke on the way is not asked seven times more.
    if (!refused.forbidden) {
      unreadable.push(`${name}: ${refused.message}`)
      return { items: [], kinds: [] }
    }
    const parts = await Promise.all(
      KINDS.map(kind =>
        listed(kind, where).then(
          items => ({ kind, items }),
          error => ({ kind, error }),
        ),
      ),
    )
    const failed = parts.filter(({ error }) => error !== undefined)
    if (failed.length === KINDS.length) unreadable.push(`${name}: ${failed[0].error.message}`)
    else for (const { kind, error } of failed) unreadable.push(`${name}: ${kind}: ${error.message}`)
    const read = parts.filter(({ items }) => items !== undefined)
    return { items: read.flatMap(({ items }) => items), kinds: read.map(({ kind }) => kind) }
  }
  const events = async () => {
    try {
      return await listed('events', '--field-selector=type=Warning', where)
    } catch (error) {
      return error
    }
  }
  const [{ items, kinds }, told] = await Promise.all([whole().catch(oneByOne), events()])
  const found = grouped(items, ({ kind }) => kind)
  for (const kind of kinds) {
    if (!found.has(KIND_OF[kind])) found.set(KIND_OF[kind], [])
  }
  if (told instanceof Error) {
    if (kinds.length > 0) unreadable.push(`${name}: events: ${told.message}`)
  } else found.set('Event', told)
  return kinds.length === 0 ? null : found
}

const KIND_OF = {
  deployments: 'Deployment',
  statefulsets: 'StatefulSet',
  daemonsets: 'DaemonSet',
  replicasets: 'ReplicaSet',
  pods: 'Pod',
  services: 'Service',
  endpointslices: 'EndpointSlice',
}

/** The server reads the label selector; pods and services are listed whole all the same. */
async function chooser({ selector, workloads }, namespace, found) {
  const names = workloads === undefined ? null : new Set(workloads)
  const where = namespace === null ? '--all-namespaces' : `--namespace=${namespace}`
  const kinds = ['deployments', 'statefulsets', 'daemonsets'].filter(kind => found.has(KIND_OF[kind]))
  const ask = async () => (kinds.length === 0 ? [] : listed(kinds.join(','), `--selector=${selector}`, where))
  const uids = selector === undefined ? null : new Set((await ask()).map(({ metadata }) => metadata.uid))
  return ({ kind, metadata }) =>
    (uids === null || uids.has(metadata.uid)) &&
    (names === null || names.has(`${metadata.namespace}/${kind.toLowerCase()}/${metadata.name}`))
}

function summarized(
  inputs,
  { checked: total, healthy, unhealthy, services_without_endpoints: empty, unreadable },
) {
  const where =
    inputs.namespace ?? (inputs.workloads === undefined ? 'all namespaces' : 'the named workloads')
  if (total === 0 && unhealthy.length === 0) {
    const narrowed = inputs.selector === undefined ? '' : ` with ${inputs.selector}`
    return [`no workloads${narrowed} in ${where}: is the name right?`, ...unreadableLine(unreadable)].join(
      '\n',
    )
  }
  const states = STATES.map(state => [state, unhealthy.filter(one => one.state === state).length])
  const counts = states.filter(([, count]) => count > 0).map(([state, count]) => `${count} ${state}`)
  const lines = [
    unhealthy.length === 0
      ? `${where}: all ${healthy} workloads are healthy`
      : `${where}: ${unhealthy.length} of ${total} workloads unhealthy: ${counts.join(', ')}`,
  ]
  if (empty.length > 0) lines.push(`services without a ready endpoint: ${some(empty)}`)
  for (const { workload, state, ready, desired, reasons } of unhealthy.slice(0, SHOWN)) {
    const why = reasons.slice(0, 2).join(', ') || 'its pods do not say why'
    lines.push(`${workload} ${state}, ${ready}/${desired} ready: ${why}`)
  }
  if (unhealthy.length > SHOWN) lines.push(`… and ${unhealthy.length - SHOWN} more`)
  return [...lines, ...unreadableLine(unreadable)].join('\n')
}

function byText(a, b) {
  return a < b ? -1 : Number(a > b)
}

function unreadableLine(unreadable) {
  return unreadable.length === 0 ? [] : [`could not be read: ${some(unreadable)}`]
}

function some(words, count = 3) {
  const more = words.length > count ? [`${words.length - count} more`] : []
  return [...words.slice(0, count), ...more].join(', ')
}

/** Of those that were asked for by name, the ones that are not there. */
function missingOf({ workloads = [] }, seen, readable) {
  return workloads
    .filter(workload => readable.has(workload.split('/')[0]) && !seen.has(workload))
    .map(workload => ({
      workload,
      state: 'down',
      ready: 0,
      desired: 0,
      reasons: ['there is no such workload'],
      services: [],
    }))
}

async function main() {
  const inputs = checked(JSON.parse(readFileSync(0, 'utf8')))
  const { events_since: since = '1h', restarts = 3 } = inputs
  const unreadable = []
  const namespaces = (await namespacesOf(inputs)) ?? [null]
  let done = 0
  const looked = await atOnce(AT_ONCE, namespaces, async namespace => {
    try {
      const found = await look(namespace, unreadable)
      return { namespace, found, isChosen: found === null ? null : await chooser(inputs, namespace, found) }
    } catch (error) {
      if (!(error instanceof KubectlError)) throw error
      unreadable.push(`${namespace ?? 'all namespaces'}: ${error.message}`)
      return { namespace, found: null }
    } finally {
      done += 1
      void progress(done, namespaces.length, namespace ?? '')
    }
  })
  const readable = looked.filter(({ found }) => found !== null)
  if (readable.length === 0 && namespaces.length > 0) fail(unreadable[0])
  const options = { now: Date.now(), eventsSince: Number.parseInt(since, 10) * UNITS[since.at(-1)], restarts }
  const verdicts = readable.flatMap(({ found, isChosen }) =>
    byNamespace(found).map(part => judge(part, { ...options, isChosen })),
  )
  const seen = new Set(
    readable.flatMap(({ found }) =>
      ['Deployment', 'StatefulSet', 'DaemonSet'].flatMap(kind =>
        (found.get(kind) ?? []).map(
          ({ metadata }) => `${metadata.namespace}/${kind.toLowerCase()}/${metadata.name}`,
        ),
      ),
    ),
  )
  const missing = missingOf(inputs, seen, new Set(readable.map(({ namespace }) => namespace)))
  const unhealthy = [...missing, ...verdicts.flatMap(verdict => verdict.unhealthy)].sort(
    (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || byText(a.workload, b.workload),
  )
  const total = verdicts.reduce((sum, verdict) => sum + verdict.checked, 0) + missing.length
  const isNarrowed = inputs.selector !== undefined || inputs.workloads !== undefined
  const empty = verdicts
    .flatMap(verdict => verdict.empty)
    .filter(({ isOfChosen }) => isOfChosen || !isNarrowed)
  const result = {
    summary: '',
    checked: total,
    healthy: total - unhealthy.length,
    unhealthy,
    services_without_endpoints: empty.map(({ name }) => name).sort(byText),
    unreadable: unreadable.sort(byText),
  }
  result.summary = summarized(inputs, result)
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

/** One listing of everything is taken apart, since names repeat from namespace to namespace. */
function byNamespace(found) {
  const parts = new Map()
  for (const [kind, items] of found) {
    for (const item of items) {
      const { namespace } = item.metadata
      if (!parts.has(namespace)) parts.set(namespace, new Map([...found.keys()].map(name => [name, []])))
      parts.get(namespace).get(kind).push(item)
    }
  }
  return [...parts.values()]
}

main().catch(error => fail(error.message))
