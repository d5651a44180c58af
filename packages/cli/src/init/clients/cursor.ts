/** Cursor: `.cursor/mcp.json`. It asks before every tool that no allowlist names, so nothing more is written. */

import { APPROVAL_TOOLS, SERVER, type Change, type Client, type Setup } from '../client.ts'
import { valueAt } from '../documents/document.ts'
import { parseJson } from '../documents/json-document.ts'
import { commandNeeds, entryNeeds, withoutPerson } from './server-entry.ts'

const ENTRY = ['mcpServers', SERVER] as const

function needs(value: unknown, setup: Setup): readonly Change[] {
  const { command, args } = setup.launch
  return entryNeeds(value, ENTRY, { type: 'stdio', command, args }, entry =>
    commandNeeds(entry, ENTRY, setup),
  )
}

function allowlistWarnings(value: unknown): readonly string[] {
  const listed = valueAt(value, ['mcpAllowlist'])
  const rules = Array.isArray(listed) ? listed : []
  const open = APPROVAL_TOOLS.filter(tool =>
    ['*', '*:*', `*:${tool}`, `${SERVER}:*`, `${SERVER}:${tool}`].some(rule => rules.includes(rule)),
  )
  return withoutPerson(open, 'by mcpAllowlist')
}

export const cursor: Client = {
  name: 'cursor',
  title: 'Cursor',
  programs: ['cursor', 'cursor-agent'],
  traces: ['.cursor'],
  files: [{ places: ['.cursor/mcp.json'], parse: parseJson, needs, warnings: () => [] }],
  alsoRead: [{ places: ['.cursor/permissions.json'], parse: parseJson, warnings: allowlistWarnings }],
  skills: 'cursor',
  instructions: 'AGENTS.md',
  entry: ENTRY,
  limitsCalls: false,
  approval: 'Cursor asks before each tool, unless you put it on its allowlist',
  next: 'switch srecodex on in Cursor’s settings, under MCP',
}
