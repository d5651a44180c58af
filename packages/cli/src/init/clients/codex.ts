/**
 * Codex: `.codex/config.toml` of the project, which it reads once the project is trusted.
 *
 * It starts servers with an environment that is all but empty, so the variables are named. What it may not do by itself
 * is written out: a looser default of the user's does not reach those tools then.
 */

import { checkCodexConfig } from '@srecodex/core'
import { APPROVAL_TOOLS, SERVER, type Change, type Client, type ClientPlace, type Setup } from '../client.ts'
import { isTrusted } from '../codex-trust.ts'
import { isTable, valueAt } from '../documents/document.ts'
import { parseToml } from '../documents/toml-document.ts'
import { commandNeeds, entryNeeds, timeoutNeeds, withoutPerson } from './server-entry.ts'

const ENTRY = ['mcp_servers', SERVER] as const
/** A first start by npx fetches the package. */
const SLOW_START_SECONDS = 120

function needs(value: unknown, setup: Setup): readonly Change[] {
  const { launch, timeoutSeconds, variables } = setup
  const asked = { approval_mode: 'prompt' }
  const whole = {
    command: launch.command,
    args: launch.args,
    ...(launch.by === 'npx' ? { startup_timeout_sec: SLOW_START_SECONDS } : {}),
    tool_timeout_sec: timeoutSeconds,
    env_vars: variables,
    tools: Object.fromEntries(APPROVAL_TOOLS.map(tool => [tool, asked])),
  }
  return entryNeeds(value, ENTRY, whole, entry => [
    ...commandNeeds(entry, ENTRY, setup),
    ...timeoutNeeds(entry, ENTRY, { key: 'tool_timeout_sec', needed: timeoutSeconds, unit: 's' }),
    ...variableNeeds(entry, variables),
    ...APPROVAL_TOOLS.filter(tool => modeOf(entry, tool) === undefined).map((tool): Change => ({
      kind: 'set',
      path: [...ENTRY, 'tools', tool, 'approval_mode'],
      value: asked.approval_mode,
      why: `${tool} is not held back for a person`,
    })),
  ])
}

function variableNeeds(entry: unknown, variables: readonly string[]): readonly Change[] {
  const listed = valueAt(entry, ['env_vars'])
  const path = [...ENTRY, 'env_vars']
  if (!Array.isArray(listed)) {
    return variables.length === 0
      ? []
      : [{ kind: 'set', path, value: variables, why: whyVariables(variables) }]
  }
  const names = new Set(listed.map((one: unknown) => (isTable(one) ? one['name'] : one)))
  const items = variables.filter(name => !names.has(name))
  return items.length === 0 ? [] : [{ kind: 'append', path, items, why: whyVariables(items) }]
}

function whyVariables([first, ...rest]: readonly string[]): string {
  return `the server does not get ${first}${rest.length === 0 ? '' : ` and ${rest.length} more variables`}`
}

function modeOf(entry: unknown, tool: string): unknown {
  return valueAt(entry, ['tools', tool, 'approval_mode'])
}

function warnings(value: unknown): readonly string[] {
  const entry = valueAt(value, ENTRY)
  return [
    ...(valueAt(entry, ['enabled']) === false ? ['the server is switched off: enabled = false'] : []),
    ...withoutPerson(
      APPROVAL_TOOLS.filter(tool => modeOf(entry, tool) === 'approve'),
      'by approval_mode',
    ),
  ]
}

async function check({ project, program, env }: ClientPlace): Promise<readonly string[]> {
  if (isTrusted(project, env) === false) {
    return ['Codex does not read .codex/config.toml: start it here once, and trust the project']
  }
  if (program === null) return []
  const { state, message } = await checkCodexConfig({ program, project, environment: env })
  return state === 'invalid' ? [`codex --strict-config: ${message}`] : []
}

export const codex: Client = {
  name: 'codex',
  title: 'Codex',
  programs: ['codex'],
  traces: ['.codex'],
  files: [{ places: ['.codex/config.toml'], parse: parseToml, needs, warnings }],
  alsoRead: [],
  skills: 'codex',
  instructions: 'AGENTS.md',
  entry: ENTRY,
  limitsCalls: true,
  approval: 'Codex asks before apply_plan and resume_run',
  next: 'start Codex here; it reads the server once you trust the project',
  nextNow: (project, env) => (isTrusted(project, env) === true ? 'start Codex here' : null),
  check,
}
