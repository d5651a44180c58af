/**
 * Which skills need the script-first directive, which should not have it, and why.
 *
 * The evidence proposes; a person disposes: `script_first_reason` in the front matter settles it, and is what the
 * checklist then says. `auditSkill` and `renderChecklist` are pure.
 */

import path from 'node:path'
import { directiveState } from './directive.ts'
import { evidenceOf } from './evidence.ts'
import type { AuditedSource, Evidence } from './evidence.ts'
import type { SkillPlace, SkillProblem } from './skill.ts'

export type { AuditedSource, Evidence } from './evidence.ts'

/** `pending`: what the skill says and what the evidence says differ, and no person has settled it. */
export type AuditVerdict = 'applied' | 'pending' | 'not-applicable'

export interface AuditedSkill {
  readonly id: string
  readonly file: string
  readonly verdict: AuditVerdict
  /** One line for the checklist. */
  readonly reason: string
  /** Who decided: the skill and the evidence agree, or a person has said why. */
  readonly decidedBy: 'evidence' | 'person'
  /** What the evidence alone says. */
  readonly needsDirective: boolean
  /** What the front matter says. */
  readonly scriptFirst: boolean
  /** Whether the body carries the standard text. */
  readonly hasDirective: boolean
  readonly score: number
  readonly evidence: readonly Evidence[]
}

export interface Audit {
  readonly skills: readonly AuditedSkill[]
  /** Files that could not be judged. */
  readonly problems: readonly SkillProblem[]
}

/** Two signs that agree, or one that could not be plainer. */
const ENOUGH = 3

const SIGN_NAMES: Readonly<Record<string, string>> = {
  bulk: 'many items',
  'plural-input': 'takes a list',
  'multi-step': 'several steps',
  data: 'reads data',
  'large-n': 'a large number',
  loop: 'the payload loops',
  single: 'single item',
  diagnosis: 'step-by-step diagnosis',
  'singular-inputs': 'takes one thing',
}

const nameOf = ({ sign }: Evidence): string => SIGN_NAMES[sign] ?? sign

const describe = (evidence: readonly Evidence[], isFor: boolean, max: number): string => {
  const telling = evidence.filter(one => one.weight > 0 === isFor)
  const seen = new Map<string, string>()
  for (const one of telling) if (!seen.has(one.sign)) seen.set(one.sign, `${nameOf(one)} ("${one.words}")`)
  return [...seen.values()].slice(0, max).join(', ')
}

export const auditSkill = (source: AuditedSource): AuditedSkill => {
  const { skill } = source
  const evidence = evidenceOf(source)
  const score = evidence.reduce((sum, { weight }) => sum + weight, 0)
  const needsDirective = score >= ENOUGH
  const { scriptFirst, scriptFirstReason } = skill
  const base = {
    id: skill.id,
    file: skill.file,
    needsDirective,
    scriptFirst,
    hasDirective: directiveState(skill.body).state === 'standard',
    score,
    evidence,
  }
  if (scriptFirstReason !== null) {
    const verdict = scriptFirst ? 'applied' : 'not-applicable'
    return { ...base, verdict, reason: scriptFirstReason, decidedBy: 'person' }
  }
  const why = describe(evidence, needsDirective, 2)
  if (scriptFirst === needsDirective) {
    const fallback = describe(evidence, true, 1)
    const otherwise =
      fallback === '' ? 'nothing speaks for a script' : `little speaks for a script: ${fallback}`
    return {
      ...base,
      verdict: scriptFirst ? 'applied' : 'not-applicable',
      reason: why === '' ? otherwise : why,
      decidedBy: 'evidence',
    }
  }
  const against = why === '' ? 'nothing speaks for a script' : why
  const reason = needsDirective ? `should be script-first: ${why}` : `script_first is true, but: ${against}`
  return { ...base, verdict: 'pending', reason, decidedBy: 'evidence' }
}

const MAX_PAYLOAD_BYTES = 256 * 1024

/** Reads the skills at these places and their payloads, and judges each. */
export const auditSkills = async (places: readonly SkillPlace[]): Promise<Audit> => {
  const { loadSkill, readBounded } = await import('./read-skill.ts')
  const skills: AuditedSkill[] = []
  const problems: SkillProblem[] = []
  for (const place of places) {
    const { skill, frontMatter, problems: found } = loadSkill(place)
    if (skill === null) {
      problems.push(...found)
      continue
    }
    const file = skill.entry === null ? null : path.join(skill.folder, skill.entry)
    const bytes = file === null ? '' : readBounded(file, MAX_PAYLOAD_BYTES)
    const payload = file === null || typeof bytes === 'string' ? null : { file, text: bytes.toString('utf8') }
    skills.push(auditSkill({ skill, lineOf: frontMatter.lineOf, payload }))
  }
  return { skills: skills.sort((a, b) => (a.id < b.id ? -1 : 1)), problems }
}

const listed = (lines: readonly string[]): string => (lines.length === 0 ? 'None.' : lines.join('\n'))

/** The text of `docs/SCRIPT-FIRST-SKILLS.md`. */
export const renderChecklist = (audit: Audit): string => {
  const of = (verdict: AuditVerdict): readonly AuditedSkill[] =>
    audit.skills.filter(skill => skill.verdict === verdict)
  return `# Skills Requiring Script-First Directive

Written by \`srecodex skills audit --write\` from the skills themselves. Do not edit it: set \`script_first\` and \`script_first_reason\` in the skill.

## Applied

${listed(of('applied').map(({ id, reason }) => `- [x] ${id} — ${reason}`))}

## Pending Review

${listed(of('pending').map(({ id, reason }) => `- [ ] ${id} — ${reason}`))}

## Not Applicable

${listed(of('not-applicable').map(({ id, reason }) => `- ${id} (${reason})`))}
`
}

/** Writes the checklist where it says something new. Its folder must be there. */
export const writeChecklist = async (file: string, audit: Audit): Promise<'written' | 'unchanged'> => {
  const text = renderChecklist(audit)
  const [{ readFile }, { replaceFile }] = await Promise.all([
    import('node:fs/promises'),
    import('./replace-file.ts'),
  ])
  if ((await readFile(file, 'utf8').catch(() => null)) === text) return 'unchanged'
  await replaceFile(file, text)
  return 'written'
}
