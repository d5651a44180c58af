import { spawn } from 'node:child_process'
import { existsSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryFolder } from '../tools/listening.ts'

export const GUEST = join(import.meta.dirname, '../../src/guest')
export const COMMANDS = join(GUEST, 'bin')
/** The system's, or another one to try by hand. */
export const PYTHON =
  process.env['SRECODEX_TEST_PYTHON'] ?? (existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3')
/** The Node of this process, and the machine's own where that is another one. */
export const NODES: readonly string[] = [
  ...new Set(
    [process.execPath, '/usr/bin/node', '/usr/local/bin/node']
      .filter(path => existsSync(path))
      .map(path => realpathSync(path)),
  ),
]

export interface Ran {
  readonly status: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly finished: Promise<Ran>
  write(text: string): void
  /** Waits for a piece of stdout. */
  says(text: string): Promise<void>
}

export interface RunOptions {
  /** `SRECODEX_SOCKET`; absent: outside a sandbox. */
  readonly socketPath?: string | undefined
  readonly stdin?: string | Buffer
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

export function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const running = start(argv, options)
  running.write('')
  return running.finished
}

/** As `run`, with stdin left open until `write('')`. */
export function start(argv: readonly string[], options: RunOptions = {}): Running {
  const [file = '', ...args] = argv
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: {
      PATH: `${COMMANDS}:/usr/local/bin:/usr/bin:/bin`,
      PYTHONPATH: join(GUEST, 'python'),
      PYTHONDONTWRITEBYTECODE: '1',
      LANG: 'C.UTF-8',
      ...(options.socketPath === undefined ? {} : { SRECODEX_SOCKET: options.socketPath }),
      ...options.env,
    },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  let heard: (() => void) | undefined
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    heard?.()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => {})
  if (options.stdin !== undefined) child.stdin.end(options.stdin)
  const finished = new Promise<Ran>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }))
  })
  return {
    finished,
    write: text => {
      if (text === '') child.stdin.end()
      else child.stdin.write(text)
    },
    says: text =>
      new Promise(resolve => {
        heard = () => {
          if (stdout.includes(text)) resolve()
        }
        heard()
      }),
  }
}

/** Writes the text of a program beside nothing else and returns its path. */
export function program(name: string, text: string): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, text)
  return path
}

export const SILENT_SUCCESS: Ran = { status: 0, signal: null, stdout: '', stderr: '' }
