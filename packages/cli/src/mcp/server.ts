/**
 * The server as one connection sees it. It answers the opening by itself; all else is loaded when it is asked for.
 *
 * Nothing that a client sends ends the server: what cannot be taken is an error of that call.
 */

import { ResourceNotFoundError, Server, type ProtocolEra } from '@modelcontextprotocol/server'
import type { Terminal } from '../terminal.ts'
import { Conversation } from './client.ts'
import { definitions, type Allowed } from './definitions.ts'
import { INSTRUCTIONS } from './instructions.ts'
import type { Session } from './session.ts'

type Validator = NonNullable<NonNullable<ConstructorParameters<typeof Server>[1]>['jsonSchemaValidator']>

const ACCEPT = {
  getValidator: () => (data: unknown) => ({ valid: true, data, errorMessage: undefined }),
} as Validator

export interface ServerParts {
  readonly session: () => Promise<Session>
  readonly version: string
  readonly era: ProtocolEra
  readonly answerMs: number
  readonly terminal: Terminal
}

export function createServer({ session, version, era, answerMs, terminal }: ServerParts): Server {
  const server = new Server(
    { name: 'srecodex', title: 'srecodex', version },
    {
      capabilities: { tools: {}, resources: { listChanged: true } },
      instructions: INSTRUCTIONS,
      // It is used for answers to questions, and those have no fields; the usual one takes a while to load.
      jsonSchemaValidator: ACCEPT,
    },
  )
  const conversation = new Conversation(server, { isModern: era === 'modern', answerMs })
  server.setRequestHandler('tools/list', async () => ({ tools: definitions(await allowed(terminal)) }))
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const { dispatch, guarded } = await import('./dispatch.ts')
    const here = await session()
    const call = conversation.call(params.name, context)
    const goOn = conversation.resumed(params.name, context)
    if (goOn !== null) return guarded(here, () => goOn(call))
    return dispatch(here, call, params.arguments ?? {})
  })
  server.setRequestHandler('resources/list', async () => {
    const { listResources } = await import('./resources.ts')
    return { resources: await listResources(await session()) }
  })
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [] }))
  server.setRequestHandler('resources/read', async ({ params }) => {
    const { readResource } = await import('./resources.ts')
    const content = await readResource(await session(), params.uri)
    if (content === null) throw new ResourceNotFoundError(params.uri.slice(0, 200))
    return { contents: [content as { uri: string; text: string }] }
  })
  return server
}

/** What cannot be read is told by the call that needs it, and until then taken for the worse. */
async function allowed(terminal: Terminal): Promise<Allowed> {
  try {
    const { loadConfig } = await import('../config.ts')
    const { config } = await loadConfig({ workspace: terminal.cwd, env: terminal.env })
    const { mutations, executionEnvironment } = config
    return {
      changesWithoutPlan: mutations.clientsMayAllow || mutations.default === 'allow',
      network: executionEnvironment.network !== 'none',
    }
  } catch {
    return { changesWithoutPlan: true, network: true }
  }
}
