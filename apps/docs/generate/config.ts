/** The reference of the config, from the table that the program reads it by. */

import { configKeys, type ConfigKey } from '../../../packages/core/src/config/schema.ts'
import { cell, code, page, table } from './markdown.ts'

export { configKeys }

const SECTIONS: Readonly<Record<string, string>> = {
  execution_environment: 'What a script may read, write and reach.',
  scripts: 'What may run, and for how long.',
  limits: 'What a run may use. Each ends the run when it is passed, and the report names it.',
  summary: 'What returns to the conversation.',
  mutations: 'What becomes of calls that change something.',
  runs: 'How long finished runs are kept.',
  'tools.NAME':
    'A host command that scripts may call. `kubectl`, `helm`, `aws`, `psql`, `amtool` and `curl` have tables of their own and need no entry.',
  'mcp_servers.NAME': 'An MCP server whose tools scripts may call. The shape is the one that Codex uses.',
}

export function configPage(): string {
  const bySection = Map.groupBy(configKeys(), ({ key }) => key.slice(0, key.lastIndexOf('.')))
  return page(
    'Config',
    'Every key of config.toml with its type, its default and what a project may not do with it.',
    [
      'The operator’s file is `~/.config/srecodex/config.toml`; a project’s is `dotcodex/config.toml`. A flag goes over a variable, a variable over the project, the project over the operator. A project’s file can tighten what the operator allows; what the last column says is loosening counts there only after `srecodex trust`. `srecodex config show --origin` prints what is in force and which file says so.',
      ...[...bySection].flatMap(([section, keys]) => [
        `## ${section}`,
        SECTIONS[section] ?? '',
        table(
          ['key', 'type', 'default', 'meaning', 'loosens'],
          keys.map(key => [
            code(key.key.slice(section.length + 1)),
            cell(key.type),
            shown(key),
            cell(key.description),
            cell(key.loosens ?? 'never'),
          ]),
        ),
      ]),
    ],
  )
}

const shown = ({ default: value }: ConfigKey): string =>
  value === null ? '' : code(JSON.stringify(value).replaceAll(',"', ', "'))
