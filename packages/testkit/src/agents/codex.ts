/**
 * The real Codex CLI, asked once, without a network: its model is a stub on the loopback.
 *
 * It is 404 MB, so it is no dependency: the first test that wants it installs it below node_modules/.cache.
 */

import { execa } from 'execa'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startResponsesStub, type ResponsesRequest } from './responses-stub.ts'

export const CODEX_VERSION = '0.169.0'

const AGENTS = fileURLToPath(new URL('../../../../node_modules/.cache/agents', import.meta.url))

export interface CodexQuestion {
  readonly prompt: string
  /** Folder that it works in. */
  readonly cwd: string
  readonly home: string
}

export interface CodexAnswer {
  readonly exitCode: number | undefined
  /** What Codex sent to the model. */
  readonly requests: readonly ResponsesRequest[]
  /** The lines of `--json`. */
  readonly events: readonly { readonly type: string; readonly item?: Readonly<Record<string, unknown>> }[]
  /** Empty where nothing went wrong. */
  readonly stderr: string
}

/** @returns The script that Node runs. */
export async function installCodex(): Promise<string> {
  const folder = join(AGENTS, `codex-${CODEX_VERSION}`)
  const script = join(folder, 'node_modules/@openai/codex/bin/codex.js')
  if (existsSync(script)) return script
  // Half of an installation must not look like one.
  const partial = `${folder}.${process.pid}`
  try {
    mkdirSync(partial, { recursive: true })
    writeFileSync(join(partial, 'package.json'), '{ "private": true }\n')
    const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts']
    await execa('npm', ['install', ...flags, `@openai/codex@${CODEX_VERSION}`], { cwd: partial })
    rmSync(folder, { recursive: true, force: true })
    renameSync(partial, folder)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  return script
}

export async function askCodex({ prompt, cwd, home }: CodexQuestion): Promise<CodexAnswer> {
  const script = await installCodex()
  const stub = await startResponsesStub()
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'srecodex-codex-')))
  // Codex refuses a home of its own below TMPDIR.
  const [codexHome, temporary] = [join(root, 'codex'), join(root, 'tmp')]
  try {
    for (const folder of [codexHome, temporary]) mkdirSync(folder)
    writeFileSync(join(codexHome, 'config.toml'), configFor(stub.url))
    const flags = ['--json', '--skip-git-repo-check', '--ephemeral', '--disable', 'plugins']
    const args = ['exec', ...flags, '-C', cwd, '-s', 'workspace-write', '--', prompt]
    const { exitCode, stdout, stderr } = await execa(process.execPath, [script, ...args], {
      cwd,
      env: {
        PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
        HOME: home,
        CODEX_HOME: codexHome,
        TMPDIR: temporary,
        LANG: 'C.UTF-8',
      },
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
      timeout: 60_000,
    })
    const events = stdout
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as CodexAnswer['events'][number])
    return { exitCode, requests: stub.requests, events, stderr: stderr.replace(READS_STDIN, '') }
  } finally {
    await stub.close()
    rmSync(root, { recursive: true, force: true })
  }
}

/** Said whenever stdin is no terminal. */
const READS_STDIN = /^Reading additional input from stdin\.\.\.\n?/

function configFor(url: string): string {
  return `model = "gpt-5.5"
model_provider = "stub"
check_for_update_on_startup = false
web_search = "disabled"

[analytics]
enabled = false

[feedback]
enabled = false

[model_providers.stub]
name = "stub"
base_url = "${url}"
wire_api = "responses"
`
}
