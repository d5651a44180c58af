import { chmod, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { DIRECTIVE_HEADING, DIRECTIVE_TEXT } from '../../src/skills/directive.ts'
import { applyFixes, lintSkill, lintSkills } from '../../src/skills/lint.ts'
import type { SkillFacts } from '../../src/skills/lint.ts'
import { parseSkill } from '../../src/skills/read-skill.ts'
import { placeOf, rules, skillText, temporaryFolder, write } from './fixture.ts'

const USAGE = '## Usage\n\nRestart them.\n'
const EXAMPLES = '## Examples\n\n**User**: "a"\n\n**User**: "b"\n'
const IMPLEMENTATION = '## Implementation\n\nThe payload.\n'
const DIRECTIVE = `${DIRECTIVE_HEADING}\n\n${DIRECTIVE_TEXT}\n`
const body = (...sections: string[]): string => ['# Skill: X\n', ...sections].join('\n')
const BODY = body(USAGE, EXAMPLES)

const ENTRY = { entry: 'scripts/x.py', inputs: '{ type: object }', outputs: '{ type: object }' }
const NO_FILES: SkillFacts = { entry: null, missingLinks: new Set() }
const GOOD_ENTRY = { isFile: true, isExecutable: true, firstLine: '#!/usr/bin/env python3' }

const lint = (text: string, facts: SkillFacts = NO_FILES, id = 'k8s/x') => {
  const place = placeOf('/skills', id)
  return lintSkill(parseSkill(text, place), place, facts, text)
}

test('a skill as the template wants it has no findings', () => {
  const facts = { entry: GOOD_ENTRY, missingLinks: new Set<string>() }
  const front = {
    ...ENTRY,
    script_first: 'true',
    version: '"1.0.0"',
    risk_level: 'high',
    requires_confirmation: 'true',
  }
  expect(lint(skillText(front, body(USAGE, DIRECTIVE, EXAMPLES, IMPLEMENTATION)), facts)).toEqual({
    id: 'k8s/x',
    file: '/skills/k8s/x/SKILL.md',
    findings: [],
    fix: null,
  })
})

test.each<[string, Record<string, string>, string, string[]]>([
  [
    'no name, tags, intent',
    { name: '', tags: '[]', intent: '' },
    BODY,
    ['schema/required:1', 'schema/required:1', 'schema/required:1'],
  ],
  ['no description', { description: '' }, BODY, ['schema/description:1']],
  ['the older form', { when_to_use: 'x' }, BODY, ['schema/when-to-use:6']],
  ['a description for nobody', { description: '"Restarts deployments."' }, BODY, ['description/when:3']],
  [
    'a description that says when too late',
    { description: `"${'x '.repeat(125)} use when"` },
    BODY,
    ['description/when:3'],
  ],
  [
    'a description past every limit',
    { description: `"Use when ${'x'.repeat(1024)}"` },
    BODY,
    ['field/description:3', 'description/length:3'],
  ],
  ['a description with a tag', { description: '"Use when <b>bold</b>"' }, BODY, ['description/markup:3']],
  ['a tag in capitals', { tags: '[k8s, Restart]' }, BODY, ['tags/form:4']],
  ['a version of its own kind', { version: '"one"' }, BODY, ['version/form:6']],
  ['a wrong type', { script_first: '"true"' }, body(USAGE, DIRECTIVE, EXAMPLES), ['field/script_first:6']],
  ['a slip in a key', { script_frist: 'true' }, BODY, ['front-matter/unknown-key:6']],
  ['no sections', {}, '# X\n', ['sections/usage:7', 'sections/examples:7']],
  ['purpose serves as usage', {}, body('## Purpose\n\nx\n', EXAMPLES), []],
  ['one example', {}, body(USAGE, '## Examples\n\n**User**: "a"\n'), ['sections/few-examples:14']],
  ['two code blocks are two examples', {}, body(USAGE, '## Examples\n\n```\na\n```\n\n```\nb\n```\n'), []],
  [
    'two lines of code are not',
    {},
    body(USAGE, '## Examples\n\n```\n- a\n- b\n```\n'),
    ['sections/few-examples:14'],
  ],
  ['an empty section', {}, body(USAGE, EXAMPLES, '## Notes\n\n<!-- later -->\n'), ['sections/empty:20']],
  ['the wrong order', {}, body(EXAMPLES, USAGE), ['sections/order:10']],
  ['a body too long', {}, `${BODY}\n${'x\n'.repeat(600)}`, ['body/size:7']],
  ['a schema that is no object', { inputs: '{ type: array }' }, BODY, ['schema/json-schema:6']],
  [
    'a schema with a slip',
    { inputs: '{ type: object, properties: { a: { type: strnig } }, required: [b] }' },
    BODY,
    ['schema/json-schema:6', 'schema/json-schema:6'],
  ],
  ['high risk that asks nobody', { risk_level: 'high' }, BODY, ['risk/confirmation:6']],
  ['a directive that is missing', { script_first: 'true' }, BODY, ['directive/missing:8']],
  [
    'a directive that was edited',
    { script_first: 'true' },
    body(USAGE, DIRECTIVE.replace('once', 'twice'), EXAMPLES),
    ['directive/altered:15'],
  ],
  ['a directive that does not belong', {}, body(USAGE, DIRECTIVE, EXAMPLES), ['directive/unwanted:14']],
])('%s', (_name, front, text, found) => {
  expect(rules(lint(skillText(front, text)).findings)).toEqual(found)
})

test.each<[string, SkillFacts['entry'], Record<string, string>, string[]]>([
  ['is not there', { isFile: false, isExecutable: false, firstLine: '' }, ENTRY, ['entry/missing:6']],
  ['cannot be run', { ...GOOD_ENTRY, isExecutable: false }, ENTRY, ['entry/executable:6']],
  ['has no #! line', { ...GOOD_ENTRY, firstLine: 'import json' }, ENTRY, ['entry/shebang:6']],
  ['has the #! line of another', { ...GOOD_ENTRY, firstLine: '#!/bin/sh' }, ENTRY, ['entry/shebang:6']],
  ['is in another language', GOOD_ENTRY, { ...ENTRY, entry: 'scripts/x.rb' }, ['entry/language:6']],
  ['has no schema', GOOD_ENTRY, { entry: 'scripts/x.py' }, ['entry/schemas:6', 'entry/schemas:6']],
])('a payload that %s', (_name, entry, front, found) => {
  const text = skillText(front, body(USAGE, EXAMPLES, IMPLEMENTATION))
  expect(rules(lint(text, { entry, missingLinks: new Set() }).findings)).toEqual(found)
})

test('a payload wants a section that tells of it', () => {
  const facts = { entry: GOOD_ENTRY, missingLinks: new Set<string>() }
  expect(rules(lint(skillText(ENTRY, BODY), facts).findings)).toEqual(['sections/implementation:10'])
})

test.each([
  ['K8s/x', ['id/slug:1']],
  ['k8s/under_score', ['id/slug:1']],
  [`k8s/${'x'.repeat(61)}`, ['id/slug:1']],
  [`k8s/${'x'.repeat(60)}`, []],
])('the id %s', (id, found) => {
  expect(rules(lint(skillText({}, BODY), NO_FILES, id).findings)).toEqual(found)
})

test('an error reads as what, where and what to do', () => {
  expect(lint(skillText({ name: '' }, BODY)).findings).toEqual([
    {
      severity: 'error',
      rule: 'schema/required',
      message: 'skill `k8s/x` has no `name`',
      hint: 'add `name`: What people call the skill.',
      at: { file: '/skills/k8s/x/SKILL.md', line: 1 },
      isFixable: false,
    },
  ])
})

const HASTY = '#!/usr/bin/env python3\nprint("{}")\n'

test('the loader finds links and payloads, and the fixes make the findings go', async () => {
  const root = await temporaryFolder()
  const place = placeOf(root, 'k8s/x')
  const links =
    '## Notes\n\n[there](scripts/x.py#L1) [gone](gone.md) [web](https://a.b/c) [part](#usage) [out](../y/SKILL.md)\n'
  const text = skillText({ ...ENTRY, script_first: 'true' }, body(USAGE, EXAMPLES, IMPLEMENTATION, links))
  await write(place.file, `\uFEFF${text.replaceAll('\n', '\r\n')}`)
  await write(path.join(place.folder, 'scripts/x.py'), HASTY)
  await write(path.join(root, 'k8s/y/SKILL.md'), '')

  const before = await lintSkills([place])
  expect(rules(before.skills[0]!.findings)).toEqual([
    'file/byte-order-mark:1',
    'file/line-ends:1',
    'entry/executable:6',
    'directive/missing:11',
    'links/resolve:30',
    'links/inside:30',
  ])
  expect([before.errors, before.warnings, before.fixable]).toEqual([4, 2, 4])

  const fix = before.skills[0]!.fix!
  expect(fix.rules).toEqual([
    'file/byte-order-mark',
    'file/line-ends',
    'entry/executable',
    'directive/missing',
  ])
  expect(await applyFixes([fix])).toEqual({ fixed: [fix], skipped: [] })
  const after = await lintSkills([place])
  expect(rules(after.skills[0]!.findings)).toEqual(['links/resolve:46', 'links/inside:46'])
  expect((await stat(path.join(place.folder, 'scripts/x.py'))).mode & 0o777).toBe(0o755)
})

test('a fix is not written over what somebody wrote meanwhile', async () => {
  const root = await temporaryFolder()
  const place = placeOf(root, 'x')
  await write(place.file, skillText({ script_first: 'true' }, BODY))
  await chmod(place.file, 0o640)
  const { fix } = (await lintSkills([place])).skills[0]!
  await write(place.file, 'mine')
  expect(await applyFixes([fix!])).toEqual({ fixed: [], skipped: [fix] })
  expect(await readFile(place.file, 'utf8')).toBe('mine')
})

test("a directive in an author's own words is reported and not thrown away", () => {
  const own = body(USAGE, DIRECTIVE.replace('once', 'once, after lunch'), EXAMPLES)
  const { findings, fix } = lint(skillText({}, own))
  expect(findings.map(({ rule, isFixable }) => [rule, isFixable])).toEqual([['directive/unwanted', false]])
  expect(fix).toBeNull()
})

test('a file that is not UTF-8 is not saved anew', async () => {
  const place = placeOf(await temporaryFolder(), 'x')
  await write(
    place.file,
    Buffer.concat([Buffer.from(skillText({ script_first: 'true' }, BODY)), Buffer.from([0xff])]),
  )
  const { findings, fix } = (await lintSkills([place])).skills[0]!
  expect(rules(findings)).toEqual(['directive/missing:8', 'file/encoding:20'])
  expect(fix).toBeNull()
})
