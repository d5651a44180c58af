/** A job whose context is compared. Who judges is the world, never the model. */

import type { Arm } from './arm.ts'
import type { World } from './world.ts'

export interface ContextCase {
  readonly id: string
  readonly name: string
  /** What kind of job it is decides what is expected: a bulk case costs script-first at most 1/100 of chat. */
  readonly kind: 'bulk' | 'workflow' | 'chat'
  /** Then both arms work in the same world; else each in one of its own. */
  readonly isReadOnly: boolean
  /** How each arm does it, in words for the table. */
  readonly arms: { readonly script: string; readonly chat: string }
  readonly prompt: string
  readonly set: () => Promise<ContextScene>
}

export interface ContextScene {
  readonly world: World
  readonly script: Arm
  readonly chat: Arm
  /** @throws {Error} The answer, or the world after it, is not what it should be. */
  readonly judge: (answer: string) => void
}

export function expectEqual(what: string, found: unknown, truth: unknown): void {
  const [told, wanted] = [JSON.stringify(found), JSON.stringify(truth)]
  if (told !== wanted) throw new Error(`${what}: ${told} where it should be ${wanted}`)
}
