/** Writes the pages that are made from the packages: `node generate/main.ts`. What is there from before goes first. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generatedPages } from './pages.ts'
import { GENERATED, PAGES } from './repository.ts'

const pages = await generatedPages()
for (const folder of GENERATED) rmSync(join(PAGES, folder), { recursive: true, force: true })
for (const [file, text] of pages) {
  const path = join(PAGES, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
