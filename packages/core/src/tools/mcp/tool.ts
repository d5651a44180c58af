/** A tool as the broker, the listing and the signatures see it. */

import type { Tool } from './connection.ts'
import { toolEffect } from './effect.ts'
import { cut, plain } from './words.ts'

export interface McpTool {
  readonly server: string
  readonly name: string
  readonly title: string
  readonly description: string
  readonly effect: 'read' | 'mutate'
  /** For people: why it has this effect. */
  readonly why: string
  readonly idempotent: boolean
  readonly inputSchema: Readonly<Record<string, unknown>>
  /** Null: its server does not promise a shape. */
  readonly outputSchema: Readonly<Record<string, unknown>> | null
}

/** What signatures are made of. */
export type SignedTool = Pick<
  McpTool,
  'server' | 'name' | 'title' | 'description' | 'effect' | 'inputSchema' | 'outputSchema'
>

const MAX_TITLE = 200

export function describedTool(server: string, tool: Tool): McpTool {
  const title = tool.title ?? tool.annotations?.title ?? tool.name
  return {
    server,
    name: tool.name,
    title: cut(plain(title), MAX_TITLE),
    description: plain(tool.description ?? ''),
    ...toolEffect(tool.annotations),
    inputSchema: tool.inputSchema,
    outputSchema: tool.outputSchema ?? null,
  }
}
