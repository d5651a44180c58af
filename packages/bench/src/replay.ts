/**
 * What core hands to bubblewrap for one run, to start the same sandbox again without core.
 *
 * Core has no export for its command line, and needs none for this: it is taken where it leaves the process, at
 * `spawn`, so that what is compared is what a run really starts. The folders that it names stay after the run.
 */

import childProcess, { type ChildProcess, type SpawnOptions } from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'
import type { Writable } from 'node:stream'

export interface Replay {
  /** bubblewrap with its arguments, up to and including `--`. */
  readonly wrapper: readonly string[]
  /** The interpreter and the script, as the sandbox sees them. */
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly seccomp: Buffer
}

/** Where core puts what it tells the sandbox: `DESCRIPTORS` in its engine. */
const SPECIFICATION = 6
const SECCOMP = 7

/** Starts one run and keeps what it was started with. */
export async function recordReplay(run: () => Promise<unknown>): Promise<Replay> {
  const original = childProcess.spawn
  let argv: readonly string[] | undefined
  const said = new Map<number, Buffer[]>()
  const recording = (program: string, args: readonly string[], options: SpawnOptions): ChildProcess => {
    const child = original(program, args, options)
    if (!args.some(argument => argument.endsWith('supervisor.pl'))) return child
    argv = args
    for (const descriptor of [SPECIFICATION, SECCOMP]) {
      const chunks: Buffer[] = []
      said.set(descriptor, chunks)
      const pipe = child.stdio[descriptor] as Writable
      const end = pipe.end.bind(pipe) as (chunk: string | Buffer) => Writable
      pipe.end = ((chunk: string | Buffer) => {
        chunks.push(Buffer.from(chunk))
        return end(chunk)
      }) as Writable['end']
    }
    return child
  }
  childProcess.spawn = recording as typeof childProcess.spawn
  syncBuiltinESMExports()
  try {
    await run()
  } finally {
    childProcess.spawn = original
    syncBuiltinESMExports()
  }
  const wrapper = argv?.slice(argv.indexOf('--') + 1, argv.lastIndexOf('--') + 1) ?? []
  if (!(wrapper[0] ?? '').endsWith('bwrap'))
    throw new Error('the run did not start bubblewrap as this benchmark expects')
  const fields = Buffer.concat(said.get(SPECIFICATION) ?? [])
    .toString('utf8')
    .split('\0')
  const told = (kind: string): string[] =>
    fields.filter(field => field.startsWith(kind)).map(field => field.slice(1))
  return {
    wrapper,
    command: told('A'),
    environment: Object.fromEntries(
      told('E').map(entry => entry.split(/=(.*)/s).slice(0, 2) as [string, string]),
    ),
    seccomp: Buffer.concat(said.get(SECCOMP) ?? []),
  }
}
