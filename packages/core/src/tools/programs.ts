/**
 * The host programs that the scripts of one run may call, each call in a sandbox of its own.
 *
 * Promises: a program is found outside of whatever a script may write; it is given its own credentials and no
 * other's; the cluster and the identity that kubectl and helm act with do not change within a run. What a call may
 * do was decided before: nothing here judges words.
 */

import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { isAbsolute, join, normalize } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { NAMED_SECTIONS, resolvedDefault, resolveFields, type ResolvedTool } from '../config/schema.ts'
import { SrecodexError } from '../errors.ts'
import { systemLayout } from '../sandbox/detect.ts'
import type { Mount } from '../sandbox/profile.ts'
import { contains } from '../sandbox/workspace.ts'
import { asking } from './ask.ts'
import type { ProgramCall, ProgramOutcome, Programs, ToolIdentity } from './calls.ts'
import { toolArgv } from './programs/argv.ts'
import { copyEtc } from './programs/etc.ts'
import { findProgram, type FoundProgram } from './programs/find.ts'
import { identityOf } from './programs/identity.ts'
import { createLauncher } from './programs/launcher.ts'
import { candidateTools } from './programs/names.ts'
import { createPace, type Pace } from './programs/pace.ts'
import { createChannelPool } from './programs/pipes.ts'
import { prepareTool, type PreparedTool } from './programs/prepare.ts'
import type { ToolProfile, WorkspaceShape } from './programs/profile.ts'
import { startProgram, STATUS_FD, workspaceChanged } from './programs/start.ts'
import { verifyMounts, type Verification } from './programs/verify-mounts.ts'
import { CallError } from './protocol.ts'

export type { WorkspaceShape } from './programs/profile.ts'

export interface ProgramsOptions {
  /** Private folder of this run for what tools need, 0700; made where it is absent, emptied by `close`. */
  readonly folder: string
  /** Outlives runs: what tools remember of servers. */
  readonly cacheFolder: string
  /** `tools` of the config. */
  readonly tools: Readonly<Record<string, ResolvedTool>>
  readonly workspace: WorkspaceShape
  /** The operator's, by its real path. */
  readonly home: string
  /** The caller's: PATH, and what tools take from it. */
  readonly environment: NodeJS.ProcessEnv
  /** Path of bubblewrap. */
  readonly bubblewrap: string
}

interface Tool {
  readonly found: FoundProgram
  readonly config: ResolvedTool
  readonly pace: Pace
  prepared: Promise<PreparedTool> | null
  identity: Promise<ToolIdentity> | null
}

/** More than a program is given to end. */
const CLOSING_MS = 5000
/** A script's own places; what it hands over is shown there and nowhere else. */
const SCRIPT_FOLDERS = ['/tmp', '/var/tmp']

export async function openPrograms(options: ProgramsOptions): Promise<Programs> {
  const tools = findTools(options)
  const system = systemLayout()
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  const etcFolder = join(options.folder, 'etc')
  let etc: readonly Mount[] | null = null
  const channels = createChannelPool(join(options.folder, 'pipes'))
  const launcher = createLauncher(options.folder)
  const closed = new AbortController()
  const running = new Set<Promise<unknown>>()

  const toolOf = (name: string): Tool => {
    const tool = tools.get(name)
    if (tool !== undefined) return tool
    throw new CallError('REFUSED', `\`${name}\` is not a tool that scripts may call`, {
      hint: `install it, or add [tools.${name}] to the config; srecodex tools list shows what there is`,
    })
  }

  const prepared = async (tool: Tool): Promise<PreparedTool> => {
    etc ??= copyEtc(etcFolder) // a script that calls no tool waits for none of this
    tool.prepared ??= prepareTool({
      found: tool.found,
      config: tool.config,
      configOf: name => configOf(options, name),
      home: options.home,
      workspace: options.workspace.path,
      environment: options.environment,
      system,
      etcFolder,
      etc,
      folder: options.folder,
      cacheFolder: options.cacheFolder,
    }).catch((error: unknown) => {
      tool.prepared = null // the operator may mend it meanwhile
      throw error
    })
    return tool.prepared
  }

  const start = async (tool: Tool, call: ProgramCall, signal: AbortSignal): Promise<ProgramOutcome> => {
    const { program, args, environment, grants, defaults } = await prepared(tool)
    refuseOddFiles(call, options)
    const profile = {
      ...grants,
      workspace: { ...options.workspace, shown: call.workspace },
      files: call.files,
      cwd: call.cwd,
    }
    const verification = verified(profile)
    // what verifies is a program of the system
    const sandbox = verification === null ? profile : { ...profile, system }
    const channel = await channels.take()
    if (signal.aborted) {
      channel.giveBack()
      throw endedEarly(call)
    }
    return startProgram({
      launcher,
      command: [
        options.bubblewrap,
        ...toolArgv(sandbox, STATUS_FD),
        ...(verification?.command ?? []),
        program,
        ...args,
        ...call.argv,
      ],
      refusal: verification?.refusal ?? null,
      environment,
      stdin: call.stdin,
      channel,
      signal,
      ownCodesOnly: defaults.foreignCodes?.every(word => !call.argv.includes(word)) ?? false,
      onOutput: (stream, chunk) => call.onOutput(stream, chunk),
    })
  }

  const run = async (call: ProgramCall): Promise<ProgramOutcome> => {
    const tool = toolOf(call.tool)
    const signal = AbortSignal.any([call.signal, closed.signal])
    let leave: () => void
    try {
      leave = await tool.pace.enter(signal)
    } catch {
      throw endedEarly(call)
    }
    try {
      return await start(tool, call, signal)
    } finally {
      leave()
    }
  }

  const tracked = async (call: ProgramCall): Promise<ProgramOutcome> => {
    const outcome = run(call)
    running.add(outcome)
    try {
      return await outcome
    } finally {
      running.delete(outcome)
    }
  }

  const lookUpIdentity = async (name: string): Promise<ToolIdentity> =>
    identityOf({
      tool: name,
      prepared: await prepared(toolOf(name)),
      ask: asking({ run: tracked }, { tool: name, cwd: '/tmp', signal: closed.signal }),
      readCredential: textOrNull,
    })

  return {
    names: [...tools.keys()],
    policy: name => {
      const { reads, mutates, reveals, args } = toolOf(name).config
      return { reads, mutates, reveals, args }
    },
    identity: async name => {
      const tool = toolOf(name)
      // What failed is asked again: the operator may have logged in meanwhile.
      tool.identity ??= lookUpIdentity(name).catch(error => {
        tool.identity = null
        throw error
      })
      return tool.identity
    },
    run: tracked,
    close: async () => {
      closed.abort()
      // not for ever: whoever takes the output of a call may have gone without a word
      const ended = new AbortController()
      const patience = sleep(CLOSING_MS, null, { signal: ended.signal }).catch(() => null)
      await Promise.race([Promise.allSettled(running), patience])
      ended.abort()
      launcher.close()
      rmSync(options.folder, { recursive: true, force: true })
    },
  }
}

function findTools(options: ProgramsOptions): Map<string, Tool> {
  const tools = new Map<string, Tool>()
  for (const name of candidateTools(Object.keys(options.tools))) {
    const found = findProgram(name, { ...options, workspace: options.workspace.path })
    if (found === null) continue
    const config = configOf(options, name)
    tools.set(name, { found, config, pace: createPace(config), prepared: null, identity: null })
  }
  return tools
}

function configOf(options: ProgramsOptions, name: string): ResolvedTool {
  const own = Object.hasOwn(options.tools, name) ? options.tools[name] : undefined
  return own ?? resolveFields(NAMED_SECTIONS.tools.fields, (_key, one) => resolvedDefault(one))
}

/** What a script names is shown where it says, so it may not say a place that means something to the tool. */
function refuseOddFiles(call: ProgramCall, options: ProgramsOptions): void {
  const isBelow = (folder: string, path: string): boolean => folder !== path && contains(folder, path)
  for (const { path } of call.files) {
    const isPlain = isAbsolute(path) && normalize(path) === path
    const isOwn =
      isBelow(options.workspace.path, path) ||
      (SCRIPT_FOLDERS.some(folder => isBelow(folder, path)) && !contains(options.home, path))
    if (isPlain && isOwn) continue
    throw new CallError('REFUSED', `${call.tool} cannot be shown ${path}`, {
      hint: 'files for a tool lie in the workspace or in /tmp',
    })
  }
}

function endedEarly(call: ProgramCall): CallError {
  return new CallError('TOOL_FAILED', `the call of ${call.tool} was ended before it began`)
}

function verified(profile: ToolProfile): Verification | null {
  try {
    return verifyMounts(profile, randomUUID())
  } catch (error) {
    if (error instanceof SrecodexError) throw workspaceChanged()
    throw error
  }
}

function textOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
