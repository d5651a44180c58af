/**
 * A small process that starts the programs of one run, since a fork of Node stops its thread for 4 ms.
 *
 * Promises: it is started at the first program and again should somebody have killed it; a program's end is told
 * once, also where the launcher went first, for then bubblewrap was killed with it.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { decodeWaitStatus, type ProcessEnd } from '../../sandbox/wait-status.ts'

export interface LaunchRequest {
  /** Absolute path of the program, then its arguments. */
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Opened by the launcher. The outputs are FIFOs that somebody reads by now; the status is made or emptied. */
  readonly paths: {
    readonly stdin: string
    readonly stdout: string
    readonly stderr: string
    /** The program finds it at descriptor 3. */
    readonly status: string
  }
}

export interface LaunchedProgram {
  /** @throws {Error} nothing was started, and why. */
  readonly ended: Promise<ProcessEnd>
  /** Nothing happens to one that has ended. */
  kill(signal: NodeJS.Signals): void
}

export interface Launcher {
  start(request: LaunchRequest): LaunchedProgram
  /** Programs that still run are killed. */
  close(): void
}

const PERL = '/usr/bin/perl'
const PROGRAM = join(import.meta.dirname, 'launcher.pl')

/** @param folder of the run's tools: whoever finds the process can tell whose it is. */
export function createLauncher(folder: string): Launcher {
  let current: ReturnType<typeof startProcess> | null = null
  return {
    start: request => {
      if (current === null || current.isGone()) current = startProcess(folder)
      return current.start(request)
    },
    close: () => current?.close(),
  }
}

function startProcess(folder: string) {
  // A session of its own: a terminal's Ctrl-C is srecodex's to answer.
  const child = spawn(PERL, [PROGRAM, `${folder}/`], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  }) as ChildProcess & { stdin: Writable; stdout: Readable }
  const pending = new Map<string, PromiseWithResolvers<ProcessEnd>>()
  let started = 0
  let gone: string | null = null

  const settle = (id: string, how: (ended: PromiseWithResolvers<ProcessEnd>) => void): void => {
    const ended = pending.get(id)
    pending.delete(id)
    if (ended) how(ended)
  }
  const lines = createInterface({ input: child.stdout, crlfDelay: Infinity })
  lines.on('line', line => {
    const [, id = '', kind, rest = ''] = /^(\d+) (ended|failed) (.*)$/.exec(line) ?? []
    settle(id, ({ resolve, reject }) =>
      kind === 'ended' ? resolve(decodeWaitStatus(Number(rest))) : reject(new Error(rest)),
    )
  })
  const end = (why: string | null): void => {
    gone ??= why ?? ''
    for (const id of pending.keys())
      settle(id, ({ resolve, reject }) =>
        why === null ? resolve({ exitCode: null, signal: 'SIGKILL' }) : reject(new Error(why)),
      )
  }
  child.once('error', error => end(error.message))
  lines.once('close', () => end(null)) // every answer was read
  child.stdin.on('error', () => {}) // it has gone: its end tells

  const ask = (fields: readonly string[]): void => {
    const payload = Buffer.from(fields.join('\0'))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(payload.length)
    child.stdin.write(Buffer.concat([length, payload]))
  }

  return {
    isGone: () => gone !== null,
    start: ({ command, environment, paths }: LaunchRequest): LaunchedProgram => {
      const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
      const fields = [paths.stdin, paths.stdout, paths.stderr, paths.status, ...variables, ...command]
      // A NUL ends a field: what follows one would be read as fields of its own.
      if (fields.some(field => field.includes('\0')))
        throw new Error('an argument or a variable holds a NUL byte')
      const id = String(++started)
      const ended = Promise.withResolvers<ProcessEnd>()
      pending.set(id, ended)
      ask(['start', id, ...fields.slice(0, 4), String(variables.length), ...fields.slice(4)])
      return {
        ended: ended.promise,
        kill: signal => pending.has(id) && ask(['kill', id, String(constants.signals[signal])]),
      }
    },
    close: () => child.stdin.end(),
  }
}
