/**
 * Every attack and every piece of honest work as one user: run by `attacks.test.ts` in a process of that user.
 *
 * Arguments: FOLDER, an empty one of that user's; or `child FOLDER`, a srecodex that is going to be killed.
 * Prints one JSON object: what became of each, bare and in the sandbox.
 */

import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { runScript } from '../../src/index.ts'
import { LONE, runForever, type LoneResult } from './alone.ts'
import { makeArena, type Arena } from './arena.ts'
import { LEGITIMATE, PRELUDE, PROBES, type LegitimateCase, type Probe } from './probes.ts'

export interface Result {
  readonly code: number | string
  readonly seconds: number
  readonly log: string
}

export interface ArmResults {
  readonly uid: number
  readonly bare: Readonly<Record<string, Result>>
  readonly sandboxed: Readonly<Record<string, Result>>
  readonly evidence: {
    readonly bare: { readonly touched: boolean; readonly hits: string }
    readonly sandboxed: { readonly touched: boolean; readonly hits: string }
  }
  readonly legitimate: Readonly<Record<string, Result>>
  readonly alone: Readonly<Record<string, LoneResult>>
}

const GUEST = join(import.meta.dirname, 'guest')
const PATH = `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`

async function main(folder: string): Promise<ArmResults> {
  const isRoot = process.getuid!() === 0
  const probes = PROBES.filter(({ arms }) => arms === 'both' || isRoot)
  const [bareArena, arena] = await Promise.all([
    makeArena(join(folder, 'bare'), GUEST),
    makeArena(join(folder, 'box'), GUEST),
  ])
  const before = { bare: bareArena.evidence(), sandboxed: arena.evidence() }
  try {
    const clock = (what: string): void =>
      void (process.env['TIMES'] && process.stderr.write(`${what} ${Math.round(performance.now())}\n`))
    clock('arena')
    const bare = await runBare(bareArena, probes)
    clock('bare')
    const sandboxed = await runSandboxed(arena, probes, 20, 3)
    clock('probes')
    const after = { bare: bareArena.evidence(), sandboxed: arena.evidence() }
    const legitimate = await runSandboxed(arena, LEGITIMATE, 60, 2)
    clock('legit')
    const alone: Record<string, LoneResult> = {}
    for (const [id, attack] of Object.entries(LONE)) {
      const place = join(folder, 'alone', id)
      mkdirSync(place, { recursive: true })
      const begun = performance.now()
      alone[id] = await attack({ folder: place, isRoot }).catch((error: unknown) => ({
        control: false,
        held: false,
        said: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }))
      if (process.env['TIMES']) process.stderr.write(`${id} ${Math.round(performance.now() - begun)}\n`)
    }
    return {
      uid: process.getuid!(),
      bare,
      sandboxed,
      evidence: {
        bare: { touched: before.bare.files !== after.bare.files, hits: after.bare.hits },
        sandboxed: { touched: before.sandboxed.files !== after.sandboxed.files, hits: after.sandboxed.hits },
      },
      legitimate,
      alone,
    }
  } finally {
    bareArena.close()
    arena.close()
  }
}

function prepare(arena: Arena, programs: readonly (Probe | LegitimateCase)[]): string {
  const script = join(arena.workspace, 'attack.py')
  writeFileSync(script, readFileSync(join(import.meta.dirname, 'driver.py')))
  writeFileSync(
    join(arena.workspace, 'programs.json'),
    JSON.stringify(
      programs.map(({ id, language, program, ...rest }) => ({
        id,
        language,
        alone: 'area' in rest && rest.area === 'hooks',
        program:
          language === 'python' && 'area' in rest && !program.startsWith(PRELUDE)
            ? `${PRELUDE}\n${program}`
            : program,
      })),
    ),
  )
  return script
}

function drivenBy(arena: Arena, script: string, seconds: number, atOnce: number): Record<string, string> {
  return {
    ...arena.environment,
    SCRIPT: script,
    INIT: '1',
    PIDS: '',
    SECONDS_EACH: String(seconds),
    AT_ONCE: String(atOnce),
  }
}

async function runBare(arena: Arena, probes: readonly Probe[]): Promise<Record<string, Result>> {
  const script = prepare(
    arena,
    probes.map(probe => ({ ...probe, program: probe.control ?? probe.program })),
  )
  const { stdout } = await promisify(execFile)('/usr/bin/python3', [script], {
    cwd: arena.workspace,
    env: {
      ...process.env,
      ...drivenBy(arena, script, 20, 3),
      PATH,
      HOME: arena.home,
      GUEST: join(arena.folder, 'guest'),
      INIT: arena.environment['VICTIM'],
      PIDS: arena.environment['VICTIM'],
      TOKEN: 'canary-7f3a91',
    },
    maxBuffer: 1e8,
  })
  return JSON.parse(stdout) as Record<string, Result>
}

async function runSandboxed(
  arena: Arena,
  programs: readonly (Probe | LegitimateCase)[],
  seconds: number,
  atOnce: number,
): Promise<Record<string, Result>> {
  const script = prepare(arena, programs)
  const own = join(arena.folder, 'own')
  const report = await runScript({
    script: { path: script },
    workspace: arena.workspace,
    callerEnvironment: { PATH, HOME: arena.home, SRECODEX_HOME: own, TOKEN: 'canary-7f3a91' },
    environment: { ...drivenBy(arena, script, seconds, atOnce), GUEST: '/run/srecodex/guest' },
    settings: { 'limits.processes': 512, 'scripts.execution_timeout': 240 },
  })
  const printed = readFileSync(join(own, 'state/runs', report.run, 'stdout'), 'utf8')
  if (report.status !== 'succeeded') throw new Error(`${JSON.stringify(report)}\n${printed.slice(0, 2000)}`)
  return JSON.parse(printed) as Record<string, Result>
}

if (process.argv[2] === 'child') await runForever(process.argv[3]!)
else process.stdout.write(JSON.stringify(await main(process.argv[2]!)))
