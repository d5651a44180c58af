/** TypeScript declarations that add to the guest library's own. Pure. */

import { gist, shapeOf, type Shape } from './shapes.ts'
import type { SignedTool } from './tool.ts'

export function typescriptSignatures(tools: readonly SignedTool[]): string {
  const overloads = tools.map(overload).join('\n')
  return `// MCP tools that a script can call: import { tool } from 'srecodex'
export {}

declare module 'srecodex' {
${overloads}}
`
}

function overload(tool: SignedTool): string {
  const args = shapeOf(tool.inputSchema)
  const result = tool.outputSchema === null ? 'unknown' : type(shapeOf(tool.outputSchema))
  const optional = args.kind === 'object' && !args.members.some(member => member.required) ? '?' : ''
  const told = `${gist(tool)} (${tool.effect === 'read' ? 'reads' : 'changes something'})`
  return `  /** ${told.replaceAll('*/', '* /')} */
  export function tool(server: ${JSON.stringify(tool.server)}, name: ${JSON.stringify(tool.name)}, args${optional}: ${type(args)}): Promise<${result}>
`
}

function type(shape: Shape): string {
  switch (shape.kind) {
    case 'any':
      return 'unknown'
    case 'integer':
      return 'number'
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return shape.kind
    case 'literal':
      return JSON.stringify(shape.value)
    case 'array':
      return `readonly ${elementType(shape.items)}[]`
    case 'union':
      return shape.of.map(type).join(' | ')
    case 'object':
      return objectType(shape)
  }
}

const elementType = (shape: Shape): string =>
  shape.kind === 'union' || shape.kind === 'array' ? `(${type(shape)})` : type(shape)

function objectType(shape: Extract<Shape, { kind: 'object' }>): string {
  if (shape.members.length === 0) return shape.open ? 'Record<string, unknown>' : 'Record<string, never>'
  const members = shape.members.map(
    member => `${key(member.name)}${member.required ? '' : '?'}: ${type(member.shape)}`,
  )
  return `{ ${members.join('; ')} }`
}

const key = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name))
