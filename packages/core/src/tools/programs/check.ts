/** Tries each tool once in its sandbox, by a call that changes and asks nothing, and tells what it lacks. */

import { accessSync, constants, existsSync } from 'node:fs'
import { builtInTools } from '../effects/effects.ts'
import { openPrograms, type ProgramsOptions } from '../programs.ts'
import { CallError } from '../protocol.ts'
import { toolDefaults } from './defaults.ts'
import { findProgram } from './find.ts'

export type Lack =
  /** Named in the config, and not on PATH outside of the workspace. */
  | { readonly kind: 'program' }
  /** Named in the config, and not there or not to be read. */
  | { readonly kind: 'credentials'; readonly path: string; readonly why: 'missing' | 'unreadable' }
  /** Named in `helpers`, and not on PATH. */
  | { readonly kind: 'helper'; readonly name: string }
  /** The system's loader does not find it inside. */
  | { readonly kind: 'library'; readonly name: string }
  /** Anything else that keeps it from starting. */
  | { readonly kind: 'start'; readonly message: string; readonly hint: string | null }

export interface ProgramCheck {
  readonly tool: string
  /** It has an entry in the config. */
  readonly configured: boolean
  /** The real program, behind every shim; null: not found. */
  readonly program: string | null
  /** It ran in its sandbox. */
  readonly starts: boolean
  /** The first line that it printed. */
  readonly said: string
  readonly lacks: readonly Lack[]
}

const TIMEOUT_MS = 20_000
const MISSING_LIBRARY = /error while loading shared libraries: ([^\s:]+)/

/** Tools that are configured, and those with a built-in table that are found. */
export async function checkPrograms(options: ProgramsOptions): Promise<ProgramCheck[]> {
  const programs = await openPrograms(options)
  const checkOne = async (tool: string): Promise<ProgramCheck> => {
    const configured = Object.hasOwn(options.tools, tool)
    const found = findProgram(tool, { ...options, workspace: options.workspace.path })
    const lacks = configured ? lacksOfConfig(tool, options) : []
    const nothing = { tool, configured, program: found?.program ?? null, starts: false, said: '' }
    if (found === null) return { ...nothing, lacks: [{ kind: 'program' }] }
    let text = ''
    try {
      const outcome = await programs.run({
        tool,
        argv: toolDefaults(tool).harmless,
        cwd: '/tmp',
        stdin: null,
        files: [],
        workspace: 'hidden',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        onOutput: (_stream, chunk) => {
          if (text.length < 4096) text += Buffer.from(chunk).toString('utf8')
        },
      })
      const library = MISSING_LIBRARY.exec(text)?.[1]
      const said = text.trim().split('\n', 1)[0]?.slice(0, 200) ?? ''
      if (library !== undefined)
        return { ...nothing, said, lacks: [...lacks, { kind: 'library', name: library }] }
      return { ...nothing, starts: outcome.signal === null, said, lacks }
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      // told already, and more exactly
      const start: Lack = { kind: 'start', message: error.message, hint: error.hint }
      return { ...nothing, lacks: lacks.length > 0 ? lacks : [start] }
    }
  }
  try {
    const built = builtInTools().filter(tool => programs.names.includes(tool))
    const checks: ProgramCheck[] = []
    // One at a time: a slow start says something about the tool, and not about its neighbours.
    for (const tool of new Set([...built, ...Object.keys(options.tools)])) checks.push(await checkOne(tool))
    return checks
  } finally {
    await programs.close()
  }
}

function lacksOfConfig(tool: string, options: ProgramsOptions): Lack[] {
  const { credentials, helpers } = options.tools[tool]!
  const files = (credentials ?? []).flatMap((path): Lack[] => {
    if (!existsSync(path)) return [{ kind: 'credentials', path, why: 'missing' }]
    try {
      accessSync(path, constants.R_OK)
      return []
    } catch {
      return [{ kind: 'credentials', path, why: 'unreadable' }]
    }
  })
  const found = (name: string): boolean =>
    findProgram(name, { ...options, workspace: options.workspace.path }) !== null
  const names = (helpers ?? []).filter(name => !found(name))
  return [...files, ...names.map((name): Lack => ({ kind: 'helper', name }))]
}
