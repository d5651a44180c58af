/** What a stream came to, whichever way its bytes went: moved unseen, read past the limit, or cut inside of a line. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { RunReport } from '../../src/runs/report.ts'
import { cli, place } from './stage.ts'

const MIB = 1024 * 1024

test.each([
  ['nothing', '', '2GiB'],
  ['a line without its end', 'one', '2GiB'],
  ['empty lines', '\n\n\n', '2GiB'],
  ['many lines, the last one open', `${'0123456789abcde\n'.repeat(3 * 65_536)}end`, '2GiB'],
  ['one line, past what is read at once', 'x'.repeat(3 * MIB), '2GiB'],
  ['as much as is kept', 'ab\n'.repeat(349_525) + '\n', '1MiB'],
  ['a byte more', 'ab\n'.repeat(349_525) + '\nx', '1MiB'],
  ['twice as much, cut inside of a line', 'abcde\n'.repeat(349_526), '1MiB'],
  ['a cut that leaves an open line behind', `${'abcdefg\n'.repeat(131_072)}${'z'.repeat(MIB)}`, '1MiB'],
])('%s', async (_, text, kept) => {
  const at = place()
  mkdirSync(join(at.home, 'config'), { recursive: true })
  writeFileSync(join(at.home, 'config', 'config.toml'), `[limits]\noutput = "${kept}"\n`)
  writeFileSync(join(at.workspace, 'text'), text)
  const { stdout } = await cli(at, ['run', '-', '--lang', 'sh', '--json'], { stdin: 'cat text\n' }).ended
  const report = JSON.parse(stdout) as RunReport
  const lines = text.split('\n').length - (text.endsWith('\n') || text === '' ? 1 : 0)
  expect(report.output.stdout).toEqual({ bytes: text.length, lines })
  const file = readFileSync(join(at.state, 'runs', report.run, 'stdout'), 'latin1')
  expect(file === (kept === '1MiB' ? text.slice(0, MIB) : text)).toBe(true)
})
