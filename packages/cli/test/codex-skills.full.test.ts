/** What `skills install --for codex` writes, as the real Codex CLI passes it on to its model. */

import { project, type Project } from '@srecodex/testkit'
import { installCodex, startCodex, type CodexResult } from '@srecodex/testkit/agents'
import { execa } from 'execa'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'

beforeAll(installCodex, 600_000)

/** Name and description of each skill that the model is told of, of those below a folder. */
function toldSkills({ requests }: CodexResult, folder: string): Record<string, string> {
  const told = textsOf(requests[0]).find(text => text.startsWith('<skills_instructions>'))
  const root = [...(told ?? '').matchAll(/^- `(r\d+)` = `(.*)`$/gm)].find(
    ([, , path]) => path === folder,
  )?.[1]
  const listed = [...(told ?? '').matchAll(/^- ([^:\n]+): (.*) \(file: (r\d+)\/(.*)\/SKILL\.md\)$/gm)]
  return Object.fromEntries(
    listed
      .filter(([, name, , of, path]) => of === root && path === name)
      .map(([, name, description]) => [name, description]),
  )
}

function textsOf(request: CodexResult['requests'][number] | undefined): readonly string[] {
  return (request?.input ?? []).flatMap(({ content = [] }) => content.map(({ text = '' }) => text))
}

/** Its answer, without a word about anything that went wrong. */
async function answerOf(prompt: string, { workspace, home }: Project, folder = '.'): Promise<CodexResult> {
  const { ended } = await startCodex({ prompt, home, cwd: join(workspace, folder) })
  const answer = await ended
  const faults = answer.events.filter(({ type, item }) =>
    /error|failed/.test(`${type} ${String(item?.['type'])}`),
  )
  expect({ exitCode: answer.exitCode, stderr: answer.stderr, faults }).toEqual({
    exitCode: 0,
    stderr: '',
    faults: [],
  })
  expect(answer.requests).toHaveLength(1)
  return answer
}

async function repository(): Promise<Project> {
  const at = project()
  await execa('git', ['init', '--quiet'], { cwd: at.workspace })
  return at
}

/** What Codex should know: the description of each skill by the slug of its id. */
async function expected({ run }: Project): Promise<Record<string, string>> {
  const { skills } = (await run('skills list --json')).json()
  return Object.fromEntries(
    skills.map(({ id, description }: Record<string, string>) => [id!.replaceAll('/', '-'), description]),
  )
}

describe('Codex tells its model of every installed skill', () => {
  test('of a project, from its root and from below, until it is uninstalled', async () => {
    const at = await repository()
    const folder = at.path('.agents/skills')
    const all = await expected(at)
    expect(Object.keys(all)).toContain('k8s-bulk-restart')
    expect(toldSkills(await answerOf('Hello.', at), folder)).toEqual({})
    expect((await at.run('skills install --for codex --project')).exitCode).toBe(0)
    expect(toldSkills(await answerOf('Hello.', at), folder)).toEqual(all)
    mkdirSync(at.path('services/web'), { recursive: true })
    expect(toldSkills(await answerOf('Hello.', at, 'services/web'), folder)).toEqual(all)
    expect((await at.run('skills install --for codex --uninstall')).exitCode).toBe(0)
    expect(toldSkills(await answerOf('Hello.', at), folder)).toEqual({})
  })

  test('of a user, in any project', async () => {
    const at = await repository()
    expect((await at.run('skills install --for codex --user')).exitCode).toBe(0)
    const folder = join(at.home, '.agents/skills')
    expect(toldSkills(await answerOf('Hello.', at), folder)).toEqual(await expected(at))
  })

  test('with linked payloads, and one with every sign that YAML knows', async () => {
    const at = await repository()
    const description = `Restart "all": a # b, 'c' \\ {d} [e] & *f | > % @ \` — ü 🚀. Use when - it: is.`
    at.write(
      'ours/odd/one/SKILL.md',
      `---\nname: "Odd: one"\ndescription: ${JSON.stringify(description)}\ntags: [odd]\nintent: Use this when odd.\n` +
        'entry: scripts/one.sh\n---\n\n# Odd\n',
    )
    at.write('ours/odd/one/scripts/one.sh', '#!/usr/bin/env bash\necho "{}"\n')
    expect((await at.run('skills install --for codex --link --skills-dir ours')).exitCode).toBe(0)
    expect(toldSkills(await answerOf('Hello.', at), at.path('.agents/skills'))).toEqual({
      'odd-one': description,
    })
  })
})

test('a skill that is named reaches the model whole, with its directive', async () => {
  const at = await repository()
  await at.run('skills install --for codex')
  const file = '.agents/skills/k8s-bulk-restart/SKILL.md'
  const texts = textsOf((await answerOf('Use $k8s-bulk-restart on shop.', at)).requests[0])
  const injected = texts.filter(text => text.includes(at.read(file).trim()))
  expect(injected).toHaveLength(1)
  expect(injected[0]).toContain('**SCRIPT-FIRST EXECUTION REQUIRED**')
})
