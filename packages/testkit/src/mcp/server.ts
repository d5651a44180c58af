/** The finance server, whatever it is reached by: one instance a connection or a request, over a shared state. */

import { Server } from '@modelcontextprotocol/server'
import { extraTool, TOOLS, type FinanceState, type FinanceTool } from './tools.ts'

/** `tools/list` is paged, so that a client that reads one page only is found out. */
const TOOLS_PER_PAGE = 5

export const financeState = (log: string | null): FinanceState => ({
  log,
  extraTools: 0,
  waiting: [],
  toolsChanged: () => {},
})

export function financeServer(state: FinanceState): Server {
  const server = new Server(
    { name: 'finance', version: '2.1.0' },
    { capabilities: { tools: { listChanged: true }, logging: {} } },
  )
  const offered = (): FinanceTool[] => [
    ...TOOLS,
    ...Array.from({ length: state.extraTools }, (_, index) => extraTool(index + 1)),
  ]
  server.setRequestHandler('tools/list', ({ params }) => {
    const first = Number(params?.cursor ?? 0)
    const tools = offered().map(tool => tool.definition)
    const next = first + TOOLS_PER_PAGE
    return {
      tools: tools.slice(first, next),
      ...(next < tools.length ? { nextCursor: String(next) } : {}),
    }
  })
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const tool = offered().find(one => one.definition.name === params.name)
    if (tool === undefined) {
      return { content: [{ type: 'text', text: `no tool ${params.name}` }], isError: true }
    }
    return tool.run(params.arguments ?? {}, context, state)
  })
  return server
}
