/** How an agent ends, by small programs in its place: at its deadline, struck, with and without leftovers. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startAgentProcess, type AgentProcess } from '../src/agents/agent-process.ts'

interface Timing {
  readonly timeoutMs?: number
  readonly graceMs?: number
}

function shell(script: string, { timeoutMs = 60_000, graceMs = 15_000 }: Timing = {}): Promise<AgentProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'srecodex-agent-process-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return startAgentProcess({
    ...{ program: 'bash', args: ['-c', script], cwd: folder, folder, timeoutMs, graceMs },
    env: { PATH: process.env.PATH, TMPDIR: folder },
  })
}

const CLEAN = { signal: null, timedOut: false, outlived: [] }

/** Empty of what is gone, and of what nobody has fetched yet. */
function commandOf(pid: number): string {
  const file = `/proc/${pid}/cmdline`
  return existsSync(file) ? readFileSync(file, 'latin1') : ''
}

test('what it says, and how it ends', async () => {
  const { ended } = await shell('echo out; echo err >&2; exit 3')
  expect(await ended).toEqual({ ...CLEAN, exitCode: 3, stdout: 'out\n', stderr: 'err\n' })
})

test('a program that is not there is told', async () => {
  const nowhere = { program: '/nowhere', args: [], cwd: '/', folder: '/nowhere', env: {}, timeoutMs: 1000 }
  await expect(startAgentProcess(nowhere)).rejects.toThrow('ENOENT')
})

/** Each of them a child that its parent does not wait for. */
const LEFT = {
  'in its group': 'sleep 1001 & echo $!',
  'in a group of its own': 'set -m; sleep 1002 & echo $!',
  'in a session of its own': 'setsid sleep 1003 & echo $!',
  'in its session, without its environment': 'set -m; env -i PATH="$PATH" sleep 1004 & echo $!',
}

test.for(Object.entries(LEFT))('a leftover %s is killed, and told', async ([, script]) => {
  const { ended } = await shell(script, { graceMs: 200 })
  const { stdout, ...end } = await ended
  const [seconds] = /\d{4}/.exec(script)!
  expect(end).toEqual({ ...CLEAN, exitCode: 0, stderr: '', outlived: [`sleep ${seconds}`] })
  expect(commandOf(Number(stdout))).toBe('')
})

test('what goes by itself within the grace is no leftover', async () => {
  const { ended } = await shell('sleep 0.5 & exit 0')
  expect(await ended).toMatchObject({ ...CLEAN, exitCode: 0 })
})

test('past its deadline it is killed with all that it started, without a grace', async () => {
  const begun = performance.now()
  const { ended } = await shell('setsid sleep 1005 & sleep 1006', { timeoutMs: 300 })
  expect(await ended).toMatchObject({ signal: 'SIGKILL', exitCode: null, timedOut: true, outlived: [] })
  expect(performance.now() - begun).toBeLessThan(10_000)
})

test('struck, it goes alone: what it started may still put things in order', async () => {
  const begun = join(mkdtempSync(join(tmpdir(), 'srecodex-agent-begun-')), 'begun')
  onTestFinished(() => rmSync(dirname(begun), { recursive: true }))
  const child = '(while kill -0 $$ 2> /dev/null; do sleep 0.05; done; echo in order) &'
  const { ended, kill } = await shell(`${child} touch ${begun}; wait`)
  await expect.poll(() => existsSync(begun)).toBe(true)
  kill()
  expect(await ended).toMatchObject({ ...CLEAN, signal: 'SIGKILL', exitCode: null, stdout: 'in order\n' })
})
