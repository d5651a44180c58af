/** opencode: one file for the server and for what is asked; the last rule that matches wins. */

import { APPROVAL_TOOLS, SERVER, type Change, type Client, type Setup } from '../client.ts'
import { isTable, valueAt } from '../documents/document.ts'
import { parseJson } from '../documents/json-document.ts'
import { commandWhy, entryNeeds, isServer, timeoutNeeds, withoutPerson } from './server-entry.ts'

const ENTRY = ['mcp', SERVER] as const
const SCHEMA = 'https://opencode.ai/config.json'

function needs(value: unknown, setup: Setup): readonly Change[] {
  const { launch, timeoutSeconds } = setup
  const timeout = timeoutSeconds * 1000
  const command = [launch.command, ...launch.args]
  const whole = { type: 'local', command, enabled: true, timeout }
  const isNew = isTable(value) && Object.keys(value).length === 0
  return [
    ...(isNew ? [{ kind: 'set', path: ['$schema'], value: SCHEMA, why: 'its schema' } as const] : []),
    ...entryNeeds(value, ENTRY, whole, entry => [
      ...(isServer(entry, setup) || valueAt(entry, ['url']) !== undefined
        ? []
        : [{ kind: 'set', path: [...ENTRY, 'command'], value: command, why: commandWhy(entry) } as const]),
      ...limitNeeds(entry, timeout),
    ]),
    ...permissionNeeds(value),
  ]
}

/** Newer files part the time of a request from that of the start. */
function limitNeeds(entry: unknown, needed: number): readonly Change[] {
  return isTable(valueAt(entry, ['timeout']))
    ? timeoutNeeds(valueAt(entry, ['timeout']), [...ENTRY, 'timeout'], { key: 'request', needed, unit: 'ms' })
    : timeoutNeeds(entry, ENTRY, { key: 'timeout', needed, unit: 'ms' })
}

const toolName = (tool: string): string => `${SERVER}_${tool}`

function permissionNeeds(value: unknown): readonly Change[] {
  const path = ['permission']
  const rules = valueAt(value, path)
  const open = APPROVAL_TOOLS.map(toolName).filter(tool => decided(rules, tool) === 'allow')
  if (open.length === 0) return []
  const asks = Object.fromEntries(open.map(tool => [tool, 'ask']))
  const why = 'apply_plan and resume_run are not held back for a person'
  if (rules === undefined) return [{ kind: 'set', path, value: asks, why }]
  if (typeof rules === 'string') return [{ kind: 'set', path, value: { '*': rules, ...asks }, why }]
  // A rule of ours that a later one covers is a person's doing, and is told.
  return open
    .filter(tool => valueAt(rules, [tool]) === undefined)
    .map(tool => ({ kind: 'set', path: [...path, tool], value: 'ask', why }))
}

/** What becomes of a call: without a rule opencode allows it. */
function decided(rules: unknown, tool: string): unknown {
  if (typeof rules === 'string') return rules
  if (!isTable(rules)) return 'allow'
  const matching = Object.entries(rules).filter(([pattern]) => matches(pattern, tool))
  const last = matching.at(-1)?.[1]
  return isTable(last) ? (Object.values(last).at(-1) ?? 'allow') : (last ?? 'allow')
}

/** Word by word from the left, without a regular expression: a pattern is a stranger's text. */
function matches(pattern: string, text: string): boolean {
  let [at, from, star, mark] = [0, 0, -1, 0]
  while (from < text.length) {
    if (pattern[at] === '*') [star, mark, at] = [at, from, at + 1]
    else if (pattern[at] === '?' || pattern[at] === text[from]) [at, from] = [at + 1, from + 1]
    else if (star === -1) return false
    else [at, mark, from] = [star + 1, mark + 1, mark + 1]
  }
  return /^\**$/.test(pattern.slice(at))
}

function warnings(value: unknown): readonly string[] {
  const rules = valueAt(value, ['permission'])
  const open = APPROVAL_TOOLS.filter(
    tool => valueAt(rules, [toolName(tool)]) !== undefined && decided(rules, toolName(tool)) === 'allow',
  )
  return [
    ...(valueAt(value, [...ENTRY, 'enabled']) === false
      ? ['the server is switched off: enabled: false']
      : []),
    ...withoutPerson(open, 'by a later rule of permission'),
  ]
}

export const opencode: Client = {
  name: 'opencode',
  title: 'opencode',
  programs: ['opencode'],
  traces: ['opencode.json', 'opencode.jsonc', '.opencode'],
  files: [
    {
      places: ['opencode.json', 'opencode.jsonc', '.opencode/opencode.json', '.opencode/opencode.jsonc'],
      parse: parseJson,
      needs,
      warnings,
    },
  ],
  alsoRead: [],
  skills: 'agents',
  instructions: 'AGENTS.md',
  entry: ENTRY,
  limitsCalls: true,
  approval: 'permission asks for apply_plan and resume_run',
  next: 'start opencode here',
}
