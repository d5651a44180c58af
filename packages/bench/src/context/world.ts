/** What an arm of a case works in: fresh folders, and a cluster where the case is one of Kubernetes. */

import { kubectlProgram, startKubernetes, type Kubernetes, type WorkloadSeed } from '@srecodex/testkit'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface World {
  readonly workspace: string
  readonly home: string
  readonly srecodexHome: string
  /** For the agent, and so for its tools. */
  readonly env: Readonly<Record<string, string>>
  readonly close: () => Promise<void>
}

export interface ClusterWorld extends World {
  readonly kubernetes: Kubernetes
}

export function emptyWorld(): World {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'srecodex-context-')))
  const [workspace, home, srecodexHome] = ['workspace', 'home', 'srecodex'].map(name => join(root, name))
  for (const folder of [workspace!, home!]) mkdirSync(folder)
  return {
    workspace: workspace!,
    home: home!,
    srecodexHome: srecodexHome!,
    env: {},
    close: () => {
      rmSync(root, { recursive: true, force: true, maxRetries: 5 })
      return Promise.resolve()
    },
  }
}

export async function clusterWorld(workloads: readonly WorkloadSeed[]): Promise<ClusterWorld> {
  const world = emptyWorld()
  const kubernetes = await startKubernetes({ mixedCrashStates: true })
  for (const workload of workloads) kubernetes.addWorkload(workload)
  await kubernetes.settled(300_000)
  const kubectl = dirname(await kubectlProgram())
  return {
    ...world,
    kubernetes,
    env: {
      PATH: `${kubectl}:${process.env.PATH ?? ''}`,
      KUBECONFIG: kubernetes.kubeconfig(join(world.home, 'kubeconfig')),
    },
    close: async () => {
      await kubernetes.stop()
      await world.close()
    },
  }
}
