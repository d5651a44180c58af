/** `srecodex skills …`: found, checked, judged, started, installed. */

import { project, type Project } from '@srecodex/testkit'
import { execa } from 'execa'
import { chmodSync, globSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const DOTCODEX = fileURLToPath(new URL('../../../dotcodex', import.meta.url))
const SHIPPED = join(DOTCODEX, 'skills')
const SHIPPED_IDS = globSync('**/SKILL.md', { cwd: SHIPPED })
  .map(file => dirname(file))
  .sort()

/** A skill that lint has nothing to say about. */
function skill(name: string, { keys = '', body = '' } = {}): string {
  return `---
name: ${name}
description: ${name} the nodes of a rack. Use when a rack is moved.
tags: [rack]
intent: Use this when a rack is moved.
${keys}---

# Skill: ${name}

## Usage

Give it the rack.

## Examples

**User**: "Move rack 7."

**User**: "Move all racks of a row."
${body}`
}

const mine = { 'mine/rack/move/SKILL.md': skill('Move') }

describe('list', () => {
  test('what ships, without any setup', async () => {
    const { run } = project()
    const { exitCode, stderr, json } = await run('skills list --json')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const { skills, shadowed, problems } = json()
    expect(skills.map(({ id }: { id: string }) => id)).toEqual(SHIPPED_IDS)
    expect({ shadowed, problems }).toEqual({ shadowed: [], problems: [] })
  })

  test('a table in the width of the terminal', async () => {
    const { run } = project({ files: mine })
    const list = (env = {}) => run('skills list --skills-dir mine', { env })
    expect((await list()).transcript).toMatchInlineSnapshot(`
      "ID         NAME  RISK  SCRIPT  WHEN TO USE
      rack/move  Move  low           Move the nodes of a rack.
      "
    `)
    expect((await list({ COLUMNS: '50' })).transcript).toMatchInlineSnapshot(`
      "ID         NAME  RISK  SCRIPT  WHEN TO USE
      rack/move  Move  low           Move the nodes of …
      "
    `)
  })

  test('what a later folder covers is told', async () => {
    const { run, srecodexHome, path } = project({
      files: {
        'dotcodex/skills/k8s/bulk-restart/SKILL.md': skill('Ours'),
        'dotcodex/skills/rack/move/SKILL.md': skill('Of the project'),
      },
    })
    mkdirSync(join(srecodexHome, 'config'), { recursive: true })
    symlinkSync(path('dotcodex/skills'), path('linked'))
    const { json, stderr } = await run('skills list --json')
    expect(stderr).toBe('')
    expect(json().shadowed).toEqual([
      {
        id: 'k8s/bulk-restart',
        file: join(SHIPPED, 'k8s/bulk-restart/SKILL.md'),
        by: path('dotcodex/skills/k8s/bulk-restart/SKILL.md'),
      },
    ])
    expect((await run('skills list')).stderr.replaceAll(DOTCODEX, 'DOTCODEX')).toMatchInlineSnapshot(`
      "note: k8s/bulk-restart: dotcodex/skills/k8s/bulk-restart/SKILL.md covers DOTCODEX/skills/k8s/bulk-restart/SKILL.md
      "
    `)
    // One folder by two names is one folder.
    expect(
      (await run('skills list --skills-dir dotcodex/skills --skills-dir linked --json')).json(),
    ).toMatchObject({ shadowed: [] })
  })

  test('shipped, the user, the project: each covers the one before', async () => {
    const at = project({ files: { 'dotcodex/skills/rack/move/SKILL.md': skill('Of the project') } })
    at.write('../srecodex/config/skills/rack/move/SKILL.md', skill('Of the user'))
    at.write('../srecodex/config/skills/k8s/bulk-restart/SKILL.md', skill('Of the user'))
    const { skills, shadowed } = (await at.run('skills list --json')).json()
    const nameOf = (id: string): string => skills.find((one: { id: string }) => one.id === id).name
    expect({ move: nameOf('rack/move'), restart: nameOf('k8s/bulk-restart') }).toEqual({
      move: 'Of the project',
      restart: 'Of the user',
    })
    expect(shadowed).toHaveLength(2)
  })

  test('a bad file is told, and hides no other', async () => {
    const { run } = project({
      files: { ...mine, 'mine/bad/SKILL.md': '---js\nprocess.exit(9)\n---\n# Bad\n' },
    })
    expect((await run('skills list --skills-dir mine')).transcript).toMatchInlineSnapshot(`
      "ID         NAME  RISK  SCRIPT  WHEN TO USE
      rack/move  Move  low           Move the nodes of a rack.
      --- stderr
      error[front-matter/language]: front matter in \`js\` is not read
        at mine/bad/SKILL.md:1
        hint: begin the file with a line that is exactly \`---\`
      "
    `)
  })

  test('none, and no such folder', async () => {
    const { run, path } = project()
    mkdirSync(path('empty'))
    expect((await run('skills list --skills-dir empty')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      no skills yet: srecodex skills new AREA/NAME starts one
      "
    `)
    expect((await run('skills list --skills-dir nowhere')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: \`--skills-dir\` is "nowhere"; there is no such folder

      hint: it is the folder that holds the skills, such as dotcodex/skills
      --- exit code 2
      "
    `)
    expect((await run('skills search --skills-dir nowhere rack')).exitCode).toBe(2)
    expect((await run('skills lint --skills-dir nowhere')).exitCode).toBe(2)
  })
})

describe('search', () => {
  const FOUND = {
    id: expect.any(String),
    name: expect.any(String),
    score: expect.any(Number),
    path: expect.stringMatching(/^\/.*\/SKILL\.md$/),
    why: expect.arrayContaining([expect.any(String)]),
  }

  test('by words, for a person', async () => {
    const { run } = project()
    const { exitCode, stdout, stderr } = await run('skills search restart many deployments')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const [title, first] = stdout.split('\n')
    expect(title).toMatch(/^ID +NAME +SCORE {2}WHY$/)
    expect(first).toMatch(/^k8s\/bulk-restart +Bulk Restart +\d\.\d\d {2}.*restart in /)
  })

  test('--json: best first, and nothing but what the contract names', async () => {
    const { run } = project()
    const { json, stderr } = await run('skills search --json restart many deployments')
    const found = json()
    expect(stderr).toBe('')
    expect(found[0]).toEqual({
      ...FOUND,
      id: 'k8s/bulk-restart',
      path: join(SHIPPED, 'k8s/bulk-restart/SKILL.md'),
    })
    for (const one of found) expect(one).toEqual(FOUND)
    const scores = found.map(({ score }: { score: number }) => score)
    expect(scores).toEqual(scores.toSorted((a: number, b: number) => b - a))
  })

  test('--limit; the words may be one argument', async () => {
    const { run } = project()
    const search = async (...args: string[]) => (await run(['skills', 'search', '--json', ...args])).json()
    const all = await search('restart pod')
    expect(all.length).toBeGreaterThan(1)
    expect(all.length).toBeLessThanOrEqual(5)
    expect(await search('--limit', '1', 'restart', 'pod')).toEqual(all.slice(0, 1))
  })

  test.for([
    ['pods keep dying', /^k8s\//],
    ['kuberntes', /^k8s\//],
    ['CW logs', /^logs\/cloudwatch-search$/],
    ['ec2 isntances', /^aws\/ec2-inventory$/],
  ] as const)('%s', async ([query, id]) => {
    const [best] = (await project().run(['skills', 'search', '--json', query])).json()
    expect(best.id).toMatch(id)
  })

  test('nothing fits', async () => {
    const { run } = project()
    expect((await run('skills search bake sourdough bread')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      nothing fits among 15 skills: do the job without one
      "
    `)
    expect((await run('skills search --json bake sourdough bread')).transcript).toBe('[]\n')
  })

  test('--stdin: one array for each line', async () => {
    const { run } = project()
    // An empty line, one with a separator that is no end of a line, one of DOS, and a last one without its end.
    const stdin = 'ec2 inventory\n\nbake sourdough\u2028bread\ncloudwatch logs\r\nrestart many deployments'
    const { stdout, stderr, exitCode } = await run('skills search --stdin --limit 1', { stdin })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const ids = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).map(({ id }: { id: string }) => id))
    expect(ids).toEqual([['aws/ec2-inventory'], [], [], ['logs/cloudwatch-search'], ['k8s/bulk-restart']])
    expect((await run('skills search --stdin', { stdin: '' })).transcript).toBe('')
  })

  test('no query, and both', async () => {
    const { run } = project()
    expect((await run('skills search')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: a query, or --stdin, is needed

      hint: srecodex skills search pods keep dying
      --- exit code 2
      "
    `)
    expect((await run('skills search --stdin pods')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: --stdin takes no query

      hint: srecodex skills search pods keep dying
      --- exit code 2
      "
    `)
    expect((await run(['skills', 'search', ' '])).exitCode).toBe(2)
  })

  test('what changes is found at once', async () => {
    const { run, write } = project({ files: mine })
    const search = async (word: string) =>
      (await run(`skills search --json --skills-dir mine ${word}`)).json().length
    expect(await search('rack')).toBe(1)
    expect(await search('gearbox')).toBe(0)
    write('mine/gearbox/SKILL.md', skill('Gearbox'))
    expect(await search('gearbox')).toBe(1)
  })
})

describe('show', () => {
  test('the file, or all that is read of it', async () => {
    const { run } = project({ files: mine })
    expect((await run('skills show rack/move --skills-dir mine')).transcript).toBe(skill('Move'))
    expect((await run('skills show rack/move --skills-dir mine --json')).json()).toMatchObject({
      id: 'rack/move',
      name: 'Move',
      scriptFirst: false,
      body: expect.stringContaining('Give it the rack.'),
    })
  })

  test('an unknown id', async () => {
    const { run } = project()
    expect((await run('skills show k8s/bulk-restrat')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[SKILL_NOT_FOUND]: there is no skill \`k8s/bulk-restrat\`

      hint: did you mean k8s/bulk-restart?
      --- exit code 2
      "
    `)
    expect((await run('skills show bulk-restart')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[SKILL_NOT_FOUND]: there is no skill \`bulk-restart\`

      hint: did you mean k8s/bulk-restart?
      --- exit code 2
      "
    `)
    expect((await run('skills show frobnicate')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[SKILL_NOT_FOUND]: there is no skill \`frobnicate\`

      hint: srecodex skills search finds one by its task
      --- exit code 2
      "
    `)
    expect((await run('skills show frobnicate --json')).json()).toMatchObject({
      error: { code: 'SKILL_NOT_FOUND' },
    })
  })

  test('a file that cannot be read says why', async () => {
    const { run } = project({ files: { ...mine, 'mine/bad/SKILL.md': '---js\n---\n# Bad\n' } })
    expect((await run('skills show bad --skills-dir mine')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[SKILL_NOT_FOUND]: front matter in \`js\` is not read
        at mine/bad/SKILL.md:1

      hint: begin the file with a line that is exactly \`---\`
      --- exit code 2
      "
    `)
    expect((await run('skills install bad --for codex --skills-dir mine')).exitCode).toBe(2)
  })

  test("a stranger's text does not steer the terminal", async () => {
    const body = '\n\u001B[2J\u001B]0;owned\u0007\rover\r\nwritten\u009B1m\n'
    const { run } = project({ files: { 'mine/rack/move/SKILL.md': skill('Move', { body }) } })
    const { raw } = await run('skills show rack/move --skills-dir mine')
    expect(raw.stdout).toBe(
      skill('Move', { body: '\n\uFFFD[2J\uFFFD]0;owned\uFFFD\uFFFDover\r\nwritten\uFFFD1m\n' }),
    )
  })
})

describe('lint', () => {
  test('what ships is clean', async () => {
    expect((await project().run('skills lint')).transcript).toBe(
      `--- stderr\n${SHIPPED_IDS.length} skills: 0 errors, 0 warnings\n`,
    )
  })

  const bad = {
    'mine/rack/move/SKILL.md': skill('Move', {
      keys: 'script_first: true\nentry: scripts/move.py\n',
      body: '\n## Implementation\n\nSee [the plan](plan.md).\n',
    }),
    'mine/rack/move/scripts/move.py': '#!/usr/bin/env python3\nprint("{}")\n',
    'mine/bad/SKILL.md': '---js\nprocess.exit(9)\n---\n# Bad\n',
    'mine/one/SKILL.md': skill('One').replace(/\*\*User\*\*: "Move all.*/, ''),
  }

  test('each finding with its line; exit 1 where one is an error', async () => {
    const { run } = project({ files: bad })
    expect((await run('skills lint --skills-dir mine')).transcript).toMatchInlineSnapshot(`
      "error[front-matter/language]: front matter in \`js\` is not read
        at mine/bad/SKILL.md:1
        hint: begin the file with a line that is exactly \`---\`

      error[sections/few-examples]: \`## Examples\` has one example; at least two are wanted
        at mine/one/SKILL.md:14
        hint: begin each with **User**: "…"

      error[entry/executable]: the payload \`scripts/move.py\` is not executable
        at mine/rack/move/SKILL.md:7
        hint: run chmod +x on it

      warning[entry/schemas]: the payload has no \`inputs\`: callers cannot know its shape
        at mine/rack/move/SKILL.md:7

      warning[entry/schemas]: the payload has no \`outputs\`: callers cannot know its shape
        at mine/rack/move/SKILL.md:7

      error[directive/missing]: script_first is true and the directive is not there
        at mine/rack/move/SKILL.md:9
        hint: run \`srecodex skills lint --fix\`

      error[links/resolve]: the link \`plan.md\` leads to no file
        at mine/rack/move/SKILL.md:24
      --- stderr
      3 skills: 5 errors, 2 warnings; --fix mends 2
      --- exit code 1
      "
    `)
    const { json, exitCode, stderr } = await run('skills lint one --skills-dir mine --json')
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' })
    expect(json()).toMatchObject({
      skills: [
        {
          id: 'one',
          findings: [
            { severity: 'error', rule: 'sections/few-examples', at: { line: 14 }, isFixable: false },
          ],
        },
      ],
      ...{ problems: [], errors: 1, warnings: 0, fixable: 0, fixed: 0 },
    })
  })

  test('warnings alone exit 0', async () => {
    const text = skill('Move', { keys: 'version: "1"\n' })
    const { run } = project({ files: { 'mine/rack/move/SKILL.md': text } })
    expect((await run('skills lint --skills-dir mine')).transcript).toMatchInlineSnapshot(`
      "warning[version/form]: \`version\` is "1", not of the form 1.2.3
        at mine/rack/move/SKILL.md:6
      --- stderr
      1 skill: 0 errors, 1 warning
      "
    `)
  })

  test('--fix mends what is safe to mend, and says what is left', async () => {
    const { run, read, path } = project({ files: bad })
    expect(statSync(path('mine/rack/move/scripts/move.py')).mode & 0o111).toBe(0)
    expect((await run('skills lint --skills-dir mine rack/move --fix')).transcript).toMatchInlineSnapshot(`
      "warning[entry/schemas]: the payload has no \`inputs\`: callers cannot know its shape
        at mine/rack/move/SKILL.md:7

      warning[entry/schemas]: the payload has no \`outputs\`: callers cannot know its shape
        at mine/rack/move/SKILL.md:7

      error[links/resolve]: the link \`plan.md\` leads to no file
        at mine/rack/move/SKILL.md:40
      --- stderr
      1 skill: 1 error, 2 warnings; 2 mended
      --- exit code 1
      "
    `)
    expect(statSync(path('mine/rack/move/scripts/move.py')).mode & 0o111).toBe(0o111)
    expect(read('mine/rack/move/SKILL.md')).toContain(await directive())
    const again = await run('skills lint --skills-dir mine rack/move --fix')
    expect(again.stderr).toBe('1 skill: 1 error, 2 warnings\n')
    for (const file of ['mine/bad/SKILL.md', 'mine/one/SKILL.md'] as const) expect(read(file)).toBe(bad[file])
  })

  test('a covered file is checked too; one that cannot be served can be named', async () => {
    const { run } = project({ files: { ...bad, 'over/one/SKILL.md': skill('One') } })
    const lint = (ids: string) => run(`skills lint --skills-dir mine --skills-dir over ${ids}`)
    expect((await lint('one')).stderr).toBe('2 skills: 1 error, 0 warnings\n')
    expect((await lint('bad')).stderr).toBe('1 skill: 1 error, 0 warnings\n')
    expect((await lint('tow')).exitCode).toBe(2)
  })
})

describe('the directive', () => {
  test('is one text: in the guide, in what is new, in every skill that is script-first', async () => {
    const text = await directive()
    expect(text).toMatch(/^\*\*SCRIPT-FIRST EXECUTION REQUIRED\*\*\n\nDo not execute this task row-by-row/)
    const guide = readFileSync(join(DOTCODEX, 'docs/SCRIPT-FIRST-DIRECTIVE.md'), 'utf8')
    expect(guide).toContain(`\n${text}\n`)
    const { skills } = (await project().run('skills list --json')).json()
    for (const { file, scriptFirst } of skills) {
      expect({ file, has: readFileSync(file, 'utf8').includes(text) }).toEqual({ file, has: scriptFirst })
    }
  })
})

/** The standard text, as the CLI writes it. */
async function directive(): Promise<string> {
  const at = project()
  await at.run('skills new a/b --script-first')
  const text = at.read('dotcodex/skills/a/b/SKILL.md')
  const heading = '## Script-First Directive\n'
  const begin = text.indexOf(heading) + heading.length
  return text.slice(begin, text.indexOf('\n## ', begin)).trim()
}

describe('audit', () => {
  // The candidates that the specification names.
  const CANDIDATES = [
    'k8s/bulk-restart',
    'k8s/pod-cleanup',
    'logs/cloudwatch-search',
    'aws/ec2-inventory',
    'db/migration-batch',
    'monitoring/alert-triage',
  ]

  test('the candidates need the directive, by the evidence alone', async () => {
    const { json, stderr } = await project().run('skills audit --json')
    expect(stderr).toBe('')
    const { skills, problems } = json()
    expect(problems).toEqual([])
    expect(skills.map(({ id }: { id: string }) => id)).toEqual(SHIPPED_IDS)
    for (const id of CANDIDATES) {
      const judged = skills.find((one: { id: string }) => one.id === id)
      expect(judged).toMatchObject({
        ...{ id, verdict: 'applied', decidedBy: 'evidence', needsDirective: true, hasDirective: true },
        reason: expect.stringMatching(/.+ \(".+"\)/),
      })
      for (const { sign, words, weight, at } of judged.evidence) {
        expect({ sign, words, weight }).toEqual({
          sign: expect.stringMatching(/./),
          words: expect.stringMatching(/./),
          weight: expect.any(Number),
        })
        const lines = readFileSync(at.file, 'utf8').split('\n').length
        expect(at.line).toBeGreaterThan(0)
        expect(at.line).toBeLessThanOrEqual(lines)
      }
      expect(
        judged.evidence.filter(({ weight }: { weight: number }) => weight > 0).length,
      ).toBeGreaterThanOrEqual(2)
    }
    const verdicts = Object.fromEntries(
      skills.map((one: { id: string; verdict: string }) => [one.id, one.verdict]),
    )
    expect(verdicts).toMatchObject({
      'k8s/single-pod-restart': 'not-applicable',
      'db/connection-test': 'not-applicable',
    })
  })

  test('for a person: verdict, reason, and where each sign stands', async () => {
    const { run } = project({
      files: {
        'mine/rack/move/SKILL.md': skill('Move', {
          keys: 'script_first: false\nscript_first_reason: one rack\n',
        }),
        'mine/bulk/SKILL.md': skill('Bulk'),
        'mine/bad/SKILL.md': '---js\n---\n# Bad\n',
      },
    })
    expect((await run('skills audit --skills-dir mine')).transcript).toMatchInlineSnapshot(`
      "pending        bulk: should be script-first: many items ("bulk")
          for     bulk: bulk (mine/bulk/SKILL.md:1)
          for     bulk: Bulk (mine/bulk/SKILL.md:3)
      not-applicable rack/move: one rack (a person says so)
      --- stderr
      error[front-matter/language]: front matter in \`js\` is not read
        at mine/bad/SKILL.md:1
        hint: begin the file with a line that is exactly \`---\`
      "
    `)
  })

  test('the committed checklist is what the skills say', async () => {
    const { transcript } = await project().run(['skills', 'audit', '--check', '--skills-dir', SHIPPED])
    expect(transcript.replaceAll(DOTCODEX, 'DOTCODEX')).toBe(
      '--- stderr\nDOTCODEX/docs/SCRIPT-FIRST-SKILLS.md is what the skills say\n',
    )
  })

  test('--write in a project, once; --check sees what changes later', async () => {
    const { run, read, write, exists } = project({
      files: { 'dotcodex/skills/bulk-move/SKILL.md': skill('Bulk Move') },
    })
    expect((await run('skills audit --check')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      dotcodex/docs/SCRIPT-FIRST-SKILLS.md is not what the skills say

      hint: srecodex skills audit --write
      --- exit code 1
      "
    `)
    expect(exists('dotcodex/docs')).toBe(false)
    expect((await run('skills audit --write')).stderr).toBe('dotcodex/docs/SCRIPT-FIRST-SKILLS.md: written\n')
    expect(read('dotcodex/docs/SCRIPT-FIRST-SKILLS.md')).toMatchInlineSnapshot(`
      "# Skills Requiring Script-First Directive

      Written by \`srecodex skills audit --write\` from the skills themselves. Do not edit it: set \`script_first\` and \`script_first_reason\` in the skill.

      ## Applied

      None.

      ## Pending Review

      - [ ] bulk-move — should be script-first: many items ("bulk")

      ## Not Applicable

      None.
      "
    `)
    expect((await run('skills audit --write')).stderr).toBe(
      'dotcodex/docs/SCRIPT-FIRST-SKILLS.md: unchanged\n',
    )
    expect((await run('skills audit --check')).exitCode).toBe(0)
    write('dotcodex/skills/rack/move/SKILL.md', skill('Move'))
    expect((await run('skills audit --check')).exitCode).toBe(1)
    const { json, exitCode } = await run('skills audit --check --json')
    expect(exitCode).toBe(1)
    expect(json().checklist).toMatchObject({ isCurrent: false })
  })

  test('--write needs skills of its own, and excludes --check', async () => {
    const { run } = project()
    expect((await run('skills audit --write')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: there are no skills in dotcodex/skills

      hint: srecodex skills new AREA/NAME starts one; --skills-dir takes another folder
      --- exit code 2
      "
    `)
    expect((await run('skills audit --write --check')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: --check only looks, and --write writes: only one of them

      hint: srecodex skills audit --help lists its flags
      --- exit code 2
      "
    `)
  })
})

describe('new', () => {
  test.for([
    ['', []],
    ['--script-first', []],
    ['--entry python', ['python3', 'drain_nodes.py']],
    ['--entry shell', ['bash', 'drain_nodes.sh']],
    ['--entry javascript', [process.execPath, 'drain_nodes.js']],
    ['--entry python --script-first', ['python3', 'drain_nodes.py']],
  ] as const)('lint-clean as it is: %s', async ([flags, [interpreter, payload]]) => {
    const { run, path, read } = project()
    const made = await run(`skills new k8s/drain-nodes ${flags}`)
    const files = [
      'dotcodex/skills/k8s/drain-nodes/SKILL.md',
      ...(payload === undefined ? [] : [`dotcodex/skills/k8s/drain-nodes/scripts/${payload}`]),
    ]
    expect(made.transcript).toBe(files.map(file => `${file}\n`).join(''))
    expect((await run('skills lint --skills-dir dotcodex/skills')).transcript).toBe(
      '--- stderr\n1 skill: 0 errors, 0 warnings\n',
    )
    expect(read(files[0]!).includes('SCRIPT-FIRST EXECUTION REQUIRED')).toBe(flags.includes('--script-first'))
    if (interpreter === undefined) return
    const { stdout } = await execa(interpreter, [path(files[1]!)], { input: '{"items": ["a", "b"]}' })
    expect(JSON.parse(stdout)).toMatchObject({ summary: expect.any(String), total: expect.any(Number) })
  })

  test('with what is said of it', async () => {
    const { run, path } = project()
    const flags = [
      '--name',
      'Drain: "all"',
      '--intent',
      'Use this when nodes must go.',
      '--tag',
      'a',
      '--tag',
      'b',
    ]
    const { json } = await run(['skills', 'new', 'drain', ...flags, '--skills-dir', 'ours', '--json'])
    expect(json()).toEqual({ folder: path('ours/drain'), files: [path('ours/drain/SKILL.md')] })
    expect((await run('skills show drain --skills-dir ours --json')).json()).toMatchObject({
      name: 'Drain: "all"',
      intent: 'Use this when nodes must go.',
      tags: ['a', 'b'],
      version: '0.1.0',
    })
    expect((await run('skills lint --skills-dir ours')).exitCode).toBe(0)
  })

  test("the project's own template comes first", async () => {
    const template = skill('Template', { body: '\n## House rules\n\nAsk Ann.\n' })
    const { run, read } = project({ files: { 'dotcodex/templates/SKILL.template.md': template } })
    await run('skills new drain')
    expect(read('dotcodex/skills/drain/SKILL.md')).toContain('Ask Ann.')
  })

  test('never over a folder that is there, and only under a name that agents take', async () => {
    const { run, read, exists } = project({ files: { 'dotcodex/skills/drain/notes.txt': 'mine' } })
    expect((await run('skills new drain')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: \`drain\` is there already: WORKSPACE/dotcodex/skills/drain

      hint: choose another id, or remove the folder
      --- exit code 2
      "
    `)
    expect({
      notes: read('dotcodex/skills/drain/notes.txt'),
      made: exists('dotcodex/skills/drain/SKILL.md'),
    }).toEqual({
      notes: 'mine',
      made: false,
    })
    for (const id of ['../out', 'K8s/Drain', 'a//b', '/etc/x']) {
      expect({ id, exitCode: (await run(['skills', 'new', id])).exitCode }).toEqual({ id, exitCode: 2 })
    }
    expect(exists('../out')).toBe(false)
  })
})

test('what cannot be written is no fault of srecodex', async () => {
  const { run } = project({
    files: {
      '.agents': '',
      plain: '',
      'dotcodex/docs': '',
      'dotcodex/skills/rack/move/SKILL.md': skill('Move'),
    },
  })
  const told = async (command: string): Promise<string> => (await run(`skills ${command}`)).transcript
  expect(await told('install --for codex rack/move')).toMatchInlineSnapshot(`
    "--- stderr
    error[STATE_UNWRITABLE]: cannot write \`.agents/skills\`: not a directory

    hint: see that you may write it, then run this again
    --- exit code 1
    "
  `)
  expect(await told('new rack/lift --skills-dir plain')).toMatchInlineSnapshot(`
    "--- stderr
    error[STATE_UNWRITABLE]: cannot write \`plain/rack\`: not a directory

    hint: see that you may write it, then run this again
    --- exit code 1
    "
  `)
  expect(await told('audit --write')).toMatchInlineSnapshot(`
    "--- stderr
    error[STATE_UNWRITABLE]: cannot write \`dotcodex/docs\`: file already exists

    hint: see that you may write it, then run this again
    --- exit code 1
    "
  `)
  expect((await run('skills audit --check')).exitCode).toBe(1)
})

describe('install', () => {
  const payload = '#!/usr/bin/env python3\nprint("{}")\n'
  const files = {
    'dotcodex/skills/rack/move/SKILL.md': skill('Move', { keys: 'entry: scripts/move.py\n' }),
    'dotcodex/skills/rack/move/scripts/move.py': payload,
    'dotcodex/skills/rack/lift/SKILL.md': skill('Lift', { keys: 'script_first: true\nrisk_level: medium\n' }),
  }
  const OURS = '--skills-dir dotcodex/skills'
  const MOVED = '.agents/skills/rack-move'

  const rack = (): Project => {
    const at = project({ files })
    chmodSync(at.path('dotcodex/skills/rack/move/scripts/move.py'), 0o755)
    return at
  }

  test.for([
    ['codex', '.agents/skills'],
    ['cursor', '.agents/skills'],
    ['agents', '.agents/skills'],
    ['claude', '.claude/skills'],
  ] as const)('%s: into the project, into HOME, and away again', async ([client, folder]) => {
    const { run, exists, home } = rack()
    const install = (flags: string) => run(`skills install --for ${client} ${OURS} ${flags}`)
    expect((await install('')).transcript).toBe(`${folder}: 2 created\n`)
    expect((await install('--project')).transcript).toBe(`${folder}: 2 unchanged\n`)
    expect(exists(`~/${folder}`)).toBe(false)
    expect((await install('--user')).transcript).toBe(`~/${folder}: 2 created\n`)
    for (const at of ['', '~/']) {
      expect(exists(`${at}${folder}/rack-move/SKILL.md`)).toBe(true)
      expect(exists(`${at}${folder}/rack-lift/SKILL.md`)).toBe(true)
    }
    expect((await install('--uninstall --user')).transcript).toBe(`~/${folder}: 2 removed\n`)
    expect(globSync('**/*', { cwd: home })).toEqual([])
    expect((await install('--uninstall')).transcript).toBe(`${folder}: 2 removed\n`)
    expect(exists(dirname(folder))).toBe(false)
    expect((await install('--uninstall')).transcript).toBe(`${folder}: nothing to do\n`)
  })

  test('in the form that agents load, with the directive', async () => {
    const { run, read } = rack()
    await run(`skills install --for codex ${OURS}`)
    expect(read('.agents/skills/rack-lift/SKILL.md')).toMatchInlineSnapshot(`
      "---
      name: rack-lift
      description: "Lift the nodes of a rack. Use when a rack is moved."
      metadata:
        "title": "Lift"
        "id": "rack/lift"
        "intent": "Use this when a rack is moved."
        "tags": "rack"
        "script_first": "true"
        "risk_level": "medium"
      ---

      # Skill: Lift

      ## Usage

      Give it the rack.

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

      **User**: "Move rack 7."

      **User**: "Move all racks of a row."
      "
    `)
  })

  test('every skill that ships keeps the rules of the Agent Skills specification', async () => {
    const { run, path, read } = project()
    const { json } = await run('skills install --for agents --json')
    const { skills, conflicts, problems } = json()
    expect({ conflicts, problems }).toEqual({ conflicts: [], problems: [] })
    expect(skills.map(({ id }: { id: string }) => id)).toEqual(SHIPPED_IDS)
    for (const { id, slug, folder } of skills) {
      expect(folder).toBe(path(`.agents/skills/${slug}`))
      expect(slug).toBe(id.replaceAll('/', '-'))
      const [, head = '', ...body] = read(`.agents/skills/${slug}/SKILL.md`).split(/^---$/m)
      const keys = Object.fromEntries(
        [...head.matchAll(/^([^\s:]+):(.*)$/gm)].map(([, key, value]) => [key, value!.trim()]),
      )
      expect(Object.keys(keys)).toEqual(['name', 'description', 'metadata'])
      expect(keys.name).toBe(slug)
      const description = JSON.parse(keys.description)
      expect(description).toMatch(/\bUse\b/)
      expect(description.length).toBeLessThanOrEqual(1024)
      expect(head.match(/^ {2}.*$/gm)!.every(line => /^ {2}"[^"]+": "(\\.|[^"\\])*"$/.test(line))).toBe(true)
      expect(body.join('---').split('\n').length).toBeLessThanOrEqual(500)
    }
  })

  test('some of them, and an unknown one', async () => {
    const { run, exists } = rack()
    const { json } = await run(`skills install --for codex rack/move --json ${OURS}`)
    expect(json().skills).toMatchObject([{ id: 'rack/move', slug: 'rack-move', action: 'created' }])
    expect(exists('.agents/skills/rack-lift')).toBe(false)
    expect((await run(`skills install --for codex rack/mvoe ${OURS}`)).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[SKILL_NOT_FOUND]: there is no skill \`rack/mvoe\`

      hint: did you mean rack/move?
      --- exit code 2
      "
    `)
    expect((await run('skills install --for codex rack/mvoe --uninstall')).transcript).toMatchInlineSnapshot(`
      ".agents/skills: nothing to do
      --- stderr
      note: srecodex has not installed rack/mvoe there
      "
    `)
    expect((await run('skills install --for codex rack/move --uninstall')).stdout).toBe(
      '.agents/skills: 1 removed\n',
    )
  })

  test('--copy copies the payload, --link links it; one becomes the other', async () => {
    const { run, path, read } = rack()
    const install = async (flags: string) =>
      (await run(`skills install --for codex rack/move ${OURS} ${flags}`)).transcript
    const at = path(`${MOVED}/scripts/move.py`)
    expect(await install('')).toBe('.agents/skills: 1 created\n')
    expect({ isFile: lstatSync(at).isFile(), mode: lstatSync(at).mode & 0o777 }).toEqual({
      isFile: true,
      mode: 0o755,
    })
    expect(await install('--link')).toBe('.agents/skills: 1 updated\n')
    expect(lstatSync(at).isSymbolicLink()).toBe(true)
    expect(read(`${MOVED}/scripts/move.py`)).toBe(payload)
    expect(lstatSync(path(`${MOVED}/SKILL.md`)).isFile()).toBe(true)
    expect(await install('--link')).toBe('.agents/skills: 1 unchanged\n')
    expect(await install('--copy')).toBe('.agents/skills: 1 updated\n')
    expect(lstatSync(at).isFile()).toBe(true)
    await run('skills install --for codex --link rack/move --uninstall')
    expect(read('dotcodex/skills/rack/move/scripts/move.py')).toBe(payload)
  })

  test('a skill that has changed is updated, and a file that is gone from it goes', async () => {
    const { run, write, exists } = rack()
    const install = async () => (await run(`skills install --for codex ${OURS}`)).stdout
    await install()
    write('dotcodex/skills/rack/move/SKILL.md', skill('Move', { body: '\nMore.\n' }))
    write('dotcodex/skills/rack/move/notes.md', 'Notes.')
    expect(await install()).toBe('.agents/skills: 1 unchanged, 1 updated\n')
    expect(exists(`${MOVED}/notes.md`)).toBe(true)
  })

  test('what somebody else wrote or changed stays, and keeps no other skill away', async () => {
    const { run, read, write, exists } = rack()
    const foreign = 'not of srecodex'
    write('.agents/skills/rack-lift/SKILL.md', foreign)
    write('.agents/skills/own/SKILL.md', foreign)
    expect((await run(`skills install --for codex ${OURS}`)).transcript).toMatchInlineSnapshot(`
      ".agents/skills: 1 created
      --- stderr
      note: .agents/skills/rack-lift/SKILL.md was left as it is: srecodex did not write it
      --- exit code 1
      "
    `)
    write(`${MOVED}/SKILL.md`, 'edited')
    write(`${MOVED}/mine.txt`, 'mine')
    expect((await run(`skills install --for codex rack/move ${OURS}`)).transcript).toMatchInlineSnapshot(`
      ".agents/skills: nothing done
      --- stderr
      note: .agents/skills/rack-move/SKILL.md was left as it is: it has been changed since srecodex wrote it
      --- exit code 1
      "
    `)
    expect((await run('skills install --for codex --uninstall')).transcript).toMatchInlineSnapshot(`
      ".agents/skills: 1 removed
      --- stderr
      note: .agents/skills/rack-move/SKILL.md was left as it is: it has been changed since srecodex wrote it
      --- exit code 1
      "
    `)
    expect({
      lift: read('.agents/skills/rack-lift/SKILL.md'),
      own: read('.agents/skills/own/SKILL.md'),
      edited: read(`${MOVED}/SKILL.md`),
      mine: read(`${MOVED}/mine.txt`),
      payload: exists(`${MOVED}/scripts`),
    }).toEqual({ lift: foreign, own: foreign, edited: 'edited', mine: 'mine', payload: false })
  })

  test('never through a link that leads out of the project', async () => {
    const { run, home, path } = rack()
    symlinkSync(home, path('.agents'))
    expect((await run(`skills install --for codex ${OURS}`)).transcript).toMatchInlineSnapshot(`
      ".agents/skills: nothing done
      --- stderr
      error[install/folder]: nothing is written there: it leads out of WORKSPACE, to HOME
        at .agents/skills
      --- exit code 1
      "
    `)
    expect(globSync('**/*', { cwd: home })).toEqual([])
  })

  test('one that cannot be served is told', async () => {
    const { run, write } = rack()
    write('dotcodex/skills/bad/SKILL.md', '---js\n---\n# Bad\n')
    expect((await run(`skills install --for codex ${OURS}`)).transcript).toMatchInlineSnapshot(`
      ".agents/skills: 2 created
      --- stderr
      error[front-matter/language]: front matter in \`js\` is not read
        at dotcodex/skills/bad/SKILL.md:1
        hint: begin the file with a line that is exactly \`---\`
      --- exit code 1
      "
    `)
  })

  test('without a client', async () => {
    const { run } = project()
    expect((await run('skills install')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: required option '--for <client>' not specified

      hint: srecodex skills install --help lists its flags
      --- exit code 2
      "
    `)
    expect((await run('skills install --for vim')).exitCode).toBe(2)
    expect((await run('skills install --for codex --user --project')).exitCode).toBe(2)
    expect((await run('skills install --for codex --link --copy')).exitCode).toBe(2)
  })
})
