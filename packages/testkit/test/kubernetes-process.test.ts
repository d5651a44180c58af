import { execa } from 'execa'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { kubectlProgram } from '../src/kubectl.ts'
import { spawnKubernetes } from '../src/kubernetes/process.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'srecodex-kubernetes-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A zombie is no longer a process. */
function lives(pid: number): boolean {
  const status = `/proc/${pid}/stat`
  return existsSync(status) && !/\) Z /.test(readFileSync(status, 'utf8'))
}

test('a process of its own serves, logs, and strikes as it was told', async () => {
  const program = await kubectlProgram()
  const [log, kubeconfig] = [join(folder, 'log'), join(folder, 'config')]
  const faults = JSON.stringify([{ verb: 'patch', dryRun: false, times: 1, fault: 'drop-after-apply' }])
  const args = ['--kubeconfig', kubeconfig, '--deployments', '4', '--namespaces', 'shop', '--faults', faults]
  const server = await spawnKubernetes(log, args)
  try {
    const env = { HOME: folder, KUBECONFIG: kubeconfig }
    const kubectl = async (...words: string[]): Promise<{ exitCode: number | undefined; stdout: string }> => {
      const { exitCode, stdout } = await execa(program, words, { env, extendEnv: false, reject: false })
      return { exitCode, stdout }
    }
    const { stdout } = await kubectl('get', 'deploy', '-n', 'shop', '--no-headers')
    expect(stdout.split('\n')).toHaveLength(4)
    const label = ['label', 'deploy', 'app-000', '-n', 'shop', 'a=b']
    expect((await kubectl(...label)).exitCode).toBe(1)
    expect((await kubectl(...label)).stdout).toBe('deployment.apps/app-000 not labeled')
    const patches = server.requests().filter(({ verb }) => verb === 'patch')
    expect(patches.map(({ name, applied, answered }) => ({ name, applied, answered }))).toEqual([
      { name: 'app-000', applied: true, answered: false },
      // kubectl says what it wants again, and nothing differs.
      { name: 'app-000', applied: false, answered: true },
    ])
  } finally {
    await server.stop()
  }
  expect(lives(server.pid)).toBe(false)
}, 180_000)

test('it ends with its parent, however that ends', async () => {
  const main = fileURLToPath(new URL('../src/kubernetes/main.ts', import.meta.url))
  const parent = execa('sh', ['-c', '"$@" & echo $!; wait', 'sh', process.execPath, main, '--nodes', '1'], {
    reject: false,
    buffer: false,
  })
  const seen: string[] = []
  parent.stdout.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
  await vi.waitFor(() => expect(seen.join('')).toContain('"url"'), { timeout: 20_000, interval: 50 })
  const pid = Number(/^\d+/.exec(seen.join(''))?.[0])
  expect(lives(pid)).toBe(true)
  parent.kill('SIGKILL')
  await vi.waitFor(() => expect(lives(pid)).toBe(false), { timeout: 10_000, interval: 50 })
  await parent
})
