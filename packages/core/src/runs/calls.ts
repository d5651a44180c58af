/**
 * Everything that the calls of one run need: journal, ledger, broker; opened before its script starts, and closed
 * when nothing of it is alive.
 *
 * What may change is settled here, before the script starts: under which plan, as whom, after which earlier run.
 */

import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { SrecodexError } from '../errors.ts'
import { openBroker, type Broker, type MutationMode } from '../tools/broker.ts'
import type { PastMutations } from '../tools/broker/record.ts'
import type { CommandHandler, Programs, ToolIdentity } from '../tools/calls.ts'
import type { CallHandler } from '../tools/channel.ts'
import { openMcpServers, type McpServers } from '../tools/mcp.ts'
import { CallError } from '../tools/protocol.ts'
import { makePlan, movedIdentity, type DeclaredCall, type Plan, type PlannedCall } from '../tools/plan.ts'
import { openPrograms } from '../tools/programs.ts'
import type { CallsOutcome } from './calls-outcome.ts'
import type { Prepared } from './enclosure.ts'
import { createJournal, type Journal } from './journal.ts'
import { bytesOf } from './journal/kept-bytes.ts'
import { carryOver } from './journal/carry-over.ts'
import { loadHistory, type RunHistory } from './journal/history.ts'
import { journalOfCalls } from './journal/of-calls.ts'
import { createLedger, type Ledger } from './ledger.ts'
import type { RunOptions } from './options.ts'
import { claimContinuation, refuseUnbegun, writePlan } from './plan-file.ts'
import { SKILL_DECISION, skillHandler } from './skill-calls.ts'
import type { StagedScript } from './stage.ts'
import { runFolder, type RunFolder } from './store.ts'

export interface RunCalls {
  readonly phase: 'plan' | 'apply'
  /** Names of the tools that get a shim. */
  readonly tools: readonly string[]
  readonly handlers: Readonly<Record<string, CallHandler>>
  readonly commands: CommandHandler
  /** Writes what the run begins with; durable, and the only run to go on from its parent, when it resolves. */
  begin(): Promise<void>
  /** Hears when a call ends the run. */
  onStop(stop: () => void): void
  /** Hears when a person is asked, and when they have answered. */
  onWait(wait: (waiting: boolean) => void): void
  /** No new call starts; resolves once mutations in flight are recorded. */
  drain(): Promise<void>
  /** @param ended how the script ended by itself; null where it was ended. */
  finish(ended: { readonly exitCode: number | null } | null): Promise<CallsOutcome>
  close(): Promise<void>
}

/** How long mutations in flight may take to be recorded once the run is ending. */
const DRAIN_GRACE_MS = 10_000

export interface SurroundingsOfCalls {
  readonly script: StagedScript
  readonly prepared: Prepared
}

/** @throws {SrecodexError} PLAN_STALE | RUN_NOT_RESUMABLE | STORE_CORRUPT | STATE_UNWRITABLE | DISK_FULL */
export async function openCallsNow(
  options: RunOptions,
  folder: RunFolder,
  around: SurroundingsOfCalls,
): Promise<RunCalls> {
  const calls = new Calls(options, folder, around)
  try {
    await calls.open()
    return calls
  } catch (error) {
    // A server that was asked who it is would go on, and keep this process waiting for it.
    await calls.close()
    throw error
  }
}

class Calls implements RunCalls {
  readonly phase: 'plan' | 'apply'
  readonly #options: RunOptions
  readonly #folder: RunFolder
  readonly #script: StagedScript
  readonly #prepared: Prepared
  #programs: Programs = NO_PROGRAMS
  #servers!: McpServers
  #journal!: Journal
  #ledger!: Ledger
  #broker!: Broker
  #handlers!: Readonly<Record<string, CallHandler>>
  #history: RunHistory | null = null
  #limit: CallsOutcome['limit'] = null
  /** The journal cannot be written: nothing more may be done that would have to stand in it. */
  #fault: SrecodexError | null = null
  #wanted: PlannedCall[] = []
  #stop: () => void = () => {}
  #wait: (waiting: boolean) => void = () => {}
  #drained: Promise<void> | undefined

  constructor(options: RunOptions, folder: RunFolder, { script, prepared }: SurroundingsOfCalls) {
    this.#options = options
    this.#folder = folder
    this.#script = script
    this.#prepared = prepared
    this.phase = this.#mode().kind === 'plan' ? 'plan' : 'apply'
  }

  #mode(): MutationMode {
    const { continues, config } = this.#options
    if (continues !== null && continues.plan !== null) return { kind: 'apply', plan: continues.plan }
    return { kind: config.mutations.default }
  }

  async open(): Promise<void> {
    const { config, continues } = this.#options
    const caller = this.#options.callerEnvironment ?? process.env
    const { workspace } = this.#prepared
    if (continues !== null) {
      await refuseUnbegun(this.#options.stateFolder, continues.parent)
      const { journal } = runFolder(this.#options.stateFolder, continues.parent)
      // Without one its script called nothing: there is nothing to go on from but the script itself.
      if (existsSync(journal)) this.#history = await loadHistory(journal)
    }
    this.#servers = openMcpServers({ servers: config.mcpServers, workspace, callerEnvironment: caller })
    const { forTools } = this.#prepared
    if (forTools !== null) {
      this.#programs = await openPrograms({
        folder: this.#folder.tools,
        cacheFolder: this.#options.cacheFolder,
        tools: config.tools,
        environment: caller,
        ...forTools,
      })
    }
    await this.#refuseMoved()
    this.#journal = createJournal(this.#folder.journal, {
      onFailure: error => {
        this.#fault ??= error
        this.#stop()
      },
    })
    this.#ledger = createLedger({
      journal: this.#journal,
      history: this.#history,
      settle: ({ call }) =>
        this.#broker.settle({
          tool: call.tool,
          call: call.call,
          argv: call.ran?.at(-1) ?? call.argv,
          before: call.before,
          item: call.item,
        }),
    })
    this.#broker = openBroker({
      mode: this.#mode(),
      programs: this.#programs,
      servers: this.#servers,
      journal: journalOfCalls(this.#journal),
      items: this.#ledger,
      past: pastOf(this.#history),
      maxCalls: config.limits.maxCalls,
      maxMutations: config.limits.maxMutations,
      workspace,
      tmp: '/tmp',
      onDrift: wanted => this.#drifted(wanted),
      onLimit: (limit, detail) => {
        this.#limit ??= { limit, detail }
        this.#stop()
      },
    })
    this.#handlers = this.#makeHandlers()
  }

  get tools(): readonly string[] {
    return this.#programs.names
  }

  get handlers(): Readonly<Record<string, CallHandler>> {
    return this.#handlers
  }

  /** Made once: the handler of skills numbers its calls. */
  #makeHandlers(): Readonly<Record<string, CallHandler>> {
    return {
      ...this.#ledger.handlers,
      tool: this.#broker.tool,
      may: async (params, context) => {
        await this.#broker.may(params, context)
        return this.#ledger.handlers.may(params, context)
      },
      skill: skillHandler({
        ...this.#options,
        workspace: this.#prepared.workspace,
        items: this.#ledger,
        once: (name, value) => this.#ledger.decide(name, value),
        numbered: highestNumber(this.#history),
        isSandboxed: this.#prepared.description.backend !== 'none',
      }),
    }
  }

  get commands(): CommandHandler {
    return this.#broker.command
  }

  onStop(stop: () => void): void {
    this.#stop = stop
  }

  onWait(wait: (waiting: boolean) => void): void {
    this.#wait = wait
  }

  /** Whom a tool acts as may have changed since the plan was made: asked before anything of it is done. */
  async #refuseMoved(): Promise<void> {
    const plan = this.#options.continues?.plan ?? null
    if (plan === null) return
    for (const planned of plan.bound.tools) {
      const moved = movedIdentity(planned, await this.#identityNow(planned))
      if (moved === null) continue
      throw new SrecodexError('PLAN_STALE', `the plan was made for another target: ${moved}`, {
        hint: 'go back to the context of the plan, or run the script again to plan for this one',
        details: { run: plan.id },
      })
    }
  }

  async #identityNow({ tool }: ToolIdentity): Promise<ToolIdentity> {
    try {
      return tool.startsWith('mcp:')
        ? await this.#servers.identity(tool.slice('mcp:'.length))
        : await this.#programs.identity(tool)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new SrecodexError('PLAN_STALE', `cannot tell whom ${tool} acts as now: ${why}`, { cause: error })
    }
  }

  async begin(): Promise<void> {
    const { continues, stateFolder, args = [] } = this.#options
    this.#journal.append({
      kind: 'begin',
      run: this.#folder.id,
      parent: continues?.parent ?? null,
      phase: this.phase,
      scriptSha256: this.#script.sha256,
      args,
    })
    if (continues !== null) {
      const { approval, plan } = continues
      if (plan !== null) writePlan(this.#folder.approved, plan)
      if (approval !== null && plan !== null)
        this.#journal.append({ kind: 'approved', plan: plan.sha256, ...approval })
      // Half of it would be read as all of it: only when the last is durable may another run go on from this one.
      const carried = this.#history === null ? [] : carryOver(this.#history)
      for (const [index, entry] of carried.entries()) {
        if (index < carried.length - 1) this.#journal.append(entry)
        else await this.#journal.commit(entry)
      }
      await claimContinuation(stateFolder, runFolder(stateFolder, continues.parent), this.#folder.id)
    }
  }

  async #drifted(wanted: PlannedCall): Promise<boolean> {
    const { approveDrift } = this.#options
    if (approveDrift !== undefined && this.#wanted.length === 0 && this.#drained === undefined) {
      this.#wait(true)
      const askedMs = performance.now()
      const tools = await this.#broker.identities()
      const plan = this.#plan({ calls: [wanted], may: [], incomplete: [] }, tools)
      const approved = await approveDrift(plan).catch(() => false)
      this.#wait(false)
      if (approved) {
        await this.#journal.commit({
          kind: 'approved',
          plan: wanted.identity,
          by: userInfo().username,
          how: 'terminal',
          reason: null,
          waitedMs: Math.round(performance.now() - askedMs),
        })
        return true
      }
    }
    this.#wanted.push(wanted)
    this.#stop()
    return false
  }

  #plan(parts: Pick<Plan, 'calls' | 'may' | 'incomplete'>, tools: readonly ToolIdentity[]): Plan {
    const now = Date.now()
    return makePlan({
      id: this.#folder.id,
      createdAt: new Date(now).toISOString(),
      expiresAt: new Date(now + this.#options.config.mutations.planLifeMs).toISOString(),
      bound: {
        script: this.#script.sha256,
        args: this.#options.args ?? [],
        workspace: this.#prepared.workspace,
        tools,
      },
      ...parts,
    })
  }

  drain(): Promise<void> {
    this.#ledger.draining()
    return (this.#drained ??= this.#broker.drain(DRAIN_GRACE_MS))
  }

  async finish(ended: { readonly exitCode: number | null } | null): Promise<CallsOutcome> {
    const counts = this.#broker.counts()
    const refusal = this.#broker.refusal()
    const foreseen = this.#broker.foreseen()
    const isPlan = this.phase === 'plan' && foreseen.calls.length > 0
    const usable = this.#limit === null && refusal === null
    let plan: Plan | null = null
    if (isPlan && ended !== null && usable) {
      const failed =
        ended.exitCode === 0 ? [] : ['the script failed when it was rehearsed, so it may do more']
      const incomplete = [...failed, ...this.#failingItems(), ...foreseen.incomplete]
      plan = this.#plan({ ...foreseen, incomplete }, await this.#broker.identities())
    } else if (this.#wanted.length > 0 && usable) {
      plan = await this.#planOfDrift(foreseen.may)
    }
    if (plan !== null) writePlan(this.#folder.plan, plan)
    const items = this.#ledger.counts({ planned: isPlan })
    const unknown = this.#broker.unknown()
    const [first] = this.#wanted
    return {
      counts,
      items,
      plan,
      drift: first === undefined ? null : [first.tool, ...first.argv].join(' '),
      refusal,
      limit: this.#limit,
      unknown,
      fault: this.#fault,
      resumable:
        this.#options.continues !== null ||
        (this.phase === 'apply' && (counts.mutations > 0 || (items !== null && items.ok < items.total))),
    }
  }

  #failingItems(): string[] {
    const items = this.#ledger.counts({ planned: false })
    if (items === null || items.failed === 0) return []
    return [
      `${items.failed} of ${items.total} items failed when they were rehearsed: apply does what is listed`,
    ]
  }

  /** What was approved, and what the script wanted besides. What is done of it by now is answered from the journal. */
  async #planOfDrift(declared: readonly DeclaredCall[]): Promise<Plan> {
    const approved = this.#options.continues?.plan ?? null
    const now = await this.#broker.identities()
    const others = (approved?.bound.tools ?? []).filter(({ tool }) => now.every(one => one.tool !== tool))
    const may = [...(approved?.may ?? []), ...declared]
    return this.#plan(
      {
        calls: [...(approved?.calls ?? []), ...this.#wanted],
        may: [...new Map(may.map(one => [one.identity, one])).values()],
        incomplete: [],
      },
      [...others, ...now],
    )
  }

  /** Also of what was opened only in part. */
  async close(): Promise<void> {
    await this.#servers?.close()
    await this.#programs.close()
    await this.#journal?.close().catch(() => {}) // `onFailure` has told it
  }
}

function highestNumber(history: RunHistory | null): number {
  const decided = [...(history?.once ?? [])].filter(([name]) => name.startsWith(SKILL_DECISION))
  return Math.max(0, ...decided.map(([, number]) => Number(number)))
}

/** Without a sandbox a script calls programs as they are, and nothing of that is enforced. */
const NO_PROGRAMS: Programs = {
  names: [],
  policy: () => ({ reads: [], mutates: [], reveals: [], args: [] }),
  identity: tool => Promise.reject(new CallError('REFUSED', `${tool} is not called through srecodex here`)),
  run: ({ tool }) => Promise.reject(new CallError('REFUSED', `${tool} is not called through srecodex here`)),
  close: () => Promise.resolve(),
}

function pastOf(history: RunHistory | null): PastMutations {
  const taken = new Map<string, number>()
  return {
    take(identity) {
      const next = taken.get(identity) ?? 0
      const past = history?.mutations.get(identity)?.[next]
      if (past === undefined) return null
      taken.set(identity, next + 1)
      const { call, result, outcome } = past
      if (outcome === 'ok') {
        const kept = (stream: 'stdout' | 'stderr') => {
          const bytes = result?.[stream]
          return { bytes: result?.[`${stream}Bytes`] ?? 0, kept: bytes === undefined ? null : bytesOf(bytes) }
        }
        return { kind: 'finished', stdout: kept('stdout'), stderr: kept('stderr') }
      }
      const argv = call.ran?.at(-1) ?? call.argv
      return { kind: 'unknown', mutation: { call: call.call, argv, before: call.before, item: call.item } }
    },
    unknownLeft() {
      const rows = [...(history?.mutations ?? [])]
      return rows.reduce((sum, [identity, row]) => {
        const left = row.slice(taken.get(identity) ?? 0)
        return sum + left.filter(({ outcome, call }) => outcome !== 'ok' && call.item === null).length
      }, 0)
    },
  }
}
