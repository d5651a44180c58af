/** A home, a workspace, a folder of little tools on PATH, and the programs of one run over them. */

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  NAMED_SECTIONS,
  resolvedDefault,
  resolveFields,
  type ResolvedTool,
} from '../../../src/config/schema.ts'
import { findBubblewrap } from '../../../src/sandbox/detect.ts'
import type { ProgramCall, ProgramOutcome, Programs } from '../../../src/tools/calls.ts'
import { openPrograms, type ProgramsOptions } from '../../../src/tools/programs.ts'

export const DEFAULT_TOOL: ResolvedTool = {
  ...resolveFields(NAMED_SECTIONS.tools.fields, (_key, one) => resolvedDefault(one)),
  ratePerSecond: 1000,
}

export interface Said extends ProgramOutcome {
  readonly stdout: string
  readonly stderr: string
}

export interface Bench {
  readonly root: string
  readonly home: string
  readonly workspace: string
  readonly bin: string
  /** Writes a file below the root, with its folders. @returns its path. */
  write(path: string, text: string, mode?: number): string
  /** A tool in `bin`. */
  tool(name: string, script: string): string
  options(changes?: Partial<ProgramsOptions>): ProgramsOptions
  open(tools?: Record<string, Partial<ResolvedTool>>, changes?: Partial<ProgramsOptions>): Promise<Programs>
  clear(): Promise<void>
}

export function createBench(): Bench {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'srecodex-programs-')))
  const [home, workspace, bin] = ['home', 'workspace', 'bin'].map(name => join(root, name)) as [
    string,
    string,
    string,
  ]
  for (const folder of [home, workspace, bin]) mkdirSync(folder)
  const opened: Programs[] = []
  let runs = 0
  const write = (path: string, text: string, mode = 0o600): string => {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    chmodSync(file, mode)
    return file
  }
  const options = (changes: Partial<ProgramsOptions> = {}): ProgramsOptions => ({
    folder: join(root, `run-${runs++}`),
    cacheFolder: join(root, 'cache'),
    tools: {},
    workspace: { path: workspace, mode: 'workspace-write', protected: [], hidden: [] },
    home,
    environment: { PATH: `${bin}:/usr/bin:/bin`, HOME: home },
    bubblewrap: findBubblewrap({ path: '', cacheFolder: join(root, 'cache') }).path,
    ...changes,
  })
  return {
    root,
    home,
    workspace,
    bin,
    write,
    tool: (name, script) => write(`bin/${name}`, script, 0o755),
    options,
    open: async (tools = {}, changes = {}) => {
      const full = Object.fromEntries(
        Object.entries(tools).map(([name, one]) => [name, { ...DEFAULT_TOOL, ...one }]),
      )
      const programs = await openPrograms(options({ tools: full, ...changes }))
      opened.push(programs)
      return programs
    },
    clear: async () => {
      for (const programs of opened) await programs.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** One call, and everything that it printed. */
export async function call(
  programs: Programs,
  tool: string,
  argv: readonly string[] = [],
  changes: Partial<ProgramCall> = {},
): Promise<Said> {
  const chunks = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
  const outcome = await programs.run({
    tool,
    argv,
    cwd: '/tmp',
    stdin: null,
    files: [],
    workspace: 'hidden',
    signal: new AbortController().signal,
    onOutput: (stream, chunk) => void chunks[stream].push(chunk),
    ...changes,
  })
  const text = (stream: 'stdout' | 'stderr'): string => Buffer.concat(chunks[stream]).toString('utf8')
  return { ...outcome, stdout: text('stdout'), stderr: text('stderr') }
}

/** Ids of living processes whose command line holds a word; a zombie has none. */
export function processesWith(word: string): number[] {
  const listing = spawnSync('/bin/ps', ['-eo', 'pid=,stat=,args='], { encoding: 'utf8' }).stdout
  return listing
    .split('\n')
    .filter(line => line.includes(word) && !/^\s*\d+\s+Z/.test(line))
    .map(line => Number.parseInt(line, 10))
}
