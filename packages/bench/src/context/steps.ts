/** Few steps: a deployment with its way back, one item, and a diagnosis, in which each step follows from the last. */

import type { WorkloadSeed } from '@srecodex/testkit'
import type { ModelCall } from '@srecodex/testkit/agents'
import { withSrecodex, type Moves } from './arm.ts'
import { expectEqual, type ContextCase } from './case.ts'
import { findSkill, reportIn, rows, script, shell } from './moves.ts'
import { clusterWorld, type ClusterWorld } from './world.ts'

const GOOD = 'registry.test/web:1.0'
const BAD = 'registry.test/web:2.0-imagepull'

const WEB: WorkloadSeed = { namespace: 'shop', name: 'web', replicas: 3, progressDeadlineSeconds: 3 }

function changes({ kubernetes }: ClusterWorld): string[] {
  const applied = kubernetes.requests.filter(request => request.applied)
  return applied.map(({ verb, namespace, name }) => `${verb} ${namespace}/${name}`)
}

const DEPLOY = `
import srecodex
done = srecodex.skill("deploy/rollout", namespace="shop", workload="deployment/web", image="${BAD}",
                      rollout_timeout_seconds=10, settle_seconds=1)
srecodex.summary(done["status"] + ": " + done["summary"])
`

export const DEPLOYMENT: ContextCase = {
  id: 'deployment',
  name: 'Deploy, verify, roll back',
  kind: 'workflow',
  isReadOnly: false,
  arms: {
    script: 'a skill found, one script, one approval with the way back in it',
    chat: '`set image`, `rollout status`, `get pods`, `rollout undo`, `rollout status`',
  },
  prompt: 'Deploy web 2.0 to shop, verify that it is healthy, and roll back if it is not.',
  set: async () => {
    const world = await clusterWorld([WEB])
    return {
      world,
      script: {
        moves: function* (): Moves {
          yield* findSkill('deploy a version, verify, roll back', 'deploy/rollout')
          return yield* script(DEPLOY)
        },
        mcpServers: withSrecodex(world),
      },
      chat: {
        moves: function* (): Moves {
          yield* shell(`kubectl set image deployment/web '*=${BAD}' -n shop`)
          const status = yield* shell('kubectl rollout status deployment/web -n shop --timeout=10s')
          if (status.includes('successfully')) return '2.0 is out'
          yield* shell('kubectl get pods -l app=web -n shop')
          yield* shell('kubectl rollout undo deployment/web -n shop')
          const back = yield* shell('kubectl rollout status deployment/web -n shop --timeout=10s')
          return back.includes('successfully') ? 'rolled-back: 2.0 did not become ready' : 'neither is out'
        },
      },
      judge: answer => {
        if (!answer.startsWith('rolled-back: ')) throw new Error(`not rolled back: ${answer}`)
        expectEqual('changes', changes(world), ['patch shop/web', 'patch shop/web'])
        const { spec } = world.kubernetes.get('deployments', 'shop', 'web') as unknown as {
          spec: { template: { spec: { containers: { image: string }[] } } }
        }
        expectEqual('image', spec.template.spec.containers[0]!.image, GOOD)
      },
    }
  },
}

const RESTART_ONE =
  'kubectl rollout restart deployment/web -n shop && kubectl rollout status deployment/web -n shop'

export const ONE_ITEM: ContextCase = {
  id: 'one-item',
  name: 'Restart one deployment',
  kind: 'chat',
  isReadOnly: false,
  arms: { script: 'one script, one approval', chat: 'one command' },
  prompt: 'Restart web in shop.',
  set: async () => {
    const world = await clusterWorld([WEB])
    return {
      world,
      script: { moves: () => script(RESTART_ONE, 'shell'), mcpServers: withSrecodex(world) },
      chat: {
        moves: function* (): Moves {
          return yield* shell(RESTART_ONE)
        },
      },
      judge: answer => {
        if (!answer.includes('rolled out')) throw new Error(`not said to be out: ${answer}`)
        expectEqual('changes', changes(world), ['patch shop/web'])
      },
    }
  },
}

const SERVICE: WorkloadSeed = {
  ...{ namespace: 'pay', name: 'ledger', replicas: 1, image: 'registry.test/ledger:1.0-crashloop' },
}

/** What is read, in order: the pods, one of them closely, its log, what its log names. */
export const DIAGNOSIS: ContextCase = {
  id: 'diagnosis',
  name: 'Diagnosis: why does ledger crash?',
  kind: 'chat',
  isReadOnly: true,
  arms: {
    script: 'a script for each step, the rest of its output by `read_output`',
    chat: '`get pods`, `describe pod`, `logs`, `get services`',
  },
  prompt: 'The ledger in pay does not come up. Why?',
  set: async () => {
    const world = await clusterWorld([SERVICE, { ...WEB, namespace: 'pay' }])
    world.kubernetes.create('services', {
      metadata: { namespace: 'pay', name: 'ledger-db' },
      spec: { selector: { app: 'ledger-db' }, ports: [{ port: 5432 }] },
    })
    return {
      world,
      script: { moves: () => diagnosis(scriptedStep, scriptedTable), mcpServers: withSrecodex(world) },
      chat: { moves: () => diagnosis(shell, rows) },
      judge: answer => {
        const pod = /(\S+) exits with code 1: (.+), though there is a service ledger-db$/.exec(answer)
        if (pod === null) throw new Error(`no cause in: ${answer}`)
        expectEqual('cause', pod[2]!.includes('connect: connection refused'), true)
      },
    }
  },
}

type Step = (command: string) => Generator<ModelCall, string, string>
type Table = (command: string) => Generator<ModelCall, readonly (readonly string[])[], string>
function* diagnosis(step: Step, table: Table): Moves {
  const pods = yield* table('kubectl get pods -n pay')
  const [name = ''] = pods.find(([pod = '']) => pod.startsWith('ledger-')) ?? []
  const described = yield* step(`kubectl describe pod ${name} -n pay`)
  const code = /Exit Code: +(\d+)/.exec(described)?.[1] ?? '?'
  const log = yield* step(`kubectl logs ${name} -n pay`)
  const cause = /ERROR (.+)/.exec(log)?.[1] ?? 'no error in its log'
  const services = yield* table('kubectl get services -n pay')
  const there = services.some(([service]) => service === 'ledger-db')
  return `${name} exits with code ${code}: ${cause}, ${there ? 'though there is a' : 'and there is no'} service ledger-db`
}

/** A diagnosis has to read what a script has printed: its summary is the end of it, the beginning is asked for. */
function* scriptedStep(command: string): ReturnType<Step> {
  const told = yield { name: 'srecodex_run_script', arguments: { script: command, language: 'shell' } }
  const { run } = reportIn(told)
  return yield { name: 'srecodex_read_output', arguments: { run, limit: 100 } }
}

function* scriptedTable(command: string): ReturnType<Table> {
  const told = yield { name: 'srecodex_run_script', arguments: { script: command, language: 'shell' } }
  const table = reportIn(told).summary
  return table.split('\n').map(line => line.split(/ {2,}/))
}
