/**
 * What one job brings into a model's context, script-first and by chat, through the same real agent.
 *
 * Promises: exact tokens of what was really sent; each answer checked against the truth of its world, in both arms; the
 * jobs that chat does better stand in the same table. A wrong answer or a missed target is told, never left out.
 */

import { requireCli } from '../place.ts'
import { playArm, type ArmResult } from './arm.ts'
import type { ContextCase, ContextScene } from './case.ts'

export interface ContextFigures {
  readonly id: string
  readonly name: string
  readonly kind: ContextCase['kind']
  readonly arms: ContextCase['arms']
  readonly script: ArmFigures
  readonly chat: ArmFigures
}

export interface ArmFigures extends Omit<ArmResult, 'answer'> {
  /** Null: its answer is the truth. */
  readonly wrong: string | null
}

export interface ContextOptions {
  readonly cases: readonly ContextCase[]
  readonly onArm?: (name: string, arm: 'script' | 'chat') => void
}

/** @throws {Error} An arm came to no end, so there is nothing to count. */
export async function context({ cases, onArm = () => {} }: ContextOptions): Promise<ContextFigures[]> {
  requireCli()
  const figures: ContextFigures[] = []
  for (const one of cases) {
    const { id, name, kind, arms } = one
    const [script, chat] = await inScenes(one, arm => onArm(name, arm))
    figures.push({ id, name, kind, arms, script, chat })
  }
  return figures
}

async function inScenes(
  one: ContextCase,
  onArm: (arm: 'script' | 'chat') => void,
): Promise<[ArmFigures, ArmFigures]> {
  const play = async (scene: ContextScene, arm: 'script' | 'chat'): Promise<ArmFigures> => {
    onArm(arm)
    const { answer, ...counted } = await playArm(one.prompt, scene.world, scene[arm])
    return { ...counted, wrong: wrongIn(scene, answer) }
  }
  const first = await one.set()
  try {
    const script = await play(first, 'script')
    if (one.isReadOnly) return [script, await play(first, 'chat')]
    const second = await one.set()
    try {
      return [script, await play(second, 'chat')]
    } finally {
      await second.world.close()
    }
  } finally {
    await first.world.close()
  }
}

function wrongIn({ judge }: ContextScene, answer: string): string | null {
  try {
    judge(answer)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
