/** `srecodex skills run`: a skill as a person runs it, its inputs as flags. */

import { project, type ProjectOptions } from '@srecodex/testkit'
import { readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { changes, cluster, once } from './cluster.ts'

const FRONT = {
  greet: `
name: "Greet"
description: "Greets somebody."
tags: ["demo"]
intent: "Use this to greet."
entry: scripts/greet.py
timeout: 7
inputs:
  type: object
  additionalProperties: false
  required: [who]
  properties:
    who: { type: string, description: "Whom to greet." }
    how_often: { type: integer, minimum: 1, maximum: 3, default: 1, description: "How many times." }
    loud: { type: boolean, default: false }
    also: { type: array, items: { type: string } }
`,
  text: `
name: "Text"
description: "Only a text."
tags: ["demo"]
intent: "Use this to read."
`,
  plainjs: `
name: "Plain"
description: "Gives no summary."
tags: ["demo"]
intent: "Use this for JSON."
entry: scripts/plain.js
`,
}

const files: NonNullable<ProjectOptions['files']> = {
  'dotcodex/skills/demo/greet/SKILL.md': `---${FRONT.greet}---\n\n# Skill: Greet\n`,
  'dotcodex/skills/demo/greet/scripts/greet.py': `
import json, sys
inputs = json.load(sys.stdin)
words = "hello " + ", ".join([inputs["who"]] + inputs.get("also", []))
words = " ".join([words] * inputs.get("how_often", 1))
print("greeting", file=sys.stderr)
print(json.dumps({"summary": words.upper() if inputs.get("loud") else words, "inputs": inputs}))
`,
  'dotcodex/skills/demo/text/SKILL.md': `---${FRONT.text}---\n\n# Skill: Text\n`,
  'dotcodex/skills/demo/plainjs/SKILL.md': `---${FRONT.plainjs}---\n\n# Skill: Plain\n`,
  'dotcodex/skills/demo/plainjs/scripts/plain.js': `
let text = ''
for await (const chunk of process.stdin) text += chunk
console.log(JSON.stringify({ got: JSON.parse(text) }))
`,
}

describe('inputs', () => {
  test('as flags, in either spelling', async () => {
    const { run } = project({ files })
    const said = await run('skills run demo/greet --who Ada --how_often 2 --loud --also Bob Cy --also Di')
    expect(said).toMatchObject({ exitCode: 0, stdout: 'HELLO ADA, BOB, CY, DI HELLO ADA, BOB, CY, DI\n' })
    expect(said.stderr).toMatch(/^✔ succeeded in TIME\n/)
    expect(JSON.parse((await run('output last')).raw.stdout)).toMatchObject({
      inputs: { who: 'Ada', how_often: 2, loud: true, also: ['Bob', 'Cy', 'Di'] },
    })
  })

  test('as JSON, from the command line or stdin; flags go over it', async () => {
    const { run } = project({ files })
    const json = '{"who": "Ada\\u2028 \\"x\\" \\\\ ☃", "loud": true}'
    expect((await run(['skills', 'run', 'demo/greet', '--json-input', json, '--no-loud'])).raw.stdout).toBe(
      'hello Ada  "x" \\ ☃\n', // sanitised: a line separator would be a line
    )
    expect((await run('skills run demo/greet --json-input -', { stdin: '{"who": "Bo"}' })).stdout).toBe(
      'hello Bo\n',
    )
    expect((await run('skills run demo/greet --json-input [1]')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: \`--json-input\` must be a JSON object

      hint: --json-input '{"namespace": "shop"}', or - to read it from stdin
      --- exit code 2
      "
    `)
  })

  test('everything that does not fit is told before anything runs', async () => {
    const { run } = project({ files })
    expect((await run('skills run demo/greet --hwo Ada --how-often 9 --loud=very')).transcript)
      .toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: there is no input \`--hwo\`

      hint: did you mean --who?

      error[USAGE]: \`--loud\` is "very"; it must be true or false

      error[USAGE]: \`--how-often\` must be at most 3

      hint: srecodex skills run demo/greet --help lists its inputs
      --- exit code 2
      "
    `)
    expect((await run('skills run demo/greet --how-often 9')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: \`--who\` is needed

      error[USAGE]: \`--how-often\` must be at most 3

      hint: srecodex skills run demo/greet --help lists its inputs
      --- exit code 2
      "
    `)
    expect((await run('runs list --json')).json()).toEqual([])
  })

  test('--help prints them from the schema', async () => {
    const { run } = project({ files })
    expect((await run('skills run demo/greet --help')).transcript).toMatchInlineSnapshot(`
      "Usage: srecodex skills run demo/greet [--input value...] [--yes] [--json]

      Greets somebody.

      risk low · up to 7 seconds

      Inputs:
        --who <text>
            Whom to greet. (needed)
        --how-often <integer>
            How many times. (at least 1, at most 3, default 1)
        --loud, --no-loud
            (default false)
        --also <string>...
      "
    `)
    expect((await run('skills run --help')).stdout).toMatch(/^Usage: srecodex skills run <id> /)
  })
})

test('what has no summary returns its JSON; --json is the report', async () => {
  const { run } = project({ files })
  expect((await run('skills run demo/plainjs --json-input {"a":1}')).stdout).toBe('{"got":{"a":1}}\n')
  expect((await run('skills run demo/plainjs --json')).json()).toMatchObject({
    ...{ status: 'succeeded', summary: '{"got":{}}' },
  })
})

test('a skill that is only a text, or is not there, is told with the way on', async () => {
  const { run } = project({ files })
  expect((await run('skills run demo/text')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    error[USAGE]: skill \`demo/text\` has no payload: it is a text to read, not a program

    hint: srecodex skills show demo/text
    --- exit code 2
    "
  `)
  expect((await run('skills run demo/gret')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    error[SKILL_NOT_FOUND]: there is no skill \`demo/gret\`

    hint: did you mean demo/greet?
    --- exit code 2
    "
  `)
  expect((await run('skills run')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    error[USAGE]: the id of a skill is needed, before its inputs

    hint: srecodex skills list shows them
    --- exit code 2
    "
  `)
})

test("a skill's timeout goes over the default, and not over what the operator allows", async () => {
  const slow = files['dotcodex/skills/demo/greet/scripts/greet.py']!.replace(
    'inputs = ',
    'import time; time.sleep(3); inputs = ',
  )
  const { run, write } = project({ files: { ...files, 'dotcodex/skills/demo/greet/scripts/greet.py': slow } })
  const configure = (toml: string): void => write('../srecodex/config/config.toml', toml)
  configure('[scripts]\nexecution_timeout = 1\n')
  expect((await run('skills run demo/greet --who Ada')).exitCode).toBe(0)
  configure('[scripts]\nexecution_timeout = 1\nmax_timeout = 1\n')
  expect((await run('skills run demo/greet --who Ada')).exitCode).toBe(124)
})

test('a machine without Python runs a payload in JavaScript all the same', async () => {
  const { run } = project({ files })
  const folders = ['/usr/local/bin', '/usr/bin']
  const pythons = folders.flatMap(folder =>
    readdirSync(folder)
      .filter(name => /^python[\d.]*$/.test(name))
      .map(name => realpathSync(join(folder, name))),
  )
  const hidden = [...new Set(pythons)].flatMap(python => ['--ro-bind', '/dev/null', python])
  const within = ['bwrap', '--dev-bind', '/', '/', ...hidden, '--']
  const options = { within, env: { PATH: folders.join(':') } }
  const ran = await run('skills run demo/plainjs --json', options)
  expect(ran.json()).toMatchObject({
    ...{ status: 'succeeded', summary: '{"got":{}}', script: { language: 'javascript' } },
  })
  // The control: there really is no Python there.
  expect((await run('run - --lang py', { ...options, stdin: 'print(1)' })).stderr).toContain(
    'INTERPRETER_NOT_FOUND',
  )
})

test('nor does one need Python where the operator allows no .py', async () => {
  const { run, write } = project({ files })
  write('../srecodex/config/config.toml', '[scripts]\nallowed_extensions = [".js"]\n')
  expect((await run('skills run demo/plainjs --json')).json().script.language).toBe('javascript')
})

describe('a skill that changes something', () => {
  const deployments = ['shop/api', 'shop/web']

  test('plans, and with --yes applies; each workload is restarted once', async () => {
    const place = await cluster({ deployments })
    const planned = await place.srecodex('skills run k8s/bulk-restart --namespace shop --waves 100%')
    expect(planned).toMatchObject({ exitCode: 3, report: { status: 'planned', plan: { mutations: 2 } } })
    expect(changes(place.kubernetes)).toEqual({})
    const applied = await place.srecodex('skills run k8s/bulk-restart --namespace shop --waves 100% --yes')
    expect(applied).toMatchObject({
      exitCode: 0,
      report: { status: 'succeeded', summary: expect.stringContaining('2 of 2 workloads restarted') },
    })
    expect(changes(place.kubernetes)).toEqual(once(deployments))
  })

  test('is planned where the config would allow it, since it requires confirmation', async () => {
    const place = await cluster({ deployments })
    place.configure('[mutations]\ndefault = "allow"')
    const { exitCode } = await place.srecodex('skills run k8s/bulk-restart --namespace shop')
    expect(exitCode).toBe(3)
    expect(changes(place.kubernetes)).toEqual({})
  })
})
