/** What becomes of a run whose calls cannot be opened: it is told, and nothing of it goes on. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { FINANCE_PROGRAM } from '../../../testkit/src/mcp/launch.ts'
import { applyPlan, runScript } from '../../src/index.ts'

function place() {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'srecodex-open-calls-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const workspace = join(root, 'workspace')
  mkdirSync(workspace)
  const callerEnvironment = { PATH: process.env.PATH, HOME: root, SRECODEX_HOME: join(root, 'srecodex') }
  const configure = (toml: string): void => {
    mkdirSync(join(root, 'srecodex', 'config'), { recursive: true })
    writeFileSync(join(root, 'srecodex', 'config', 'config.toml'), toml)
  }
  return { root, workspace, callerEnvironment, configure }
}

it.each([
  ['its script ends', 'summary("went on")', {}],
  ['it is ended at its time', 'time.sleep(30)', { 'scripts.execution_timeout': 1 }],
])('a journal that cannot be made fails the run, also where %s', async (_when, rest, settings) => {
  const { workspace, callerEnvironment } = place()
  const text = `
import time
from srecodex import SrecodexError, once, summary
try:
    once("a", lambda: 1)
except SrecodexError as error:
    print(error.code)
${rest}
`
  const run = runScript({
    script: { text, language: 'python' },
    workspace,
    callerEnvironment,
    settings,
    onEvent: event => {
      // The place is taken: no journal is written over another.
      if (event.kind === 'started') writeFileSync(join(event.folder, 'journal.jsonl'), '')
    },
  })
  await expect(run).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' })
})

it('a server that was asked who it is does not outlive the plan that it made stale', async () => {
  const { root, workspace, callerEnvironment, configure } = place()
  const log = join(root, 'log')
  const serve = (...more: readonly string[]): void =>
    configure(`[mcp_servers.finance]
command = ${JSON.stringify(process.execPath)}
args = ${JSON.stringify([FINANCE_PROGRAM, '--log', log, ...more])}
`)
  serve()
  const planned = await runScript({
    script: {
      text: 'from srecodex import tool\ntool("finance", "create_ticket", team="web", title="x")\n',
      language: 'python',
    },
    workspace,
    callerEnvironment,
  })
  expect(planned).toMatchObject({ status: 'planned', plan: { mutations: 1 } })
  serve('--modern-only')
  await expect(applyPlan(planned.run, { how: 'command', callerEnvironment })).rejects.toMatchObject({
    code: 'PLAN_STALE',
    message: expect.stringContaining('arguments'),
  })
  // Told by the log that only this test's server writes.
  const { stdout } = spawnSync('pgrep', ['-f', `main.ts --log ${log}`], { encoding: 'utf8' })
  expect(stdout).toBe('')
})
