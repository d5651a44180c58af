/** Many items of a cluster: one question over all pods, and fifty restarts. */

import { resourceOf, type Kubernetes, type WorkloadSeed } from '@srecodex/testkit'
import { withSrecodex, type Moves } from './arm.ts'
import { expectEqual, type ContextCase } from './case.ts'
import { findSkill, rows, script, shell } from './moves.ts'
import { clusterWorld } from './world.ts'

const NAMESPACES = ['shop', 'pay', 'search', 'batch']

const DEPLOYMENTS = 200

/** Five crash, some of whose pods run at the moment at which they are looked at; five are not ready; the rest is well. */
function crowd(replicas: number): WorkloadSeed[] {
  return Array.from({ length: DEPLOYMENTS }, (_, index) => {
    const name = `app-${String(index).padStart(3, '0')}`
    const mode = index % 40 === 7 ? '-crashloop' : index % 40 === 27 ? '-notready' : ''
    return {
      ...{ namespace: NAMESPACES[index % 4]!, name, replicas: mode === '' ? replicas : 2 },
      image: `registry.test/${name}:1.0${mode}`,
    }
  })
}

function podsIn(seeds: readonly WorkloadSeed[]): number {
  return seeds.reduce((sum, { replicas = 0 }) => sum + replicas, 0)
}

const CRASHING = `
import json, subprocess
from srecodex import summary
pods = json.loads(subprocess.run(["kubectl", "get", "pods", "-A", "-o", "json"], check=True, capture_output=True, text=True).stdout)["items"]
def looping(pod):
    for status in pod["status"].get("containerStatuses", []):
        waiting = status["state"].get("waiting", {}).get("reason")
        if waiting == "CrashLoopBackOff" or status["restartCount"] >= 3 and status.get("lastState", {}).get("terminated"): return True
found = sorted("%(namespace)s/%(name)s" % pod["metadata"] for pod in pods if looping(pod))
summary("%d of %d pods in CrashLoopBackOff:\\n%s" % (len(found), len(pods), "\\n".join(found)))
`

const crashLoops = (id: string, seeds: readonly WorkloadSeed[]): ContextCase => ({
  id,
  name: `Pods in CrashLoopBackOff, of ${podsIn(seeds).toLocaleString('en-US')}`,
  kind: 'bulk',
  isReadOnly: true,
  arms: { script: 'one script', chat: '`kubectl get pods -A`, read' },
  prompt: 'List all pods in CrashLoopBackOff across all namespaces.',
  set: async () => {
    const world = await clusterWorld(seeds)
    const all = podsOf(world.kubernetes)
    const truth = all.filter(({ image }) => image.endsWith('-crashloop')).map(({ key }) => key)
    return {
      world,
      script: { moves: () => script(CRASHING), mcpServers: withSrecodex(world) },
      chat: {
        moves: function* (): Moves {
          const listed = yield* rows('kubectl get pods --all-namespaces')
          // A pod that crashes runs now and then; that it has restarted tells it from one that is merely not ready.
          const found = listed.filter(
            ([, , ready = '', state, restarts = '']) =>
              state === 'CrashLoopBackOff' || (ready.startsWith('0/') && Number.parseInt(restarts, 10) >= 3),
          )
          const keys = found.map(([namespace, name]) => `${namespace}/${name}`).sort()
          return `${keys.length} of ${listed.length} pods in CrashLoopBackOff:\n${keys.join('\n')}`
        },
      },
      judge: answer => {
        const [first, ...keys] = answer.split('\n')
        expectEqual('count', first, `${truth.length} of ${all.length} pods in CrashLoopBackOff:`)
        expectEqual('pods', keys, truth.sort())
      },
    }
  },
})

export const CRASH_LOOPS: readonly ContextCase[] = [
  crashLoops('crash-loops', crowd(2)),
  crashLoops('crash-loops-many', crowd(10)),
]

function podsOf({ store }: Kubernetes): { readonly key: string; readonly image: string }[] {
  return store.list(resourceOf('pods')).map(pod => ({
    key: `${pod.metadata.namespace}/${pod.metadata.name}`,
    image: (pod as unknown as { spec: { containers: { image: string }[] } }).spec.containers[0]!.image,
  }))
}

/** One in four runs the release that leaks, in all namespaces; no label tells. */
const LEAKING = ':2.3'

function fleet(): WorkloadSeed[] {
  return Array.from({ length: 200 }, (_, index) => {
    const name = `app-${String(index).padStart(3, '0')}`
    const image = `registry.test/${name}${(index * 7) % 4 === 1 ? LEAKING : ':2.4'}`
    return { namespace: NAMESPACES[Math.floor(index / 50)]!, name, replicas: 1, image }
  })
}

const RESTART = `
import json, subprocess, srecodex
found = json.loads(subprocess.run(["kubectl", "get", "deployments", "-A", "-o", "json"], check=True, capture_output=True, text=True).stdout)["items"]
leaking = ["%(namespace)s/deployment/%(name)s" % one["metadata"] for one in found
           if one["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":2.3")]
srecodex.summary(srecodex.skill("k8s/bulk-restart", workloads=leaking)["summary"])
`

export const RESTARTS: ContextCase = {
  id: 'restarts',
  name: 'Restart 50 deployments, of 200',
  kind: 'bulk',
  isReadOnly: false,
  arms: {
    script: 'a skill found, one script, one approval',
    chat: '`get deployments -A -o wide`, then 50 × `rollout restart && rollout status`',
  },
  prompt: 'Restart every deployment that runs release 2.3, in all namespaces, and see that each comes up.',
  set: async () => {
    const seeds = fleet()
    const world = await clusterWorld(seeds)
    const truth = seeds
      .filter(({ image }) => image?.endsWith(LEAKING))
      .map(({ namespace, name }) => `${namespace}/${name}`)
    return {
      world,
      script: {
        moves: function* (): Moves {
          yield* findSkill('restart many deployments', 'k8s/bulk-restart')
          return yield* script(RESTART)
        },
        mcpServers: withSrecodex(world),
      },
      chat: {
        moves: function* (): Moves {
          const deployments = yield* rows('kubectl get deployments --all-namespaces -o wide')
          const leaking = deployments.filter(cells => cells.some(cell => cell.endsWith(LEAKING)))
          let done = 0
          for (const [namespace, name] of leaking) {
            const target = `deployment/${name} -n ${namespace}`
            const told = yield* shell(`kubectl rollout restart ${target} && kubectl rollout status ${target}`)
            if (told.includes('successfully rolled out')) done += 1
          }
          return `${done} of ${leaking.length} restarted`
        },
      },
      judge: answer => {
        if (!/\b50\b/.test(answer)) throw new Error(`no word of 50 in: ${answer}`)
        const patched = world.kubernetes.requests
          .filter(({ applied }) => applied)
          .map(({ namespace, name }) => `${namespace}/${name}`)
        expectEqual('restarted', patched.sort(), truth.sort())
      },
    }
  },
}
