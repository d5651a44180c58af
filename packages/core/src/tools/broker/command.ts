/**
 * A command that a script calls: `kubectl get pods`. From the shim's words to the exit code.
 */

import type { BrokerState } from '../broker.ts'
import type { CommandCall, CommandExit, CommandHandler, CommandPeer } from '../calls.ts'
import { asking } from '../ask.ts'
import { builtInTools, decide } from '../effects/effects.ts'
import type { Call, Decision } from '../effects/decision.ts'
import { targetWords } from '../effects/target-words.ts'
import { knowledgeOf, located } from '../knowledge/known.ts'
import type { ToolKnowledge } from '../knowledge/knowledge.ts'
import { callIdentity, type DeclaredCall } from '../plan.ts'
import { CallError } from '../protocol.ts'
import { forward, type Performed, type ProgramWords } from './forward.ts'
import { mutate, type Answer, type Mutation } from './mutate.ts'
import type { OpenMutation } from './record.ts'
import { captureOperands, digestBodies, readTexts, type Operands } from './operands.ts'

export function commandHandler(state: BrokerState): CommandHandler {
  return async (call, peer) => {
    const { items, programs } = state.options
    const item = call.item === null ? null : items.itemKey(call.item)
    state.admit(call.argv)
    if (!programs.names.includes(call.tool)) {
      const error = new CallError('REFUSED', `scripts may not call ${call.tool}`, {
        hint: `an entry [tools.${call.tool}] in the operator's config opens it`,
      })
      state.refuse({ tool: call.tool, argv: call.argv, verb: '', item }, error)
    }
    const judged = await locate(state, await judge(state, call, peer))
    const { decision } = judged
    const words = { tool: call.tool, argv: call.argv, verb: decision.verb, item }
    if (decision.effect === 'refuse' || decision.effect === 'reveal') {
      const hint = decision.hint ?? (decision.effect === 'reveal' ? revealHint(call) : null)
      const why =
        decision.effect === 'reveal'
          ? `${decision.reason}: scripts are given no credentials`
          : decision.reason
      state.refuse(words, new CallError('REFUSED', why, hint === null ? {} : { hint }))
    }
    refuseWritesOutside(state, call, decision, words)
    state.used(call.tool)
    const command = new Command(state, peer, judged, item)
    return decision.effect === 'read' ? command.read() : mutate(state, await command.mutation())
  }
}

function revealHint({ tool, argv }: CommandCall): string {
  const spelt = argv.map(word => (/\s/.test(word) ? '…' : word)).join(' ')
  return `the operator may allow this very call: reads = ["${spelt.slice(0, 120)}"] in [tools.${tool}]`
}

interface Judged {
  readonly call: Call
  readonly decision: Decision
  readonly operands: Operands
}

/** Until every text that would settle the effect was looked at. */
async function judge(state: BrokerState, command: CommandCall, peer: CommandPeer): Promise<Judged> {
  const { programs, workspace, tmp } = state.options
  const policy = programs.policy(command.tool)
  let call: Call = {
    tool: command.tool,
    argv: command.argv,
    stdin: command.hasStdin ? 'inherited' : 'none',
    cwd: command.cwd,
    workspace,
    tmp,
  }
  let decision = decide(call, policy)
  // Some are refused only until their texts have been read.
  if (decision.effect === 'refuse' && decision.needs.length === 0) {
    return { call, decision, operands: { stdin: null, files: [] } }
  }
  const operands = await captureOperands(decision, command.hasStdin, peer)
  if (decision.needs.length > 0) {
    call = { ...call, texts: await readTexts(decision.needs, operands) }
    decision = decide(call, policy)
  }
  return { call, decision, operands }
}

/** Where a call names no namespace it is the one of the operator's context: targets are told in full. */
async function locate(state: BrokerState, judged: Judged): Promise<Judged> {
  const { effect } = judged.decision
  const { tool } = judged.call
  const matters = effect === 'mutate' || (effect === 'read' && knowledgeOf(tool).awaits !== undefined)
  if (!matters || state.options.mode.kind === 'deny') return judged
  if (effect === 'read' && state.options.mode.kind !== 'plan') return judged
  return { ...judged, decision: located(judged.decision, await state.options.programs.identity(tool)) }
}

/** The tool sees the workspace, not the script's own /tmp. */
function refuseWritesOutside(
  state: BrokerState,
  call: CommandCall,
  decision: Decision,
  words: { tool: string; argv: readonly string[]; verb: string; item: string | null },
): void {
  const { workspace } = state.options
  const outside = decision.files.find(
    ({ access, path }) => access === 'write' && path !== workspace && !path.startsWith(`${workspace}/`),
  )
  if (outside === undefined) return
  const error = new CallError(
    'REFUSED',
    `${call.tool} cannot write ${outside.operand}: /tmp is the script's own`,
    {
      hint: 'let it write into the workspace, or to stdout',
    },
  )
  state.refuse(words, error)
}

class Command {
  readonly #state: BrokerState
  readonly #peer: CommandPeer
  readonly #judged: Judged
  readonly #item: string | null
  readonly #knowledge: ToolKnowledge

  constructor(state: BrokerState, peer: CommandPeer, judged: Judged, item: string | null) {
    this.#state = state
    this.#peer = peer
    this.#judged = judged
    this.#item = item
    this.#knowledge = knowledgeOf(judged.call.tool)
  }

  async read(): Promise<CommandExit> {
    const { journal, programs, mode } = this.#state.options
    const { call, decision } = this.#judged
    this.#state.counts.reads += 1
    const id = this.#state.newCallId()
    await journal.started({
      call: id,
      tool: call.tool,
      argv: call.argv,
      effect: 'read',
      verb: decision.verb,
      targets: targetWords(decision.target),
      item: this.#item,
      identity: '',
      planned: false,
      fallback: false,
      before: {},
      runs: [],
    })
    const awaited = mode.kind === 'plan' ? this.#awaited() : null
    if (awaited !== null) {
      const stdout = Buffer.from(awaited)
      const kept = { bytes: stdout.length, kept: stdout }
      await journal.ended({ call: id, ...ANSWERED, stdout: kept, answered: 'rehearsal' })
      return this.#answer({ exitCode: 0, stdout, stderr: Buffer.alloc(0) })
    }
    // A reader that hung up wants no more of it.
    const signal = AbortSignal.any([this.#peer.signal, this.#state.ending.signal])
    const performed = await forward(
      { ...this.#words(call.argv), signal },
      { programs, knowledge: this.#knowledge, peer: this.#peer, repeats: failure => failure.throttled },
    )
    const { failure } = performed
    if (failure !== null) {
      this.#state.counts.failed += 1
      if (this.#item !== null) this.#state.options.items.callFailed(this.#item, failure.class)
    }
    await journal.ended({
      call: id,
      ...performed,
      class: failure?.class ?? null,
      outcome: failure === null ? 'ok' : 'failed-definite',
      answered: 'tool',
    })
    return exitOf(performed)
  }

  #awaited(): string | null {
    const { call, decision } = this.#judged
    return this.#knowledge.awaits?.(call, decision, this.#state.plannedTargets)?.stdout ?? null
  }

  async mutation(): Promise<Mutation<CommandExit>> {
    const { programs } = this.#state.options
    const { call, decision, operands } = this.#judged
    const knowledge = this.#knowledge
    const canonical = knowledge.canonical(call, decision)
    const bodies = await digestBodies(operands, knowledge, call)
    const stdin = operands.stdin?.source ?? null
    const ask = asking(programs, this.#words(call.argv), operands.files)
    const identify = (item: string | null): string =>
      callIdentity({ tool: call.tool, canonical, bodies, item })
    return {
      tool: call.tool,
      argv: call.argv,
      decision,
      item: this.#item,
      identity: identify(this.#item),
      fallbackIdentity: bodies.length === 0 ? identify(null) : null,
      targets: targetWords(decision.target),
      undoes: changed => knowledge.undoes?.(call, decision, changed) ?? false,
      rehearse: async () => {
        const rehearsal = await knowledge.rehearse(call, decision, ask, operands.files, stdin)
        return {
          ...rehearsal,
          stdout: Buffer.from(rehearsal.stdout),
          stderr: Buffer.from(rehearsal.stderr),
        }
      },
      settle: async begun => (await knowledge.settle?.({ ...begun, decision }, ask)) ?? 'unknown',
      perform: (runs, id) => this.#perform(runs, id),
      answer: answer => this.#answer(answer),
      result: exitOf,
    }
  }

  /** In order; the first that fails ends it. A caller that hung up stops nothing: what was begun is finished. */
  async #perform(runs: readonly (readonly string[])[], id: string): Promise<Performed> {
    const { programs } = this.#state.options
    const knowledge = this.#knowledge
    let all: Performed | null = null
    for (const argv of runs) {
      const marked = knowledge.marked?.({ ...this.#judged.call, argv }, id) ?? argv
      const performed = await forward(
        { ...this.#words(marked), signal: this.#state.ending.signal },
        {
          programs,
          knowledge,
          peer: this.#peer,
          repeats: failure => failure.throttled && failure.definite,
        },
      ).catch((error: unknown) => {
        if (all === null) throw error
        return { ...NO_OUTPUT, exitCode: 126, signal: null, durationMs: 0, failure: NOT_STARTED }
      })
      all = all === null ? performed : joined(all, performed)
      if (performed.failure !== null) {
        // An earlier one of them happened, so nobody can say that nothing did.
        const first = argv === runs[0]
        return first ? all : { ...all, failure: { ...performed.failure, definite: false } }
      }
    }
    return all!
  }

  #words(argv: readonly string[]): ProgramWords {
    const { call, decision, operands } = this.#judged
    const { tool } = call
    const writes = decision.files.some(({ access }) => access === 'write')
    // What no table reads may name files in ways of its own, so it sees what the script sees.
    const open = !builtInTools().includes(tool)
    return {
      tool,
      argv,
      cwd: call.cwd,
      stdin: operands.stdin?.source ?? null,
      files: operands.files,
      workspace: writes || open ? 'write' : 'hidden',
      signal: this.#state.ending.signal,
    }
  }

  async #answer({ exitCode, stdout, stderr }: Answer): Promise<CommandExit> {
    if (stdout.byteLength > 0) await this.#peer.write('stdout', stdout)
    if (stderr.byteLength > 0) await this.#peer.write('stderr', stderr)
    return { exitCode, signal: null }
  }
}

/** Of several runs one that is not the first. */
const NOT_STARTED = { class: 'not started', definite: false, throttled: false, hint: null } as const

const NOTHING_KEPT = { bytes: 0, kept: Buffer.alloc(0) }
const NO_OUTPUT = { stdout: NOTHING_KEPT, stderr: NOTHING_KEPT }

const ANSWERED = {
  exitCode: 0,
  signal: null,
  durationMs: 0,
  stderr: NOTHING_KEPT,
  class: null,
  outcome: 'ok',
} as const

function exitOf({ exitCode, signal }: Performed): CommandExit {
  return exitCode === null ? { exitCode, signal: signal ?? 'SIGKILL' } : { exitCode, signal: null }
}

function joined(a: Performed, b: Performed): Performed {
  const both = (stream: 'stdout' | 'stderr') => ({
    bytes: a[stream].bytes + b[stream].bytes,
    kept:
      a[stream].kept === null || b[stream].kept === null
        ? null
        : Buffer.concat([a[stream].kept, b[stream].kept]),
  })
  return { ...b, durationMs: a.durationMs + b.durationMs, stdout: both('stdout'), stderr: both('stderr') }
}

/** @throws {CallError} REFUSED | INVALID_PARAMS: it is no mutation that could be declared. */
export async function declaredCall(
  state: BrokerState,
  tool: string,
  argv: readonly string[],
): Promise<DeclaredCall> {
  const { programs, workspace, tmp } = state.options
  if (!programs.names.includes(tool)) {
    throw new CallError('INVALID_PARAMS', `${tool} is no command that scripts may call`, {
      hint: `a fallback is a tool with its arguments: may kubectl rollout undo deployment/web`,
    })
  }
  const call: Call = { tool, argv, stdin: 'none', cwd: workspace, workspace, tmp }
  const decision = decide(call, programs.policy(tool))
  if (decision.effect === 'refuse' || decision.effect === 'reveal') {
    throw new CallError('REFUSED', decision.reason, decision.hint === null ? {} : { hint: decision.hint })
  }
  if (decision.files.length > 0 || decision.readsStdin) {
    throw new CallError(
      'INVALID_PARAMS',
      'a fallback reads no files: what they hold then could not be approved now',
      {
        hint: 'declare one that says all in its words, such as `rollout undo`',
      },
    )
  }
  const whole = located(decision, await programs.identity(tool))
  const canonical = knowledgeOf(tool).canonical(call, whole)
  return { tool, argv, identity: callIdentity({ tool, canonical, bodies: [], item: null }) }
}

/** Outside of any call of the script: an item that is to be started asks for what was begun for it. */
export async function settleCommand(
  state: BrokerState,
  { tool, ...mutation }: OpenMutation & { readonly tool: string },
): Promise<'done' | 'not-done' | 'unknown'> {
  const { programs, workspace, tmp } = state.options
  const knowledge = knowledgeOf(tool)
  if (knowledge.settle === undefined || !programs.names.includes(tool)) return 'unknown'
  const call: Call = { tool, argv: mutation.argv, stdin: 'none', cwd: workspace, workspace, tmp }
  const decision = located(decide(call, programs.policy(tool)), await programs.identity(tool))
  const words = { tool, cwd: workspace, signal: state.ending.signal }
  return knowledge.settle({ ...mutation, decision }, asking(programs, words))
}
