/** Runs one job of the page in its world, command by command, and holds the page to what was printed. */

import { expect } from 'vitest'
import { rewrite, settled, UPDATES, type Job } from './jobs-page.ts'
import { worldOf, WORLDS } from './jobs-worlds.ts'

/** To be called inside a test. */
export async function expectJob({ file, script, steps }: Job): Promise<void> {
  const at = await worldOf(file, script)
  const printed: string[] = []
  for (const [index, step] of steps.entries()) {
    const { raw } = await at.say(step.words)
    const text = raw.stdout
      .replaceAll(`${at.srecodexHome}/state`, '~/.local/state/srecodex')
      .replaceAll(at.workspace, '.')
    printed.push(text)
    if (UPDATES && settled(text) !== settled(step.printed)) rewrite(file, index, text)
    else expect(settled(text)).toBe(settled(step.printed))
  }
  await WORLDS[file]!.judge(at, printed)
}
