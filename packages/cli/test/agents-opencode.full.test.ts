/** The owner's cases by the real opencode, and what is its own: its time-outs, its permissions, its sudden end. */

import { project, type Project } from '@srecodex/testkit'
import {
  conversation,
  installOpencode,
  startOpencode,
  textOf,
  type Agent,
  type OpencodeResult,
} from '@srecodex/testkit/agents'
import { mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { alive, judge, reports, type Case, type Played, type Scene } from './agent-cases.ts'
import { BULK, COMPOSITION, DEPLOYMENT, RESUMED } from './agent-cluster-cases.ts'
import { BUDGET, largeData, TIMEOUT } from './agent-data-cases.ts'
import { modelOf, OPENCODE, reportIn, type Moves } from './agent-moves.ts'
import { callerEnvironment, changes, cluster, mutating, once } from './cluster.ts'

const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))

beforeAll(installOpencode, 600_000)

const CASES: readonly Case[] = [BULK, COMPOSITION, largeData(1e9), DEPLOYMENT, BUDGET, RESUMED, TIMEOUT]

test.for(CASES.map((one): [string, Case] => [one.name, one]))('%s', async ([, one]) => {
  const { sent, told } = await judge(one, scene => play(one, scene))
  // Each call is a turn, and what it returned is the whole of what came of it.
  const turns = conversation(sent)
  expect(turns).toHaveLength(one.calls + 1)
  const { messages } = turns.at(-1)!
  expect(messages.filter(({ role }) => role === 'tool').map(textOf)).toEqual(told)
})

test('a script of 70 s: each word of progress renews the 40 s that opencode waits', async () => {
  const place = project()
  const script = 'sleep 70; summary "slept well"'
  const begun = performance.now()
  const result = await job(place, { prompt: 'Sleep.', moves: () => runs(script), patienceMs: 40_000 })
  expect(result).toMatchObject({ exitCode: 0, text: 'slept well', outlived: [] })
  expect(performance.now() - begun).toBeGreaterThan(70_000)
  expect(conversation(result.bodies)).toHaveLength(2)
})

/** Hangs at its second item until somebody mends it. */
const HALF = `import os, subprocess, time
from srecodex import each, summary
def restart(name):
    if name == "b" and not os.path.exists("mended"):
        open("at-b", "w").close()
        time.sleep(600)
    subprocess.run(["kubectl", "-n", "shop", "rollout", "restart", "deployment/" + name], check=True, capture_output=True)
summary(each(["a", "b", "c"], restart, key=str, at_once=1).summary())
`

test('opencode is killed half way: nothing of it is left, and a resume does what is left', async () => {
  const place = await cluster({ deployments: ['shop/a', 'shop/b', 'shop/c'] })
  const { kubernetes } = place
  place.configure('[mutations]\ndefault = "allow"\n')
  const env = await callerEnvironment(place.kubeconfig)
  const opencode = await start(place, { env, prompt: 'Restart them.', moves: () => runs(HALF, 'python') })
  await expect.poll(() => place.exists('at-b'), { timeout: 200_000 }).toBe(true)
  expect(changes(kubernetes)).toEqual(once(['shop/a']))
  expect(alive(place, /bwrap/)).not.toEqual([])
  opencode.kill()
  expect(await opencode.ended).toMatchObject({ exitCode: null, signal: 'SIGKILL', text: '', outlived: [] })
  await expect.poll(() => alive(place), { timeout: 20_000 }).toEqual([])
  const [left, ...more] = reports(place)
  expect({ left, more }).toMatchObject({ left: { status: 'cancelled' }, more: [] })

  place.write('mended', '')
  const resumes = function* (): Moves {
    return reportIn(yield { tool: 'resume_run', input: { run: left!.run } }).summary
  }
  const told = { prompt: 'Go on.', moves: resumes, approved: ['resume_run'] }
  expect(await job(place, { env, ...told })).toMatchObject({ exitCode: 0, text: '3 ok', outlived: [] })
  expect(changes(kubernetes)).toEqual(once(['shop/a', 'shop/b', 'shop/c']))
})

test('an approval that opencode has to ask for is nobody’s: headless, it refuses', async () => {
  const place = await cluster({ deployments: ['shop/a'] })
  const env = await callerEnvironment(place.kubeconfig)
  const script = 'kubectl -n shop rollout restart deployment/a; summary done'
  const approves = function* (): Moves {
    const { run } = reportIn(yield { tool: 'run_script', input: { script, language: 'shell' } })
    return reportIn(yield { tool: 'apply_plan', input: { plan: run } }).summary
  }
  const refused = await job(place, { env, prompt: 'Restart it.', moves: approves })
  expect(refused.stderr).toContain('permission requested: srecodex_apply_plan')
  expect(reports(place)).toMatchObject([{ status: 'planned' }])
  expect(mutating(place.kubernetes)).toEqual([])

  const told = { prompt: 'Restart it.', moves: approves, approved: ['apply_plan'] }
  expect(await job(place, { env, ...told })).toMatchObject({ exitCode: 0, text: 'done' })
  expect(changes(place.kubernetes)).toEqual(once(['shop/a']))
})

interface Job {
  readonly prompt: string
  readonly moves: () => Moves
  readonly env?: Readonly<Record<string, string>>
  /** Tools of srecodex that the person lets opencode call unasked. @default [] */
  readonly approved?: readonly string[]
  /** How long opencode waits for a word of srecodex. @default longer than a script may take */
  readonly patienceMs?: number
  readonly onTold?: (told: string) => void
}

async function play({ prompt, approved = [] }: Case, { place, env, moves }: Scene): Promise<Played> {
  const temporary = join(dirname(place.workspace), 'tmp')
  mkdirSync(temporary)
  const told: string[] = []
  const result = await job(place, {
    ...{ prompt, moves, approved },
    env: { ...env, SRECODEX_TMPDIR: temporary },
    onTold: text => void told.push(text),
  })
  expect(result).toMatchObject({ exitCode: 0, signal: null, stderr: '', outlived: [] })
  expect(readdirSync(temporary)).toEqual([])
  return { answer: result.text, told, sent: result.bodies }
}

async function job(place: Project, one: Job): Promise<OpencodeResult> {
  const result = await (await start(place, one)).ended
  const { faults } = result
  const warnings = faults.length === 0 ? [] : result.warnings
  expect({ faults, warnings }).toEqual({ faults: [], warnings: [] })
  return result
}

/** As `srecodex init` sets it up: what changes things is asked for. */
const ASKED = ['apply_plan', 'resume_run']

function start(
  { workspace, home, srecodexHome }: Project,
  { prompt, moves, env = {}, approved = [], patienceMs = 360_000, onTold }: Job,
): Promise<Agent<OpencodeResult>> {
  const { SRECODEX_TMPDIR: temporary, ...given } = env
  return startOpencode({
    ...{ prompt, home, cwd: workspace, env: given, timeoutMs: 400_000 },
    model: modelOf(moves(), OPENCODE, onTold),
    mcpServers: {
      srecodex: {
        command: [process.execPath, BIN, 'mcp'],
        timeoutMs: patienceMs,
        environment: {
          SRECODEX_HOME: srecodexHome,
          ...(temporary === undefined ? {} : { TMPDIR: temporary }),
        },
      },
    },
    permission: Object.fromEntries(
      ASKED.map(tool => [`srecodex_${tool}`, approved.includes(tool) ? 'allow' : 'ask']),
    ),
  })
}

function* runs(script: string, language = 'shell'): Moves {
  return reportIn(yield { tool: 'run_script', input: { script, language } }).summary
}
