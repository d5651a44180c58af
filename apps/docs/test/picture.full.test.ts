/** The picture of the demo shows what the demo prints: it is recorded anew, and compared but for times. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { recordDemo } from '../picture/demo.ts'
import { PAGES } from '../generate/repository.ts'

const settled = (svg: string): string =>
  svg
    .replaceAll(/\d+\.\d\d s\b/g, 'TIME')
    .replaceAll(/ textLength="[^"]*"/g, '')
    .replaceAll(/ x="[^"]*"/g, '')

test('the recorded picture is what the demo prints now', async () => {
  const { svg, text } = await recordDemo()
  expect(text).toContain('$ npx -y pnpm@12 demo')
  expect(text).toMatch(/^truth +counts match the generator's truth: 14 of 14 types/m)
  expect(settled(readFileSync(join(PAGES, 'public/demo.svg'), 'utf8'))).toBe(settled(svg))
})
