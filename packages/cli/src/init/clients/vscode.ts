/** VS Code: `.vscode/mcp.json`. It asks before every tool that is not marked as only reading. */

import { SERVER, type Change, type Client, type Setup } from '../client.ts'
import { parseJson } from '../documents/json-document.ts'
import { commandNeeds, entryNeeds } from './server-entry.ts'

const ENTRY = ['servers', SERVER] as const

function needs(value: unknown, setup: Setup): readonly Change[] {
  const { command, args } = setup.launch
  return entryNeeds(value, ENTRY, { type: 'stdio', command, args }, entry =>
    commandNeeds(entry, ENTRY, setup),
  )
}

export const vscode: Client = {
  name: 'vscode',
  title: 'VS Code',
  programs: ['code', 'code-insiders', 'codium'],
  traces: ['.vscode'],
  files: [{ places: ['.vscode/mcp.json'], parse: parseJson, needs, warnings: () => [] }],
  alsoRead: [],
  skills: 'agents',
  instructions: 'AGENTS.md',
  entry: ENTRY,
  limitsCalls: false,
  approval: 'VS Code asks before each tool that does more than read',
  next: 'open .vscode/mcp.json in VS Code, and press Start above the server',
}
