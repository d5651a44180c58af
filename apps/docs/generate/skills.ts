/** The catalogue, from the registry: one page a skill, with the audit's verdict and what it rests on. */

import { auditSkills, findSkills, loadRegistry, readSkill, type Audit, type Skill } from '@srecodex/core'
import { relative } from 'node:path'
import { cell, code, page, prose, said, table } from './markdown.ts'
import { SKILLS } from './repository.ts'

type AuditedSkill = Audit['skills'][number]
type Schema = Readonly<Record<string, unknown>>

export interface CatalogueSkill {
  readonly skill: Skill
  readonly audit: AuditedSkill
}

/** By id. A skill that cannot be served, or was not judged, is an error: the page would be missing in silence. */
export async function catalogue(): Promise<readonly CatalogueSkill[]> {
  const registry = await loadRegistry({ folders: [SKILLS], cacheFolder: null })
  const faults = registry.problems.filter(({ severity }) => severity === 'error')
  if (faults.length > 0) throw new Error(faults.map(({ message }) => message).join('\n'))
  const { places } = await findSkills([SKILLS])
  const audit = await auditSkills(places)
  return Promise.all(
    audit.skills.map(async audited => {
      const skill = await readSkill(registry, audited.id)
      if (skill === null) throw new Error(`${audited.id} cannot be read`)
      return { skill, audit: audited }
    }),
  )
}

const areaOf = ({ id }: Skill): string => id.slice(0, id.indexOf('/'))

const VERDICTS = {
  applied: 'script-first',
  pending: 'pending',
  'not-applicable': 'one command',
} as const

export function cataloguePage(skills: readonly CatalogueSkill[]): string {
  const byArea = Map.groupBy(skills, ({ skill }) => areaOf(skill))
  const scriptFirst = skills.filter(({ audit }) => audit.verdict === 'applied').length
  return page(
    'Skills',
    'The skills that ship with srecodex: what each does, and whether its job is done by one script.',
    [
      `${skills.length} skills ship with srecodex; ${scriptFirst} of them are **script-first**: their job is done by one script, because it has many items, much data or several steps. The others are one command, and a script around it would only be in the way. \`srecodex skills audit\` judges; each page shows what the verdict rests on.`,
      'A script calls a skill by `skill("k8s/bulk-restart", …)`, a shell by `srecodex skills run k8s/bulk-restart --flag …`, an agent finds one with `find_skills`. Yours go into `dotcodex/skills` of a project: see [the schema](../guides/skill-schema.md).',
      ...[...byArea].flatMap(([area, ofArea]) => [
        `## ${area}`,
        table(
          ['skill', 'what for', 'verdict', 'risk'],
          ofArea.map(({ skill, audit }) => [
            `[${skill.id}](./${skill.id}.md)`,
            cell(firstSentence(skill.description)),
            VERDICTS[audit.verdict],
            skill.riskLevel,
          ]),
        ),
      ]),
    ],
  )
}

export function skillPage({ skill, audit }: CatalogueSkill): string {
  const facts: string[][] = [
    ['id', code(skill.id)],
    ['verdict', `**${VERDICTS[audit.verdict]}**: ${cell(audit.reason)}`],
    ['risk', skill.riskLevel + (skill.requiresConfirmation ? ', always asks first' : '')],
    ['commands', skill.commands.map(code).join(', ') || 'none'],
    ['payload', skill.entry === null ? 'none: text that an agent reads' : code(skill.entry)],
    ['time limit', skill.timeoutSeconds === null ? 'that of the run' : `${skill.timeoutSeconds} s`],
    ['tags', skill.tags.map(code).join(' ')],
  ]
  return page(skill.name, firstSentence(skill.description), [
    prose(skill.description),
    table(['', ''], facts),
    ...(skill.inputs === null ? [] : ['## Inputs', fields(skill.inputs, true)]),
    ...(skill.outputs === null ? [] : ['## Outputs', fields(skill.outputs, false)]),
    skill.body.replace(/^# .*\n/m, '').trim(),
    '## Evidence',
    evidence(audit, skill.folder),
  ])
}

function evidence(audit: AuditedSkill, folder: string): string {
  const settled =
    audit.decidedBy === 'person'
      ? `A person settled it: ${prose(audit.reason)}. The audit alone says ${audit.needsDirective ? 'script-first' : 'one command'}.`
      : 'The skill and the audit agree.'
  const rows = [...audit.evidence]
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
    .map(({ sign, weight, words, at }) => [
      cell(sign),
      weight > 0 ? `+${weight}` : `−${Math.abs(weight)}`,
      code(words.replaceAll('|', '¦')),
      code(`${relative(folder, at.file)}:${at.line}`),
    ])
  const score = `Score ${String(audit.score).replace('-', '−')}: what speaks for one script counts up, what speaks against it counts down, and 3 are enough. ${settled}`
  return rows.length === 0 ? score : `${score}\n\n${table(['sign', 'weight', 'words', 'at'], rows)}`
}

/** A JSON Schema object as a table. */
function fields(schema: Schema, isInput: boolean): string {
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : [])
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>)
  if (properties.length === 0) return 'None.'
  const rows = properties.map(([name, property]) => [
    code(name),
    cell(typeOf(property)),
    ...(isInput
      ? [required.has(name) ? 'required' : 'default' in property ? code(spaced(property['default'])) : '']
      : []),
    cell(said(property['description'])),
  ])
  return table(isInput ? ['input', 'type', 'default', ''] : ['output', 'type', ''], rows)
}

function typeOf(schema: Schema): string {
  if (Array.isArray(schema['enum'])) return schema['enum'].map(value => code(String(value))).join(', ')
  const types = [schema['type'] ?? 'any'].flat().map(String)
  return types
    .map(type =>
      type === 'array' && isSchema(schema['items']) ? `list of ${typeOf(schema['items'])}` : type,
    )
    .join(' or ')
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const firstSentence = (text: string): string => /^.*?[.!?](?= |$)/s.exec(text)?.[0] ?? text

/** As JSON that can be broken into lines. */
const spaced = (value: unknown): string => JSON.stringify(value).replaceAll(/,(?=["\d[{])/g, ', ')
