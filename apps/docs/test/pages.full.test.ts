/**
 * What the written pages show is done: each file is written, each command is typed, in the order of the page, and what
 * it prints is what the page says. SRECODEX_UPDATE_PAGES=1 mends the pages instead: a page of which anything differs, or
 * whose runs are of several sessions, is rewritten from this one.
 */

import { expect, test } from 'vitest'
import { isOneSession } from '../../../packages/cli/test/jobs-page.ts'
import { generatedPages } from '../generate/pages.ts'
import { blocksOf, readPage, rewrite, stepsOf, tells, writtenPages, type Block, type Step } from './page.ts'
import { isTypedElsewhere } from './typed-elsewhere.ts'
import { world } from './world.ts'

const UPDATES = process.env.SRECODEX_UPDATE_PAGES === '1'

const isWork = ({ language, file }: Block): boolean => language === 'console' || file !== null
const pages = writtenPages().filter(file => blocksOf(readPage(file)).some(isWork))

test('most pages show something that can be done', () => expect(pages.length).toBeGreaterThan(10))

test.each(pages)('%s does what it shows', async file => {
  const place = await world()
  const wrong: object[] = []
  const typed: Step[] = []
  const printed: (string | null)[] = []
  for (const block of blocksOf(readPage(file))) {
    if (block.file !== null) place.write(block.file, block.text)
    if (block.language !== 'console') continue
    for (const step of stepsOf(block)) {
      const { command, printed: shown } = step
      typed.push(step)
      if (isTypedElsewhere(command)) {
        printed.push(null)
        continue
      }
      const real = await place.type(command)
      const isTold = tells(shown, real.printed)
      if (!isTold) wrong.push({ line: block.line, command, shown, printed: real.printed })
      // What a page leaves out it leaves out again.
      printed.push(isTold && /^…$/m.test(shown) ? null : real.printed)
    }
  }
  if (UPDATES && (wrong.length > 0 || !isOneSession(typed))) rewrite(file, printed)
  expect(UPDATES ? [] : wrong).toEqual([])
})

const FULL = '2 of 3 disks are more than 90% full: web-2, db-1'

test.each([
  ['reference/python.md', 'srecodex run disks.py', FULL],
  ['reference/javascript.md', 'srecodex run disks.js', FULL],
  ['reference/bash.md', 'srecodex run disks.sh', '2 disks are more than 90% full: web-2,db-1'],
  ['reference/library.md', 'node audit.js', 'succeeded 45'],
])('the script of %s does its work', async (file, command, summary) => {
  const place = await world()
  place.write('hosts.json', JSON.stringify(HOSTS.map(([name, used]) => ({ name, used: used / 100 }))))
  place.write('hosts.txt', HOSTS.map(([name, used]) => `${name} ${used}\n`).join(''))
  const blocks = blocksOf((await generatedPages()).get(file)!)
  for (const { file: name, text } of blocks) if (name !== null) place.write(name, text)
  const { printed, exitCode } = await place.type(command)
  expect({ exitCode, lines: printed.split('\n') }).toEqual({
    exitCode: 0,
    lines: expect.arrayContaining([summary]),
  })
})

const HOSTS = [
  ['web-1', 42],
  ['web-2', 97],
  ['db-1', 93],
] as const
