import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { lintSkills } from '../../src/skills/lint.ts'
import { createSkill, planSkill } from '../../src/skills/new.ts'
import type { EntryLanguage } from '../../src/skills/new.ts'
import { placeOf, rules, temporaryFolder, write } from './fixture.ts'

/** As the owner wrote it down. */
const OWNERS = `---
name: "[Skill Name]"
tags: ["tag1", "tag2"]
intent: "[When to use this skill]"
script_first: false  # Set to true for bulk/iterative operations
---

# Skill: [name]

## Usage
[How to use this skill]

## Script-First Directive (if applicable)
<!-- Include if script_first: true -->
**SCRIPT-FIRST EXECUTION REQUIRED**
[Standard directive text]

## Examples
[Few-shot examples]

## Implementation
[The executable payload]
`

const shippedTemplate = (): Promise<string> =>
  readFile(path.join(import.meta.dirname, '../../../../dotcodex/templates/SKILL.template.md'), 'utf8')

const COMMANDS: Readonly<Record<EntryLanguage, string>> = {
  python: 'python3',
  shell: 'bash',
  javascript: 'node',
}

test('the text of a new skill', () => {
  const [file] = planSkill({ id: 'k8s/bulk-restart', template: OWNERS, scriptFirst: true })
  expect(file?.path).toBe('k8s/bulk-restart/SKILL.md')
  expect(file?.text).toMatchInlineSnapshot(`
    "---
    name: "Bulk Restart"
    description: "Bulk Restart. Use this when … (say when Bulk Restart is the skill to take)."
    tags: ["k8s", "bulk", "restart"]
    intent: "Use this when … (say when Bulk Restart is the skill to take)."
    script_first: true
    ---

    # Skill: Bulk Restart

    ## Usage

    Say here what Bulk Restart does, what it needs, and when another skill fits better.

    ## Script-First Directive

    **SCRIPT-FIRST EXECUTION REQUIRED**

    Do not execute this task row-by-row or chat turn-by-turn. Instead:

    1. Write one Python, Bash or JavaScript script that:
       - Iterates through all inputs
       - Applies the required logic
       - Handles errors gracefully
       - Prints a final summary

    2. Execute the script once

    3. Return only the summary to the conversation

    ## Examples

    **User**: "Describe a typical request for Bulk Restart."

    **Agent**: Say what the agent does with it.

    **User**: "Describe a second one, such as the case that goes wrong."

    **Agent**: Say what the agent does then, and what it returns.

    ## Implementation

    The skill is text only: the agent writes the commands. Name them here, with what can go wrong.
    "
  `)
})

test.each<[string, () => Promise<string>]>([
  ["the owner's template", () => Promise.resolve(OWNERS)],
  ['the template that ships', shippedTemplate],
  ['a template with nothing but front matter', () => Promise.resolve('---\nname: x\n---\n')],
])('what is made from %s passes lint as it is', async (_name, template) => {
  const skills = await temporaryFolder()
  const text = await template()
  const places = []
  for (const scriptFirst of [true, false]) {
    for (const entry of [undefined, 'python', 'shell', 'javascript'] as const) {
      const id = `area/${scriptFirst ? 'bulk' : 'one'}-${entry ?? 'text'}`
      await createSkill(skills, {
        id,
        template: text,
        scriptFirst,
        ...(entry === undefined ? {} : { entry }),
      })
      places.push(placeOf(skills, id))
    }
  }
  const report = await lintSkills(places)
  expect(report.skills.map(({ id, findings }) => [id, rules(findings)])).toEqual(
    places.map(({ id }) => [id, []]),
  )
})

test.each(['python', 'shell', 'javascript'] as const)('the %s payload of a new skill runs', async entry => {
  const skills = await temporaryFolder()
  const { files } = await createSkill(skills, { id: 'a/b', template: OWNERS, entry })
  const out = execFileSync(COMMANDS[entry], [files[1]!], {
    input: '{"items":["x","y"]}',
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  expect(JSON.parse(out.toString())).toHaveProperty('summary')
})

test("an author's own words in the template stay, and so do keys", () => {
  const template = OWNERS.replace('[How to use this skill]', 'Ask on call first.').replace(
    '---\nname',
    '---\nrisk_level: high\nname',
  )
  const [file] = planSkill({
    id: 'a/b',
    template,
    name: 'Say "hi"',
    intent: 'Use this when: needed',
    tags: ['x'],
  })
  expect(file?.text).toContain('Ask on call first.')
  expect(file?.text).toContain('risk_level: high\nname: "Say \\"hi\\""\n')
  expect(file?.text).toContain('intent: "Use this when: needed"\n')
})

test('it writes over nothing', async () => {
  const skills = await temporaryFolder()
  await write(path.join(skills, 'a/b/notes.txt'), 'mine')
  await expect(createSkill(skills, { id: 'a/b', template: OWNERS })).rejects.toMatchObject({
    code: 'USAGE',
    message: `\`a/b\` is there already: ${path.join(skills, 'a/b')}`,
  })
  expect(await readdir(path.join(skills, 'a/b'))).toEqual(['notes.txt'])
  await mkdir(path.join(skills, 'a/empty'))
  await createSkill(skills, { id: 'a/empty', template: OWNERS })
  await expect(createSkill(skills, { id: 'a/empty', template: OWNERS })).rejects.toMatchObject({
    code: 'USAGE',
  })
})

test.each([
  '',
  '/',
  '../x',
  'a/../b',
  'A/b',
  'a b',
  'a_b',
  '-a',
  'a-',
  'a--b',
  '.hidden',
  'a/b/c/d/e/f/g',
  'x'.repeat(65),
])('the id %j is refused', id => {
  expect(() => planSkill({ id, template: OWNERS })).toThrow(expect.objectContaining({ code: 'USAGE' }))
})
