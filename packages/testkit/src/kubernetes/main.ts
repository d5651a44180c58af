/**
 * The stand-in as a process of its own.
 *
 *   node main.ts --port 0 --kubeconfig FILE --log FILE --deployments 50 --bad 0.1 --seed 1
 *
 * stdout: one line of JSON once it serves and its pods have settled: `{"url", "kubeconfig"}`. The log is a JSON
 * object a line, written when the outcome of a request is known. It ends when its parent does.
 */

import { appendFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { ForbiddenRule } from './access.ts'
import { faultsOf, type FaultRule } from './fault-rules.ts'
import { startKubernetes } from './kubernetes.ts'
import type { WorkloadSeed } from './seed.ts'

const number = { type: 'string' } as const
const { values } = parseArgs({
  options: {
    port: { ...number, default: '0' },
    kubeconfig: { type: 'string' },
    'viewer-kubeconfig': { type: 'string' },
    log: { type: 'string' },
    nodes: { ...number, default: '3' },
    deployments: { ...number, default: '0' },
    namespaces: { type: 'string', default: 'shop,pay,search,batch' },
    bad: { ...number, default: '0' },
    seed: { ...number, default: '1' },
    /** JSON: a list of WorkloadSeed. */
    workloads: { type: 'string', default: '[]' },
    /** JSON: a list of ForbiddenRule. */
    forbidden: { type: 'string', default: '[]' },
    /** JSON: a list of FaultRule. */
    faults: { type: 'string', default: '[]' },
    'throttle-every': number,
    'retry-after': number,
    'controller-delay': { ...number, default: '5' },
    'ready-delay': { ...number, default: '50' },
    'terminate-delay': { ...number, default: '50' },
    'mixed-crash-states': { type: 'boolean', default: false },
  },
})

const { log } = values
if (log !== undefined) writeFileSync(log, '', { mode: 0o600 })
const every = values['throttle-every']
const retryAfter = values['retry-after']
const kubernetes = await startKubernetes({
  port: Number(values.port),
  nodes: Number(values.nodes),
  controllerDelayMs: Number(values['controller-delay']),
  readyDelayMs: Number(values['ready-delay']),
  terminateDelayMs: Number(values['terminate-delay']),
  mixedCrashStates: values['mixed-crash-states'],
  forbidden: JSON.parse(values.forbidden) as ForbiddenRule[],
  onRequest: faultsOf(JSON.parse(values.faults) as FaultRule[]),
  ...(every === undefined
    ? {}
    : {
        throttle: {
          every: Number(every),
          retryAfterSeconds: retryAfter === undefined ? null : Number(retryAfter),
        },
      }),
  onLogged: request => {
    // Synchronous: a reader that saw an answer finds its line.
    if (log !== undefined) appendFileSync(log, `${JSON.stringify(request)}\n`)
  },
})
kubernetes.addDeployments(Number(values.deployments), {
  namespaces: values.namespaces.split(','),
  bad: Number(values.bad),
  seed: Number(values.seed),
})
for (const seed of JSON.parse(values.workloads) as WorkloadSeed[]) kubernetes.addWorkload(seed)
await kubernetes.settled()
if (values.kubeconfig !== undefined) kubernetes.kubeconfig(values.kubeconfig)
const viewer = values['viewer-kubeconfig']
if (viewer !== undefined) kubernetes.kubeconfig(viewer, { user: 'viewer' })
process.stdout.write(`${JSON.stringify({ url: kubernetes.url, kubeconfig: values.kubeconfig ?? null })}\n`)

const parent = process.ppid
const orphaned = setInterval(() => {
  if (process.ppid !== parent) end()
}, 200)

function end(): void {
  clearInterval(orphaned)
  void kubernetes.stop().finally(() => process.exit(0))
}

process.once('SIGTERM', end)
process.once('SIGINT', end)
