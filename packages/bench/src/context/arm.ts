/**
 * One arm of a case, played by the real opencode: the model's moves are given, everything else is as it happens.
 *
 * The arms differ in what the agent has: script-first has srecodex, chat has not, and so does not carry its tools.
 */

import { startOpencode, type Model, type ModelCall, type OpencodeServer } from '@srecodex/testkit/agents'
import { CLI } from '../place.ts'
import { measure, type ContextTokens } from './tokens.ts'
import type { World } from './world.ts'

/** Yields one call a turn, is given its result as the model reads it, and returns the answer. */
export type Moves = Generator<ModelCall, string, string>

export interface Arm {
  readonly moves: () => Moves
  /** Beside the agent's own tools. @default {} */
  readonly mcpServers?: Readonly<Record<string, OpencodeServer>>
}

export interface ArmResult extends ContextTokens {
  readonly answer: string
  readonly tookMs: number
}

/** @throws {Error} The agent or the model's script failed: a figure of half a job is none. */
export async function playArm(prompt: string, world: World, arm: Arm): Promise<ArmResult> {
  const begun = performance.now()
  const opencode = await startOpencode({
    ...{ prompt, cwd: world.workspace, home: world.home, env: world.env },
    model: modelOf(arm.moves()),
    mcpServers: arm.mcpServers ?? {},
    timeoutMs: 1_800_000,
  })
  const { exitCode, signal, text, stderr, bodies, faults, warnings } = await opencode.ended
  const tookMs = performance.now() - begun
  const [fault] = faults
  if (fault !== undefined) throw new Error([fault.message, ...warnings].join('\n'), { cause: fault })
  if (exitCode !== 0 || text === '') throw new Error(`opencode ended with ${exitCode ?? signal}: ${stderr}`)
  return { ...measure(bodies), answer: text, tookMs }
}

/** The person's consent to `apply_plan` is given: opencode asks for it where `srecodex init` has set it up. */
export function withSrecodex({ srecodexHome }: World): Readonly<Record<string, OpencodeServer>> {
  return {
    srecodex: {
      command: [process.execPath, CLI, 'mcp'],
      environment: { SRECODEX_HOME: srecodexHome },
      timeoutMs: 360_000,
    },
  }
}

function modelOf(moves: Moves): Model {
  let begun = false
  return ({ results: [told] }) => {
    if (begun && told === undefined) throw new Error('a call was answered by nothing')
    const next = begun ? moves.next(told!) : moves.next()
    begun = true
    return next.done === true ? { text: next.value } : { calls: [next.value] }
  }
}
