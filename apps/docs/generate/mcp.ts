/** The tools of the MCP server, as clients list them. */

import { definitions, INPUTS, TOOL_NAMES } from '../../../packages/cli/src/mcp/definitions.ts'
import { cell, code, page, prose, said, table } from './markdown.ts'

export const mcpTools = (): readonly string[] => TOOL_NAMES

export function mcpPage(): string {
  const tools = definitions({ changesWithoutPlan: false, network: false })
  return page('MCP server', 'The tools that srecodex mcp serves to agents, with their inputs.', [
    `\`srecodex mcp\` speaks the Model Context Protocol over stdio, in the revisions of 2025 and 2026. It has ${tools.length} tools, and no result of theirs is longer than 2,500 characters, whatever a script prints. [Clients](../clients/index.md) tells how each is set up.`,
    ...tools.flatMap(tool => [
      `## ${tool.name}`,
      prose(tool.description ?? ''),
      inputs(INPUTS[tool.name as keyof typeof INPUTS]),
      hints(tool.annotations ?? {}),
    ]),
  ])
}

function inputs(schema: { readonly properties?: object; readonly required?: readonly string[] }): string {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Record<string, unknown>>)
  if (properties.length === 0) return ''
  return table(
    ['input', 'type', ''],
    properties.map(([name, property]) => [
      code(name) + (schema.required?.includes(name) === true ? ' (required)' : ''),
      Array.isArray(property['enum'])
        ? property['enum'].map(one => code(String(one))).join(', ')
        : said(property['type']),
      cell(said(property['description'])),
    ]),
  )
}

function hints(annotations: Readonly<Record<string, unknown>>): string {
  const hinted = Object.entries(annotations).filter(([name]) => name.endsWith('Hint'))
  return hinted.length === 0
    ? ''
    : `Annotations: ${hinted.map(([name, value]) => code(`${name}: ${String(value)}`)).join(', ')}.`
}
