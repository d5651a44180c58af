/**
 * What a script gets of a tool's result. Pure.
 *
 * Structured content as it is; without one the text, as JSON where it is JSON; without text a list that tells
 * what else there is. A picture's bytes are passed on only while they are few.
 */

import { McpCallError, tooLarge } from './failure.ts'
import { shown, type Redact } from './words.ts'

/** What fits into a response of the protocol, with room for its frame. */
export const MAX_RESULT_BYTES = 15 * 1024 * 1024

const MAX_INLINE_BASE64 = 64 * 1024
const MAX_ERROR_CHARACTERS = 1000

/** As the SDK gives it, whatever revision the server speaks. */
export interface ToolResult {
  readonly content?: readonly Readonly<Record<string, unknown>>[]
  readonly structuredContent?: unknown
  readonly isError?: boolean | undefined
}

export interface ResultContext {
  readonly server: string
  readonly tool: string
  readonly redact: Redact
}

/** @throws {CallError} TOOL_FAILED: the tool says so. TOO_LARGE */
export function resultValue(result: ToolResult, context: ResultContext): unknown {
  const content = result.content ?? []
  if (result.isError === true) {
    const words = shown(textOf(content), context.redact, MAX_ERROR_CHARACTERS)
    const said = words === '' ? 'it failed, and did not say why' : words
    throw new McpCallError(
      'TOOL_FAILED',
      `\`${context.tool}\` of MCP server \`${context.server}\`: ${said}`,
      { class: 'failed', definite: false, throttled: false },
    )
  }
  const value = valueOf(result, content)
  const bytes = Buffer.byteLength(JSON.stringify(value))
  if (bytes > MAX_RESULT_BYTES) throw tooLarge(context.server, context.tool, bytes)
  return value
}

function valueOf(result: ToolResult, content: NonNullable<ToolResult['content']>): unknown {
  if (result.structuredContent !== undefined) return result.structuredContent
  if (content.length === 0) return null
  if (content.some(block => block.type === 'text')) return jsonOr(textOf(content))
  return content.map(described)
}

function textOf(content: NonNullable<ToolResult['content']>): string {
  return content.flatMap(block => (typeof block.text === 'string' ? [block.text] : [])).join('\n')
}

/** A bare number that would lose digits is left as text: an account, an id. */
function jsonOr(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return text
  }
  return typeof value === 'number' && String(value) !== text.trim() ? text : value
}

function described(block: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { type } = block
  if (type === 'image' || type === 'audio')
    return { type, mimeType: block.mimeType ?? null, ...sized(block.data) }
  if (type === 'resource') {
    const resource = (block.resource ?? {}) as Readonly<Record<string, unknown>>
    const about = { type, uri: resource.uri ?? null, mimeType: resource.mimeType ?? null }
    return typeof resource.text === 'string'
      ? { ...about, text: resource.text }
      : { ...about, ...sized(resource.blob) }
  }
  if (type === 'resource_link') {
    const { uri = null, name = null, mimeType = null, size = null } = block
    return { type, uri, name, mimeType, bytes: size }
  }
  return { type: typeof type === 'string' ? type : null }
}

function sized(base64: unknown): Record<string, unknown> {
  if (typeof base64 !== 'string') return { bytes: null }
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  const bytes = Math.max(0, Math.floor((base64.length * 3) / 4) - padding)
  return base64.length <= MAX_INLINE_BASE64 ? { bytes, base64 } : { bytes }
}
