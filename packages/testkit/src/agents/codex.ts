/**
 * The real Codex CLI, without a network: its model is a script behind the Responses API on the loopback.
 *
 * Its configuration file is the caller's; what keeps it off the network and at that model are flags.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { linesOf, startAgent, type Agent, type AgentOptions, type AgentResult } from './agent.ts'
import { installAgent } from './install.ts'
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

export interface CodexOptions extends AgentOptions {
  /** @default 'search' */
  readonly mode?: CodexMode
  /** What `config.toml` of its own home holds, whole. @default '' */
  readonly config?: string
  /** Arguments of `codex` itself. @default [] */
  readonly flags?: readonly string[]
}

export interface CodexResult extends AgentResult {
  /** The same, read. */
  readonly requests: readonly ResponsesRequest[]
  /** The lines of `--json`. */
  readonly events: readonly CodexEvent[]
}

export interface CodexEvent {
  readonly type: string
  readonly item?: Readonly<Record<string, unknown>>
}

/**
 * The program itself, not the script that npm puts before it: that one stays in between on a Node that cannot become
 * another program, and then whoever kills it kills a messenger.
 */
export function installCodex(): Promise<string> {
  const { platform, arch } = process
  const target = `${arch === 'arm64' ? 'aarch64' : 'x86_64'}-unknown-linux-musl`
  const member = `@openai/codex-${platform}-${arch}/vendor/${target}/bin/codex`
  return installAgent({ name: 'codex', package: '@openai/codex', version: CODEX_VERSION, member })
}

export async function startCodex(options: CodexOptions): Promise<Agent<CodexResult>> {
  const { prompt, cwd, home, mode = 'search', config = '', flags = [], env = {} } = options
  const program = await installCodex()
  return startAgent(options, {
    name: 'codex',
    startServer: startResponsesServer,
    launch: (folder, url) => {
      // Codex refuses a home of its own below TMPDIR.
      const [codexHome, temporary] = [join(folder, 'codex'), join(folder, 'tmp')]
      for (const one of [codexHome, temporary]) mkdirSync(one)
      writeFileSync(join(codexHome, 'config.toml'), config)
      const words = [...OFFLINE, ...settings(url, CODEX_MODELS[mode]), ...flags]
      return {
        program,
        args: ['exec', ...words, '-C', cwd, '-s', 'workspace-write', '--', prompt],
        env: {
          PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
          HOME: home,
          CODEX_HOME: codexHome,
          TMPDIR: temporary,
          LANG: 'C.UTF-8',
          ...env,
        },
      }
    },
    read: ({ stdout, ...end }) => ({
      ...end,
      stderr: end.stderr.replace(READS_STDIN, ''),
      // One without a body is a fault, and stands there.
      requests: end.bodies.filter(body => body !== '').map(body => JSON.parse(body) as ResponsesRequest),
      events: linesOf(stdout).map(line => JSON.parse(line) as CodexEvent),
    }),
  })
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
