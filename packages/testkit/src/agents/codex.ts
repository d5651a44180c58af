/**
 * The real Codex CLI, asked once, without a network: its model is a script behind the Responses API on the loopback.
 *
 * Its configuration file is the caller's; what keeps it off the network and at that model are flags.
 */

import { execa } from 'execa'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { installAgent } from './install.ts'
import type { Model } from './model.ts'
import { startResponsesServer, type ResponsesRequest } from './responses.ts'

export const CODEX_VERSION = '0.169.0'

/**
 * How Codex shows MCP tools is a matter of the model that it talks to: `supports_search_tool` and `tool_mode` in its
 * catalogue (`codex debug models`). The feature `code_mode_only` decides for those that have no `tool_mode`.
 *
 * - `classic`: all of them, in a namespace of the server, in each request. So with every model that Codex does not know.
 * - `search`: only the first words of the server's instructions; the model looks for tools with `tool_search`.
 * - `code`: the same words; the model writes JavaScript for `exec`, in which they are functions of `tools`.
 */
export const CODEX_MODELS = { classic: 'house-model', search: 'gpt-5.5', code: 'gpt-6.1-sol' } as const

export type CodexMode = keyof typeof CODEX_MODELS

export interface CodexQuestion {
  readonly prompt: string
  /** Folder that it works in. */
  readonly cwd: string
  readonly home: string
  /** @default Says `done`. */
  readonly model?: Model
  /** @default 'search' */
  readonly mode?: CodexMode
  /** What `config.toml` of its own home holds, whole. @default '' */
  readonly config?: string
  /** Arguments of `codex` itself. @default [] */
  readonly flags?: readonly string[]
  /** Over the few variables that it has. @default {} */
  readonly env?: Readonly<Record<string, string>>
  /** @default 60_000 */
  readonly timeoutMs?: number
}

export interface CodexAnswer {
  readonly exitCode: number | undefined
  /** What Codex sent to the model. */
  readonly requests: readonly ResponsesRequest[]
  /** The same byte for byte. */
  readonly bodies: readonly string[]
  /** What the model did not foresee. */
  readonly faults: readonly Error[]
  /** The lines of `--json`. */
  readonly events: readonly { readonly type: string; readonly item?: Readonly<Record<string, unknown>> }[]
  /** Empty where nothing went wrong. */
  readonly stderr: string
}

export interface Codex {
  readonly answer: Promise<CodexAnswer>
  /** Ends it at once, as the kernel would. */
  readonly kill: () => void
}

/** @returns The script that Node runs; it becomes the program. */
export function installCodex(): Promise<string> {
  const member = '@openai/codex/bin/codex.js'
  return installAgent({ name: 'codex', package: '@openai/codex', version: CODEX_VERSION, member })
}

export async function askCodex(question: CodexQuestion): Promise<CodexAnswer> {
  const { answer } = await startCodex(question)
  return answer
}

export async function startCodex({
  prompt,
  cwd,
  home,
  model = () => ({ text: 'done' }),
  mode = 'search',
  config = '',
  flags = [],
  env = {},
  timeoutMs = 60_000,
}: CodexQuestion): Promise<Codex> {
  const script = await installCodex()
  const server = await startResponsesServer(model)
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'srecodex-codex-')))
  // Codex refuses a home of its own below TMPDIR.
  const [codexHome, temporary] = [join(root, 'codex'), join(root, 'tmp')]
  for (const folder of [codexHome, temporary]) mkdirSync(folder)
  writeFileSync(join(codexHome, 'config.toml'), config)
  const words = [...OFFLINE, ...settings(server.url, CODEX_MODELS[mode]), ...flags]
  const args = ['exec', ...words, '-C', cwd, '-s', 'workspace-write', '--', prompt]
  const child = execa(process.execPath, [script, ...args], {
    cwd,
    env: {
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      HOME: home,
      CODEX_HOME: codexHome,
      TMPDIR: temporary,
      LANG: 'C.UTF-8',
      ...env,
    },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: timeoutMs,
  })
  const answered = async (): Promise<CodexAnswer> => {
    try {
      const { exitCode, stdout, stderr } = await child
      const { bodies, faults } = server
      return {
        exitCode,
        requests: bodies.filter(body => body !== '').map(body => JSON.parse(body) as ResponsesRequest),
        bodies,
        faults,
        events: stdout
          .split('\n')
          .filter(line => line !== '')
          .map(line => JSON.parse(line) as CodexAnswer['events'][number]),
        stderr: stderr.replace(READS_STDIN, ''),
      }
    } finally {
      await server.close()
      rmSync(root, { recursive: true, force: true, maxRetries: 5 })
    }
  }
  return { answer: answered(), kill: () => void child.kill('SIGKILL') }
}

/** Said whenever stdin is no terminal. */
const READS_STDIN = /^Reading additional input from stdin\.\.\.\n?/

const OFFLINE = ['--json', '--skip-git-repo-check', '--ephemeral', '--disable', 'plugins'] as const

/** As flags: the file is left to whoever sets it up. */
function settings(url: string, model: string): string[] {
  const values = {
    model,
    model_provider: 'scripted',
    'model_providers.scripted.name': 'scripted',
    'model_providers.scripted.base_url': url,
    'model_providers.scripted.wire_api': 'responses',
    check_for_update_on_startup: false,
    web_search: 'disabled',
    'analytics.enabled': false,
    'feedback.enabled': false,
  }
  return Object.entries(values).flatMap(([key, value]) => ['-c', `${key}=${JSON.stringify(value)}`])
}
