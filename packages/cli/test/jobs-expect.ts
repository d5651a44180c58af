/** Runs one job of the page in its world, command by command, and holds the page to what was printed. */

import { expect } from 'vitest'
import { isOneSession, rewrite, settled, UPDATES, type Job } from './jobs-page.ts'
import { worldOf, WORLDS } from './jobs-worlds.ts'

/** To be called inside a test. The page is rewritten only from a session that its servers have judged. */
export async function expectJob({ file, script, steps }: Job): Promise<void> {
  const at = await worldOf(file, script)
  const printed: string[] = []
  for (const { words, printed: shown } of steps) {
    const { raw } = await at.say(words)
    const text = raw.stdout
      .replaceAll(`${at.srecodexHome}/state`, '~/.local/state/srecodex')
      .replaceAll(at.workspace, '.')
    printed.push(text)
    if (!UPDATES) expect(settled(text)).toBe(settled(shown))
  }
  await WORLDS[file]!.judge(at, printed)
  if (!UPDATES) return
  const differs = steps.some((step, index) => settled(step.printed) !== settled(printed[index]!))
  const typed = steps.map(({ words, printed: shown }) => ({
    command: `srecodex ${words.join(' ')}`,
    printed: shown,
  }))
  if (differs || !isOneSession(typed)) rewrite(file, printed)
}
