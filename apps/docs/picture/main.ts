/** Records the demo: `pnpm --filter @srecodex/docs picture`. The README and the first page show what it writes. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PAGES } from '../generate/repository.ts'
import { recordDemo } from './demo.ts'

const { svg } = await recordDemo()
writeFileSync(join(PAGES, 'public/demo.svg'), svg)
