/** How a run is ended from outside: what was printed is kept, every process dies, the report says why. */

import { randomUUID } from 'node:crypto'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runScript } from '../../src/runs/api.ts'
import type { RunReport } from '../../src/runs/report.ts'
import {
  cli,
  controlGroups,
  listedRuns,
  liveMarkers,
  place,
  processesWith,
  runIds,
  until,
  type Place,
} from './stage.ts'

/** Says that it is there, leaves an orphan that holds the pipe, and ignores every signal that can be ignored. */
const stubborn = (marker: string): string => `
trap '' INT TERM HUP QUIT
(trap '' INT TERM HUP QUIT; (exec setsid bash -c 'exec -a ${marker} sleep 600') & (exec -a ${marker} sleep 600) &)
echo printed
while :; do sleep 0.05; done
`

function started(at: Place, text: string, flags: readonly string[] = []) {
  const process = cli(at, ['run', '-', '--lang', 'sh', ...flags], { stdin: text, group: true })
  return process
}

function nothingLeft(at: Place, marker: string): void {
  expect(processesWith(marker)).toEqual([])
  expect(runIds(at).flatMap(id => controlGroups(id))).toEqual([])
  expect(liveMarkers(at)).toEqual([])
}

describe('Ctrl-C', () => {
  test('ends the run as cancelled; the script may say what it did', async () => {
    const at = place()
    const marker = `marked-${randomUUID()}`
    const text = `trap 'echo flushed; summary "got as far as 3"; exit 0' INT\necho printed\nexec 3>&1; while :; do (exec -a ${marker} sleep 0.05); done`
    const { child, ended } = started(at, text, ['--json'])
    await until(() => processesWith(marker).length > 0, 'the script runs')
    process.kill(-child.pid!, 'SIGINT') // as a terminal does: the whole foreground group
    const { code, stdout } = await ended
    const report = JSON.parse(stdout) as RunReport
    expect(code).toBe(130)
    expect(report).toMatchObject({
      status: 'cancelled',
      summary: 'got as far as 3',
      error: { code: 'CANCELLED' },
    })
    const kept = await cli(at, ['output', report.run]).ended
    expect(kept.stdout).toBe('printed\nflushed\n')
    nothingLeft(at, marker)
  })

  test('ends a script that will not end', async () => {
    const at = place()
    const marker = `marked-${randomUUID()}`
    const { child, ended } = started(at, stubborn(marker), ['--json'])
    await until(() => processesWith(marker).length > 1, 'the script runs')
    process.kill(-child.pid!, 'SIGINT')
    const { code, stdout } = await ended
    expect(code).toBe(130)
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'cancelled',
      summary: 'printed',
      signal: 'SIGKILL',
      exitCode: null,
    })
    nothingLeft(at, marker)
  })

  test('a second one, and a third, change nothing', async () => {
    const at = place()
    const marker = `marked-${randomUUID()}`
    const { child, ended } = started(at, stubborn(marker), ['--json'])
    await until(() => processesWith(marker).length > 1, 'the script runs')
    for (let turn = 0; turn < 3; turn++) {
      process.kill(-child.pid!, 'SIGINT')
      await new Promise(resolve => setTimeout(resolve, 30))
    }
    const { code } = await ended
    expect(code).toBe(130)
    nothingLeft(at, marker)
  })

  test.each(['SIGTERM', 'SIGHUP'] as const)('%s does the same', async signal => {
    const at = place()
    const marker = `marked-${randomUUID()}`
    const { child, ended } = started(at, stubborn(marker), ['--json'])
    await until(() => processesWith(marker).length > 1, 'the script runs')
    child.kill(signal)
    const { code, stdout } = await ended
    expect(code).toBe(130)
    expect(JSON.parse(stdout)).toMatchObject({ status: 'cancelled' })
    nothingLeft(at, marker)
  })
})

describe('the time is up', () => {
  test.each(['workspace-write', 'danger-full-access'])(
    'a script that ignores signals, forked twice and holds the pipe is dead (%s)',
    async sandbox => {
      const at = place()
      const marker = `marked-${randomUUID()}`
      const { ended } = started(at, stubborn(marker), ['--json', '--timeout', '1', '--sandbox', sandbox])
      const { code, stdout } = await ended
      expect(code).toBe(124)
      expect(JSON.parse(stdout)).toMatchObject({
        status: 'timed-out',
        summary: 'printed',
        exitCode: null,
        signal: 'SIGKILL',
        error: { code: 'TIMED_OUT' },
      })
      nothingLeft(at, marker)
    },
  )

  test('a script that is stopped by SIGSTOP is dead too', async () => {
    const at = place()
    const { ended } = started(at, 'echo printed; kill -STOP $$', ['--json', '--timeout', '1'])
    const { code, stdout } = await ended
    expect(code).toBe(124)
    expect(JSON.parse(stdout)).toMatchObject({ status: 'timed-out', summary: 'printed' })
  })

  test('the script ended, and a child of its goes on: the run is over at once', async () => {
    const at = place()
    const marker = `marked-${randomUUID()}`
    const { ended } = started(
      at,
      `(exec setsid bash -c 'exec -a ${marker} sleep 600') & echo printed; exit 7`,
      ['--json'],
    )
    const { code, stdout } = await ended
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ status: 'failed', exitCode: 7, summary: 'printed' })
    nothingLeft(at, marker)
  })
})

describe('another process, or the program that started it', () => {
  test('`runs stop` ends it as cancelled', async () => {
    const at = place()
    const marker = `marked-${randomUUID()}`
    const { ended } = started(at, stubborn(marker), ['--json'])
    await until(() => processesWith(marker).length > 1, 'the script runs')
    const stopped = await cli(at, ['runs', 'stop', 'last', '--json']).ended
    expect(stopped.code).toBe(0)
    expect(JSON.parse(stopped.stdout)).toMatchObject({
      stopped: true,
      status: 'cancelled',
      summary: 'printed',
    })
    expect(await ended).toMatchObject({ code: 130 })
    nothingLeft(at, marker)
  })

  test('`runs stop` right at the start ends it too', async () => {
    const at = place()
    const { ended } = started(at, 'sleep 600', ['--json'])
    await until(() => runIds(at).length > 0, 'the run has a folder')
    let stopped = await cli(at, ['runs', 'stop', 'last', '--json']).ended
    while (stopped.code === 2) stopped = await cli(at, ['runs', 'stop', 'last', '--json']).ended // no record yet
    expect(JSON.parse(stopped.stdout)).toMatchObject({ stopped: true, status: 'cancelled' })
    expect(await ended).toMatchObject({ code: 130 })
  })

  test('`runs stop` of a run that has ended says so', async () => {
    const at = place()
    await started(at, 'echo done').ended
    const stopped = await cli(at, ['runs', 'stop', 'last', '--json']).ended
    expect(JSON.parse(stopped.stdout)).toMatchObject({ stopped: false, status: 'succeeded' })
  })

  test.each([0, 5, 20, 60, 300])('an AbortSignal, after %i ms', async delayMs => {
    const at = place()
    const marker = `marked-${randomUUID()}`
    const controller = new AbortController()
    setTimeout(() => controller.abort(), delayMs)
    const report = await runScript({
      script: { text: stubborn(marker), language: 'shell' },
      workspace: at.workspace,
      callerEnvironment: at.environment,
      signal: controller.signal,
    })
    expect(report).toMatchObject({ status: 'cancelled', exitCode: null })
    nothingLeft(at, marker)
  })

  test('an AbortSignal that was aborted before', async () => {
    const at = place()
    const report = await runScript({
      script: { text: 'sleep 600', language: 'shell' },
      workspace: at.workspace,
      callerEnvironment: at.environment,
      signal: AbortSignal.abort(),
    })
    expect(report.status).toBe('cancelled')
  })
})

describe('whoever reads srecodex goes away', () => {
  test('`srecodex run … | head -1` prints its line, and the run is kept whole', async () => {
    const at = place()
    const script = at.file('many.sh', 'for n in $(seq 1 19); do echo "line $n"; done; sleep 0.2')
    const piped = spawn(
      'bash',
      ['-o', 'pipefail', '-c', '"$0" "$@" | head -1', process.execPath, bin(), 'run', script],
      {
        cwd: at.workspace,
        env: { ...at.environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    let [stdout, stderr] = ['', '']
    piped.stdout.on('data', text => (stdout += text))
    piped.stderr.on('data', text => (stderr += text))
    await new Promise(resolve => piped.on('close', resolve))
    expect(stdout).toBe('line 1\n')
    expect(stderr).not.toMatch(/EPIPE|INTERNAL|at .*\.js:/)
    expect(await listedRuns(at)).toMatchObject([{ status: 'succeeded', output: { stdout: { lines: 19 } } }])
  })

  test('stdout and stderr are closed from the start: the run goes on to its end', async () => {
    const at = place()
    const script = at.file('slow.sh', 'sleep 0.3; echo done > done.txt; echo printed')
    const { child } = cli(at, ['run', script])
    child.stdout!.destroy()
    child.stderr!.destroy()
    await new Promise(resolve => child.on('exit', resolve))
    expect(await listedRuns(at)).toMatchObject([{ status: 'succeeded', summary: 'printed' }])
    expect(liveMarkers(at)).toEqual([])
  })
})

function bin(): string {
  return join(import.meta.dirname, '..', '..', '..', 'cli', 'dist', 'bin.js')
}
