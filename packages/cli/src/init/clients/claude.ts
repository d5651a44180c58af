/** Claude Code: `.mcp.json` names the server, `.claude/settings.json` what is asked for each time. */

import { APPROVAL_TOOLS, SERVER, type Change, type Client, type Setup } from '../client.ts'
import { valueAt } from '../documents/document.ts'
import { parseJson } from '../documents/json-document.ts'
import { commandNeeds, entryNeeds, timeoutNeeds } from './server-entry.ts'

const ENTRY = ['mcpServers', SERVER] as const
const RULES = APPROVAL_TOOLS.map(tool => `mcp__${SERVER}__${tool}`)

function serverNeeds(value: unknown, setup: Setup): readonly Change[] {
  const { launch, timeoutSeconds } = setup
  const timeout = timeoutSeconds * 1000
  const whole = { type: 'stdio', command: launch.command, args: launch.args, timeout }
  return entryNeeds(value, ENTRY, whole, entry => [
    ...commandNeeds(entry, ENTRY, setup),
    ...timeoutNeeds(entry, ENTRY, { key: 'timeout', needed: timeout, unit: 'ms' }),
  ])
}

/** A rule that asks wins over one that allows. */
function permissionNeeds(value: unknown): readonly Change[] {
  const path = ['permissions', 'ask']
  const [ask, deny] = [rulesAt(value, 'ask'), rulesAt(value, 'deny')]
  const items = RULES.filter(rule => !covers(ask, rule) && !covers(deny, rule))
  const why = 'apply_plan and resume_run are not held back for a person'
  if (items.length === 0) return []
  return valueAt(value, path) === undefined
    ? [{ kind: 'set', path, value: items, why }]
    : [{ kind: 'append', path, items, why }]
}

function rulesAt(value: unknown, list: string): readonly unknown[] {
  const rules = valueAt(value, ['permissions', list])
  return Array.isArray(rules) ? rules : []
}

function covers(rules: readonly unknown[], rule: string): boolean {
  const server = `mcp__${SERVER}`
  return [rule, server, `${server}__*`].some(one => rules.includes(one))
}

export const claude: Client = {
  name: 'claude',
  title: 'Claude Code',
  programs: ['claude'],
  traces: ['.claude', '.mcp.json', 'CLAUDE.md'],
  files: [
    { places: ['.mcp.json'], parse: parseJson, needs: serverNeeds, warnings: () => [] },
    {
      places: ['.claude/settings.json'],
      parse: parseJson,
      needs: permissionNeeds,
      warnings: () => [],
    },
  ],
  alsoRead: [],
  skills: 'claude',
  instructions: 'CLAUDE.md',
  entry: ENTRY,
  limitsCalls: true,
  approval: 'permissions.ask holds apply_plan and resume_run',
  next: 'start Claude Code here, and allow the server when it asks',
}
