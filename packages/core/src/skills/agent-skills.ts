/**
 * The strict Agent Skills form (agentskills.io), and a check of its rules. Pure.
 *
 * A skill of this project carries more keys than the specification allows: they go under `metadata`, where every
 * value is text.
 */

import type { Skill } from './skill.ts'

export const MAX_SLUG_CHARS = 64
export const MAX_DESCRIPTION_CHARS = 1024
export const MAX_COMPATIBILITY_CHARS = 500

/** What every agent allows at the top level, and nothing else. */
const KEYS = new Set(['name', 'description', 'license', 'compatibility', 'metadata', 'allowed-tools'])

/** Folder and name of an installed skill: `k8s/bulk-restart` is `k8s-bulk-restart`. */
export const slugOf = (id: string): string =>
  id
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, MAX_SLUG_CHARS)
    .replace(/-+$/, '')

/** Never through the middle of a character. */
const cutAt = (text: string, chars: number): string => text.slice(0, chars).replace(/[\uD800-\uDBFF]$/, '')

/** Cut at a word, with an ellipsis, where it is longer than agents take. */
export const fitDescription = (description: string): string => {
  // Agents put it into XML: what looks like a tag would be one.
  const text = description.replaceAll(/<\/?([A-Za-z][^<>]*)>/g, '$1')
  if (text.length <= MAX_DESCRIPTION_CHARS) return text
  return `${cutAt(text, MAX_DESCRIPTION_CHARS - 1).replace(/\s+\S*$/, '')}…`
}

/** JSON text is YAML, and reads the same in every parser of it. */
const yamlText = (text: string): string => JSON.stringify(text).replaceAll('\u007f', '\\u007f')

const metadataOf = (skill: Skill, extra: Readonly<Record<string, string>>): [string, string][] => {
  const list: [string, string | null][] = [
    ['title', skill.name],
    ['id', skill.id],
    ['intent', skill.intent === '' ? null : skill.intent],
    ['tags', skill.tags.length === 0 ? null : skill.tags.join(', ')],
    ['always_load', skill.alwaysLoad ? 'true' : null],
    ['script_first', String(skill.scriptFirst)],
    ['version', skill.version],
    ['risk_level', skill.riskLevel],
    ['requires_confirmation', skill.requiresConfirmation ? 'true' : null],
    ['timeout', skill.timeoutSeconds === null ? null : String(skill.timeoutSeconds)],
    ['commands', skill.commands.length === 0 ? null : skill.commands.join(', ')],
    ['entry', skill.entry],
    ['inputs', skill.inputs === null ? null : JSON.stringify(skill.inputs)],
    ['outputs', skill.outputs === null ? null : JSON.stringify(skill.outputs)],
  ]
  const own = list.filter((entry): entry is [string, string] => entry[1] !== null)
  const taken = new Set(own.map(([key]) => key))
  return [...Object.entries(extra).filter(([key]) => !taken.has(key)), ...own]
}

export interface StrictExtras {
  readonly license?: string
  readonly compatibility?: string
  readonly allowedTools?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** What an Agent Skills file says beyond this project's fields, as far as the specification allows it. */
export const extrasOf = (fields: Readonly<Record<string, unknown>>): StrictExtras => {
  const { license, compatibility, metadata } = fields
  const tools = fields['allowed-tools']
  const pairs =
    typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
      ? Object.entries(metadata)
      : []
  const allowedTools = Array.isArray(tools) ? tools.map(String).join(' ') : tools
  return {
    ...(typeof license === 'string' ? { license } : {}),
    ...(typeof compatibility === 'string'
      ? { compatibility: cutAt(compatibility, MAX_COMPATIBILITY_CHARS) }
      : {}),
    ...(typeof allowedTools === 'string' ? { allowedTools } : {}),
    metadata: Object.fromEntries(
      pairs.map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
    ),
  }
}

/** The text of an installed SKILL.md. The body is taken as it is. */
export const renderAgentSkill = (skill: Skill, body: string, extras: StrictExtras = {}): string => {
  const lines = [
    '---',
    `name: ${slugOf(skill.id)}`,
    `description: ${yamlText(fitDescription(skill.description))}`,
    ...(extras.license === undefined ? [] : [`license: ${yamlText(extras.license)}`]),
    ...(extras.compatibility === undefined ? [] : [`compatibility: ${yamlText(extras.compatibility)}`]),
    ...(extras.allowedTools === undefined ? [] : [`allowed-tools: ${yamlText(extras.allowedTools)}`]),
    'metadata:',
    ...metadataOf(skill, extras.metadata ?? {}).map(
      ([key, value]) => `  ${yamlText(key)}: ${yamlText(value)}`,
    ),
    '---',
    '',
    body.trim(),
    '',
  ]
  return lines.join('\n')
}

const textFault = (key: string, value: unknown, max: number): string[] => {
  if (typeof value !== 'string' || value.trim() === '') return [`\`${key}\` is not a text`]
  return value.length > max ? [`\`${key}\` is longer than ${max} characters`] : []
}

const nameFaults = (name: unknown, folderName: string): string[] => {
  const faults = textFault('name', name, MAX_SLUG_CHARS)
  if (typeof name !== 'string' || faults.length > 0) return faults
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))
    faults.push('`name` is not lower-case letters, digits and single hyphens')
  if (name !== folderName) faults.push(`\`name\` is \`${name}\`, and its folder is \`${folderName}\``)
  return faults
}

const metadataFaults = (metadata: unknown): string[] => {
  if (metadata === undefined) return []
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    return ['`metadata` is not a map']
  return Object.entries(metadata)
    .filter(([, value]) => typeof value !== 'string')
    .map(([key]) => `\`metadata.${key}\` is not a text`)
}

/** The specification's rules for the front matter of a file in a folder. @returns What it breaks; empty: valid. */
export const agentSkillFaults = (
  fields: Readonly<Record<string, unknown>>,
  folderName: string,
): readonly string[] => {
  const { license, compatibility } = fields
  const tools = fields['allowed-tools']
  return [
    ...Object.keys(fields)
      .filter(key => !KEYS.has(key))
      .map(key => `\`${key}\` is not a key of the specification`),
    ...nameFaults(fields['name'], folderName),
    ...textFault('description', fields['description'], MAX_DESCRIPTION_CHARS),
    ...(license === undefined ? [] : textFault('license', license, Infinity)),
    ...(compatibility === undefined
      ? []
      : textFault('compatibility', compatibility, MAX_COMPATIBILITY_CHARS)),
    ...(tools === undefined ? [] : textFault('allowed-tools', tools, Infinity)),
    ...metadataFaults(fields['metadata']),
  ]
}
