/** Where the commands of a page are typed: an empty folder, a cluster with a shop in it, and `srecodex` on the PATH. */

import { kubectlProgram, project, startKubernetes } from '@srecodex/testkit'
import { execa } from 'execa'
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { CORE, ROOT } from '../generate/repository.ts'

export interface World {
  readonly write: (file: string, text: string) => void
  /** As a shell runs it, with both streams as they come. */
  readonly type: (command: string) => Promise<{ readonly printed: string; readonly exitCode: number }>
}

const BIN = join(ROOT, 'packages/cli/dist/bin.js')
const DEPLOYMENTS = ['api', 'cart', 'web']

/** To be called inside a test, whose end removes it. */
export async function world(): Promise<World> {
  const kubernetes = await startKubernetes()
  onTestFinished(() => kubernetes.stop())
  for (const name of DEPLOYMENTS) {
    kubernetes.addWorkload({ namespace: 'shop', name, replicas: 1, image: `registry.test/${name}:1.0` })
  }
  await kubernetes.settled()
  const place = project()
  const bin = join(place.home, 'bin')
  mkdirSync(bin)
  // As npm leaves it, which makes what it links executable.
  chmodSync(BIN, 0o755)
  symlinkSync(BIN, join(bin, 'srecodex'))
  const modules = join(place.workspace, 'node_modules/@srecodex')
  mkdirSync(modules, { recursive: true })
  symlinkSync(CORE, join(modules, 'core'))
  const env = {
    PATH: [bin, dirname(process.execPath), dirname(await kubectlProgram()), process.env.PATH].join(':'),
    HOME: place.home,
    SRECODEX_HOME: place.srecodexHome,
    KUBECONFIG: kubernetes.kubeconfig(place.path('~/kubeconfig')),
    LANG: 'C.UTF-8',
    TZ: 'UTC',
  }
  /** Folders as they are called where nothing moves them. */
  const shown = (text: string): string =>
    text
      .replaceAll(join(place.srecodexHome, 'state'), '~/.local/state/srecodex')
      .replaceAll(place.workspace, '~/job')
      .replaceAll(place.home, '~')
  return {
    write: place.write,
    type: async command => {
      // Both streams in one pipe, so that they stay in order.
      const { stdout, exitCode } = await execa('bash', ['-c', `{ ${command}\n} 2>&1`], {
        cwd: place.workspace,
        env,
        extendEnv: false,
        reject: false,
        stdin: 'ignore',
      })
      return { printed: shown(stdout), exitCode: exitCode ?? 1 }
    },
  }
}
