/** The jobs whose context is compared, as the table has them: first those that are meant for one script. */

import { CRASH_LOOPS, RESTARTS } from './bulk.ts'
import type { ContextCase } from './case.ts'
import { BUDGETS, LOG_BY_PAGES, LOG_BY_PIPE } from './large.ts'
import { DEPLOYMENT, DIAGNOSIS, ONE_ITEM } from './steps.ts'

export const CASES: readonly ContextCase[] = [
  ...CRASH_LOOPS,
  ...[RESTARTS, LOG_BY_PAGES, BUDGETS],
  ...[DEPLOYMENT, ONE_ITEM, DIAGNOSIS, LOG_BY_PIPE],
]
