/**
 * What is wrong with a skill as an author's work: schema, sections, links, payload, directive, agents' limits.
 *
 * `lintSkill` is pure over the text and the facts about the files beside it; `lintSkills` reads both;
 * `applyFixes` is the one function that writes.
 */

import path from 'node:path'
import type { Skill, SkillPlace, SkillProblem } from './skill.ts'
import { lintRules } from './lint-rules.ts'
import type { LintContext, LintFinding, SkillFacts } from './lint-rules.ts'
import { outline } from './outline.ts'
import type { ParsedSkill } from './read-skill.ts'

export type { LintFinding, SkillFacts } from './lint-rules.ts'

export interface LintedSkill {
  readonly id: string
  readonly file: string
  /** In the order of the lines. */
  readonly findings: readonly LintFinding[]
  /** Null: nothing that is found can be mended without a person. */
  readonly fix: SkillFix | null
}

export interface SkillFix {
  readonly file: string
  /** What the file must still hold for the fix to be written. */
  readonly before: string
  /** Null: the text stays. */
  readonly after: string | null
  /** Payload that gets its executable bit; null: none needs it. */
  readonly executable: string | null
  /** The rules that it satisfies. */
  readonly rules: readonly string[]
}

export interface LintReport {
  readonly skills: readonly LintedSkill[]
  readonly errors: number
  readonly warnings: number
  readonly fixable: number
}

/** What reading merely notes and an author must mend: other agents would not load the skill, or load another. */
const RAISED =
  /^(front-matter\/(absent|yaml|not-a-map|unclosed|not-first|fence|duplicate-key|anchor|too-long|unknown-key|tag)|file\/(byte-order-mark|encoding)|field\/(?!description$).*)$/

const raise = (problem: SkillProblem): LintFinding => ({
  ...problem,
  severity: problem.severity === 'error' || RAISED.test(problem.rule) ? 'error' : 'warning',
  isFixable: false,
})

const byLine = (a: LintFinding, b: LintFinding): number => (a.at?.line ?? 0) - (b.at?.line ?? 0)

/** Reading reports a missing name or description in its own way; the rules say it better. */
const isRepeated = (problem: SkillProblem): boolean =>
  /^the skill (has no|says neither)/.test(problem.message)

const contextOf = (parsed: ParsedSkill, skill: Skill, facts: SkillFacts): LintContext => ({
  skill,
  facts,
  fields: parsed.frontMatter.fields,
  outline: outline(skill.body),
  bodyAt: line => ({ file: skill.file, line: skill.bodyLine + line - 1 }),
  keyAt: part => ({ file: skill.file, line: parsed.frontMatter.lineOf(part) }),
})

/** Saved anew, these are gone; a file that is not UTF-8 must not be: what cannot be read would be lost. */
const GONE_ONCE_SAVED = /^file\/(byte-order-mark|line-ends)$/
const NOT_TO_SAVE = 'file/encoding'

/** Pure: the fix is proposed, not made. `before` is the file's text as it is. */
export const lintSkill = (
  parsed: ParsedSkill,
  place: SkillPlace,
  facts: SkillFacts,
  before: string,
): LintedSkill => {
  const { skill, problems, text } = parsed
  const canSave = problems.every(problem => problem.rule !== NOT_TO_SAVE)
  const read = problems
    .filter(problem => !isRepeated(problem))
    .map(problem => ({ ...raise(problem), isFixable: canSave && GONE_ONCE_SAVED.test(problem.rule) }))
  if (skill === null) return { id: place.id, file: place.file, findings: read, fix: null }

  const context = contextOf(parsed, skill, facts)
  const broken = lintRules
    .map(rule => ({ rule, found: rule.check(context) }))
    .filter(({ found }) => found.length > 0)
    .map(one => {
      const changesBody = (one.rule.fixBody?.(skill.body) ?? skill.body) !== skill.body
      return { ...one, isFixable: (canSave && changesBody) || one.rule.isChmod === true }
    })
  const found = broken.flatMap(one => one.found.map(finding => ({ ...finding, isFixable: one.isFixable })))

  const body = broken.reduce((mended, { rule }) => rule.fixBody?.(mended) ?? mended, skill.body)
  const after = text.slice(0, text.length - skill.body.length) + body
  const isChmodWanted = broken.some(({ rule }) => rule.isChmod === true)
  const fix: SkillFix = {
    file: place.file,
    before,
    after: canSave && after !== before ? after : null,
    executable: isChmodWanted && skill.entry !== null ? path.join(skill.folder, skill.entry) : null,
    rules: [...new Set([...read, ...found].filter(({ isFixable }) => isFixable).map(({ rule }) => rule))],
  }
  const findings = [...read, ...found].sort(byLine)
  return { id: place.id, file: place.file, findings, fix: fix.rules.length > 0 ? fix : null }
}

/** Reads and checks the skills at these places. */
export const lintSkills = async (places: readonly SkillPlace[]): Promise<LintReport> => {
  const [{ parseSkillBytes, readBounded }, { factsOf }] = await Promise.all([
    import('./read-skill.ts'),
    import('./lint-facts.ts'),
  ])
  const skills = places.map((place): LintedSkill => {
    const bytes = readBounded(place.file)
    if (typeof bytes === 'string') {
      const message = `the file cannot be read: ${bytes}`
      const at = { file: place.file, line: 1 }
      const finding: LintFinding = {
        severity: 'error',
        rule: 'file/unreadable',
        message,
        at,
        isFixable: false,
      }
      return { id: place.id, file: place.file, findings: [finding], fix: null }
    }
    const parsed = parseSkillBytes(bytes, place)
    const facts = factsOf(parsed.skill)
    return lintSkill(parsed, place, facts, bytes.toString('utf8'))
  })
  const findings = skills.flatMap(skill => skill.findings)
  return {
    skills,
    errors: findings.filter(finding => finding.severity === 'error').length,
    warnings: findings.filter(finding => finding.severity === 'warning').length,
    fixable: findings.filter(finding => finding.isFixable).length,
  }
}

export interface FixResult {
  readonly fixed: readonly SkillFix[]
  /** Not written, because the file has changed since it was read. */
  readonly skipped: readonly SkillFix[]
}

/** Writes fixes. A file that is not what it was when it was checked is left alone. */
export const applyFixes = async (fixes: readonly SkillFix[]): Promise<FixResult> => {
  const { chmod, readFile, stat } = await import('node:fs/promises')
  const { replaceFile } = await import('./replace-file.ts')
  const fixed: SkillFix[] = []
  const skipped: SkillFix[] = []
  for (const fix of fixes) {
    if ((await readFile(fix.file, 'utf8')) !== fix.before) {
      skipped.push(fix)
      continue
    }
    if (fix.after !== null) await replaceFile(fix.file, fix.after)
    if (fix.executable !== null) {
      const { mode } = await stat(fix.executable)
      // Whoever may read it may run it.
      await chmod(fix.executable, (mode & 0o7777) | ((mode & 0o444) >> 2))
    }
    fixed.push(fix)
  }
  return { fixed, skipped }
}
