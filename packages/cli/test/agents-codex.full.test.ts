/**
 * The owner's cases through the real Codex CLI, in each of the three ways in which it shows MCP tools to its model, set
 * up by `srecodex init`.
 *
 * Facts of `codex exec` that these tests hold it to: it lets `run_script` through without a word in its configuration,
 * as long as the tool says that it is neither destructive nor open to a world of its own choice; otherwise, and for
 * `apply_plan` and `resume_run` always, it refuses the call unless it finds `approval_mode = "approve"`. It says that it
 * can ask a person (elicitation), and declines by itself: the plan is there at once.
 */

import { project, type Project } from '@srecodex/testkit'
import {
  CODEX_MODELS,
  CODEX_VERSION,
  installCodex,
  startCodex,
  type CodexMode,
  type CodexOptions,
  type CodexResult,
  type Model,
  type ModelReply,
} from '@srecodex/testkit/agents'
import { beforeAll, describe, expect, test } from 'vitest'
import { alive, judge, reports, writeUserConfig, type Case, type Played, type Scene } from './agent-cases.ts'
import { BULK, COMPOSITION, DEPLOYMENT, RESUMED } from './agent-cluster-cases.ts'
import { BUDGET, largeData, TIMEOUT } from './agent-data-cases.ts'
import { CODEX, modelOf, reportIn, type Moves } from './agent-moves.ts'

const LONG_MS = 300_000
const MODES: readonly CodexMode[] = ['classic', 'search', 'code']

beforeAll(async () => {
  await installCodex()
  console.info(`codex ${CODEX_VERSION}, models ${Object.values(CODEX_MODELS).join(', ')}`)
}, 600_000)

interface Asked {
  readonly place: Project
  /** What the server needs of its caller's environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly mode: CodexMode
  readonly prompt: string
  /** Tools that need no person's word, over what `init` has written. */
  readonly approved?: readonly string[]
}

/** Codex gives a server one second to start, and else begins without it, unless it is required. */
const PATIENT = ['mcp_servers.srecodex.required=true', 'mcp_servers.srecodex.startup_timeout_sec=60']

function question({ place, env = {}, mode, prompt, approved = [] }: Asked, model?: Model): CodexOptions {
  const { workspace, home, srecodexHome } = place
  return {
    ...{ prompt, cwd: workspace, home, mode, timeoutMs: LONG_MS },
    ...(model === undefined ? {} : { model }),
    config: `[projects.${JSON.stringify(workspace)}]\ntrust_level = "trusted"\n`,
    flags: [
      ...PATIENT,
      ...approved.map(tool => `mcp_servers.srecodex.tools.${tool}.approval_mode="approve"`),
    ].flatMap(setting => ['-c', setting]),
    env: { ...env, SRECODEX_HOME: srecodexHome },
  }
}

async function ask(asked: Asked, model?: Model): Promise<CodexResult> {
  return (await startCodex(question(asked, model))).ended
}

/** The project's `.codex/config.toml`, skills and AGENTS.md are what a person would have. */
async function initialised(place: Project, env: Readonly<Record<string, string>> = {}): Promise<Project> {
  const { exitCode, stderr } = await place.run('init --client codex --yes', { env })
  expect({ exitCode, notes: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, notes: '' })
  return place
}

/** Names of the tools that Codex called, and whether they did what they should. */
function callsIn({ events }: CodexResult): string[] {
  return events
    .filter(({ type, item }) => type === 'item.completed' && item?.['type'] === 'mcp_tool_call')
    .map(({ item }) => `${String(item?.['tool'])} ${String(item?.['status'])}`)
}

function saidIn({ events }: CodexResult): string {
  const said = events.findLast(({ item }) => item?.['type'] === 'agent_message')
  return String(said?.item?.['text'])
}

function playBy(mode: CodexMode, { prompt, approved = [], calls }: Case) {
  return async ({ place, env, moves }: Scene): Promise<Played> => {
    const told: string[] = []
    const model = modelOf(moves(), CODEX[mode], text => told.push(text))
    const answer = await ask({ place, env, mode, prompt, approved }, model)
    const { exitCode, stderr, faults, bodies, outlived } = answer
    expect({ exitCode, stderr, faults, outlived }).toEqual({
      ...{ exitCode: 0, stderr: '', faults: [], outlived: [] },
    })
    expect(callsIn(answer).filter(call => !call.endsWith(' completed'))).toEqual([])
    expect(callsIn(answer)).toHaveLength(calls)
    expect(bodies).toHaveLength(calls + (CODEX[mode].opening === undefined ? 1 : 2))
    return { answer: saidIn(answer), told, sent: bodies }
  }
}

describe.for(MODES)('%s', { timeout: LONG_MS }, mode => {
  const rest = {
    classic: [BUDGET, RESUMED],
    search: [largeData(1e9), DEPLOYMENT],
    code: [TIMEOUT, DEPLOYMENT, BUDGET],
  }
  const cases = [BULK, COMPOSITION, ...rest[mode]]
  test.for(cases.map((one): [string, Case] => [one.name, one]))('%s', async ([, one]) => {
    const set = async (): Promise<Scene> => {
      const scene = await one.set()
      await initialised(scene.place, scene.env)
      return scene
    }
    const { sent } = await judge({ ...one, set }, playBy(mode, one))
    expect(sent[0]).toContain(JSON.stringify(one.prompt).slice(1, -1))
  })

  test('the model is told of srecodex before it has called anything', async () => {
    const { bodies } = await ask({ place: await initialised(project()), mode, prompt: 'Hello.' })
    expect(bodies[0]).toContain('write ONE Python, Bash or JavaScript script and call run_script once')
    // Where tools are held back, that is all of it.
    expect(bodies[0]!.includes('find_skills first')).toBe(mode === 'classic')
  })

  test('a model that applies a plan by itself is stopped by Codex; a person still can', async () => {
    const { place, env, moves, judge: decide } = await COMPOSITION.set()
    await initialised(place, env)
    let refusal = ''
    const bold = function* (): Moves {
      const polite = moves()
      let [next, run] = [polite.next(), '']
      while (next.done !== true) {
        const told = yield next.value
        if (next.value.tool === 'run_script') ({ run } = reportIn(told))
        next = polite.next(told)
      }
      refusal = yield { tool: 'apply_plan', input: { plan: run } }
      return next.value
    }
    const model = modelOf(bold(), CODEX[mode])
    const answer = await ask({ place, env, mode, prompt: COMPOSITION.prompt }, model)
    expect(callsIn(answer)).toEqual(['find_skills completed', 'run_script completed', 'apply_plan failed'])
    expect(refusal).toContain('requires approval')
    expect(reports(place).map(({ status }) => status)).toEqual(['planned'])
    await decide({ answer: saidIn(answer), told: [], sent: answer.bodies })
  })
})

test.for([
  ['lets scripts change things without a plan', '[mutations]\ndefault = "allow"\n'],
  ['opens the network to scripts', '[execution_environment]\nnetwork = "host"\n'],
])(
  'where the operator %s, Codex lets no script through by itself',
  { timeout: LONG_MS },
  async ([, toml]) => {
    const place = project()
    writeUserConfig(place, toml!)
    await initialised(place)
    let refusal = ''
    const moves = function* (): Moves {
      refusal = yield { tool: 'run_script', input: { script: 'summary here', language: 'shell' } }
      return 'I may not.'
    }
    const model = modelOf(moves(), CODEX.search)
    const answer = await ask({ place, mode: 'search', prompt: 'Work.' }, model)
    expect(callsIn(answer)).toEqual(['run_script failed'])
    expect(refusal).toContain('requires approval')
    expect(reports(place)).toEqual([])
  },
)

/** Hangs at its second item until somebody mends it. */
const HALF = `import os, time
from srecodex import each, summary
def work(item):
    if item == "b" and not os.path.exists("mended"):
        open("at-b", "w").close()
        time.sleep(600)
    open("done-" + item, "w").close()
each(["a", "b", "c"], work, key=str, at_once=1)
summary("all three are done")
`

test.for(MODES)(
  '%s: killed half way, it leaves no process, and its run can be resumed',
  { timeout: LONG_MS },
  async mode => {
    const place = await initialised(project())
    const moves = function* (): Moves {
      yield { tool: 'run_script', input: { script: HALF, language: 'python' } }
      return 'never said'
    }
    const model = modelOf(moves(), CODEX[mode])
    const codex = await startCodex(question({ place, mode, prompt: 'Work.' }, model))
    let early: unknown
    void codex.ended.then(({ events, faults, stderr }) => (early = { events, faults, stderr }))
    // Told with what it said where it ends by itself.
    await expect.poll(() => early ?? place.exists('at-b'), { timeout: 60_000 }).toBe(true)
    expect(alive(place, /bwrap|supervisor\.pl|init\.pl/).length).toBeGreaterThan(0)
    codex.kill()
    expect(await codex.ended).toMatchObject({ exitCode: null, signal: 'SIGKILL', outlived: [] })
    await expect.poll(() => alive(place), { timeout: 20_000 }).toEqual([])
    expect(reports(place).map(({ status }) => status)).toEqual(['cancelled'])
    place.write('mended', '')
    const { exitCode, json } = await place.run('resume last --yes --json')
    expect({ exitCode, report: json() }).toMatchObject({
      exitCode: 0,
      report: { status: 'succeeded', summary: 'all three are done', items: { total: 3, ok: 3 } },
    })
  },
)

test('a run of 200 s is waited for, by a function and by code', { timeout: LONG_MS }, async () => {
  const ends = await Promise.all(
    (['search', 'code'] as const).map(async mode => {
      const place = await initialised(project())
      const moves = function* (): Moves {
        const input = { script: 'sleep 200; summary "it took a while"', language: 'shell' }
        const { status, summary } = reportIn(yield { tool: 'run_script', input })
        return `${status}: ${summary}`
      }
      const model = modelOf(moves(), CODEX[mode])
      const answer = await ask({ place, mode, prompt: 'Work.' }, model)
      return { faults: answer.faults, calls: callsIn(answer), said: saidIn(answer) }
    }),
  )
  const end = { faults: [], calls: ['run_script completed'], said: 'succeeded: it took a while' }
  expect(ends).toEqual([end, end])
})

test(
  'code that does not say how long it waits gets the result by a second call',
  { timeout: LONG_MS },
  async () => {
    const place = await initialised(project())
    const input = JSON.stringify({ script: 'sleep 35; summary "it took a while"', language: 'shell' })
    const run = 'mcp__srecodex__run_script'
    const told: string[] = []
    const model: Model = ({ index, results }) => {
      told.push(...results)
      const cell = /Script running with cell ID (\S+)/.exec(results[0] ?? '')?.[1]
      if (index === 0) return exec(`text(ALL_TOOLS.find(({ name }) => name === '${run}').description)`)
      if (index === 1) return exec(`text((await tools.${run}(${input})).structuredContent.summary)`)
      if (cell === undefined) return { text: 'done' }
      return { calls: [{ name: 'wait', arguments: { cell_id: cell, yield_time_ms: 60_000 } }] }
    }
    const { faults } = await ask({ place, mode: 'code', prompt: 'Work.' }, model)
    expect(faults).toEqual([])
    const [description, unfinished, end] = told
    expect(description).toContain('begin that code with `// @exec: {"yield_time_ms": 300000}`')
    expect(unfinished).toContain('Script running with cell ID')
    expect(end).toContain('it took a while')
  },
)

function exec(input: string): ModelReply {
  return { calls: [{ name: 'exec', arguments: { input } }] }
}
