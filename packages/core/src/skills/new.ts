/**
 * Starts a skill from the template: what stands there passes lint as it is, and says what to write.
 *
 * `planSkill` is pure; `createSkill` writes and never over anything.
 */

import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { SrecodexError } from '../errors.ts'
import { MAX_SLUG_CHARS } from './agent-skills.ts'
import { insertDirective, removeDirective } from './directive.ts'
import { outline, withoutComments } from './outline.ts'

export type EntryLanguage = 'python' | 'shell' | 'javascript'

export interface NewSkillOptions {
  /** `k8s/bulk-restart`: its folder below the skills folder. */
  readonly id: string
  /** The text of SKILL.template.md. */
  readonly template: string
  /** @default the last part of the id, in words */
  readonly name?: string
  /** @default a sentence to be replaced */
  readonly intent?: string
  /** @default the parts of the id */
  readonly tags?: readonly string[]
  /** @default false */
  readonly scriptFirst?: boolean
  /** Language of a payload. @default none */
  readonly entry?: EntryLanguage
}

export interface NewFile {
  /** Below the skills folder. */
  readonly path: string
  readonly text: string
  readonly isExecutable: boolean
}

const MAX_DEPTH = 6

/** @throws {SrecodexError} USAGE */
export const checkSkillId = (id: string): void => {
  const isWord = (part: string): boolean => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(part)
  const parts = id.split('/')
  if (!parts.every(isWord)) {
    throw new SrecodexError('USAGE', `\`${id}\` is not the id of a skill`, {
      hint: 'lower-case letters, digits and single hyphens, with / between the area and the skill: k8s/bulk-restart',
    })
  }
  if (parts.length > MAX_DEPTH || id.length > MAX_SLUG_CHARS) {
    throw new SrecodexError('USAGE', `\`${id}\` is too long for the id of a skill`, {
      hint: `at most ${MAX_SLUG_CHARS} characters and ${MAX_DEPTH} parts: agents know the skill by all of it`,
    })
  }
}

const ABBREVIATIONS = new Set([
  'k8s',
  'aws',
  'db',
  'ec2',
  'rds',
  's3',
  'sql',
  'dns',
  'tls',
  'ssh',
  'vpc',
  'iam',
  'ci',
  'cd',
  'api',
  'http',
])

const titled = (word: string): string => {
  if (ABBREVIATIONS.has(word)) return word === 'k8s' ? 'K8s' : word.toUpperCase()
  return word.charAt(0).toUpperCase() + word.slice(1)
}

const titleOf = (id: string): string => (id.split('/').at(-1) ?? id).split('-').map(titled).join(' ')

/** Sets keys of the template's front matter; what else stands there, and every comment, stays. */
const withKeys = (template: string, values: Readonly<Record<string, string>>): string => {
  const lines = template
    .replaceAll('\r\n', '\n')
    .replace(/^\uFEFF/, '')
    .split('\n')
  const close = lines.indexOf('---', 1)
  if (lines[0] !== '---' || close === -1) {
    throw new SrecodexError('USAGE', 'the template has no front matter', {
      hint: 'it begins with a line that is exactly ---, and a second one ends the front matter',
    })
  }
  const head = lines.slice(1, close)
  let last = -1
  for (const [key, value] of Object.entries(values)) {
    const at = head.findIndex(line => line.startsWith(`${key}:`))
    if (at === -1) head.splice(last + 1, 0, `${key}: ${value}`)
    else head.splice(at, 1, `${key}: ${value}`)
    last = at === -1 ? last + 1 : at
  }
  // A comment that explains how to fill the template would be wrong in what is filled in.
  const rest = head.filter(line => !line.startsWith('#'))
  return ['---', ...rest, '---', ...lines.slice(close + 1)].join('\n')
}

const PLACEHOLDER = /^\[[^\]]*\][ \t]*$/m

/** A section of the template says nothing yet: it is empty, or holds only `[what to write]` and comments. */
const isPlaceholder = (text: string): boolean => /^(\[[^\]]*\]\s*)*$/.test(withoutComments(text).trim())

const EXTENSIONS = { python: 'py', shell: 'sh', javascript: 'js' } as const

const payloadOf = (language: EntryLanguage): string => {
  switch (language) {
    case 'python':
      return `#!/usr/bin/env python3
"""Reads a JSON object on stdin, prints a JSON object on stdout; its log goes to stderr."""
import json
import sys

inputs = json.load(sys.stdin)
items = inputs.get("items", [])
print(json.dumps({"summary": f"{len(items)} items seen", "total": len(items)}))
`
    case 'shell':
      return `#!/usr/bin/env bash
# Reads a JSON object on stdin, prints a JSON object on stdout; its log goes to stderr.
set -euo pipefail

inputs=$(cat)
echo "got \${#inputs} characters" >&2
printf '{"summary": "%s characters seen", "total": %s}\\n' "\${#inputs}" "\${#inputs}"
`
    case 'javascript':
      return `#!/usr/bin/env node
// Reads a JSON object on stdin, prints a JSON object on stdout; its log goes to stderr.
const chunks = []
for await (const chunk of process.stdin) chunks.push(chunk)
const { items = [] } = JSON.parse(Buffer.concat(chunks).toString('utf8'))
console.log(JSON.stringify({ summary: \`\${items.length} items seen\`, total: items.length }))
`
  }
}

const entryKeys = (entry: string): Record<string, string> => ({
  entry,
  inputs: '{ type: object, properties: { items: { type: array, items: { type: string } } } }',
  outputs:
    '{ type: object, required: [summary], properties: { summary: { type: string }, total: { type: integer } } }',
})

const usageText = (name: string): string =>
  `Say here what ${name} does, what it needs, and when another skill fits better.`

const examplesText = (name: string): string => `**User**: "Describe a typical request for ${name}."

**Agent**: Say what the agent does with it.

**User**: "Describe a second one, such as the case that goes wrong."

**Agent**: Say what the agent does then, and what it returns.`

const implementationText = (entry: string | null): string =>
  entry === null
    ? 'The skill is text only: the agent writes the commands. Name them here, with what can go wrong.'
    : `The payload is \`${entry}\`. Say here how it works, what it leaves alone, and how it fails.`

const SECTIONS: readonly [RegExp, string, (name: string, entry: string | null) => string][] = [
  [/^(usage|purpose|when to use)\b/i, '## Usage', usageText],
  [/^examples?\b/i, '## Examples', examplesText],
  [/^implementation\b/i, '## Implementation', (_name, entry) => implementationText(entry)],
]

const fillSections = (body: string, name: string, entry: string | null): string =>
  SECTIONS.reduce((text, [pattern, heading, write]) => {
    const { lines, headings } = outline(text)
    const found = headings.find(one => one.level === 2 && pattern.test(one.text))
    if (found === undefined) return `${text.trimEnd()}\n\n${heading}\n\n${write(name, entry)}\n`
    const content = lines.slice(found.line, found.endLine).join('\n')
    if (!isPlaceholder(content)) return text
    // Comments of the template say what to write: they stay, below what stands there for now.
    const comments = content.replace(PLACEHOLDER, '').trim()
    const filled = ['', write(name, entry), '', ...(comments === '' ? [] : [comments, ''])]
    return [...lines.slice(0, found.line), ...filled, ...lines.slice(found.endLine)].join('\n')
  }, body)

/** The files of a new skill. @throws {SrecodexError} USAGE */
export const planSkill = (options: NewSkillOptions): readonly NewFile[] => {
  const { id, template, scriptFirst = false } = options
  checkSkillId(id)
  const name = options.name ?? titleOf(id)
  const intent = options.intent ?? `Use this when … (say when ${name} is the skill to take).`
  const tags = options.tags ?? [...new Set(id.split(/[/-]/))]
  const entry =
    options.entry === undefined
      ? null
      : `scripts/${id.split('/').at(-1)?.replaceAll('-', '_')}.${EXTENSIONS[options.entry]}`
  const text = withKeys(template, {
    name: JSON.stringify(name),
    description: JSON.stringify(`${name}. ${intent}`),
    tags: `[${tags.map(tag => JSON.stringify(tag)).join(', ')}]`,
    intent: JSON.stringify(intent),
    script_first: String(scriptFirst),
    ...(entry === null ? {} : entryKeys(entry)),
  })
  const bodyAt = text.indexOf('\n---\n', 3) + 5
  const bare = removeDirective(text.slice(bodyAt)).replace(/^# .*$/m, `# Skill: ${name}`)
  const filled = fillSections(bare, name, entry)
  const body = scriptFirst ? insertDirective(filled) : filled
  const skillFile = {
    path: `${id}/SKILL.md`,
    text: `${text.slice(0, bodyAt)}${body.trimEnd()}\n`,
    isExecutable: false,
  }
  if (entry === null || options.entry === undefined) return [skillFile]
  return [skillFile, { path: `${id}/${entry}`, text: payloadOf(options.entry), isExecutable: true }]
}

/**
 * Writes a new skill and says where.
 *
 * @throws {SrecodexError} USAGE Its folder exists already, or the id is none.
 */
export const createSkill = async (
  skillsFolder: string,
  options: NewSkillOptions,
): Promise<{ readonly folder: string; readonly files: readonly string[] }> => {
  const files = planSkill(options)
  const folder = path.join(skillsFolder, options.id)
  await mkdir(path.dirname(folder), { recursive: true })
  try {
    await mkdir(folder)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    // An empty folder is nothing to lose; mkdir says that it is there, rmdir that it is empty.
    await rmdir(folder).catch(() => {
      throw new SrecodexError('USAGE', `\`${options.id}\` is there already: ${folder}`, {
        hint: 'choose another id, or remove the folder',
      })
    })
    await mkdir(folder)
  }
  for (const file of files) {
    const target = path.join(skillsFolder, file.path)
    await mkdir(path.dirname(target), { recursive: true })
    await writeFile(target, file.text, { flag: 'wx', mode: file.isExecutable ? 0o755 : 0o644 })
  }
  return { folder, files: files.map(file => path.join(skillsFolder, file.path)) }
}
