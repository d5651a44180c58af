/**
 * What a script names is shown to the person who approves it: nothing of it may act on the terminal, stand in another
 * order than it is, or end a line.
 */

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { project, type Project } from '../../../../testkit/src/index.ts'

const LONG_MS = 60_000

/** Controls of both kinds, line ends, what turns text round, what cannot be seen, halves of characters. */
const EVIL =
  'N\u001b[2J\u001b]0;owned\u0007\u009b31m\u0085\u2028\u2029\r\n\t\u0008\u202e\u2066\u200b\u{e0041}\u061c\u00ad\u007fE'
const ITEM = EVIL.replaceAll(/\p{Cc}/gu, '')

const ACTS = /(?![\n\t])\p{Cc}|[\u2028\u2029\u200b\u00ad]|\p{Bidi_Control}|[\u{e0000}-\u{e007f}]/gu

const SCRIPT = `
import os, subprocess, srecodex
evil = ${JSON.stringify(EVIL)}
item = ${JSON.stringify(ITEM)}
srecodex.may("house", "undo", evil)
srecodex.progress(1, 2, evil)
subprocess.run(["house", "put", evil, "x" + evil])
subprocess.run(["house", evil])
if os.environ["SRECODEX_PHASE"] == "apply":
    subprocess.run(["house", "drift", evil])
def work(one):
    subprocess.run(["house", "put", one], check=True)
    raise type("Bad" , (Exception,), {})(evil)
try:
    print(srecodex.each([item, item + "2"], work).summary())
except Exception as error:
    print(repr(error))
try: subprocess.run(["house", "refused", evil]); subprocess.run(["nothere" + "x", evil])
except Exception: pass
try: srecodex.skill(evil)
except Exception: pass
try: srecodex.tool(evil, evil)
except Exception: pass
print(evil)
srecodex.summary(evil)
`

function hostile(): Project & { env: Record<string, string> } {
  const at = project({ files: { 'attack.py': SCRIPT } })
  const bin = at.path('~/bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'house'), '#!/bin/sh\nexit 3\n')
  chmodSync(join(bin, 'house'), 0o755)
  const config = join(at.srecodexHome, 'config/config.toml')
  mkdirSync(dirname(config), { recursive: true })
  writeFileSync(config, '[tools.house]\n')
  return { ...at, env: { PATH: `${bin}:${process.env.PATH}` } }
}

const ESC = '\u001b'
/** Colours and the erasing of a line are srecodex's own, and so is what asks on a terminal. */
const OWN = new RegExp(`${ESC}\\[(2K|[\\d;]*m|\\d+G|0J)`, 'g')

const acts = (text: string): string[] => text.replaceAll(OWN, '').match(ACTS) ?? []

describe('names that act on a terminal', { timeout: LONG_MS }, () => {
  test('planned, applied, listed, shown, searched: as text and as JSON', async () => {
    const { env, run } = hostile()
    const said: Record<string, string> = {}
    const note = async (...words: string[]): Promise<{ exitCode: number; stdout: string }> => {
      const { exitCode, raw } = await run(words, { env })
      said[words.join(' ').replaceAll(/01[0-9A-Z]{20,}/g, 'ID')] = raw.stdout + raw.stderr
      return { exitCode, stdout: raw.stdout }
    }
    expect((await note('run', 'attack.py')).exitCode).toBe(3)
    const planned = await note('run', 'attack.py', '--json')
    const { run: id } = JSON.parse(planned.stdout) as { run: string }
    for (const words of [
      ['runs', 'show', id],
      ['runs', 'list'],
      ['runs', 'search', 'N'],
      ['output', id],
    ]) {
      await note(...words)
      await note(...words, '--json')
    }
    await note('apply', id, '--yes')
    const again = JSON.parse((await note('run', 'attack.py', '--json')).stdout) as { run: string }
    const applied = JSON.parse((await note('apply', again.run, '--yes', '--json')).stdout) as { run: string }
    for (const words of [
      ['runs', 'show', applied.run],
      ['resume', applied.run, '--yes'],
    ]) {
      await note(...words)
      await note(...words, '--json')
    }
    const marked = Object.entries(said).map(([words, text]) => [words, acts(text).length])
    expect(marked.filter(([, count]) => count !== 0)).toEqual([])
    // They were there to be seen.
    expect(said['run attack.py']).toMatch(/house put/)
    expect(said['runs show ID']).toContain('house')
  })

  test('asked on a terminal', async () => {
    const { env, runInTerminal } = hostile()
    const { raw, exitCode } = await runInTerminal('run attack.py', { env, keys: { '[y/N]': 'n\n' } })
    expect(exitCode).toBe(3)
    expect(raw).toContain('may also: house undo')
    expect(acts(raw.replaceAll(/\r\n|\r/g, '\n'))).toEqual([])
  })
})
