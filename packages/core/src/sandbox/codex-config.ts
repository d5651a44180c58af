/**
 * Asks an installed Codex whether it can take its config as it is, without starting anything of it.
 *
 * Codex checks its config before it looks for the model's provider, so a provider that does not exist ends it there: it
 * has read every file of a project that it trusts by then, and has not opened a connection, nor a file of its own.
 */

import { spawn } from 'node:child_process'

export interface CodexConfigOptions {
  /** The program, by its absolute path. */
  readonly program: string
  readonly project: string
  readonly environment: NodeJS.ProcessEnv
  /** @default 5000 */
  readonly timeoutMs?: number
}

export interface CodexConfigCheck {
  /** `unknown`: it did not answer as any Codex known here does. */
  readonly state: 'valid' | 'invalid' | 'unknown'
  /** What Codex said of the first thing that it does not take. */
  readonly message: string
}

const NO_PROVIDER = 'srecodex-doctor'
const MAX_CHARS = 2000

export async function checkCodexConfig(options: CodexConfigOptions): Promise<CodexConfigCheck> {
  const said = await answerOf(options)
  if (said === null) return { state: 'unknown', message: 'it did not answer in time' }
  if (said.includes(`\`${NO_PROVIDER}\` not found`)) return { state: 'valid', message: '' }
  const refusal = /^(?:Error: |Error loading config\.toml:\s*)(.+)$/m.exec(said)?.[1]?.trim()
  const isAboutConfig = refusal !== undefined && /config/i.test(said) && !/unexpected argument/.test(said)
  return isAboutConfig
    ? { state: 'invalid', message: refusal }
    : { state: 'unknown', message: said.split('\n')[0] ?? '' }
}

function answerOf({
  program,
  project,
  environment,
  timeoutMs = 5000,
}: CodexConfigOptions): Promise<string | null> {
  const flags = [
    '--strict-config',
    '--skip-git-repo-check',
    '--ephemeral',
    '-c',
    `model_provider=${NO_PROVIDER}`,
  ]
  return new Promise(resolve => {
    const child = spawn(program, ['exec', ...flags, '--', 'config check'], {
      cwd: project,
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    })
    let said = ''
    const end = (answer: string | null): void => {
      clearTimeout(timer)
      resolve(answer)
    }
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      end(null)
    }, timeoutMs)
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(0, MAX_CHARS)))
    child.once('error', () => end(''))
    child.once('close', () => end(said))
  })
}
