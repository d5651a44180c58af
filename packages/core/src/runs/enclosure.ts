/**
 * From what the operator allows to what one run is given: the profile, the limits, the environment.
 *
 * Three steps, each needing more of the world: `enclose` (the workspace), `prepare` (a script, the scan of the
 * workspace), `open` (the run's folder: cgroup, network proxy, the arguments themselves).
 */

import { linkSync, mkdirSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { userHome } from '../config/paths.ts'
import { SrecodexError } from '../errors.ts'
import { guestFolder } from '../guest/folder.ts'
import { bubblewrapArgv } from '../sandbox/argv.ts'
import { createControlGroup } from '../sandbox/cgroup.ts'
import { findBubblewrap, systemLayout } from '../sandbox/detect.ts'
import { DESCRIPTORS, type LaunchOptions, type RunningProcess } from '../sandbox/engine.ts'
import { SANDBOX_PLACES, scriptEnvironment } from '../sandbox/environment.ts'
import {
  protectionMounts,
  scanWorkspace,
  type ProtectionMounts,
  type WorkspaceScan,
} from '../sandbox/guard/guard.ts'
import { pathOutside, resolveInterpreter } from '../sandbox/interpreters.ts'
import { expectMounts } from '../sandbox/mounts.ts'
import { FORWARDER_PORT, networkEnvironment } from '../sandbox/network/environment.ts'
import type { NetworkProxy } from '../sandbox/network/proxy.ts'
import { ownPlaces, realOwnFolder } from '../sandbox/own-folders.ts'
import { INSIDE, type SandboxProfile } from '../sandbox/profile.ts'
import { seccompProgram } from '../sandbox/seccomp.ts'
import { startWatchdog } from '../sandbox/watchdog.ts'
import {
  ancestorsWithin,
  contains,
  resolveReadable,
  resolveWorkspace,
  scriptSurroundings,
} from '../sandbox/workspace.ts'
import type { WorkspaceShape } from '../tools/programs.ts'
import type { RunOptions } from './options.ts'
import { skillFoldersOf } from './skill-folders.ts'
import type { StagedScript } from './stage.ts'
import type { RunFolder } from './store.ts'

export interface Enclosure {
  readonly workspace: string
  prepare(script: StagedScript): Prepared
}

export interface Prepared {
  /** Null where nothing is protected: read-only and danger-full-access. */
  readonly scan: WorkspaceScan | null
  readonly workspace: string
  readonly notices: readonly string[]
  readonly description: { readonly mode: string; readonly backend: string; readonly network: string }
  /** What the sandboxes of tools share with the script's; null without a sandbox. */
  readonly forTools: {
    readonly workspace: WorkspaceShape
    readonly home: string
    readonly bubblewrap: string
  } | null
  open(folder: RunFolder, given: Given): Promise<Opened>
}

/** What is known only once the run's calls are. */
export interface Given {
  readonly phase: 'plan' | 'apply'
  /** Names of the tools that get a shim. */
  readonly tools: readonly string[]
}

export interface Opened {
  readonly launch: LaunchOptions
  readonly artifactsPath: string
  startWatchdog(running: RunningProcess, onExceeded: (limit: string, detail: string) => void): () => void
  /** What the limits and the network saw, once the process has ended. */
  observe(): {
    readonly memoryExceeded: boolean
    readonly processesExceeded: boolean
    readonly notices: string[]
  }
  close(): Promise<void>
}

/** @throws {SrecodexError} WORKSPACE_INVALID */
export function enclose(options: RunOptions): Enclosure {
  const caller = options.callerEnvironment ?? process.env
  const home = userHome(caller)
  const workspace = resolveWorkspace(resolve(options.workspace ?? process.cwd()), home)
  const inside = options.ownFolders.find(folder => contains(realOwnFolder(folder), workspace))
  if (inside !== undefined) {
    throw new SrecodexError('WORKSPACE_INVALID', `the workspace lies in srecodex's own folder ${inside}`, {
      hint: 'use a project folder: a script must not write the store of runs',
      details: { path: workspace },
    })
  }
  return { workspace, prepare: script => prepare(options, { workspace, home, caller }, script) }
}

interface Surroundings {
  readonly workspace: string
  readonly home: string
  readonly caller: NodeJS.ProcessEnv
}

function prepare(options: RunOptions, around: Surroundings, script: StagedScript): Prepared {
  const { executionEnvironment } = options.config
  const mode = executionEnvironment.sandboxMode
  const network = executionEnvironment.network
  const notices: string[] = []
  const language = resolveInterpreter(script.language, interpreterOptions(options, around))
  const description = {
    mode,
    backend: mode === 'danger-full-access' ? 'none' : 'bubblewrap',
    network:
      mode === 'danger-full-access' ? 'host' : typeof network === 'string' ? network : network.join(','),
  }
  if (mode === 'danger-full-access') {
    notices.push('no sandbox: danger-full-access lets the script do whatever you may')
    return {
      scan: null,
      workspace: around.workspace,
      notices,
      description,
      forTools: null,
      open: async (folder, { phase }) => openBare(options, around, { script, language, phase }, folder),
    }
  }

  const bubblewrap = findBubblewrap({
    path: pathOutside(around.workspace, around.caller.PATH), // a script may have planted one in its own .venv/bin
    cacheFolder: options.cacheFolder,
  })
  const scan = mode === 'workspace-write' ? scanWorkspace(around.workspace) : null
  if (scan?.bound) {
    notices.push(
      `the scan for protected files stopped after ${scan.bound.scanned} entries: what lies deeper is not protected`,
    )
  }
  notices.push(...(scan?.notes ?? []))
  const protection = scan === null ? NOTHING_PROTECTED : protectionMounts(scan)
  const uncovered = protection.unprotected.filter(({ reason }) => reason !== 'dependencies')
  if (uncovered.length > 0) {
    notices.push(
      `${uncovered.length} protected paths could not be mounted read-only; they are checked after the run`,
    )
  }
  const { readable, missing } = resolveReadable(executionEnvironment.readable, around.workspace)
  for (const path of missing) notices.push(`${path} is not there to be read`)

  const own = ownPlaces(options.ownFolders, around.workspace)
  return {
    scan,
    workspace: around.workspace,
    notices,
    description,
    forTools: {
      workspace: {
        path: around.workspace,
        mode,
        protected: [...protection.readOnly, ...own.files].sort(),
        hidden: own.folders.filter(place => contains(around.workspace, place)),
      },
      home: around.home,
      bubblewrap: bubblewrap.path,
    },
    open: (folder, given) =>
      openSandboxed(
        options,
        around,
        { script, language, bubblewrap, protection, readable, ...given },
        folder,
      ),
  }
}

const NOTHING_PROTECTED: ProtectionMounts = { pin: [], readOnly: [], unprotected: [] }

interface Parts extends Given {
  readonly script: StagedScript
  readonly language: ReturnType<typeof resolveInterpreter>
  readonly bubblewrap: ReturnType<typeof findBubblewrap>
  readonly protection: ProtectionMounts
  readonly readable: readonly string[]
}

async function openSandboxed(
  options: RunOptions,
  around: Surroundings,
  parts: Parts,
  folder: RunFolder,
): Promise<Opened> {
  const { config } = options
  const { network, sandboxMode } = config.executionEnvironment
  const target = parts.script.path ?? `${INSIDE.scriptFolder}/${parts.script.name}`
  const limits = limitsOf(options, folder)
  const proxy = typeof network === 'string' ? null : await openNetwork(network, folder)
  const { protection } = parts
  const nodes = resolveInterpreter('javascript', interpreterOptions(options, around))
  const skills = expectMounts(skillFoldersOf(options, around))
  const payloads = skills.length === 0 ? [] : [nodes, ...pythonIfAny(options, around)]
  const readable = [
    ...new Set([
      ...parts.readable,
      ...parts.language.readable,
      ...nodes.readable,
      ...payloads.flatMap(({ readable: needed }) => needed),
      ...surroundings(parts.script, around),
    ]),
  ]
    .filter(path => !contains(around.workspace, path)) // visible in any case
    .sort()
  const own = ownPlaces(options.ownFolders, around.workspace)
  const hidden = own.folders.filter(place =>
    [around.workspace, ...readable].some(visible => contains(visible, place)),
  )
  const mode = sandboxMode === 'read-only' ? 'read-only' : 'workspace-write'
  const pins =
    mode === 'read-only' ? [] : pinned(around.workspace, protection.pin, [...hidden, ...own.files, target])
  const guarded = [...protection.readOnly, ...own.files]
  // What is gone by now is not mounted either: an absence could become a link before bubblewrap looks.
  const expected = expectMounts([...new Set([...readable, around.workspace, ...pins, ...guarded])])
  const seen = new Set(expected.map(({ path }) => path))
  const profile: SandboxProfile = {
    mode,
    network: proxy === null ? (network as 'none' | 'host') : 'allowlist',
    system: systemLayout(),
    workspace: around.workspace,
    home: around.home,
    readable,
    pinned: pins.filter(path => seen.has(path)),
    protected: guarded.filter(path => seen.has(path)),
    hidden,
    script: { source: folder.script, target },
    guestFolder,
    tools: parts.tools,
    skillFolders: skills.map(({ path }) => path),
    socketFolder: folder.sockets,
    artifactsFolder: folder.artifacts,
    cwd: around.workspace,
    tmpfsBytes: parts.bubblewrap.boundsTmpfs ? config.limits.memoryBytes : null,
  }
  return {
    artifactsPath: INSIDE.artifacts,
    launch: {
      run: folder.id,
      wrapper: [parts.bubblewrap.path, ...bubblewrapArgv(profile, DESCRIPTORS)],
      init: `${INSIDE.guest}/init.pl`,
      command: [parts.language.program, target],
      environment: scriptEnvironment({
        run: folder.id,
        phase: parts.phase,
        workspace: around.workspace,
        home: around.home,
        pathFolders: [...new Set([parts.language.pathFolder, nodes.pathFolder])],
        caller: around.caller,
        extra: options.environment ?? {},
        network: proxy === null ? {} : proxy.environment,
        foreignWorkspace: statSync(around.workspace).uid !== process.getuid?.(),
        places: SANDBOX_PLACES,
      }),
      cwd: '/',
      limits: limits.each,
      forwarder: proxy === null ? null : { port: FORWARDER_PORT, socket: `${INSIDE.socketFolder}/network` },
      outputBytes: config.limits.outputBytes,
      stdoutPath: folder.stdout,
      stderrPath: folder.stderr,
      seccomp: seccompProgram(process.arch),
      mounts: [
        ...expected.filter(({ path }) => path !== target && !hidden.some(place => contains(place, path))),
        ...hidden.map(path => ({ path, identity: null })),
        ...expectMounts([folder.script]).map(({ identity }) => ({ path: target, identity })),
        ...skills.map(({ identity }, index) => ({ path: `${INSIDE.skills}/${index}`, identity })),
      ],
      cgroups: limits.group?.joinFiles ?? [],
    },
    ...watching(options, around, limits, proxy?.server ?? null, { folder, profile }),
  }
}

/** Without a sandbox: the same supervisor, the same report, the caller's rights. */
function openBare(
  options: RunOptions,
  around: Surroundings,
  parts: Pick<Parts, 'script' | 'language' | 'phase'>,
  folder: RunFolder,
): Opened {
  const { script, language, phase } = parts
  const limits = limitsOf(options, folder)
  const target = script.path ?? bareScript(folder, script.name)
  const tmp = around.caller.TMPDIR ?? '/tmp'
  const places = {
    guest: guestFolder,
    tools: null,
    socket: join(folder.sockets, 'broker'),
    artifacts: folder.artifacts,
    tmp,
  }
  return {
    artifactsPath: folder.artifacts,
    launch: {
      run: folder.id,
      wrapper: [],
      init: join(guestFolder, 'init.pl'),
      command: [language.program, target],
      environment: {
        ...scriptEnvironment({
          run: folder.id,
          phase,
          workspace: around.workspace,
          home: around.home,
          pathFolders: (around.caller.PATH ?? '').split(':').filter(entry => entry.startsWith('/')),
          caller: around.caller,
          extra: options.environment ?? {},
          network: {},
          foreignWorkspace: false,
          places,
        }),
        ...(script.language === 'javascript'
          ? { NODE_OPTIONS: `--import=file://${encodeURI(join(guestFolder, 'javascript', 'register.mjs'))}` }
          : {}),
      },
      cwd: around.workspace,
      limits: limits.each,
      forwarder: null,
      outputBytes: options.config.limits.outputBytes,
      stdoutPath: folder.stdout,
      stderrPath: folder.stderr,
      seccomp: null,
      mounts: [],
      cgroups: limits.group?.joinFiles ?? [],
    },
    ...watching(options, around, limits, null, { folder, profile: null }),
  }
}

/** Node tells a module from a script by its extension, so the copy gets a name with one. */
function bareScript(folder: RunFolder, name: string): string {
  const place = join(folder.path, 'bare')
  mkdirSync(place, { mode: 0o700 })
  linkSync(folder.script, join(place, name))
  return join(place, name)
}

function limitsOf(options: RunOptions, folder: RunFolder) {
  const { limits, scripts } = options.config
  const group = createControlGroup(folder.id, {
    memoryBytes: limits.memoryBytes,
    processes: limits.processes,
    cpus: limits.cpus,
  })
  const bounds = new Set(group?.bounds)
  return {
    group,
    bounds,
    each: {
      dataBytes: bounds.has('memory') ? null : limits.memoryBytes,
      processes: bounds.has('processes') ? null : limits.processes,
      fileSizeBytes: limits.fileSizeBytes,
      openFiles: limits.openFiles,
      cpuSeconds: Math.ceil((scripts.executionTimeoutMs / 1000) * availableParallelism()),
    },
  }
}

function watching(
  options: RunOptions,
  around: Surroundings,
  limits: ReturnType<typeof limitsOf>,
  proxy: NetworkProxy | null,
  { folder, profile }: { readonly folder: RunFolder; readonly profile: SandboxProfile | null },
): Pick<Opened, 'startWatchdog' | 'observe' | 'close'> {
  const { group, bounds } = limits
  return {
    startWatchdog: (running, onExceeded) =>
      startWatchdog({
        writable: [around.workspace, folder.artifacts],
        memoryFolders: profile === null ? [] : memoryFolders(profile),
        minFreeSpaceBytes: options.config.limits.minFreeSpaceBytes,
        memoryBytes: bounds.has('memory') ? null : options.config.limits.memoryBytes,
        processes: bounds.has('processes') ? null : options.config.limits.processes,
        rootPid: () => running.rootPid(),
        onExceeded,
      }),
    observe: () => ({
      memoryExceeded: group?.memoryExceeded() ?? false,
      processesExceeded: group?.processesExceeded() ?? false,
      notices: proxy === null ? [] : networkNotices(proxy),
    }),
    close: async () => {
      await proxy?.close()
      await group?.remove()
    },
  }
}

/** The payload of a skill may be Python whatever the script is; a machine may have none. */
function pythonIfAny(options: RunOptions, around: Surroundings): ReturnType<typeof resolveInterpreter>[] {
  try {
    return [resolveInterpreter('python', interpreterOptions(options, around))]
  } catch {
    return []
  }
}

/** Its modules are loaded only for a run that names domains. */
async function openNetwork(entries: readonly string[], folder: RunFolder) {
  const { parseAllowlist } = await import('../sandbox/network/allowlist.ts')
  const { allow, problems } = parseAllowlist(entries)
  if (problems.length > 0) {
    throw new SrecodexError('CONFIG_INVALID', problems[0]!.message, { details: { problems } })
  }
  const { openProxy } = await import('../sandbox/network/proxy.ts')
  const server = await openProxy({ allow, listenPath: join(folder.sockets, 'network') })
  return { server, environment: networkEnvironment(allow) }
}

function networkNotices(proxy: NetworkProxy): string[] {
  const { refused, refusedDestinations } = proxy.report()
  const shown = refusedDestinations
    .slice(0, 3)
    .map(({ host, port }) => (port === 0 ? host : `${host}:${port}`))
  return refused === 0
    ? []
    : [`the network refused ${refused === 1 ? 'a request' : `${refused} requests`}: ${shown.join(', ')}`]
}

/** Folders whose content is memory, not counted as any process's own. */
function memoryFolders(profile: SandboxProfile): string[] {
  const folders = ['/tmp', '/var/tmp', '/run', '/dev/shm', profile.home]
  return [...new Set(folders)].filter(folder => !profile.readable.some(path => contains(path, folder)))
}

/** The folder beside a script outside of the workspace, so that what it imports is there. */
function surroundings(script: StagedScript, around: Surroundings): string[] {
  if (script.path === null || contains(around.workspace, script.path)) return []
  const folder = scriptSurroundings(dirname(script.path), around.home)
  return folder === null ? [] : [folder]
}

/** A mount point in the workspace is safe only while none of its parents can be renamed. */
function pinned(workspace: string, pins: readonly string[], mounts: readonly string[]): string[] {
  const all = new Set(pins)
  for (const mount of mounts) {
    if (contains(workspace, mount)) for (const folder of ancestorsWithin(workspace, mount)) all.add(folder)
  }
  return [...all].sort()
}

function interpreterOptions(options: RunOptions, around: Surroundings) {
  return { environment: around.caller, workspace: around.workspace, cacheFolder: options.cacheFolder }
}
