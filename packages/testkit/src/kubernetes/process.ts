/** Starts the stand-in in a process of its own, for tests whose own process must stay free. */

import { execa } from 'execa'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { RequestEntry } from './request-log.ts'

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))

export interface KubernetesProcess {
  readonly url: string
  readonly pid: number
  /** What is in its log now. */
  requests(): RequestEntry[]
  stop(): Promise<void>
}

/** @param args Those of `main.ts`, without `--log`. @throws {Error} It ended before it served. */
export async function spawnKubernetes(log: string, args: readonly string[]): Promise<KubernetesProcess> {
  const child = execa(process.execPath, [MAIN, '--log', log, ...args], {
    reject: false,
    stdin: 'ignore',
    buffer: { stdout: false },
  })
  const lines = createInterface({ input: child.stdout })
  const first = await Promise.race([
    new Promise<string>(resolve => {
      lines.once('line', resolve)
    }),
    child.then(({ stderr }) => Promise.reject(new Error(`the stand-in ended: ${stderr}`))),
  ])
  const { url } = JSON.parse(first) as { url: string }
  return {
    url,
    pid: child.pid ?? 0,
    requests: () => parseLog(readFileSync(log, 'utf8')),
    async stop() {
      child.kill()
      await child
    },
  }
}

/** A last line that is still being written is left out. */
function parseLog(text: string): RequestEntry[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as RequestEntry)
}
