import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { skillHandler, type SkillCall } from '../../src/runs/skill-calls.ts'
import type { CallHandler } from '../../src/tools/channel.ts'

const SKILL = (entry: string): string => `---
name: "Count"
description: "Counts."
tags: ["a"]
intent: "Use this to count."
${entry}
inputs:
  type: object
  additionalProperties: false
  required: [upto]
  properties:
    upto: { type: integer, minimum: 1 }
---

# Skill: Count

## Usage

Counts.
`

const CONTEXT = { signal: new AbortController().signal }

async function handler(
  files: Readonly<Record<string, string>>,
  { mutations = 'plan', decided = new Map<string, unknown>() } = {},
): Promise<CallHandler> {
  const root = mkdtempSync(join(tmpdir(), 'srecodex-skill-calls-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const workspace = join(root, 'workspace')
  mkdirSync(workspace)
  const { config } = await loadConfig({
    workspace,
    env: { SRECODEX_HOME: root },
    flags: { 'mutations.default': mutations },
  })
  return skillHandler({
    skillFolders: [join(root, 'skills')],
    callerEnvironment: process.env,
    cacheFolder: join(root, 'cache'),
    config,
    workspace,
    numbered: Math.max(0, ...[...decided.values()].map(Number)),
    isSandboxed: true,
    items: {
      itemKey: token => token,
      isSkipped: () => false,
      isRedone: () => false,
      mutationStarted: () => {},
      mutationEnded: () => {},
      callFailed: () => {},
      unplanned: () => {},
    },
    once: async (name, value) => {
      if (!decided.has(name)) decided.set(name, value())
      return decided.get(name)
    },
  })
}

const COUNT = {
  'skills/math/count/SKILL.md': SKILL('entry: scripts/count.sh'),
  'skills/math/count/scripts/count.sh': 'echo {}',
}

it('gives the program and the file as the script sees them', async () => {
  const skill = await handler(COUNT)
  expect(await skill({ id: 'math/count', inputs: { upto: 3 } }, CONTEXT)).toEqual({
    command: [expect.stringMatching(/bash$/), '/run/srecodex/skills/0/math/count/scripts/count.sh'],
    prefix: 'math/count#1/',
    timeoutMs: null,
  })
})

it('numbers calls by what they are called with, and gives a resume the same numbers in any order', async () => {
  const decided = new Map<string, unknown>()
  const prefixes = async (all: readonly number[]): Promise<string[]> => {
    const skill = await handler(COUNT, { decided })
    const prefix: string[] = []
    for (const upto of all) {
      prefix.push(((await skill({ id: 'math/count', inputs: { upto } }, CONTEXT)) as SkillCall).prefix)
    }
    return prefix
  }
  expect(await prefixes([5, 7, 5])).toEqual(['math/count#1/', 'math/count#2/', 'math/count#3/'])
  expect(await prefixes([8, 7, 5, 5, 9])).toEqual([
    'math/count#4/',
    'math/count#2/',
    'math/count#1/',
    'math/count#3/',
    'math/count#5/',
  ])
})

it.each([
  ['an unknown skill', { id: 'math/cuont' }, 'SKILL_UNKNOWN', /no skill math\/cuont/],
  ['inputs that do not fit', { id: 'math/count', inputs: { upto: 0 } }, 'SKILL_INPUTS', /upto/],
  ['inputs that lack one', { id: 'math/count', inputs: {} }, 'SKILL_INPUTS', /upto/],
  ['inputs that are no object', { id: 'math/count', inputs: [] }, 'INVALID_PARAMS', /object/],
  ['a way out of the folder', { id: '../../etc' }, 'SKILL_UNKNOWN', /no skill/],
])('refuses %s', async (_what, params, code, message) => {
  const skill = await handler(COUNT)
  await expect(skill(params, CONTEXT)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  })
})

it('refuses a skill without a payload', async () => {
  const skill = await handler({ 'skills/math/count/SKILL.md': SKILL('version: "1.0.0"') })
  await expect(skill({ id: 'math/count', inputs: { upto: 1 } }, CONTEXT)).rejects.toMatchObject({
    code: 'SKILL_UNKNOWN',
    message: expect.stringContaining('no payload'),
  })
})

it('refuses a skill that requires confirmation where mutations are allowed without any', async () => {
  const files = {
    ...COUNT,
    'skills/math/count/SKILL.md': SKILL('requires_confirmation: true\nentry: scripts/count.sh'),
  }
  const call = { id: 'math/count', inputs: { upto: 1 } }
  const allowed = await handler(files, { mutations: 'allow' })
  await expect(allowed(call, CONTEXT)).rejects.toMatchObject({ code: 'REFUSED' })
  const planned = await handler(files)
  await expect(planned(call, CONTEXT)).resolves.toMatchObject({ prefix: 'math/count#1/' })
})
