/** Whether the workloads and services of one namespace are healthy, and why not. Pure: objects in, verdicts out. */

/** The kubelet forgets a crash loop after ten minutes of running. */
const RECENT_MS = 600_000
const HOUR_MS = 3_600_000
const REASONS = 5
const WORDS = 100
const WORKLOADS = new Map([
  ['Deployment', 'deployment'],
  ['StatefulSet', 'statefulset'],
  ['DaemonSet', 'daemonset'],
])
/** Said better by the pod's own status. */
const NO_NEWS = new Set(['BackOff', 'FailedScheduling'])

/**
 * @param found Objects of one namespace by kind, without what could not be read: `found.has(kind)` tells.
 * @param options `now`, `eventsSince`: ms; `restarts`; `isChosen(workload)`.
 * @returns `unhealthy` in any order, `empty`: services without a ready endpoint.
 */
export function judge(found, { now, eventsSince, restarts, isChosen }) {
  const kind = name => found.get(name) ?? []
  const workloads = [...WORKLOADS.keys()].flatMap(kind).filter(isChosen)
  const pods = podsByWorkload(kind('Pod'), kind('ReplicaSet'))
  const events = eventsByUid(kind('Event'), now - eventsSince)
  const sets = setsByOwner(kind('ReplicaSet'))
  const services = servicesOf(kind('Service'), workloads)
  const unhealthy = workloads.flatMap(workload => {
    const own = (pods.get(nameOf(workload)) ?? []).filter(pod => pod.metadata.deletionTimestamp === undefined)
    const state = stateOf(workload, own, { now, restarts })
    if (state === null) return []
    const { namespace, name } = workload.metadata
    const about = [workload, ...(sets.get(workload.metadata.uid) ?? [])]
    const told = about.flatMap(one => [...(events.get(one.metadata.uid) ?? [])])
    return [
      {
        workload: `${namespace}/${WORKLOADS.get(workload.kind)}/${name}`,
        state: state.state,
        ready: state.ready,
        desired: state.desired,
        reasons: reasonsOf(own, told, events, state, now),
        services: (services.get(workload) ?? []).map(one => `${namespace}/${one.metadata.name}`),
      },
    ]
  })
  const isWhole = found.has('Service') && found.has('EndpointSlice')
  const empty = isWhole ? emptyServices(kind('Service'), kind('EndpointSlice'), workloads, services) : []
  return { checked: workloads.length, unhealthy, empty }
}

/** `Map.groupBy`, which Node has from 21 on. */
export function grouped(items, keyOf) {
  const groups = new Map()
  for (const item of items) {
    const key = keyOf(item)
    if (groups.has(key)) groups.get(key).push(item)
    else groups.set(key, [item])
  }
  return groups
}

function controllerOf({ metadata }) {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)
}

function nameOf({ kind, metadata }) {
  return `${kind}/${metadata.name}`
}

/** Pod → ReplicaSet → Deployment. */
function podsByWorkload(pods, sets) {
  const above = new Map(sets.map(set => [set.metadata.name, controllerOf(set)]))
  const topOf = pod => {
    const owner = controllerOf(pod)
    return owner?.kind === 'ReplicaSet' ? (above.get(owner.name) ?? byHash(pod, owner)) : owner
  }
  return grouped(pods, pod => {
    const top = topOf(pod)
    return top === undefined ? null : `${top.kind}/${top.name}`
  })
}

/** ReplicaSets may not be listed: the hash in the name says as much. */
function byHash({ metadata }, owner) {
  const suffix = `-${metadata.labels?.['pod-template-hash'] ?? ''}`
  return suffix !== '-' && owner.name.endsWith(suffix)
    ? { kind: 'Deployment', name: owner.name.slice(0, -suffix.length) }
    : owner
}

function setsByOwner(sets) {
  return grouped(sets, set => controllerOf(set)?.uid)
}

function desiredOf({ kind, spec, status = {} }) {
  return kind === 'DaemonSet' ? (status.desiredNumberScheduled ?? 0) : (spec.replicas ?? 1)
}

function stateOf(workload, pods, { now, restarts }) {
  const { kind, status = {} } = workload
  const desired = desiredOf(workload)
  const ready = (kind === 'DaemonSet' ? status.numberReady : status.readyReplicas) ?? 0
  const isStuck = status.conditions?.some(({ reason }) => reason === 'ProgressDeadlineExceeded') ?? false
  if (desired > 0 && ready === 0) return { state: 'down', ready, desired, isStuck }
  if (isStuck) return { state: 'stuck', ready, desired, isStuck }
  if (ready < desired) return { state: 'degraded', ready, desired, isStuck }
  const isUnstable = pods.some(pod => {
    const times = containersOf(pod).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0)
    return times >= restarts && now - lastEnd(pod) < HOUR_MS
  })
  return isUnstable ? { state: 'unstable', ready, desired, isStuck } : null
}

function containersOf({ status = {} }) {
  return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
}

function lastEnd(pod) {
  const ends = containersOf(pod).flatMap(({ state, lastState }) => [state?.terminated, lastState?.terminated])
  return Math.max(0, ...ends.map(end => Date.parse(end?.finishedAt ?? '') || 0))
}

/** What the pods say of themselves, then what was said about them; the commonest first, counted. */
function reasonsOf(pods, told, events, { state, isStuck }, now) {
  const own = pods.flatMap(pod => [...podReasons(pod, now, state === 'unstable')])
  const isSick = pod =>
    state === 'unstable' ||
    !pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
  const heard = pods.filter(isSick).flatMap(pod => [...(events.get(pod.metadata.uid) ?? [])])
  const reasons = [...counted(own), ...counted([...heard, ...told])].slice(0, REASONS)
  return isStuck ? [...reasons, 'the rollout is stuck: ProgressDeadlineExceeded'] : reasons
}

function counted(words) {
  const groups = [...grouped(words, one => one)].map(([one, all]) => [one, all.length])
  const sorted = groups.sort(([a, some], [b, others]) => others - some || (a < b ? -1 : 1))
  return sorted.map(([one, count]) => (count > 1 ? `${one} x${count}` : one))
}

/** In the words of `kubectl get pods`; one for each moment of a crash loop. */
function podReasons({ status = {} }, now, isUnstable) {
  const words = new Set()
  for (const container of containersOf({ status })) {
    const { state = {}, lastState = {}, restartCount = 0, ready } = container
    const last = state.terminated ?? lastState.terminated
    const waits = state.waiting?.reason
    const isRecent = state.running === undefined || now - Date.parse(state.running.startedAt) < RECENT_MS
    const crashes = restartCount > 0 && last !== undefined && ready !== true && isRecent
    if (waits === 'CrashLoopBackOff' || (crashes && (waits === undefined || waits === 'ContainerCreating'))) {
      words.add(last?.reason ? `CrashLoopBackOff after ${last.reason}` : 'CrashLoopBackOff')
    } else if (waits !== undefined && waits !== 'ContainerCreating' && waits !== 'PodInitializing')
      words.add(waits)
    else if (state.terminated !== undefined && state.terminated.reason !== 'Completed') {
      words.add(state.terminated.reason ?? `exit ${state.terminated.exitCode}`)
    } else if (isUnstable && restartCount > 0)
      words.add(`restarted, last by ${last?.reason ?? 'what nobody recorded'}`)
    else if (state.running !== undefined && ready !== true) words.add('running, not ready')
  }
  for (const { type, status: is, reason, message = '' } of status.conditions ?? []) {
    // The event that says it is called so, and is forgotten after an hour.
    if (type === 'PodScheduled' && is === 'False') {
      words.add(cut(`${reason === 'Unschedulable' ? 'FailedScheduling' : reason}: ${message}`))
    }
  }
  if (status.phase === 'Failed' && words.size === 0) words.add(status.reason ?? 'Failed')
  return words
}

/** Warnings by what they are about, each once, as a template that equals of it share. */
function eventsByUid(events, since) {
  const found = new Map()
  for (const event of events) {
    const { type, reason = '', metadata } = event
    const at =
      event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? metadata.creationTimestamp
    if (type !== 'Warning' || NO_NEWS.has(reason) || Date.parse(at ?? '') < since) continue
    const message = (event.message ?? event.note ?? '').split('\n', 1)[0]
    const uid = (event.involvedObject ?? event.regarding)?.uid
    if (!found.has(uid)) found.set(uid, new Set())
    found.get(uid).add(cut(`${reason}: ${masked(message)}`))
  }
  return found
}

function masked(text) {
  return text
    .replaceAll(/\b\d+(?:\.\d+){3}(?::\d+)?\b/g, '<ip>')
    .replaceAll(/\b(?=[\w-]*\d)[0-9a-f]{8}-[0-9a-f-]{20,}\b/g, '<id>')
}

function cut(text) {
  const words = text.trim().replace(/:$/, '')
  return words.length <= WORDS ? words : `${words.slice(0, WORDS - 1).toWellFormed()}…`
}

function selectorOf({ spec }) {
  const selector = Object.entries(spec?.selector ?? {})
  // Without a selector a service is somebody else's to fill.
  return spec?.type === 'ExternalName' || selector.length === 0 ? null : selector
}

/** Services that select the pods of each workload. */
function servicesOf(services, workloads) {
  const found = new Map()
  for (const workload of workloads) {
    const labels = workload.spec.template?.metadata?.labels ?? {}
    const own = services.filter(
      service => selectorOf(service)?.every(([key, value]) => labels[key] === value) ?? false,
    )
    if (own.length > 0) found.set(workload, own)
  }
  return found
}

function emptyServices(services, slices, workloads, byWorkload) {
  const ready = new Map()
  for (const { metadata, endpoints } of slices) {
    const service = metadata.labels?.['kubernetes.io/service-name']
    // An absent condition counts as ready, by the API's own definition.
    const some = (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false)
    ready.set(service, (ready.get(service) ?? false) || some)
  }
  return services
    .filter(service => selectorOf(service) !== null && ready.get(service.metadata.name) !== true)
    .map(service => ({ service, behind: workloads.filter(one => byWorkload.get(one)?.includes(service)) }))
    .filter(({ behind }) => behind.length === 0 || behind.some(workload => desiredOf(workload) > 0))
    .map(({ service, behind }) => ({
      name: `${service.metadata.namespace}/${service.metadata.name}`,
      isOfChosen: behind.length > 0,
    }))
}
