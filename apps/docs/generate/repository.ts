/** Where the sources of the pages lie. */

import { join } from 'node:path'

export const DOCS = join(import.meta.dirname, '..')
export const PAGES = join(DOCS, 'pages')
export const ROOT = join(DOCS, '../..')
export const CORE = join(ROOT, 'packages/core')
export const SKILLS = join(ROOT, 'dotcodex/skills')

/** Folders of `pages/` that are written anew by each build, and kept out of the repository. */
export const GENERATED = ['skills', 'reference', 'parts'] as const
