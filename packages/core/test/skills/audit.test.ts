import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { auditSkill, auditSkills, renderChecklist, writeChecklist } from '../../src/skills/audit.ts'
import { parseSkill } from '../../src/skills/read-skill.ts'
import { loadRegistry } from '../../src/skills/registry.ts'
import { folderOf, placeOf, skillText, temporaryFolder, write } from './fixture.ts'

const audit = (id: string, front: Record<string, string>, body = '# X\n', payload: string | null = null) => {
  const place = placeOf('/skills', id)
  const { skill, frontMatter } = parseSkill(skillText({ name: JSON.stringify(id), ...front }, body), place)
  return auditSkill({
    skill: skill!,
    lineOf: frontMatter.lineOf,
    payload: payload === null ? null : { file: path.join(place.folder, 'scripts/x.py'), text: payload },
  })
}

const about = (intent: string, description = intent): Record<string, string> => ({
  intent: JSON.stringify(intent),
  description: JSON.stringify(description),
})

const ONE = '\n  type: object\n  properties:\n    pod: { type: string }'
const MANY = '\n  type: object\n  properties:\n    pods: { type: array, items: { type: string } }'

test.each<[string, string, Record<string, string>, boolean]>([
  ['restart in bulk', 'k8s/bulk-restart', about('Use this when many deployments must be restarted.'), true],
  ['delete by pattern', 'k8s/pod-cleanup', about('Delete all evicted pods.'), true],
  ['search logs', 'logs/cloudwatch-search', about('Search log groups and count errors.'), true],
  ['query many', 'aws/ec2-inventory', about('List instances across all regions.'), true],
  ['run several in order', 'db/migration-batch', about('Apply pending migrations in order.'), true],
  ['work off a backlog', 'monitoring/alert-triage', about('Group the alert backlog by cause.'), true],
  [
    'deploy, verify, roll back',
    'deploy/rollout',
    about('Deploy a version, verify its health, and roll back if it fails.'),
    true,
  ],
  ['more than ten', 'certs/renew', { ...about('Renew 40 certificates.'), inputs: MANY }, true],
  ['a payload alone can tell', 'misc/work', { ...about('Does the work.'), inputs: MANY }, false],
  ['a single item', 'k8s/single-pod-restart', { ...about('Restart exactly one pod.'), inputs: ONE }, false],
  ['a single operation', 'db/connection-test', about('Test whether the database can be reached.'), false],
  ['diagnosis', 'net/dns-debug', about('Diagnose DNS step by step: look at all records.'), false],
  [
    'what it is not for does not count',
    'k8s/logs-of-pod',
    about('Show what one pod printed. Not for many pods: use k8s/bulk-logs.'),
    false,
  ],
  ['nothing', 'misc/hello', about('Say hello.'), false],
])('%s', (_name, id, front, needs) => {
  expect(audit(id, front).needsDirective).toBe(needs)
})

test('a loop in the payload and a list among the inputs add up', () => {
  const front = { ...about('Does the work.'), inputs: MANY, entry: 'scripts/x.py' }
  const { score, needsDirective, evidence } = audit(
    'misc/work',
    front,
    '# X\n',
    'import x\nfor pod in pods:\n  go(pod)\n',
  )
  expect({ score, needsDirective }).toEqual({ score: 4, needsDirective: true })
  expect(evidence).toEqual([
    { sign: 'loop', weight: 2, words: 'for pod in', at: { file: '/skills/misc/work/scripts/x.py', line: 2 } },
    {
      sign: 'plural-input',
      weight: 2,
      words: 'pods: array',
      at: { file: '/skills/misc/work/SKILL.md', line: 9 },
    },
  ])
})

test('evidence in the body has the line of the file', () => {
  const body = '# X\n\n## Usage\n\nFirst.\nRestart all pods.\n\n## Notes\n\nhundreds of pods\n'
  const { evidence } = audit('misc/work', about('Does the work.'), body)
  expect(evidence).toEqual([
    { sign: 'bulk', weight: 1, words: 'all pods', at: { file: '/skills/misc/work/SKILL.md', line: 13 } },
  ])
})

const BULK = about('Restart all deployments in bulk.')
const SINGLE = about('Restart exactly one pod.')

test.each<[string, Record<string, string>, string, string, string]>([
  [
    'evidence and skill agree',
    { ...BULK, script_first: 'true' },
    'applied',
    'evidence',
    'many items ("bulk")',
  ],
  [
    'evidence wants what is not there',
    BULK,
    'pending',
    'evidence',
    'should be script-first: many items ("bulk")',
  ],
  [
    'a person says no',
    { ...BULK, script_first_reason: '"two at most"' },
    'not-applicable',
    'person',
    'two at most',
  ],
  [
    'evidence speaks against',
    { ...SINGLE, script_first: 'true' },
    'pending',
    'evidence',
    'script_first is true, but: single item ("exactly one")',
  ],
  [
    'a person says yes',
    { ...SINGLE, script_first: 'true', script_first_reason: '"called in loops"' },
    'applied',
    'person',
    'called in loops',
  ],
  ['both say no', SINGLE, 'not-applicable', 'evidence', 'single item ("exactly one")'],
  ['there is nothing', about('Say hello.'), 'not-applicable', 'evidence', 'nothing speaks for a script'],
])('when %s', (_name, front, verdict, decidedBy, reason) => {
  expect(audit('k8s/x', front)).toMatchObject({ verdict, decidedBy, reason })
})

test('the checklist', () => {
  const skills = [
    audit('k8s/bulk-restart', { ...BULK, script_first: 'true' }),
    audit('k8s/pod-cleanup', BULK),
    audit('k8s/single-pod-restart', { ...SINGLE, script_first_reason: '"single item"' }),
  ]
  expect(renderChecklist({ skills, problems: [] })).toMatchInlineSnapshot(`
    "# Skills Requiring Script-First Directive

    Written by \`srecodex skills audit --write\` from the skills themselves. Do not edit it: set \`script_first\` and \`script_first_reason\` in the skill.

    ## Applied

    - [x] k8s/bulk-restart — many items ("bulk")

    ## Pending Review

    - [ ] k8s/pod-cleanup — should be script-first: many items ("cleanup")

    ## Not Applicable

    - k8s/single-pod-restart (single item)
    "
  `)
})

test('the checklist is written once', async () => {
  const file = path.join(await temporaryFolder(), 'SCRIPT-FIRST-SKILLS.md')
  const result = { skills: [audit('k8s/x', SINGLE)], problems: [] }
  expect([await writeChecklist(file, result), await writeChecklist(file, result)]).toEqual([
    'written',
    'unchanged',
  ])
  expect(await readFile(file, 'utf8')).toBe(renderChecklist(result))
})

test('an audit reads payloads, and what it cannot judge is a problem', async () => {
  const root = await folderOf({
    'a/SKILL.md': skillText({ ...about('Does.'), name: 'A', entry: 'x.py' }),
    'b/SKILL.md': '',
  })
  await write(path.join(root, 'a/x.py'), 'print(gather(1))\n')
  const { skills, problems } = await auditSkills([placeOf(root, 'b'), placeOf(root, 'a')])
  expect(skills.map(({ id, evidence }) => [id, evidence.map(({ sign }) => sign)])).toEqual([['a', ['loop']]])
  expect(problems.map(({ rule }) => rule)).toEqual(['file/empty'])
})

test('of the skills that ship, none is pending and each says what its evidence says', async () => {
  const shipped = path.join(import.meta.dirname, '../../../../dotcodex/skills')
  const registry = await loadRegistry({ folders: [shipped], cacheFolder: await temporaryFolder() })
  const { skills } = await auditSkills(registry.skills)
  const candidates = [
    'k8s/bulk-restart',
    'k8s/pod-cleanup',
    'logs/cloudwatch-search',
    'aws/ec2-inventory',
    'db/migration-batch',
    'monitoring/alert-triage',
  ]
  expect(skills.filter(({ verdict }) => verdict === 'pending')).toEqual([])
  expect(
    skills
      .filter(({ id }) => candidates.includes(id))
      .map(({ verdict, needsDirective, hasDirective }) => [verdict, needsDirective, hasDirective]),
  ).toEqual(candidates.map(() => ['applied', true, true]))
})
