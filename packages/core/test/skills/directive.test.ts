import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import {
  DIRECTIVE_HEADING,
  DIRECTIVE_TEXT,
  directiveState,
  holdsDirective,
  insertDirective,
  removeDirective,
} from '../../src/skills/directive.ts'

const SECTION = `${DIRECTIVE_HEADING}\n\n${DIRECTIVE_TEXT}\n`
const BODY = '# Skill: X\n\n## Usage\n\nDo it.\n\n## Examples\n\nOne.\n'
const WITH = `# Skill: X\n\n## Usage\n\nDo it.\n\n${SECTION}\n## Examples\n\nOne.\n`

test('the guide that ships holds the standard text', async () => {
  const guide = path.join(import.meta.dirname, '../../../../dotcodex/docs/SCRIPT-FIRST-DIRECTIVE.md')
  expect(holdsDirective(await readFile(guide, 'utf8'))).toBe(true)
})

test('it is put before the examples, once, and taken away without a trace', () => {
  expect(insertDirective(BODY)).toBe(WITH)
  expect(insertDirective(WITH)).toBe(WITH)
  expect(removeDirective(WITH)).toBe(BODY)
  expect(removeDirective(BODY)).toBe(BODY)
})

test.each([
  ['an altered one is replaced', WITH.replace('Execute the script once', 'Execute it'), WITH],
  ['a placeholder is replaced', WITH.replace(DIRECTIVE_TEXT, '[Standard directive text]'), WITH],
  ['two become one', `${WITH}\n${SECTION}`, WITH],
  ['a text without its section gets it', `${BODY}\n${DIRECTIVE_TEXT}\n`, `${WITH}\n`],
  ['without examples it comes last', '# X\n', `# X\n\n${SECTION}`],
  ['an empty body becomes the section', '', SECTION],
])('%s', (_name, body, expected) => {
  expect(insertDirective(body).trimEnd()).toBe(expected.trimEnd())
})

test.each<[string, string, ReturnType<typeof directiveState>]>([
  ['the standard text', WITH, { state: 'standard', line: 7 }],
  [
    'a comment in the section does not count',
    WITH.replace(DIRECTIVE_HEADING, `${DIRECTIVE_HEADING}\n<!-- keep -->`),
    { state: 'standard', line: 7 },
  ],
  [
    'the heading of the template',
    WITH.replace(DIRECTIVE_HEADING, `${DIRECTIVE_HEADING} (if applicable)`),
    { state: 'standard', line: 7 },
  ],
  ['one word less', WITH.replace('gracefully', ''), { state: 'altered', line: 7 }],
  ['one line more', WITH.replace('## Examples', 'And hurry.\n\n## Examples'), { state: 'altered', line: 7 }],
  [
    'under a smaller heading',
    WITH.replace(DIRECTIVE_HEADING, `#${DIRECTIVE_HEADING}`),
    { state: 'altered', line: 7 },
  ],
  ['without a heading', `x\n\n${DIRECTIVE_TEXT}`, { state: 'altered', line: 3 }],
  ['in a code block', `\`\`\`\n${SECTION}\`\`\`\n`, { state: 'absent', line: null }],
  ['nowhere', BODY, { state: 'absent', line: null }],
])('%s', (_name, body, expected) => {
  expect(directiveState(body)).toEqual(expected)
})
