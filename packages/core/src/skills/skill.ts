/** A skill as everything else in this room sees it: read, checked, with its problems beside it. */

import type { Problem } from '../errors.ts'

export type RiskLevel = 'low' | 'medium' | 'high'

/** One problem of a SKILL.md; an error keeps the skill from being served, a warning does not. */
export interface SkillProblem extends Problem {
  readonly severity: 'error' | 'warning'
  /** Which rule found it, such as `front-matter/duplicate-key`. */
  readonly rule: string
}

/** What the front matter says, with every default in its place. */
export interface SkillFields {
  readonly name: string
  /** What agents index. Absent in the file: `intent`, else `when_to_use`, else what the body begins with. */
  readonly description: string
  readonly tags: readonly string[]
  /** Absent in the file: `when_to_use`, else empty. */
  readonly intent: string
  readonly alwaysLoad: boolean
  readonly scriptFirst: boolean
  /** A person's verdict over the audit's; null where the audit's stands. */
  readonly scriptFirstReason: string | null
  readonly version: string | null
  readonly riskLevel: RiskLevel
  readonly requiresConfirmation: boolean
  /** Seconds; null: the default of the run. */
  readonly timeoutSeconds: number | null
  /** Host commands that the payload calls. */
  readonly commands: readonly string[]
  /** Payload, relative to the skill's folder; null: the skill is text only. */
  readonly entry: string | null
  /** JSON Schema; null: not declared. */
  readonly inputs: Readonly<Record<string, unknown>> | null
  readonly outputs: Readonly<Record<string, unknown>> | null
}

export interface Skill extends SkillFields {
  /** Path of its folder below the skills folder: `k8s/bulk-restart`. */
  readonly id: string
  /** Absolute path of its folder. */
  readonly folder: string
  /** Absolute path of its SKILL.md. */
  readonly file: string
  /** The text below the front matter, line ends as `\n`. */
  readonly body: string
  /** Line of the file on which the body begins, from 1. */
  readonly bodyLine: number
  readonly problems: readonly SkillProblem[]
}

/** Where a skill is: what the scan of a skills folder knows before any file is read. */
export interface SkillPlace {
  readonly id: string
  readonly folder: string
  readonly file: string
}
