/**
 * What an agent's own shell may type unasked, and what it must not, in the syntax of each client.
 *
 * Commands that go around a person are named with the way in which they do; `shell.full.test.ts` goes each of these
 * ways. A command that stands in no list is what the client makes of any other.
 */

import { builtInTools } from '@srecodex/core'
import { cell, code, fence, table } from './markdown.ts'

/** They change nothing and approve nothing, whatever their flags. */
export const LOOKING: readonly string[] = [
  ...['runs list', 'runs show', 'runs watch', 'runs search', 'output'],
  ...['skills list', 'skills search', 'skills show', 'tools list', 'tools show', 'config show'],
]

/** No terminal is needed for any of them, and nobody is asked. */
export const UNASKED: Readonly<Record<string, string>> = {
  apply: '`--yes` approves the plan',
  resume:
    'goes on under the approval that the run had, or under none if it ran with `--mutations allow`; `--yes` approves what is new',
  run: '`--mutations allow` makes changes without a plan, and so does `SRECODEX_MUTATIONS_DEFAULT=allow` in front of it',
  'skills run': '`--yes` approves the plan of the skill',
  trust: 'lets the project’s own config say `default = "allow"`',
  mcp: 'takes calls from a pipe, where nobody can be asked: `apply_plan` applies',
  init: '`--undo` takes back that the client asks before `apply_plan`',
}

/** Tools whose credentials an unsandboxed shell has as well. Without curl, which is everybody's. */
const direct = (): readonly string[] => builtInTools().filter(name => name !== 'curl')

export function shellParts(): readonly (readonly [file: string, text: string])[] {
  const blocks: Readonly<Record<string, string>> = {
    codex: fence('python', codexRules()),
    claude: fence('json', json(claudeSettings())),
    opencode: fence('json', json(opencodeConfig())),
    cursor: fence('json', json(cursorPermissions())),
    vscode: fence('json', json(vscodeSettings())),
  }
  const rows = Object.entries(UNASKED).map(([words, how]) => [code(`srecodex ${words}`), cell(how)])
  return [
    ['parts/shell.md', table(['command', 'how it goes around a person'], rows)],
    ['parts/shell-looking.md', `${LOOKING.map(words => code(`srecodex ${words}`)).join(', ')}.`],
    ...Object.entries(blocks).map(([name, text]) => [`parts/shell-${name}.md`, text] as const),
  ]
}

const json = (value: unknown): string => JSON.stringify(value, null, 2)

/** What is forbidden wins, so that nothing wider may stand there. */
function claudeSettings(): object {
  const rule = (words: string): string => `Bash(${words}:*)`
  return {
    permissions: {
      allow: LOOKING.map(words => rule(`srecodex ${words}`)),
      deny: [...Object.keys(UNASKED).map(words => `srecodex ${words}`), ...direct()].map(rule),
    },
    sandbox: { enabled: true },
  }
}

/** The last rule that matches wins. */
function opencodeConfig(): object {
  const rules = [
    ['*', 'ask'],
    ['srecodex *', 'deny'],
    ...LOOKING.map(words => [`srecodex ${words}*`, 'allow']),
    ...direct().map(tool => [`${tool} *`, 'deny']),
  ]
  return { permission: { bash: Object.fromEntries(rules) as object } }
}

const cursorPermissions = (): object => ({ terminalAllowlist: LOOKING.map(words => `srecodex ${words}`) })

function vscodeSettings(): object {
  const rules = [
    ...LOOKING.map(words => [`srecodex ${words}`, true]),
    ...[...Object.keys(UNASKED).map(words => `srecodex ${words}`), ...direct()].map(words => [words, false]),
  ]
  return { 'chat.tools.terminal.autoApprove': Object.fromEntries(rules) as object }
}

/** The strictest rule that matches wins. */
function codexRules(): string {
  const words = Object.keys(UNASKED).map(one => one.split(' '))
  const single = words.filter(({ length }) => length === 1).map(([word]) => word)
  const longer = words.filter(({ length }) => length > 1)
  const rule = (pattern: readonly unknown[], why: string): string =>
    `prefix_rule(\n    pattern = ${spaced(pattern)},\n    decision = "forbidden",\n    justification = ${JSON.stringify(why)},\n)`
  const why = 'a person types this; use the tools of srecodex'
  return [
    rule(['srecodex', single], why),
    ...longer.map(pattern => rule(['srecodex', ...pattern], why)),
    rule([direct()], 'call it from a script, by run_script'),
  ].join('\n')
}

const spaced = (value: unknown): string => JSON.stringify(value).replaceAll(',', ', ')
