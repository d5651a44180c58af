/**
 * The real opencode, headless and without a network: its model is a server on the loopback, its folders are its own,
 * and nothing of it outlives its job.
 *
 * What would reach outside is switched off by name below: the list of models, updates, plug-ins, language servers,
 * shared sessions. `@ai-sdk/openai-compatible`, which speaks to the model, is part of the program.
 */

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { installAgent } from './install.ts'

export const OPENCODE_VERSION = '1.18.33'

export interface OpencodeServer {
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** How long opencode waits for a word of progress. @default opencode's own */
  readonly timeoutMs?: number
}

export interface OpencodeJob {
  readonly prompt: string
  /** Folder that it works in. */
  readonly cwd: string
  readonly home: string
  /** Of a server that speaks chat completions. */
  readonly modelUrl: string
  /** By the name that opencode puts before each of their tools. @default {} */
  readonly mcpServers?: Readonly<Record<string, OpencodeServer>>
  /** By the name of a tool, as opencode shows it; what it would have to ask a person is refused. @default all allowed */
  readonly permission?: Readonly<Record<string, 'allow' | 'ask' | 'deny'>>
  /** For opencode, and so for its servers and for the commands of its shell tool. @default {} */
  readonly env?: Readonly<Record<string, string>>
  /** Of the whole job; past it opencode is killed. @default 120_000 */
  readonly timeoutMs?: number
}

export interface OpencodeEvent {
  readonly type: string
  readonly part?: { readonly text?: string }
  readonly error?: unknown
}

export interface OpencodeOutcome {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** The lines of `--format json`. */
  readonly events: readonly OpencodeEvent[]
  /** What it said to its user. */
  readonly text: string
  readonly stderr: string
  /** Warnings of its log: why a server's tools are missing is told nowhere else. */
  readonly warnings: readonly string[]
  /** Command lines of what it had started and did not end; they were killed. */
  readonly outlived: readonly string[]
}

export interface RunningOpencode {
  readonly pid: number
  /** Strikes opencode alone, as a crash would: not the servers that it started. */
  readonly kill: (signal: NodeJS.Signals) => void
  readonly ended: Promise<OpencodeOutcome>
}

export async function installOpencode(): Promise<string> {
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

export async function runOpencode(job: OpencodeJob): Promise<OpencodeOutcome> {
  return (await startOpencode(job)).ended
}

export async function startOpencode(job: OpencodeJob): Promise<RunningOpencode> {
  const program = await installOpencode()
  const root = mkdtempSync(join(tmpdir(), 'srecodex-opencode-'))
  const folder = (name: string): string => {
    mkdirSync(join(root, name), { recursive: true })
    return join(root, name)
  }
  const config = join(folder('own'), 'opencode.json')
  writeFileSync(config, JSON.stringify(configFor(job), null, 2))
  const args = ['run', '--format', 'json', '--pure', '--model', 'scripted/model', '--', job.prompt]
  const child = spawn(program, args, {
    cwd: job.cwd,
    env: {
      PATH: process.env.PATH,
      LANG: 'C.UTF-8',
      ...job.env,
      ...OFFLINE,
      HOME: job.home,
      TMPDIR: folder('tmp'),
      XDG_CONFIG_HOME: folder('config'),
      XDG_DATA_HOME: folder('data'),
      XDG_STATE_HOME: folder('state'),
      XDG_CACHE_HOME: folder('cache'),
      OPENCODE_CONFIG: config,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const pid = child.pid
  if (pid === undefined) throw new Error(`${program} cannot be started`)
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const timer = setTimeout(() => endGroup(pid), job.timeoutMs ?? 120_000)
  // A group of its own hears nothing of the end of ours.
  const onExit = (): void => endGroup(pid)
  process.once('exit', onExit)
  const exited = new Promise<Pick<OpencodeOutcome, 'exitCode' | 'signal'>>(resolve => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }))
  })
  const closed = new Promise(resolve => void child.once('close', resolve))
  const ended = exited.then(async end => {
    clearTimeout(timer)
    const outlived = await emptied(pid)
    endGroup(pid)
    // What left the group may hold the pipes for longer than anybody should wait.
    await Promise.race([closed, sleep(1000)])
    process.off('exit', onExit)
    const warnings = warningsIn(join(root, 'data/opencode/log'))
    rmSync(root, { recursive: true, force: true, maxRetries: 5 })
    const events = eventsOf(stdout)
    return { ...end, events, text: saidIn(events), stderr, warnings, outlived }
  })
  return { pid, kill: signal => void child.kill(signal), ended }
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

function configFor({ modelUrl, mcpServers = {}, permission = {} }: OpencodeJob): object {
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
  return stdout
    .split('\n')
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

/** What has lost its client may take this long to interrupt a run and go. */
const GRACE_MS = 15_000

/** Waits for the rest of a group to go by itself. @returns What did not. */
async function emptied(group: number): Promise<string[]> {
  const deadline = performance.now() + GRACE_MS
  for (;;) {
    const left = membersOf(group)
    if (left.length === 0 || performance.now() > deadline) return left
    await sleep(50)
  }
}

function membersOf(group: number): string[] {
  return readdirSync('/proc').flatMap(pid => {
    if (!/^\d+$/.test(pid)) return []
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const [state, , itsGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (Number(itsGroup) !== group || state === 'Z') return []
      return [readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim()]
    } catch {
      return []
    }
  })
}

function endGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
