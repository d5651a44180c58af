/** Every page that is made from the packages, by its path below `pages/`. Nothing is written here. */

import { attackCounts, attackList } from './attacks.ts'
import { cliPage } from './cli.ts'
import { clientParts } from './clients.ts'
import { configPage } from './config.ts'
import { effectsPage } from './effects.ts'
import { benchmarks, differencesTable, startUp } from './figures.ts'
import { javascriptPage, libraryPage } from './library.ts'
import { mcpPage } from './mcp.ts'
import { bashPage, pythonPage } from './scripts.ts'
import { shellParts } from './shell.ts'
import { catalogue, cataloguePage, skillPage } from './skills.ts'

export async function generatedPages(): Promise<ReadonlyMap<string, string>> {
  const skills = await catalogue()
  return new Map([
    ['reference/cli.md', cliPage()],
    ['reference/config.md', configPage()],
    ['reference/effects.md', effectsPage()],
    ['reference/mcp.md', mcpPage()],
    ['reference/python.md', pythonPage()],
    ['reference/javascript.md', javascriptPage()],
    ['reference/bash.md', bashPage()],
    ['reference/library.md', libraryPage()],
    ['skills/index.md', cataloguePage(skills)],
    ...skills.map(one => [`skills/${one.skill.id}.md`, skillPage(one)] as const),
    // Included by written pages; no pages of their own.
    ['parts/attack-counts.md', attackCounts()],
    ['parts/attack-list.md', attackList()],
    ['parts/benchmarks.md', benchmarks()],
    ['parts/figures.md', differencesTable()],
    ['parts/start-up.md', startUp()],
    ...clientParts(),
    ...shellParts(),
  ])
}
