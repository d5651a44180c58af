/** SIGKILL at any moment, to any process of a run: nobody survives, the store tells the truth, the next run recovers. */

// What is true depends on the moment of the kill, which each message names.
/* oxlint-disable vitest/valid-expect, vitest/no-conditional-expect */

import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runScript } from '../../src/runs/api.ts'
import type { RunReport } from '../../src/runs/report.ts'
import {
  cli,
  commandOf,
  controlGroups,
  descendantsOf,
  listedRuns,
  liveMarkers,
  mountsBelow,
  place,
  processesWith,
  recordOf,
  runIds,
  seeded,
  until,
  type Place,
} from './stage.ts'

const SEED = Number(process.env.SRECODEX_TEST_SEED ?? 20_261_122)

/**
 * Leaves what recovery has to take away: orphans that ignore signals and left their session, a hook of git, a
 * temporary script. It runs for about 300 ms.
 */
const SCRIPT = (marker: string): string => `
mkdir -p .git/hooks
printf '#!/bin/sh\\ntouch /tmp/owned\\n' > .git/hooks/post-checkout
chmod +x .git/hooks/post-checkout
(trap '' INT TERM HUP; exec setsid bash -c 'exec -a ${marker} sleep 600') >/dev/null 2>&1 &
(exec setsid bash -c 'exec -a ${marker} sleep 600') &
for turn in $(seq 30); do echo "turn $turn"; sleep 0.01; done
kill %1 %2 2>/dev/null
exit 3
`

describe('srecodex is killed', () => {
  test(`at 30 moments of its life (seed ${SEED})`, async () => {
    const random = seeded(SEED)
    const wholeLifeMs = await lifetimeMs()
    const moments = [
      ...Array.from({ length: 30 }, (_, turn) => ((turn + random()) / 30) * wholeLifeMs * 1.1),
      wholeLifeMs * 5, // on a machine that has become slower, one that still comes after the end
    ]
    const seen = new Set<string>()

    for (const moment of moments) {
      const at = place()
      const marker = `marked-${randomUUID()}`
      at.file('.git/config', '[core]\n\tbare = false\n')
      const script = at.file('.srecodex/tmp/job.sh', SCRIPT(marker))
      const { child, ended } = cli(at, ['run', '--json', '.srecodex/tmp/job.sh'], {
        environment: { MARK: marker },
      })
      await new Promise(resolve => setTimeout(resolve, moment))
      child.kill('SIGKILL')
      const { signal, stdout } = await ended
      const where = `killed after ${moment.toFixed(0)} ms of ${wholeLifeMs.toFixed(0)}`

      await until(
        () => processesWith(marker).length === 0,
        `${where}: ${processesWith(marker).map(commandOf).join('; ')}`,
      )
      for (const id of runIds(at)) expect(() => recordOf(at, id), where).not.toThrow()

      const [listed] = await listedRuns(at)
      const recorded = runIds(at).length === 0 ? null : recordOf(at, runIds(at)[0]!)
      seen.add(listed?.status ?? 'never began')
      if (signal === null) {
        expect(listed, where).toMatchObject({
          status: 'failed',
          exitCode: 3,
          summary: expect.stringContaining('turn 30'),
        })
        expect(JSON.parse(stdout), where).toMatchObject({ run: listed!.id, exitCode: 3 })
      } else if (listed !== undefined) {
        expect(listed.status, where).toMatch(/^(interrupted|failed)$/)
        if (listed.status === 'failed') expect(listed, where).toMatchObject({ exitCode: 3 })
        else {
          expect(listed, where).toMatchObject({ exitCode: null, error: { code: 'INTERRUPTED' } })
          expect(listed.output.stdout.bytes, where).toBe(keptBytes(at, listed.id))
        }
        expect(recorded?.report.status, where).toBe(listed.status)
      }

      // `runs list` has recovered already; the next run finds nothing, and a place that is as it was.
      const after = await cli(at, ['run', '--json', '-', '--lang', 'sh'], {
        stdin: 'ls -A .git/hooks 2>/dev/null; true',
      }).ended
      expect(after.code, `${where}: ${after.stderr}`).toBe(0)
      expect(JSON.parse(after.stdout), where).toMatchObject({ status: 'succeeded', summary: '' })
      expect(existsSync(join(at.workspace, '.git/hooks/post-checkout')), where).toBe(false)
      if (listed !== undefined) expect(existsSync(script), where).toBe(false)
      expect(
        runIds(at).flatMap(id => controlGroups(id)),
        where,
      ).toEqual([])
      expect(liveMarkers(at), where).toEqual([])
      expect(mountsBelow(at.folder), where).toEqual([])
      expect(processesWith(at.home), where).toEqual([])
    }
    // The moments do cover a whole life: before the record, the run, the end.
    expect([...seen].sort()).toEqual(expect.arrayContaining(['failed', 'interrupted', 'never began']))
  })

  test('while it writes: what the script planted is put away, whoever comes next', async () => {
    const at = place()
    const marker = `marked-${randomUUID()}`
    at.file('.git/config', '[core]\n\tbare = false\n')
    at.file('.srecodex/tmp/job.sh', SCRIPT(marker).replace('exit 3', 'sleep 600'))
    const { child, ended } = cli(at, ['run', '.srecodex/tmp/job.sh'], { environment: { MARK: marker } })
    await until(() => existsSync(join(at.workspace, '.git/hooks/post-checkout')), 'the hook is planted')
    child.kill('SIGKILL')
    await ended

    // Several come at once: one of them recovers, and all find it done.
    const lists = await Promise.all(Array.from({ length: 4 }, () => listedRuns(at)))
    for (const [run] of lists) expect(run).toMatchObject({ status: 'interrupted' })
    await until(() => liveMarkers(at).length === 0, 'recovery is done')
    const [run] = await listedRuns(at)
    expect(run!.notices).toEqual([expect.stringMatching(/^quarantined \.git\/hooks\/post-checkout: /)])
    expect(readdirSync(join(at.state, 'runs', run!.id, 'quarantine'), { recursive: true })).toContain(
      '.git/hooks/post-checkout.quarantined',
    )
    expect(existsSync(join(at.workspace, '.srecodex/tmp/job.sh'))).toBe(false)
    expect(processesWith(marker)).toEqual([])
    expect(controlGroups(run!.id)).toEqual([])
  })

  test('without a sandbox: the orphans die all the same', async () => {
    const at = place()
    const marker = `marked-${randomUUID()}`
    const text = `(trap '' INT TERM HUP; exec setsid bash -c 'exec -a ${marker} sleep 600') >/dev/null 2>&1 & echo begun; sleep 600`
    const { child, ended } = cli(at, ['run', '-', '--lang', 'sh', '--sandbox', 'danger-full-access'], {
      stdin: text,
    })
    await until(() => processesWith(marker).length > 0, 'the orphan is there')
    child.kill('SIGKILL')
    await ended
    await until(() => processesWith(marker).length === 0, 'the orphan is gone')
    expect(await listedRuns(at)).toMatchObject([
      { status: 'interrupted', output: { stdout: { bytes: 6, lines: 1 } } },
    ])
  })
})

describe.each([
  { mode: 'workspace-write', victims: ['supervisor', 'bubblewrap', 'init', 'script'] },
  { mode: 'danger-full-access', victims: ['supervisor', 'init', 'script'] },
])('a process of the run is killed, in $mode', ({ mode, victims }) => {
  test.each(victims)('%s, at random moments', async victim => {
    const random = seeded(SEED + victim.length)
    for (let turn = 0; turn < 8; turn++) {
      const at = place()
      const marker = `marked-${randomUUID()}`
      const started = performance.now()
      const running = runIn(at, mode, marker)
      // The first moments are the start, when there is no script yet.
      const delayMs = turn < 3 ? random() * 30 : 30 + random() * 300
      const killed = await killOne(victim, marker, delayMs)
      const report = await running
      const where = `${victim} ${killed} killed after ${delayMs.toFixed(0)} ms: ${JSON.stringify(report)}`

      expect(performance.now() - started, where).toBeLessThan(20_000)
      if (report instanceof Error) expect(report, where).toMatchObject({ code: 'SANDBOX_UNAVAILABLE' })
      else expect(report, where).toMatchObject({ status: 'failed', exitCode: null, signal: 'SIGKILL' })
      if (!(report instanceof Error)) {
        expect(report.output.stdout.bytes, where).toBe(keptBytes(at, report.run))
        expect(recordOf(at, report.run)?.report, where).toEqual(report)
      }
      await until(
        () => processesWith(marker).length === 0,
        `${where}: ${processesWith(marker).map(commandOf).join('; ')}`,
      )
      expect(
        runIds(at).flatMap(id => controlGroups(id)),
        where,
      ).toEqual([])
      expect(liveMarkers(at), where).toEqual([])
    }
  })
})

function runIn(at: Place, mode: string, marker: string): Promise<RunReport | Error> {
  return runScript({
    script: {
      language: 'shell',
      text: `(trap '' INT TERM HUP; exec setsid bash -c 'exec -a ${marker} sleep 600') & while :; do echo line; sleep 0.005; done`,
    },
    workspace: at.workspace,
    environment: { MARK: marker },
    callerEnvironment: at.environment,
    settings: { 'execution_environment.sandbox_mode': mode, 'scripts.execution_timeout': 60 },
  }).catch((error: unknown) => error as Error)
}

/** @returns its process id. */
async function killOne(victim: string, marker: string, delayMs: number): Promise<number> {
  const patterns: Record<string, RegExp> = {
    supervisor: /perl \S*supervisor\.pl /,
    bubblewrap: /^\S*bwrap /,
    init: /^\S*perl \S*\/init\.pl \d+ \d+ \w+ $/,
    script: /^\S*bash \S*script/,
  }
  const find = (): number | undefined =>
    descendantsOf(process.pid).find(pid => patterns[victim]!.test(commandOf(pid)))
  await new Promise(resolve => setTimeout(resolve, delayMs))
  await until(() => find() !== undefined, `${victim} of ${marker} runs`)
  const pid = find()!
  process.kill(pid, 'SIGKILL')
  return pid
}

function keptBytes(at: Place, id: string): number {
  const path = join(at.state, 'runs', id, 'stdout')
  return existsSync(path) ? readFileSync(path).length : 0
}

/** How long an undisturbed run takes here and now. */
async function lifetimeMs(): Promise<number> {
  const samples: number[] = []
  for (let turn = 0; turn < 3; turn++) {
    const at = place()
    at.file('.srecodex/tmp/job.sh', SCRIPT('undisturbed'))
    const begun = performance.now()
    await cli(at, ['run', '--json', '.srecodex/tmp/job.sh']).ended
    samples.push(performance.now() - begun)
  }
  return samples.sort((a, b) => a - b)[1]!
}
