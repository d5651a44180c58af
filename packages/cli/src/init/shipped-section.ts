/** The section of AGENTS.md as this version of srecodex writes it. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { shippedFolder } from '../skill-folders.ts'
import { sectionText } from './section.ts'

export function loadSection(): string {
  return sectionText(readFileSync(join(shippedFolder(), 'AGENTS.md'), 'utf8'))
}
