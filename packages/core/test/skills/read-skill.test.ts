import { expect, test } from 'vitest'
import { SKILL_FIELDS } from '../../src/skills/fields.ts'
import { parseSkill } from '../../src/skills/read-skill.ts'
import { placeOf, rules, skillText } from './fixture.ts'

const place = placeOf('/skills', 'k8s/bulk-restart')
const read = (text: string) => parseSkill(text, place)

test('every field of the schema is read', () => {
  const { skill, problems } = read(
    skillText(
      {
        always_load: 'true',
        script_first: 'true',
        script_first_reason: '"many items"',
        version: '"1.2.0"',
        risk_level: 'high',
        requires_confirmation: 'true',
        timeout: '1800',
        commands: '[kubectl]',
        entry: './scripts/restart.py',
        inputs: '\n  type: object\n  properties:\n    names: { type: array }',
        outputs: '{ type: object }',
      },
      '# Body\n',
    ),
  )
  expect(problems).toEqual([])
  expect(skill).toEqual({
    ...place,
    name: 'Bulk Restart',
    description: 'Restart many deployments. Use when several must be restarted.',
    tags: ['k8s', 'restart'],
    intent: 'Use this when several deployments must be restarted.',
    alwaysLoad: true,
    scriptFirst: true,
    scriptFirstReason: 'many items',
    version: '1.2.0',
    riskLevel: 'high',
    requiresConfirmation: true,
    timeoutSeconds: 1800,
    commands: ['kubectl'],
    entry: 'scripts/restart.py',
    inputs: { type: 'object', properties: { names: { type: 'array' } } },
    outputs: { type: 'object' },
    body: '\n# Body\n',
    bodyLine: 21,
    problems: [],
  })
})

test('what is absent has its default', () => {
  const { skill } = read('---\nname: X\ndescription: Y\n---\n')
  const defaults = Object.fromEntries(
    Object.entries(SKILL_FIELDS).map(([key, field]) => [key, field.default]),
  )
  expect(skill).toMatchObject({ ...defaults, name: 'X', description: 'Y' })
})

test('an Agent Skills file is read without a word', () => {
  const { skill, problems } = read(
    '---\nname: pdf-forms\ndescription: Fill PDF forms.\nlicense: MIT\ncompatibility: needs qpdf\nmetadata:\n  author: ada\nallowed-tools: Bash(qpdf:*) Read\n---\nbody',
  )
  expect(problems).toEqual([])
  expect(skill).toMatchObject({ name: 'pdf-forms', description: 'Fill PDF forms.', tags: [], intent: '' })
})

test('the older form says when_to_use', () => {
  const { skill, problems } = read('---\nname: Old\nwhen_to_use: when pods crash\n---\n')
  expect(problems).toEqual([])
  expect(skill).toMatchObject({ intent: 'when pods crash', description: 'when pods crash' })
})

test.each<[string, Record<string, string>, object, string[]]>([
  ['a version that YAML takes for a number', { version: '1.10' }, { version: '1.10' }, ['field/version:6']],
  ['a truth in words', { script_first: '"yes"' }, { scriptFirst: true }, ['field/script_first:6']],
  [
    'a doubt about confirmation means yes',
    { requires_confirmation: 'perhaps' },
    { requiresConfirmation: true },
    ['field/requires_confirmation:6'],
  ],
  ['an unknown risk is a high one', { risk_level: 'severe' }, { riskLevel: 'high' }, ['field/risk_level:6']],
  ['a risk in capitals', { risk_level: 'Medium' }, { riskLevel: 'medium' }, ['field/risk_level:6']],
  ['tags as one text', { tags: 'k8s, restart' }, { tags: ['k8s', 'restart'] }, ['field/tags:4']],
  ['a list of tags in quotes', { tags: '"[k8s, restart]"' }, { tags: ['k8s', 'restart'] }, ['field/tags:4']],
  ['tags with a number', { tags: '[404, k8s, k8s]' }, { tags: ['404', 'k8s'] }, []],
  ['a tag that is a map', { tags: '\n  - k8s\n  - { a: b }' }, { tags: ['k8s'] }, ['field/tags:6']],
  ['an entry outside', { entry: '../../bin/sh' }, { entry: null }, ['field/entry:6']],
  ['an absolute entry', { entry: '/bin/sh' }, { entry: null }, ['field/entry:6']],
  ['a timeout of no seconds', { timeout: '0' }, { timeoutSeconds: null }, ['field/timeout:6']],
  ['a timeout in quotes', { timeout: '"60"' }, { timeoutSeconds: 60 }, ['field/timeout:6']],
  ['a schema that is text', { inputs: 'none' }, { inputs: null }, ['field/inputs:6']],
  ['a name that is too long', { name: 'x'.repeat(65) }, { name: 'x'.repeat(65) }, ['field/name:2']],
  ['an escape sequence in a name', { name: '"a\\e[31mb"' }, { name: 'a [31mb' }, ['field/name:2']],
  ['a name over two lines', { name: '|\n  Bulk\n  Restart' }, { name: 'Bulk Restart' }, []],
  ['a slip in a key', { script_frist: 'true' }, { scriptFirst: false }, ['front-matter/unknown-key:6']],
  ['a key in camel case', { alwaysLoad: 'true' }, { alwaysLoad: false }, ['front-matter/unknown-key:6']],
  ['a key of nobody', { colour: 'red' }, {}, []],
])('%s', (_name, front, expected, found) => {
  const { skill, problems } = read(skillText(front))
  expect(skill).toMatchObject(expected)
  expect(rules(problems)).toEqual(found)
})

test('a slip in a key names the key that was meant', () => {
  const { problems } = read(skillText({ 'script-first': 'true' }))
  expect(problems).toEqual([
    {
      severity: 'warning',
      rule: 'front-matter/unknown-key',
      message: '`script-first` is not a key of a skill',
      hint: 'did you mean `script_first`?',
      at: { file: place.file, line: 6 },
    },
  ])
})

test('in a file that was not written for this project, a key that we do not know is no slip', () => {
  expect(read('---\nname: x\ndescription: y\nrisk: unknown\ntag: z\n---\n').problems).toEqual([])
})

test('a key of Object.prototype is a key like any other', () => {
  const { skill } = read('---\n__proto__: { name: polluted }\nconstructor: x\ndescription: y\n---\n# Title\n')
  expect(skill).toMatchObject({ name: 'Title', description: 'y' })
  expect(Object.hasOwn(Object.prototype, 'name')).toBe(false)
})
