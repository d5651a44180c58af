/**
 * The real opencode, headless and without a network: its model is a script behind chat completions on the loopback.
 *
 * What would reach outside is switched off by name below: the list of models, updates, plug-ins, language servers,
 * shared sessions. `@ai-sdk/openai-compatible`, which speaks to the model, is part of the program.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { linesOf, startAgent, type Agent, type AgentOptions, type AgentResult } from './agent.ts'
import { startChatCompletionsServer } from './chat-completions.ts'
import { installAgent } from './install.ts'

export const OPENCODE_VERSION = '1.18.33'

export interface OpencodeServer {
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** How long opencode waits for a word of progress. @default opencode's own */
  readonly timeoutMs?: number
}

export interface OpencodeOptions extends AgentOptions {
  /** By the name that opencode puts before each of their tools. @default {} */
  readonly mcpServers?: Readonly<Record<string, OpencodeServer>>
  /** By the name of a tool, as opencode shows it; what it would have to ask a person is refused. @default all allowed */
  readonly permission?: Readonly<Record<string, 'allow' | 'ask' | 'deny'>>
}

export interface OpencodeEvent {
  readonly type: string
  readonly part?: { readonly text?: string }
  readonly error?: unknown
}

export interface OpencodeResult extends AgentResult {
  /** The lines of `--format json`. */
  readonly events: readonly OpencodeEvent[]
  /** What it said to its user. */
  readonly text: string
  /** Warnings of its log: why a server's tools are missing is told nowhere else. */
  readonly warnings: readonly string[]
}

export function installOpencode(): Promise<string> {
  const { platform, arch } = process
  // Processors without AVX2 need the other build; both come with the package.
  const old =
    arch === 'x64' && platform === 'linux' && !/\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'latin1'))
  const build = `opencode-${platform}-${arch}${old ? '-baseline' : ''}`
  return installAgent({
    name: 'opencode',
    package: 'opencode-ai',
    version: OPENCODE_VERSION,
    member: `${build}/bin/opencode`,
  })
}

export async function startOpencode(options: OpencodeOptions): Promise<Agent<OpencodeResult>> {
  const { prompt, home, env = {} } = options
  const program = await installOpencode()
  return startAgent(options, {
    name: 'opencode',
    startServer: startChatCompletionsServer,
    launch: (folder, url) => {
      const own = (name: string): string => {
        mkdirSync(join(folder, name), { recursive: true })
        return join(folder, name)
      }
      const config = join(own('own'), 'opencode.json')
      writeFileSync(config, JSON.stringify(configFor(options, url), null, 2))
      return {
        program,
        args: ['run', '--format', 'json', '--pure', '--model', 'scripted/model', '--', prompt],
        env: {
          PATH: process.env.PATH,
          LANG: 'C.UTF-8',
          ...env,
          ...OFFLINE,
          HOME: home,
          TMPDIR: own('tmp'),
          XDG_CONFIG_HOME: own('config'),
          XDG_DATA_HOME: own('data'),
          XDG_STATE_HOME: own('state'),
          XDG_CACHE_HOME: own('cache'),
          OPENCODE_CONFIG: config,
        },
      }
    },
    read: ({ stdout, ...end }, folder) => {
      const events = eventsOf(stdout)
      return { ...end, events, text: saidIn(events), warnings: warningsIn(join(folder, 'data/opencode/log')) }
    },
  })
}

const OFFLINE = {
  OPENCODE_DISABLE_AUTOUPDATE: '1',
  OPENCODE_DISABLE_MODELS_FETCH: '1',
  OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
  OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
  OPENCODE_DISABLE_SHARE: '1',
  OPENCODE_DISABLE_EXTERNAL_SKILLS: '1',
  OPENCODE_DISABLE_CLAUDE_CODE: '1',
  // Plug-ins get a library from npm in the background, whether there is a plug-in or not.
  npm_config_offline: 'true',
}

function configFor({ mcpServers = {}, permission = {} }: OpencodeOptions, modelUrl: string): object {
  const servers = Object.entries(mcpServers).map(([name, { command, environment = {}, timeoutMs }]) => [
    name,
    {
      type: 'local',
      enabled: true,
      command,
      environment,
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    },
  ])
  return {
    autoupdate: false,
    share: 'disabled',
    model: 'scripted/model',
    small_model: 'scripted/model',
    provider: {
      scripted: {
        npm: '@ai-sdk/openai-compatible',
        name: 'Scripted',
        options: { baseURL: modelUrl, apiKey: 'none' },
        models: {
          model: { name: 'Scripted', tool_call: true, limit: { context: 1_000_000, output: 32_000 } },
        },
      },
    },
    mcp: Object.fromEntries(servers),
    permission,
  }
}

function eventsOf(stdout: string): OpencodeEvent[] {
  return linesOf(stdout)
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as OpencodeEvent)
}

function saidIn(events: readonly OpencodeEvent[]): string {
  return events
    .filter(({ type }) => type === 'text')
    .map(({ part }) => part?.text ?? '')
    .join('\n')
}

function warningsIn(folder: string): string[] {
  const files = existsSync(folder) ? readdirSync(folder) : []
  return files
    .flatMap(file => readFileSync(join(folder, file), 'utf8').split('\n'))
    .filter(line => /\blevel=(WARN|ERROR)\b/.test(line) && !line.includes(NO_PLUGIN_LIBRARY))
}

/** It is offline: see above. */
const NO_PLUGIN_LIBRARY = 'background dependency install failed'
