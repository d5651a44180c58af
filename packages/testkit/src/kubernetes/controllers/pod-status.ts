/** The status of a pod, as its image tag asks for it: `app:2.0-crashloop`. Pure. */

import { createHash } from 'node:crypto'
import { timestamp, type Condition, type ContainerStatus, type Pod, type Terminated } from '../object.ts'

const MODES = [
  ...['ok', 'slow', 'crashloop', 'oom', 'imagepull', 'configerror'],
  ...['notready', 'succeeded', 'failed', 'evicted'],
] as const
const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt'
export type PodMode = (typeof MODES)[number]

/**
 * `slow30`: ready after 30 s; the annotation `sim/mode` where no tag says anything. With `sim/mended-by: restart`, pods
 * of a workload that was restarted since are well, whatever the tag says.
 */
export function modeOf(pod: Pod): { mode: PodMode; seconds: number } {
  const { annotations = {} } = pod.metadata
  if (annotations['sim/mended-by'] === 'restart' && RESTARTED_AT in annotations)
    return { mode: 'ok', seconds: 0 }
  for (const { image } of pod.spec.containers) {
    const match = /[:-]([a-z]+)(\d*)$/.exec(image)
    const mode = MODES.find(each => each === match?.[1])
    if (mode !== undefined) return { mode, seconds: Number(match?.[2] ?? 0) || (mode === 'slow' ? 20 : 0) }
  }
  return { mode: MODES.find(each => each === annotations['sim/mode']) ?? 'ok', seconds: 0 }
}

const PHASES: Partial<Record<PodMode, string>> = {
  imagepull: 'Pending',
  configerror: 'Pending',
  succeeded: 'Succeeded',
  failed: 'Failed',
  evicted: 'Failed',
}

export function statusOf(pod: Pod, mode: PodMode, mixed: boolean, now: number): Pod['status'] {
  const ready = mode === 'ok' || mode === 'slow'
  const started = timestamp(now)
  const names = pod.spec.containers.map(({ name }) => name).join(' ')
  const why: Partial<Condition> = ready
    ? {}
    : mode === 'succeeded'
      ? { reason: 'PodCompleted' }
      : { reason: 'ContainersNotReady', message: `containers with unready status: [${names}]` }
  const condition = (type: string, isTrue: boolean, more: Partial<Condition> = {}): Condition => ({
    type,
    status: isTrue ? 'True' : 'False',
    lastTransitionTime: started,
    ...more,
  })
  const phase = PHASES[mode] ?? 'Running'
  const [high = 0, low = 0] = createHash('sha256').update(pod.metadata.uid).digest()
  const podIP = `10.244.${high}.${low}`
  return {
    ...(mode === 'evicted' ? { reason: 'Evicted', message: 'The node was low on resource: memory.' } : {}),
    phase,
    conditions: [
      condition('Initialized', true),
      condition('PodScheduled', true),
      condition('Ready', ready, why),
      condition('ContainersReady', ready, why),
    ],
    hostIP: '127.0.0.1',
    ...(phase === 'Running' || phase === 'Succeeded' ? { podIP, podIPs: [{ ip: podIP }] } : {}),
    startTime: pod.metadata.creationTimestamp,
    containerStatuses: mode === 'evicted' ? [] : containers(pod, mode, mixed, now),
    qosClass: 'Burstable',
  }
}

function containers(pod: Pod, mode: PodMode, mixed: boolean, now: number): ContainerStatus[] {
  const ready = mode === 'ok' || mode === 'slow'
  const { uid, name: podName, namespace, annotations } = pod.metadata
  const usual = mode === 'crashloop' ? 7 : mode === 'oom' ? 4 : 0
  const restartCount = Number(annotations?.['sim/restarts'] ?? usual)
  return pod.spec.containers.map(({ name, image }) => {
    const running = { running: { startedAt: timestamp(now) } }
    const terminated = (exitCode: number, reason: string): { terminated: Terminated } => ({
      terminated: {
        exitCode,
        reason,
        startedAt: timestamp(now - 20_000),
        finishedAt: timestamp(now - 5000),
      },
    })
    const waiting = (reason: string, message: string): ContainerStatus['state'] => ({
      waiting: { reason, message },
    })
    const crash = mode === 'oom' ? terminated(137, 'OOMKilled') : terminated(1, 'Error')
    const backOff = `back-off 5m0s restarting failed container=${name} pod=${podName}_${namespace}(${uid})`
    const turns = [waiting('CrashLoopBackOff', backOff), crash, running]
    const turn = mixed ? (createHash('sha256').update(uid).digest()[2] ?? 0) % turns.length : 0
    const states: Record<PodMode, ContainerStatus['state']> = {
      ok: running,
      slow: running,
      notready: running,
      crashloop: turns[turn] ?? running,
      oom: turns[turn] ?? running,
      imagepull: waiting('ImagePullBackOff', `Back-off pulling image "${image}"`),
      configerror: waiting('CreateContainerConfigError', 'secret "app-secret" not found'),
      succeeded: terminated(0, 'Completed'),
      failed: terminated(1, 'Error'),
      evicted: {},
    }
    const crashes = mode === 'crashloop' || mode === 'oom'
    const absent = mode === 'imagepull' || mode === 'configerror'
    return {
      name,
      image,
      imageID: absent ? '' : `docker-pullable://${image}`,
      ready,
      started: ready || mode === 'notready',
      restartCount,
      state: states[mode],
      lastState: crashes ? crash : {},
      ...(absent ? {} : { containerID: `containerd://${uid.replaceAll('-', '')}` }),
    }
  })
}

/** What the kubelet says of it as an event; null where all is well. */
export const EVENTS: Partial<Record<PodMode, readonly [reason: string, message: string]>> = {
  crashloop: ['BackOff', 'Back-off restarting failed container'],
  oom: ['BackOff', 'Back-off restarting failed container'],
  imagepull: [
    'Failed',
    'Failed to pull image: rpc error: code = NotFound desc = failed to pull and unpack image: not found',
  ],
  configerror: ['Failed', 'Error: secret "app-secret" not found'],
  notready: ['Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503'],
  evicted: ['Evicted', 'The node was low on resource: memory.'],
}

/** @returns null: there is no such log, and why. */
export function logOf(pod: Pod, previous: boolean): { log: string } | { error: string } {
  const { mode } = modeOf(pod)
  const { name, annotations } = pod.metadata
  const container = pod.spec.containers[0]?.name ?? ''
  if (annotations?.['sim/log'] !== undefined) return { log: annotations['sim/log'] }
  if (previous && mode !== 'crashloop' && mode !== 'oom') {
    return { error: `previous terminated container "${container}" in pod "${name}" not found` }
  }
  // By its status, as a kubelet: what never ran has said nothing.
  const isWaiting =
    pod.status.containerStatuses?.some(({ containerID }) => containerID === undefined) === true
  if (isWaiting) {
    return {
      error: `container "${container}" in pod "${name}" is waiting to start: trying and failing to pull image`,
    }
  }
  const now = timestamp()
  const lines = [`${now} INFO starting ${name}`, `${now} INFO config loaded`]
  if (mode === 'crashloop') {
    lines.push(
      `${now} ERROR cannot connect to database: dial tcp 10.96.0.20:5432: connect: connection refused`,
    )
    lines.push('Traceback (most recent call last):', '  File "/app/main.py", line 42, in <module>')
    lines.push('psycopg2.OperationalError: connection refused')
  } else if (mode === 'oom') lines.push(`${now} INFO cache warmup 93%`)
  else lines.push(`${now} INFO listening on :8080`, ...Array<string>(20).fill(`${now} INFO GET /healthz 200`))
  return { log: `${lines.join('\n')}\n` }
}
