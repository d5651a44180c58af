/**
 * The finance server as a program: `node main.ts [--log FILE] [--modern-only] [--http]`.
 *
 * Over stdio; with `--http` on the loopback, with the token in FINANCE_TOKEN, and its address on stdout.
 */

import { parseArgs } from 'node:util'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { startFinanceServer } from './http.ts'
import { financeServer, financeState } from './server.ts'

const { values } = parseArgs({
  options: {
    log: { type: 'string' },
    http: { type: 'boolean', default: false },
    'modern-only': { type: 'boolean', default: false },
  },
})
const log = values.log ?? null

if (values.http) {
  const token = process.env.FINANCE_TOKEN
  if (token === undefined) throw new Error('FINANCE_TOKEN is not set')
  const { url } = await startFinanceServer({ token, log })
  process.stdout.write(`${url}\n`)
} else {
  const state = financeState(log)
  serveStdio(
    () => {
      const server = financeServer(state)
      state.toolsChanged = () => void server.sendToolListChanged()
      return server
    },
    { legacy: values['modern-only'] ? 'reject' : 'serve' },
  )
}
