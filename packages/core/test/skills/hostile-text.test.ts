import { expect, test } from 'vitest'
import { auditSkill } from '../../src/skills/audit.ts'
import { directiveState } from '../../src/skills/directive.ts'
import { lintSkill } from '../../src/skills/lint.ts'
import { parseSkill } from '../../src/skills/read-skill.ts'
import { placeOf, skillText } from './fixture.ts'

const MANY = 2 ** 19

/** Each would take minutes where an expression goes back over what it has read. */
test.each([
  ['spaces in a heading', `## a${' '.repeat(MANY)}b`],
  ['comments that do not end', `## Script-First Directive\n\n${'<!--'.repeat(MANY / 4)}`],
  ['blank lines', '\n'.repeat(MANY)],
  ['headings', '# a\n'.repeat(MANY / 4)],
  ['deep headings', '# a\n## b\n### c\n'.repeat(MANY / 16)],
  ['brackets', '[a]('.repeat(MANY / 4)],
  ['backticks', '`` '.repeat(MANY / 4)],
  ['list marks', '- '.repeat(MANY / 2)],
  ['one word', 'a'.repeat(MANY)],
  ['words', 'all many each '.repeat(MANY / 16)],
  ['steps', 'deploy verify '.repeat(MANY / 16)],
  ['points', '. '.repeat(MANY / 2)],
])('a lot of %s is read, checked and judged in no time', (_name, hostile) => {
  const place = placeOf('/skills', 'a/b')
  const text = skillText({}, `## Usage\n\n${hostile}\n`)
  const start = performance.now()
  const parsed = parseSkill(text, place)
  const skill = parsed.skill!
  lintSkill(parsed, place, { entry: null, missingLinks: new Set() }, text)
  directiveState(skill.body)
  auditSkill({ skill, lineOf: parsed.frontMatter.lineOf, payload: { file: '/x', text: hostile } })
  expect(performance.now() - start).toBeLessThan(5000)
})
