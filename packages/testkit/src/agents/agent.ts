/**
 * What every agent has in common: a person's words, a scripted model to work by, a folder of its own that goes when it
 * ends. What the program is, and how it is kept off the network, stands in a room for each.
 */

import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAgentProcess, type AgentProcessOptions, type AgentProcessResult } from './agent-process.ts'
import type { Model, ModelServer } from './model.ts'

export interface AgentOptions {
  readonly prompt: string
  /** Folder that it works in. */
  readonly cwd: string
  readonly home: string
  /** @default Says `done`. */
  readonly model?: Model
  /** Over the few variables that it has, for it and so for what it starts. @default {} */
  readonly env?: Readonly<Record<string, string>>
  /** Of the whole job; past it the agent is killed. @default 120_000 */
  readonly timeoutMs?: number
}

export interface AgentResult extends Omit<AgentProcessResult, 'stdout'> {
  /** What it sent to its model, byte for byte. */
  readonly bodies: readonly string[]
  /** What the model did not foresee. */
  readonly faults: readonly Error[]
}

export interface Agent<Result extends AgentResult> {
  readonly ended: Promise<Result>
  /** Strikes the agent alone, as a crash would: not the servers that it started. */
  readonly kill: () => void
}

export interface AgentKind<Result extends AgentResult> {
  readonly name: string
  readonly startServer: (model: Model) => Promise<ModelServer>
  /** @param folder Of this agent alone. @param url Of its model. */
  readonly launch: (folder: string, url: string) => Pick<AgentProcessOptions, 'program' | 'args' | 'env'>
  /** Reads what it printed, and what it left in its folder. */
  readonly read: (end: AgentResult & { readonly stdout: string }, folder: string) => Result
}

export async function startAgent<Result extends AgentResult>(
  { cwd, model = () => ({ text: 'done' }), timeoutMs = 120_000 }: AgentOptions,
  { name, startServer, launch, read }: AgentKind<Result>,
): Promise<Agent<Result>> {
  const server = await startServer(model)
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `srecodex-${name}-`)))
  const clear = async (): Promise<void> => {
    await server.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const agent = await startAgentProcess({ ...launch(folder, server.url), cwd, folder, timeoutMs })
    const { bodies, faults } = server
    const ended = agent.ended.then(end => read({ ...end, bodies, faults }, folder)).finally(clear)
    return { ended, kill: agent.kill }
  } catch (error) {
    await clear()
    throw error
  }
}

/** Whole ones: an agent that is killed may leave half of one. */
export function linesOf(stdout: string): string[] {
  return stdout.split('\n').slice(0, -1)
}
