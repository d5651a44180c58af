/** Where the finance server is, for those who start it. Loads nothing of it before it is wanted. */

import { fileURLToPath } from 'node:url'
import type { FinanceHttpOptions, FinanceHttpServer } from './http.ts'

export type { FinanceHttpOptions, FinanceHttpServer } from './http.ts'
export { TEAMS, LINES_PER_TEAM, violations } from './ledger.ts'

/** `node FINANCE_PROGRAM [--log FILE] [--modern-only]` speaks over stdio. */
export const FINANCE_PROGRAM = fileURLToPath(new URL('../../src/mcp/main.ts', import.meta.url))

export async function startFinanceServer(options: FinanceHttpOptions): Promise<FinanceHttpServer> {
  const http = await import('./http.ts')
  return http.startFinanceServer(options)
}
