/** Starts a process and waits for its end, as cheaply as Node can. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import type { Replay } from './replay.ts'

export interface ProcessOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** File that stdout goes to, made anew; null: nowhere. */
  readonly stdoutPath: string | null
  /** @default 'inherit' */
  readonly stderr?: 'inherit' | 'ignore'
  /** Files that the process finds open, by descriptor from 3 on. */
  readonly descriptors?: readonly (number | 'ignore')[]
}

/** @throws where the process does not exit with 0: a time for something else is no time. */
export async function runToEnd(argv: readonly string[], options: ProcessOptions): Promise<void> {
  const stdout = options.stdoutPath === null ? null : openSync(options.stdoutPath, 'w', 0o600)
  try {
    const [program = '', ...args] = argv
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.environment,
      stdio: ['ignore', stdout ?? 'ignore', options.stderr ?? 'inherit', ...(options.descriptors ?? [])],
    })
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => {
        if (code === 0) resolve()
        else reject(new Error(`${argv.join(' ').slice(0, 200)} ended with ${code ?? signal}`))
      })
    })
  } finally {
    if (stdout !== null) closeSync(stdout)
  }
}

/** Until a server that speaks on its stdin and stdout has answered the first line; then it is told to end. */
export async function firstReply(
  [program = '', ...args]: readonly string[],
  line: string,
  { environment, cwd }: Pick<ProcessOptions, 'environment' | 'cwd'>,
): Promise<void> {
  const child = spawn(program, args, { cwd, env: environment, stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`${program} ended with ${code}`)),
  )
  ended.catch(() => {}) // the usual end, after the reply
  child.stdin.write(line)
  await Promise.race([once(child.stdout, 'data'), ended])
  child.stdin.end()
}

/** The same sandbox around the same command, with nothing of srecodex in or around it. */
export async function runReplay(
  replay: Replay,
  options: ProcessOptions & { readonly seccompPath: string },
): Promise<void> {
  writeFileSync(options.seccompPath, replay.seccomp)
  const seccomp = openSync(options.seccompPath, 'r')
  const info = openSync('/dev/null', 'w')
  try {
    await runToEnd([...replay.wrapper, ...replay.command], {
      ...options,
      environment: replay.environment,
      descriptors: ['ignore', 'ignore', 'ignore', 'ignore', seccomp, 'ignore', info],
    })
  } finally {
    closeSync(seccomp)
    closeSync(info)
  }
}
